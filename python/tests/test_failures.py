import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac import task  # noqa: E402
from almanac_worker.shared import failures  # noqa: E402


class Group(Exception):
    """As those of Python 3.11 and its packages for older ones."""

    __module__ = "builtins"

    def __init__(self, message, exceptions):
        super().__init__(message)
        self.exceptions = exceptions


@task
def load(raw: pathlib.Path) -> int:
    raise ValueError(raw.name)


class Frames(unittest.TestCase):
    def stack(self, raw: object) -> str:
        try:
            load.in_worker()(raw)
        except Exception as error:
            # as in a worker, where it is called by ours
            error = error.with_traceback(error.__traceback__.tb_next)
            return failures.record(error, lambda file: file == __file__, None)["stack"]
        raise AssertionError

    def test_frames_of_almanac_are_not_told(self):
        line = load._function.__code__.co_firstlineno + 2
        self.assertEqual(
            self.stack(pathlib.Path("a")),
            f'Traceback (most recent call last):\n  File "{__file__}", line {line}, in load\n'
            "    raise ValueError(raw.name)\nValueError: a\n",
        )
        self.assertRegex(self.stack("a"), r"^TypeError: load\(\): raw is a file or directory, and 'a' is a str\. .*\n$")


def deep(n: int) -> int:
    if n == 0:
        raise ValueError("deep")
    return deep(n - 1)


class Recursion(unittest.TestCase):
    def stack(self, depth: int) -> str:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + depth)
        try:
            deep(depth)
        except ValueError as error:
            return failures.record(error, lambda file: file == __file__, None)["stack"]
        finally:
            sys.setrecursionlimit(limit)
        raise AssertionError

    def test_both_ends_are_told_of_a_deep_one(self):
        stack = self.stack(1000)
        self.assertIn("\n  … 902 more frames\n", stack)
        told = [line for line in stack.splitlines() if line.startswith("  ") and not line.startswith("    ")]
        self.assertEqual(
            [re.sub(r", line \d+,", "", line) for line in told],
            [
                f'  File "{__file__}" in stack',
                *3 * [f'  File "{__file__}" in deep'],
                "  [Previous line repeated 46 more times]",
                "  … 902 more frames",
                *3 * [f'  File "{__file__}" in deep'],
                "  [Previous line repeated 46 more times]",
                f'  File "{__file__}" in deep',
            ],
        )
        self.assertLess(len(stack), 3000)

    def test_all_is_told_of_one_that_is_not(self):
        self.assertNotIn("more", self.stack(2))


class Groups(unittest.TestCase):
    def test_what_a_group_holds_is_told_with_its_causes(self):
        group = Group("two", (ValueError("a"), Group("inner", (TypeError("b"),))))
        group.exceptions[0].__cause__ = KeyError("why")
        told = failures.record(group, lambda file: True, None)["stack"]
        self.assertEqual(
            told,
            "Group: two\n"
            "  1 of 2:\n"
            "    KeyError: 'why'\n"
            "\n    The above exception was the direct cause of the following exception:\n\n"
            "    ValueError: a\n"
            "  2 of 2:\n"
            "    Group: inner\n"
            "      1 of 1:\n"
            "        TypeError: b\n",
        )

    def test_an_exception_with_a_list_of_its_own_is_no_group(self):
        error = ValueError("a")
        error.exceptions = (1, 2)
        self.assertEqual(failures.record(error, lambda file: True, None)["stack"], "ValueError: a\n")


if __name__ == "__main__":
    unittest.main()
