"""Where a Python program finds the engine that it starts."""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac import AlmanacError, beside  # noqa: E402


def executable(path: pathlib.Path) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


class Command(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        # installed by pip: no checkout is around it
        installed = mock.patch.object(beside, "__file__", str(self.folder / "site/almanac/beside.py"))
        installed.start()
        self.addCleanup(installed.stop)

    def command(self, **environment: str) -> list[str]:
        with mock.patch.dict(os.environ, {"PATH": str(self.folder / "bin"), **environment}, clear=True):
            return beside._command()

    def test_is_the_one_that_is_named_words_and_all(self) -> None:
        self.assertEqual(self.command(ALMANAC_COMMAND="node '/a b/almanac.cjs'"), ["node", "/a b/almanac.cjs"])
        own = executable(self.folder / "my tools/almanac")
        self.assertEqual(self.command(ALMANAC_COMMAND=str(own)), [str(own)])

    def test_is_that_of_the_project_where_none_is_on_the_path(self) -> None:
        executable(self.folder / "bin/node")
        there = executable(self.folder / "node_modules/.bin/almanac")
        (self.folder / "deep").mkdir()
        os.chdir(self.folder / "deep")
        self.assertEqual(self.command(), [str(there)])

    def test_is_missed_with_what_to_do(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "the engine of Almanac is missing") as caught:
            self.command()
        self.assertIn("npm install", caught.exception.hint)
        self.assertEqual(getattr(caught.exception, "__notes__"), [caught.exception.hint])


if __name__ == "__main__":
    unittest.main()
