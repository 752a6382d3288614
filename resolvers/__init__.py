"""What happens: plain async functions of a context and values."""
