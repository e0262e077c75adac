import os
import time

import numpy as np


def leaf(index: int, length: int, log: str):
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{index} {os.getpid()}\n".encode())
    os.close(file)
    time.sleep(0.001)
    return np.full(length, float(index))


def add(a, b):
    return a + b


def check(total) -> list:
    return [float(total.min()), float(total.max()), int(total.size)]
