import os
import tempfile
import unittest
from importlib.machinery import EXTENSION_SUFFIXES
from unittest import mock

from almanac_worker.sources import Sources, _Finder


class Staleness(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.sources = Sources(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name, text="x = 1\n"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_a_file_that_changed_after_it_was_read_is_named(self):
        path = self.path("a.py")
        self.sources.read_code(path)
        self.assertIsNone(self.sources.stale())
        self.path("a.py", "x = 2\n")
        self.assertEqual(self.sources.stale(), path)

    def test_a_module_of_machine_code_that_was_rebuilt_is_named(self):
        path = self.path(f"kern{EXTENSION_SUFFIXES[0]}", "one")
        spec = _Finder(self.sources).find_spec("kern", [self.folder.name])
        self.assertEqual(spec.origin, path)
        self.assertIsNone(self.sources.stale())
        self.path(f"kern{EXTENSION_SUFFIXES[0]}", "two")
        self.assertEqual(self.sources.stale(), path)

    def test_a_thread_may_load_a_module_while_the_others_are_looked_at(self):
        self.sources.read_code(self.path("a.py"))
        self.sources.read_code(self.path("b.py"))
        more = iter(range(100))
        stat = os.stat

        def stat_while_loading(path, *rest, **named):
            found = stat(path, *rest, **named)
            if path.endswith(("a.py", "b.py")):
                self.sources.read_code(self.path(f"c{next(more)}.py"))
            return found

        with mock.patch("os.stat", stat_while_loading):
            self.assertIsNone(self.sources.stale())
        self.assertEqual(next(more), 4)


if __name__ == "__main__":
    unittest.main()
