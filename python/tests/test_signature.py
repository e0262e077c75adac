import unittest

from almanac_worker.tasks.signature import Mismatch, Signature, results
from almanac_worker.shared.values import Refused


def bind(function, inputs, outputs=None):
    return Signature(function, "f").bind(inputs, outputs or {})


class Binding(unittest.TestCase):
    def test_inputs_and_paths_of_outputs_by_name(self):
        self.assertEqual(bind(lambda a, out: 0, {"a": 1}, {"out": "p"}), ([], {"a": 1, "out": "p"}))
        self.assertEqual(bind(lambda **named: 0, {"a": 1}, {"out": "p"}), ([], {"a": 1, "out": "p"}))
        self.assertEqual(bind(lambda a, b=2, *, c=3: 0, {"a": 1, "c": 4}), ([], {"a": 1, "c": 4}))
        self.assertEqual(bind(lambda a, b, /, c: 0, {"c": 3, "b": 2, "a": 1}), ([1, 2], {"c": 3}))

    def test_decorated_functions_are_asked_for_what_they_wrap(self):
        import functools

        def decorated(function):
            @functools.wraps(function)
            def wrapper(*args, **named):
                return function(*args, **named)

            return wrapper

        @decorated
        def f(a):
            return a

        self.assertEqual(bind(f, {"a": 1}), ([], {"a": 1}))
        with self.assertRaises(Mismatch):
            bind(f, {"b": 1})

    def test_functions_that_do_not_say_take_anything(self):
        self.assertEqual(bind(dict, {"a": 1}), ([], {"a": 1}))

    def test_mismatches_name_the_parameters(self):
        for function, inputs, outputs, why in [
            (lambda a, b: 0, {"a": 1}, {}, "its parameter b is given nothing; it is f(a, b)"),
            (lambda a, b: 0, {}, {}, "its parameters a, b are given nothing; it is f(a, b)"),
            (lambda a: 0, {"a": 1, "x": 2, "y": 3}, {}, "it has no parameter x, y; it is f(a)"),
            (lambda *a: 0, {"a": 1}, {}, "it has no parameter a; it is f(*a)"),
            (lambda a: 0, {"a": 1}, {"a": "p"}, "a is an input and an output"),
            (
                lambda a: 0,
                {"a": 1},
                {"page": "p"},
                "it has no parameter page for the path to leave that output at; it is f(a)",
            ),
        ]:
            with self.assertRaises(Mismatch) as mismatch:
                bind(function, inputs, outputs)
            self.assertEqual(str(mismatch.exception), why)


class Results(unittest.TestCase):
    def test_by_name(self):
        self.assertEqual(results(5, None), {"": 5})
        self.assertEqual(results(5, []), {})
        self.assertEqual(results({"a": 5}, ["a"]), {"a": {"a": 5}})
        self.assertEqual(results({"a": 5, "b": None}, ["b", "a"]), {"b": None, "a": 5})

    def test_what_does_not_fit(self):
        for returned, why in [
            (None, "it is a NoneType, and not a dict with the outputs a, b"),
            ({"a": 1}, "the dict has no b"),
            ({"a": 1, "b": 2, "c": 3}, "the dict has c, which is no output"),
        ]:
            with self.assertRaises(Refused) as refused:
                results(returned, ["a", "b"])
            self.assertIn(why, str(refused.exception))


if __name__ == "__main__":
    unittest.main()
