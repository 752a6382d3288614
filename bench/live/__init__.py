"""Live queries measured: how fast an event reaches thousands of sockets, and how fast they come back."""
