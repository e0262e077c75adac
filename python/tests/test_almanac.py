"""What a workflow's author uses, outside of a run."""

from __future__ import annotations

import doctest
import os
import sys
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
