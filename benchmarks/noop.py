"""Tasks of the benchmark of the Python executor."""


def noop(value):
    return value
