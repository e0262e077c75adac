"""The process that executes Python tasks. Standard library only: it runs in the author's environment."""
