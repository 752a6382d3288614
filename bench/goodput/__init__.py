"""How much is still answered in time when more is asked than a server can do."""
