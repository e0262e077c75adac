import os
import threading
import time


class Hostile(Exception):
    """It cannot be pickled, nor can what caused it."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()
        self.stream = (n for n in range(3))

    def __reduce__(self):
        raise TypeError("not to be pickled")


def good(n: int):
    return n * n


def gives_a_lock(n: int):
    return {"n": n, "lock": threading.Lock()}


def raises(n: int):
    try:
        raise Hostile("the cause")
    except Hostile as error:
        raise Hostile("the effect") from error


def writes_to_1(n: int):
    os.write(1, b"written past Python\n")
    return n


def leaves(n: int):
    time.sleep(0.05)
    os._exit(3)
