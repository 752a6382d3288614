"""The chart, and what writes its schema of values."""
