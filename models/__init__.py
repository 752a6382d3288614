"""What is stored and how it is asked for: tables, and functions that return statements."""
