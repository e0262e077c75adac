"""What tasks print and log."""
