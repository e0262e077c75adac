"""Type hints as schemas."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import sys
import unittest
from pathlib import Path
from typing import (
    TYPE_CHECKING, Annotated, Any, ClassVar, Dict, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, TypedDict, Union,
)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac import Dir, File  # noqa: E402
from almanac._types import hints, schemas  # noqa: E402


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Limits:
    low: float
    high: Optional[int] = None
    colours: List[Colour] = dataclasses.field(default_factory=list)


class Place(NamedTuple):
    low: float
    colour: Colour = Colour.BLUE


class Chain(NamedTuple):
    first: File
    rest: Optional[Chain]


class Report(TypedDict):
    ok: bool
    limits: Limits


@dataclasses.dataclass
class Scaled:
    low: int
    unit: ClassVar[str] = "m"
    by: dataclasses.InitVar[Any] = 2
    kept: int = dataclasses.field(init=False)

    def __post_init__(self, by: Any) -> None:
        self.kept = self.low * by


@dataclasses.dataclass
class Tree:
    name: str
    kids: List[Tree] = dataclasses.field(default_factory=list)


class Node(TypedDict):
    low: int
    next: Optional[Node]


class Leaf(TypedDict):
    limits: Limits
    next: Optional[Leaf]


if TYPE_CHECKING:
    from nowhere import Nope  # type: ignore[import-not-found]


def loosely(n: Annotated[int, "how many"], c: Nope, d: List[Nope], limits: Optional[Limits] = None) -> Nope: ...


@dataclasses.dataclass
class Loose:
    n: int
    c: Nope


NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)
FILE = File({"$": "file", "name": "a.nc", "digest": "ab" * 32, "size": 3})


class Converted(unittest.TestCase):
    def test_values_are_what_their_annotations_say(self) -> None:
        for value, hint, expected in [
            (1, int, 1),
            (1, float, 1.0),
            (None, Optional[int], None),
            ([1, 2], List[float], [1.0, 2.0]),
            ([1, "a"], Tuple[int, str], (1, "a")),
            ("red", Colour, Colour.RED),
            ({"low": 1}, Limits, Limits(1.0)),
            ({"low": 1, "colours": ["blue"]}, Limits, Limits(1.0, None, [Colour.BLUE])),
            ({"ok": True, "limits": {"low": 0.5}}, Report, {"ok": True, "limits": Limits(0.5)}),
            ({"a": {"low": 2}}, Dict[str, Limits], {"a": Limits(2.0)}),
            ({"low": 1}, Scaled, Scaled(1)),
            ({"low": 1, "by": 5, "kept": 0}, Scaled, Scaled(1, 5)),
            ({"name": "a", "kids": [{"name": "b"}]}, Tree, Tree("a", [Tree("b")])),
            ({"n": 1, "c": "anything"}, Loose, Loose(1, "anything")),
            ("a", Literal["a", "b"], "a"),
            (2, Union[str, float], 2.0),
            ([1, "red"], Place, Place(1.0, Colour.RED)),
            ([1], Place, Place(1.0, Colour.BLUE)),
            ([[[1, "red"]]], List[Tuple[Place, ...]], [(Place(1.0, Colour.RED),)]),
            (Place(2.0), Place, Place(2.0)),
            (FILE, File, FILE),
            ("2026-01-31", datetime.date, datetime.date(2026, 1, 31)),
            ("2026-01-31T12:00:00Z", datetime.datetime, NOON),
            ("2026-01-31T12:00:00", datetime.datetime, NOON),
            (NOON, datetime.datetime, NOON),
            ({"anything": 1}, Any, {"anything": 1}),
        ]:
            with self.subTest(hint=hint):
                self.assertEqual(hints.convert(value, hint, "it"), expected)

    def test_what_does_not_fit_is_said_with_its_path(self) -> None:
        for value, hint, said in [
            ("x", int, "it: 'x' is not int"),
            ("soon", datetime.date, "it: 'soon' is not a date like 2026-01-31"),
            ("soon", datetime.datetime, "it: 'soon' is not a time like 2026-01-31T12:00:00Z"),
            (3, datetime.date, "it: 3 is not date"),
            (True, int, "it: True is not int"),
            ([1, "x"], List[int], "it[1]: 'x' is not int"),
            ({"low": "x"}, Limits, "it.low: 'x' is not float"),
            ({}, Limits, "it: low is missing"),
            ({"low": 1, "unit": "km"}, Scaled, "it: there is no unit"),
            ({"name": "a", "kids": [{"name": 1}]}, Tree, "it.kids[0].name: 1 is not str"),
            ({"low": 1, "lov": 2}, Limits, "it: there is no lov"),
            ("green", Colour, "it: 'green' is not 'red' or 'blue'"),
            ("c", Literal["a", "b"], "it: 'c' is not 'a' or 'b'"),
            ("x", Optional[int], "it: 'x' is not int or None"),
            ("a.nc", File, "it: 'a.nc' is not a file"),
            ([], Place, "it: [] is not Place(low, colour)"),
            ([1, "red", 2], Place, "it: [1, 'red', 2] is not Place(low, colour)"),
            ([1, "green"], Place, "it.colour: 'green' is not 'red' or 'blue'"),
            ("a.nc", Path, "it: 'a.nc' is not a file or a directory"),
        ]:
            with self.subTest(said=said), self.assertRaises(hints.Misfit) as raised:
                hints.convert(value, hint, "it")
            self.assertEqual(str(raised.exception), said)


class Schemas(unittest.TestCase):
    def test_types_have_schemas(self) -> None:
        limits = {
            "type": "object",
            "properties": {
                "low": {"type": "number"},
                "high": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                "colours": {"type": "array", "items": {"enum": ["red", "blue"]}, "default": []},
            },
            "required": ["low"],
        }
        tree = {
            "type": "object",
            "properties": {"name": {"type": "string"}, "kids": {"type": "array", "items": {}, "default": []}},
            "required": ["name"],
        }
        node = {"type": "object", "properties": {"low": {"type": "integer"}, "next": {}}, "required": ["low", "next"]}
        scaled = {
            "type": "object",
            "properties": {"low": {"type": "integer"}, "by": {"default": 2}, "kept": {"type": "integer"}},
            "required": ["low"],
        }
        for hint, expected in [
            (Scaled, scaled),
            (Tree, tree),
            (Node, node),
            (List[Tree], {"type": "array", "items": tree}),
            (int, {"type": "integer"}),
            (Dir, {"almanac": "dir"}),
            (Path, {"anyOf": [{"almanac": "file"}, {"almanac": "dir"}]}),
            (Optional[Path], {"anyOf": [{"almanac": "file"}, {"almanac": "dir"}, {"type": "null"}]}),
            (Dict[str, File], {"type": "object", "additionalProperties": {"almanac": "file"}}),
            (Mapping[str, Any], {"type": "object"}),
            (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
            (Tuple[File, ...], {"type": "array", "items": {"almanac": "file"}}),
            (Tuple[File, int], {"type": "array", "prefixItems": [{"almanac": "file"}, {"type": "integer"}]}),
            (Place, {"type": "array", "prefixItems": [{"type": "number"}, {"enum": ["red", "blue"]}]}),
            (Chain, {"type": "array", "prefixItems": [{"almanac": "file"}, {}]}),
            (Any, {}),
            (Limits, limits),
            (
                {"why": Optional[str]},
                {
                    "type": "object",
                    "properties": {"why": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}},
                    "required": [],
                },
            ),
            ({"ok": bool}, {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}),
        ]:
            with self.subTest(hint=hint):
                self.assertEqual(schemas.schema(hint), expected)

    def test_types_that_name_each_other_are_told_once_each(self) -> None:
        names = [f"T{n}" for n in range(12)]
        terms: dict[str, Any] = {"Term": None}
        for name in names:
            made = dataclasses.make_dataclass(name, [("left", "Term"), ("right", "Term")], namespace={"__module__": __name__})
            terms[name] = globals()[name] = made
        globals()["Term"] = Union[tuple(terms[name] for name in names)]
        self.addCleanup(lambda: [globals().pop(name) for name in terms])
        one = {"type": "object", "properties": {"left": {}, "right": {}}, "required": ["left", "right"]}
        self.assertEqual(schemas.schema(terms["T0"]), one)
        self.assertEqual(schemas.schema(globals()["Term"]), {"anyOf": [one] * 12})

    def test_a_type_within_itself_is_made_where_a_part_of_it_is(self) -> None:
        self.assertEqual([hints.makes(one) for one in (Tree, Node, Leaf, List[Node])], [True, False, True, False])

    def test_of_what_cannot_be_found_anything_fits_and_the_rest_holds(self) -> None:
        self.assertEqual(
            hints.of(loosely), {"n": int, "c": Any, "d": Any, "limits": Optional[Limits], "return": Any}
        )
        self.assertEqual(hints.descriptions(loosely), {"n": "how many"})
        self.assertEqual(
            schemas.schema(Loose), {"type": "object", "properties": {"n": {"type": "integer"}, "c": {}}, "required": ["n", "c"]}
        )


if __name__ == "__main__":
    unittest.main()
