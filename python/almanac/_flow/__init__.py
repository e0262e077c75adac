"""What the author of a workflow uses: tasks, workflows, programs, sources, documents."""
