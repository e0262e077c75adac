"""Where a Python program finds the engine that it starts."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac import AlmanacError, location  # noqa: E402
from almanac.version import HOME, VERSION  # noqa: E402


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
        for name, value in {"__file__": str(self.folder / "site/almanac/location.py"), "_source": lambda: self.source}.items():
            installed = mock.patch.object(location, name, value)
            installed.start()
            self.addCleanup(installed.stop)
        self.source: pathlib.Path | None = None

    def command(self, **environment: str) -> list[str]:
        with mock.patch.dict(os.environ, {"PATH": str(self.folder / "bin"), **environment}, clear=True):
            return location.engine()

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

    def test_is_that_of_the_checkout_that_pip_took_the_package_from(self) -> None:
        node = executable(self.folder / "checkout/node_modules/.bin/node")
        started = executable(self.folder / "checkout/bin/almanac.cjs")
        self.source = self.folder / "checkout"
        with self.assertRaisesRegex(AlmanacError, "the engine in .*checkout is not built: run `npm ci` in .*checkout$"):
            self.command()
        (self.source / "dist").mkdir()
        self.assertEqual(self.command(), [str(node), str(started)])

    def test_is_run_by_the_node_that_came_with_it_where_that_is_new_enough(self) -> None:
        own = executable(self.folder / "bin/node")
        installed = executable(self.folder / "checkout/node_modules/.bin/node")
        started = executable(self.folder / "checkout/bin/almanac.cjs")
        (self.folder / "checkout/dist").mkdir()
        self.source = self.folder / "checkout"
        self.assertEqual(self.command(), [str(own), str(started)])
        package = executable(self.folder / "checkout/node_modules/node/package.json")
        for version, node in [("20.1.0", own), ("24.1.0", installed)]:
            package.write_text(f'{{"version": "{version}"}}')
            self.assertEqual(self.command(), [str(node), str(started)])

    def test_is_typed_by_the_short_name_of_this_python_where_that_is_the_same_one(self) -> None:
        bin, other = self.folder / "bin", self.folder / "other"
        python, _ = executable(bin / "python3"), executable(other / "python")

        def typed(*path: pathlib.Path) -> str:
            with mock.patch.dict(os.environ, {"PATH": os.pathsep.join(map(str, path))}), mock.patch.object(sys, "executable", str(python)):
                return location.surroundings()["ALMANAC_PYTHON_COMMAND"]

        self.assertEqual(typed(other, bin), "python3 -m almanac")
        self.assertEqual(typed(other), f"{python} -m almanac")

    def test_is_missed_in_one_line_that_says_what_to_do(self) -> None:
        with self.assertRaises(AlmanacError) as caught:
            self.command()
        self.assertRegex(str(caught.exception), "^the engine of Almanac is missing: install Node .* `npm install [^\n]*$")

    def test_is_not_the_command_that_pip_installed(self) -> None:
        executable(self.folder / "bin/node")
        executable(self.folder / "bin/almanac")
        with mock.patch.object(location.sysconfig, "get_path", lambda name: str(self.folder / "bin")):
            with self.assertRaisesRegex(AlmanacError, "is missing"):
                self.command()
        with self.assertRaisesRegex(AlmanacError, "is missing"):
            self.command(ALMANAC_LOOKING="1")

    def test_lives_with_the_python_that_asks(self) -> None:
        with mock.patch.dict(os.environ, {}, clear=True):
            package = f"{VERSION} {HOME}"
            self.assertEqual(
                location.surroundings(),
                {
                    "ALMANAC_PYTHON": sys.executable,
                    "ALMANAC_PACKAGE": package,
                    "ALMANAC_PYTHON_COMMAND": f"{sys.executable} -m almanac",
                },
            )
        with mock.patch.dict(os.environ, {"ALMANAC_PYTHON": "python3.12"}):
            self.assertEqual(location.surroundings()["ALMANAC_PYTHON"], "python3.12")

    def test_is_what_the_module_starts_too(self) -> None:
        package = pathlib.Path(__file__).resolve().parents[1]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "ALMANAC_COMMAND": "echo engine"}
        command = [sys.executable, "-m", "almanac", "runs", "--limit", "2"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual((ran.stdout, ran.stderr), ("engine runs --limit 2\n", ""))


if __name__ == "__main__":
    unittest.main()
