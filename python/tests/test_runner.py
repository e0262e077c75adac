import ctypes
import itertools
import json
import os
import pickle
import tempfile
import unittest
from unittest import mock

from almanac_worker.tasks.signature import Signature
from almanac_worker.held.store import HeldStore
from almanac_worker.sources import Sources
from almanac_worker.tasks.runner import MAX_RESULT, Runner
from almanac_worker.tasks.task import Function, Order, Task, TaskCancelled

BEGINS, USES_UP = 2, 4


class Array:
    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


class Address(ctypes.Structure):
    """Where the memory of a buffer is, also of one that is only read."""

    _fields_ = [("buf", ctypes.c_void_p), ("rest", ctypes.c_byte * 256)]

    @staticmethod
    def of(buffer):
        found = Address()
        ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(buffer), ctypes.byref(found), 0)
        try:
            return found.buf
        finally:
            ctypes.pythonapi.PyBuffer_Release(ctypes.byref(found))


class WhatATaskIsGiven(unittest.TestCase):
    def setUp(self):
        self.store = HeldStore(3, lambda segment: None)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.blobs = folder.name, itertools.count(1)
        self.runner = Runner(Sources("."), self.store, "python", self.blob_paths)
        self.handle, _, _ = self.store.hold(Array(bytearray(100)))

    def blob_paths(self):
        number = next(self.blobs)
        return [os.path.join(self.folder, f"{place}{number}") for place in ("b", "s")]

    def run_task(self, function, flags):
        known = Function("steps.py", "f", 8, [], None)
        known.found = function, Signature(function, "f")
        inputs = json.dumps({"a": {"$": "held", "handle": self.handle}}, separators=(",", ":"))
        task = Task(Order(known, b"r1", 1000, 1, flags, "2026-01-02"), 1, inputs, 1, "once")
        end = json.loads(self.runner.run(task, lambda f, positional, named: f(*positional, **named)))
        return task, end[2]

    def test_goes_with_the_end_where_nobody_else_needs_it_and_much_is_held(self):
        for late, flags, used in [(True, BEGINS | USES_UP, True), (True, BEGINS, False), (False, USES_UP, False)]:
            self.runner.is_laden = lambda late=late: late
            task, body = self.run_task(lambda a: Array(bytearray(a.data)), flags)
            self.assertEqual((task.used_up, body.get("u")), ([self.handle], [self.handle]) if used else ([], None))
            self.assertEqual(task.left, body["h"][0][1])

    def test_that_is_gone_before_the_task_begins_is_told_and_is_no_error_of_the_task(self):
        self.store.free([self.handle])
        task, body = self.run_task(lambda a: 1, 0)
        self.assertEqual(body["e"], {"kind": "gone", "message": "", "gone": self.handle})
        self.assertNotIn("v", body)

    def test_stays_for_another_attempt_where_the_task_failed(self):
        self.runner.is_laden = lambda: True
        for function in [lambda a: 1 / 0, lambda a: [Array(bytearray(9)), {1}]]:
            task, body = self.run_task(function, USES_UP)
            self.assertEqual((task.used_up, task.left, body.get("u")), ([], 0, None))
            self.assertEqual(self.store.get(self.handle).data.nbytes, 100)

    def test_what_the_authors_code_goes_on_to_hold_is_copied(self):
        workspace = bytearray(9)

        def fill(a):
            workspace[0] += 1
            return {"whole": Array(workspace), "part": Array(memoryview(workspace)[:3]), "own": Array(bytearray(3))}

        ends = [self.run_task(fill, 0)[1]["h"] for _ in range(2)]
        kept = [[bytes(self.store.get(handle).data)[0] for handle, _ in end] for end in ends]
        self.assertEqual(kept, [[1, 1, 0], [2, 2, 0]])

    def test_what_nobody_else_holds_is_not_copied(self):
        places = []

        def make(a):
            array = (ctypes.c_char * 64)()
            places.append(ctypes.addressof(array))
            return Array(array)

        handle = self.run_task(make, 0)[1]["h"][0][0]
        held = self.store.get(handle).data
        self.assertEqual(Address.of(held), places[0])
        del held
        again = self.store.get(self.run_task(lambda a: a, 0)[1]["h"][0][0])
        self.assertEqual(Address.of(again.data), Address.of(self.store.get(self.handle).data))

    def test_large_bytes_of_a_result_are_in_files_while_it_is_one(self):
        large = b"x" * 100_000
        _, body = self.run_task(lambda a: {"bytes": large, "more": large}, 0)
        self.assertEqual([body["v"][""][name]["file"] for name in ("bytes", "more")], self.left())
        self.assertEqual([os.path.basename(path) for path in self.left()], ["b1", "b2"])

    def test_large_bytes_are_gone_where_the_rest_of_a_result_is_refused(self):
        large = b"x" * 100_000

        for rest in [{1}, "x" * (MAX_RESULT + 1)]:
            _, body = self.run_task(lambda a, rest=rest: {"bytes": large, "rest": rest}, 0)
            self.assertEqual((body["e"]["kind"], "v" in body, self.left()), ("refused", False, []))

    def test_bytes_that_are_too_large_as_json_are_refused_before_they_leave_the_process(self):
        half = b"x" * (MAX_RESULT * 3 // 8)
        self.assertIn("v", self.run_task(lambda a: [half, half], 0)[1])
        for path in self.left():
            os.unlink(path)
        _, body = self.run_task(lambda a: [half, half, b"x" * 100_000], 0)
        why = "at (the value itself): it is larger than 64 MiB as JSON"
        self.assertEqual((body["e"]["message"], self.left()), (why, []))

    def test_large_bytes_are_gone_where_the_task_is_cancelled_while_they_are_written(self):
        def cancelled(data):
            raise TaskCancelled

        with mock.patch("builtins.open", lambda path, mode: os.close(os.open(path, os.O_CREAT)) or cancelled(path)):
            _, body = self.run_task(lambda a: b"x" * 100_000, 0)
        self.assertEqual((body["c"], self.left()), (1, []))

    def left(self):
        return sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder))


if __name__ == "__main__":
    unittest.main()
