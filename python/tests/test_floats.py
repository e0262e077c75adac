"""Whole numbers as the floats that annotations name."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Annotated, Any, Callable, List, Optional, Sequence, TypedDict, Union

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac._types.floats import floats  # noqa: E402
from almanac._model.futures import Future  # noqa: E402


class Row(TypedDict):
    gain: float
    n: int
    below: List[Row]


class Node(TypedDict):
    n: int
    next: Optional[Node]


class Floats(unittest.TestCase):
    def test_whole_numbers_become_floats_where_a_type_says_so(self) -> None:
        for value, hint, expected in [
            (1, float, 1.0),
            (10**17, Annotated[float, "gain"], 1e17),
            (1, Future[float], 1.0),
            (1, Optional[float], 1.0),
            ([1, 0.5, None], list[Optional[float]], [1.0, 0.5, None]),
            ([[1], [2]], Sequence[list[float]], [[1.0], [2.0]]),
            ({"a": 1, "b": [2]}, dict[str, Union[float, list[float]]], {"a": 1.0, "b": [2.0]}),
            ({"gain": 1, "n": 1, "below": [{"gain": 2, "n": 2}]}, Row, {"gain": 1.0, "n": 1, "below": [{"gain": 2.0, "n": 2}]}),
            ({"gain": 1, "n": 1}, {"gain": float, "n": int}, {"gain": 1.0, "n": 1}),
            ([1, 2], Union[list[int], list[float]], [1, 2]),
            ([1, 2.5], Union[list[int], list[float]], [1.0, 2.5]),
        ]:
            with self.subTest(hint=hint):
                make = floats(hint)
                assert make is not None
                self.assertEqual(repr(make(value)), repr(expected))

    def test_what_is_something_else_is_what_it_is(self) -> None:
        for value, hint in [
            (True, float),
            ("1", float),
            (None, float),
            (10**400, float),
            ((1, 2), list[float]),
            ({"a": 1}, list[float]),
            ([1], dict[str, float]),
            ({"a": 1}, Union[list[int], list[float]]),
        ]:
            with self.subTest(value=value, hint=hint):
                make = floats(hint)
                assert make is not None
                self.assertIs(make(value), value)

    def test_types_that_name_no_float_cost_nothing(self) -> None:
        for hint in (int, Any, None, "later", list, list[int], dict[str, Any], Node, Union[int, float], Callable[[float], float]):
            self.assertIsNone(floats(hint), hint)


if __name__ == "__main__":
    unittest.main()
