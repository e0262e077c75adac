"""Tasks of the tests with NumPy."""

import os
import threading

import numpy as np


def ramp(size, start=0):
    return np.arange(start, start + size, dtype="float64")


def many():
    return {
        "int": np.int32(3),
        "float": np.float32(1.5),
        "nan": np.float64("nan"),
        "bool": np.bool_(True),
        "text": np.str_("text"),
        "time": np.datetime64("2026-01-02T03:04:05.678901234"),
        "day": np.datetime64("2026-01-02"),
        "list": [np.int64(1), np.float64(2.0)],
        "array": np.zeros((2, 3), dtype="int16"),
    }


def refused(kind):
    return {
        "nat": [np.datetime64("NaT")],
        "delta": np.timedelta64(1, "s"),
        "complex": np.complex128(1),
        "long": np.longdouble(1) / 3,
        "lock": np.array([1, threading.Lock()], dtype=object),
    }[kind]


def add(a, b):
    return a + b


def total(array):
    return {"sum": float(array.sum()), "writable": bool(array.flags.writeable), "pid": os.getpid(), "dtype": str(array.dtype)}


def change(array):
    array[0] = 1


def change_in_place(array, how):
    if how == "shape":
        array.shape = (2, -1)
    elif how == "dtype":
        array.dtype = array.dtype.newbyteorder()
    else:
        array.flags.writeable = True
        array[0] = 1


def view_of_much():
    much = np.ones(1_000_000)
    return much[:10]


def odd_arrays():
    return {
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "strided": np.arange(10)[::2],
        "objects": np.array([1, "two", None], dtype=object),
        "structured": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        "long": np.zeros(1, dtype=[(f"{'field' * 20}{n}", "f4") for n in range(900)]),
        "unicode": np.zeros(1, dtype=[("größe", "f4"), ("長さ", "f8")]),
        "empty": np.zeros((0, 3)),
        "masked": np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]),
        "scalar": np.array(5.0),
    }


def describe(arrays):
    return {name: [type(array).__name__, str(array.dtype)[:40], list(array.shape), repr(array.tolist())] for name, array in arrays.items()}


def wait(path, array):
    import time

    while not os.path.exists(path):
        time.sleep(0.005)
