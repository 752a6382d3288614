"""Live: operations and events over sockets and streams."""
