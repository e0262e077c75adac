"""One attempt: what it names, what it finds, and its execution."""
