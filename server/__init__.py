"""The process: HTTP, tokens, health, logs and the command line."""
