"""The process that workflow functions in Python live in. Not for authors."""
