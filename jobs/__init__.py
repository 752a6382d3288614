"""What is done beside requests: by a server, or by a process of its own."""
