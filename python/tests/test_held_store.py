import os
import pickle
import tempfile
import unittest

from almanac_worker.held.store import Gone, HeldStore


class Array:
    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


class Holding(unittest.TestCase):
    def setUp(self):
        self.unmapped = []
        self.store = HeldStore(3, self.unmapped.append)
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "m1")

    def tearDown(self):
        self.folder.cleanup()

    def test_only_what_has_buffers_is_held(self):
        for value in [object(), lambda: 0, open(os.devnull), {1, 2}, 1j]:
            self.assertIsNone(self.store.hold(value))
        handle, size, text = self.store.hold(Array(bytearray(100)))
        self.assertEqual(handle >> 32, 3)
        self.assertGreaterEqual(size, 100)
        self.assertTrue(text.endswith(".Array"))

    def test_each_consumer_gets_its_own_object_over_the_same_bytes(self):
        handle, _, _ = self.store.hold(Array(bytearray(b"abc")))
        first, second = self.store.get(handle), self.store.get(handle)
        first.data = None
        self.assertEqual(bytes(second.data), b"abc")
        self.assertTrue(memoryview(second.data).readonly)

    def test_a_free_value_is_gone(self):
        handle, _, _ = self.store.hold(Array(bytearray(3)))
        self.store.free([handle, 99])
        with self.assertRaises(Gone) as raised:
            self.store.get(handle)
        self.assertEqual(raised.exception.handle, handle)

    def test_it_knows_how_many_bytes_it_holds(self):
        handle, size, _ = self.store.hold(Array(bytearray(300)))
        other, more, _ = self.store.hold(Array(bytearray(5)))
        self.assertEqual(self.store.bytes, size + more)
        self.store.free([handle, handle, 99])
        self.assertEqual(self.store.bytes, more)
        self.store.free([other])
        self.assertEqual(self.store.bytes, 0)

    def test_it_moves_through_a_file_that_may_be_longer(self):
        data = bytearray(range(256)) * 1000
        handle, _, _ = self.store.hold([Array(data), Array(bytearray()), Array(bytearray(b"x"))])
        with open(self.path, "wb") as file:
            file.write(b"\xff" * 1_000_000)
        spans = self.store.export(handle, self.path)
        self.assertTrue(all(offset % 64 == 0 for offset, _ in spans))
        there = HeldStore(4, self.unmapped.append).map("m1", self.path, "pickle", spans)
        self.assertEqual([bytes(one.data) for one in there], [bytes(data), b"", b"x"])
        self.assertEqual(self.unmapped, [])
        part = memoryview(there[0].data)[5:10]
        del there
        self.assertEqual(self.unmapped, [])
        self.assertEqual(bytes(part), bytes(data[5:10]))
        del part
        self.assertEqual(self.unmapped, ["m1"])

    def test_it_is_kept_as_a_pickle(self):
        handle, _, _ = self.store.hold(Array(bytearray(b"abc")))
        self.store.persist(handle, self.path)
        there = self.store.map("m1", self.path, "pickle", [[0, os.path.getsize(self.path)]])
        self.assertEqual(bytes(there.data), b"abc")


if __name__ == "__main__":
    unittest.main()
