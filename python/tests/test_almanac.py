"""What a workflow's author uses, outside of a run."""

from __future__ import annotations

import doctest
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import almanac  # noqa: E402
from almanac import AlmanacError, File, task, tasks, workflow  # noqa: E402


@task(retries=2)
def double(n: int, times: int = 2) -> int:
    """Doubles it."""
    return times * n


@workflow
async def flow(n: int = 1) -> int:
    return await double(n)


count = almanac.command(["wc", "-l", "{in.text}"], name="count", inputs={"text": File})


class Outside(unittest.TestCase):
    def test_a_task_is_its_function(self) -> None:
        self.assertEqual((double(3), double(3, times=3), double.__name__, double.__doc__), (6, 9, "double", "Doubles it."))

    def test_what_needs_a_run_says_so(self) -> None:
        for use in [
            lambda: flow(1),
            lambda: double.map([1]),
            lambda: count(text=1),
            almanac.run.now,
            lambda: almanac.dataset("a").read(),
        ]:
            with self.assertRaises(AlmanacError) as raised:
                use()
            self.assertEqual(raised.exception.code, "ALM_OUTSIDE")

    def test_examples_in_docstrings_hold(self) -> None:
        self.assertEqual(doctest.testmod(tasks).failed, 0)


class Told(unittest.TestCase):
    """What the engine is told of a task."""

    def test_files_lie_beside_the_one_that_names_them(self) -> None:
        here = os.path.dirname(os.path.abspath(__file__))
        for env in ["requirements.txt", almanac.Environment("requirements.txt")]:
            told = double.options(env=env, reads=["grid/a.nc"]).definition()
            self.assertEqual(told["env"], {"requirements": os.path.join(here, "requirements.txt")})
            self.assertEqual(told["options"]["reads"], [os.path.join(here, "grid", "a.nc")])

    def test_options_have_the_names_of_the_engine(self) -> None:
        told = double.options(retries={"count": 3, "max_delay": "1m"}, on_failure="skip").definition()
        self.assertEqual(told["options"], {"retries": {"count": 3, "maxDelay": "1m"}, "onFailure": "skip"})


class Elsewhere(unittest.TestCase):
    """Functions of a file that is read, and not imported."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "elsewhere_steps.py")
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(
                "import nowhere\nfrom pathlib import Path\n\n"
                'def index(file: Path, step: int = 1, *, refs: Path) -> dict:\n    "Makes references."\n    return {}\n'
            )

    def test_a_task_of_one_is_known_by_its_signature(self) -> None:
        steps = almanac.module(self.file, env=almanac.Environment("requirements.txt"))
        index = task(steps.index, timeout="10m", outputs={"refs": almanac.file("refs.json"), "found": dict})
        told = index.definition()
        self.assertEqual((index.name, index.__doc__, index._entry()), ("index", "Makes references.", "file"))
        self.assertEqual((told["file"], told["function"], told["line"]), (self.file, "index", 4))
        self.assertEqual(told["outputs"], {"refs": {"file": "refs.json"}, "found": "value"})
        self.assertTrue(told["env"]["requirements"].endswith("requirements.txt"))
        self.assertEqual(index._bound(("a",), {"step": 2}), {"file": "a", "step": 2})
        with self.assertRaisesRegex(TypeError, "has no parameter 'steps'; it has file, step"):
            index._bound(("a",), {"steps": 2})

    def test_it_is_imported_where_it_is_called(self) -> None:
        with self.assertRaisesRegex(ModuleNotFoundError, "nowhere"):
            almanac.module(self.file).index("a")

    def test_what_is_not_there(self) -> None:
        with self.assertRaisesRegex(AttributeError, "elsewhere_steps.py has no function ingest"):
            almanac.module(self.file).ingest
        with self.assertRaisesRegex(AlmanacError, "there is no file"):
            almanac.module(self.file + "x")


class Refused(unittest.TestCase):
    def test_definitions_that_no_fingerprint_can_see(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "defined inside a function"):

            @task
            def inner() -> None: ...

        with self.assertRaisesRegex(AlmanacError, "defined inside a function"):
            task(lambda n: n)

    def test_options_that_are_not_known(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "option retry of double is not known; did you mean retries"):
            double.options(retry=1)

    def test_what_is_no_plain_function(self) -> None:
        for given in [len, 3, AlmanacError]:
            with self.assertRaises(TypeError):
                task(given)  # type: ignore[call-overload]


if __name__ == "__main__":
    unittest.main()
