"""Cells of a notebook as a file, and what a cell shows of a run."""
