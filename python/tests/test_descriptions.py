import unittest

from almanac import AlmanacError
from almanac._host.descriptions import failure


class Silent(Exception):
    def __str__(self):
        raise KeyError("no text")


class Odd(Exception):
    @property
    def exceptions(self):
        raise OSError("gone")


class Failures(unittest.TestCase):
    def test_an_exception_that_cannot_say_what_it_is_is_told_by_its_type(self):
        told = failure(Silent(), "flow.py", 3)
        self.assertEqual(
            {name: told[name] for name in ("type", "message", "tokens", "file", "line")},
            {
                "type": "Silent",
                "message": "(Silent.__str__ raised KeyError)",
                "tokens": [],
                "file": "flow.py",
                "line": 3,
            },
        )
        self.assertIn("Silent", told["stack"])

    def test_one_that_cannot_be_looked_at_is_told_all_the_same(self):
        for error in (Odd("a"), type("Half", (AlmanacError,), {"__init__": lambda self: None})()):
            name = type(error).__name__
            told = failure(error, "flow.py", 3)
            self.assertEqual((told["type"], told["tokens"], told["file"], told["line"]), (name, [], "flow.py", 3))
            self.assertRegex(told["message"], rf"^\({name} cannot be told: ")

    def test_one_without_a_message_is_told_by_its_type(self):
        self.assertEqual(failure(ValueError())["message"], "ValueError")


if __name__ == "__main__":
    unittest.main()
