import contextlib
import json
import os
import pickle
import socket
import tempfile
import unittest
from unittest import mock

from almanac_worker.shared.frames import Outbox
from almanac_worker.worker import Worker


class Buffer:
    def __reduce_ex__(self, protocol):
        return Buffer, (pickle.PickleBuffer(bytearray(10)),)


class AnyName(dict):
    """As `addict.Dict`: it has whatever is asked of it."""

    def __getattr__(self, name):
        return self.get(name, AnyName())


@contextlib.contextmanager
def opened_worker():
    ours, host = socket.socketpair()
    with tempfile.TemporaryDirectory() as folder, ours, host, open(os.path.join(folder, "events"), "w") as events:
        config = {"debug": "pdb", "logBytes": 0, "places": [], "worker": 1, "directory": folder, "holder": "h"}
        outbox = Outbox(ours)
        yield Worker({**config, "events": events.name}, None, outbox), outbox, host, folder


class Results(unittest.TestCase):
    def test_what_has_any_attribute_is_a_result_and_what_a_coroutine_gives_is(self):
        async def later():
            return AnyName(a=2)

        with opened_worker() as (worker, *_):
            ends = [worker._call_in_thread(function, [], {}) for function in (lambda: AnyName(a=1), later, mock.Mock)]
        self.assertEqual(ends[:2], [{"a": 1}, {"a": 2}])
        self.assertIsInstance(ends[2], mock.Mock)


class Exporting(unittest.TestCase):
    def test_a_value_that_cannot_be_exported_is_answered_with_why(self):
        with opened_worker() as (worker, outbox, host, folder):
            handle, _, _ = worker._store.hold(Buffer())
            paths = [os.path.join(folder, name) for name in ("first", "spare")]
            with mock.patch.object(os, "pwrite", side_effect=MemoryError("no more")):
                worker._exports.export(handle, "first", *paths)
            outbox.flush()
            frame = host.recv(1 << 16)
            self.assertEqual(json.loads(frame[4:]), [["exported", handle, "first", None, "MemoryError: no more"]])
            self.assertEqual([os.path.exists(path) for path in paths], [False, False])


if __name__ == "__main__":
    unittest.main()
