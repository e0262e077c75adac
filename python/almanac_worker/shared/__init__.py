"""What the process of workflows has too: frames, values on their way, failures, packages, the process itself."""
