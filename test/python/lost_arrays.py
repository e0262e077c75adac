import os
import pickle
import time


class Array:
    """What NumPy's arrays do when they are pickled, without NumPy."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


def begin(folder: str, name: str):
    with open(os.path.join(folder, "log"), "a") as log:
        log.write(f"{name} {os.getpid()}\n")
    while os.path.exists(os.path.join(folder, f"stop-{name}")):
        time.sleep(0.005)
    if os.path.exists(os.path.join(folder, f"fail-{name}")):
        raise ValueError(f"no {name} any more")


def leaf(folder: str, name: str, n: int):
    begin(folder, name)
    return Array(bytearray([n]) * 1000)


def add(folder: str, name: str, a, b):
    begin(folder, name)
    return Array(bytearray(x + y for x, y in zip(bytes(a.data), bytes(b.data))))


def total(folder: str, name: str, a) -> int:
    begin(folder, name)
    return sum(bytes(a.data))
