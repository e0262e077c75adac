"""Values that stay in this process."""
