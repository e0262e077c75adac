"""Runs from a program, a test or a notebook: started by the engine beside it, and looked at."""
