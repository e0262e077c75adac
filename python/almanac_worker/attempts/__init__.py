"""The attempts that this process has and has not ended."""
