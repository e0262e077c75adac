import unittest

from almanac_worker import failures


class Group(Exception):
    """As those of Python 3.11 and its packages for older ones."""

    __module__ = "builtins"

    def __init__(self, message, exceptions):
        super().__init__(message)
        self.exceptions = exceptions


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
