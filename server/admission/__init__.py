"""What a process does with more than it can do: who is served, who waits, and who is told at once to come again."""
