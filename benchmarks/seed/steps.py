"""The tasks of the seed's benchmark: the same functions for every engine that runs Python."""

import time

import numpy as np


def leaf(index: int, seconds: float, length: int):
    """An array of one value, after a sleep."""
    if seconds > 0:
        time.sleep(seconds)
    return np.full(length, float(index))


def add(a, b):
    return a + b


def check(total) -> list:
    """Least and largest of the sum, and its length: all that is needed to know that it is right."""
    return [float(total.min()), float(total.max()), int(total.size)]


def same(value):
    return value
