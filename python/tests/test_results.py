"""What a workflow is given, as the types that tasks say they give."""

from __future__ import annotations

import dataclasses
import enum
import os
import pathlib
import sys
import unittest
from typing import Any, Generic, Literal, Optional, TypedDict, TypeVar

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac import AlmanacError, Dir, File, Held, Url, task  # noqa: E402
from almanac._types import hints, results  # noqa: E402

T = TypeVar("T")


class Kind(enum.Enum):
    A = "a"


@dataclasses.dataclass
class Point:
    x: float
    kind: Kind = Kind.A

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("below 0")


@dataclasses.dataclass
class State(Generic[T]):
    value: T
    version: int


class Row(TypedDict):
    point: Point
    name: str


@task
def one(n: int, at: Optional[Point] = None) -> Point:
    return Point(n) if at is None else at


@task(outputs={"text": File, "point": Point, "count": int})
def several(n: int) -> None: ...


@task
def plain(n: dict[str, list[int]]) -> list[int] | None: ...


@task
def scale(gain: float, by: Any, gains: Optional[list[float]] = None) -> list[float]:
    return [gain, by, *(gains or [])]


@dataclasses.dataclass
class Window:
    observed: File
    around: Dir
    scene: Url


@task
def use(window: Window, others: list[Window], pair: tuple[File, int]) -> Any:
    return window, others, pair


@task
def read(path: pathlib.Path) -> Optional[str]:
    return None if path is None else path.name


class Results(unittest.TestCase):
    def test_plain_types_are_what_they_are(self) -> None:
        for hint in (int, "later", None, list[int], dict[str, float | None], File, Literal["a"], T):
            self.assertFalse(hints.makes(hint), hint)
        self.assertIsNone(plain.shape)

    def test_dataclasses_enums_and_tuples_are_made(self) -> None:
        made = {
            Point: ({"x": 1, "kind": "a"}, Point(1.0)),
            list[Point]: ([{"x": 1}], [Point(1.0)]),
            dict[str, Optional[Kind]]: ({"a": "a", "b": None}, {"a": Kind.A, "b": None}),
            tuple[int, ...]: ([1, 2], (1, 2)),
            set[int]: ({1, 2}, {1, 2}),
            State[Point]: ({"value": {"x": 1}, "version": 3}, State(Point(1.0), 3)),
            Row: ({"point": {"x": 1}, "name": "n"}, {"point": Point(1.0), "name": "n"}),
        }
        for hint, (kept, wanted) in made.items():
            self.assertTrue(hints.makes(hint), hint)
            self.assertEqual(results.Of(hint).given(kept), wanted)

    def test_what_does_not_fit_is_said(self) -> None:
        for kept, said in [
            ({"x": "text"}, "it.x: 'text' is not float"),
            ({"y": 1}, "it: x is missing, there is no y"),
            ([1], r"it: \[1\] is not Point"),
            (None, "it: None is not Point"),
            ({"x": 1, "kind": []}, r"it.kind: \[\] is not 'a'"),
            ({"x": -1}, "it: below 0"),
        ]:
            with self.subTest(kept=kept), self.assertRaisesRegex(hints.Misfit, said):
                results.Of(Point).given(kept)

    def test_what_lives_in_a_worker_is_what_it_is(self) -> None:
        held = Held({"$": "held", "key": "k", "path": [], "type": "ndarray", "size": 8})
        self.assertIs(results.Of(tuple[float, ...]).given(held), held)

    def test_fields_items_and_entries_are_known_by_themselves(self) -> None:
        shape = one.shape
        assert shape is not None
        self.assertEqual(shape.given({"x": 1}), Point(1.0))
        kind = shape.field("kind")
        assert kind is not None
        self.assertEqual(kind.given("a"), Kind.A)
        self.assertIsNone(kind.field("x"))
        outputs = several.shape
        assert outputs is not None
        self.assertEqual(outputs.given({"text": 1, "point": {"x": 1}, "count": 2}), {"text": 1, "point": Point(1.0), "count": 2})
        with self.assertRaisesRegex(AlmanacError, "^several has no output pont: it has text, point, count$"):
            outputs.field("pont")
        points = results.Each(outputs).field("point")
        assert isinstance(points, results.Each)
        self.assertEqual(points.keeping(lambda point, path: (point, path))({"x": 1}, "a"), (Point(1.0), "a"))
        listed = points.all()
        assert listed is not None
        self.assertEqual(listed.given([{"x": 1}]), [Point(1.0)])

    def test_a_worker_gives_a_task_what_it_names(self) -> None:
        self.assertEqual(one.in_worker()(n=1, at={"x": 2}), Point(2.0))
        self.assertEqual(one.in_worker()(1, None), Point(1))
        with self.assertRaisesRegex(TypeError, "one.*at: .* is not Point or None"):
            one.in_worker()(n=1, at={"z": 2})
        self.assertIs(plain.in_worker(), plain._function)

    def test_whole_numbers_are_floats_where_an_annotation_says_so(self) -> None:
        self.assertEqual(repr(scale.in_worker()(1, 1, gains=[2, 0.5])), "[1.0, 1, 2.0, 0.5]")
        first, x, branch = results.of_type(list[float]), one.shape, results.of_value({"a": [2.0, 2]})
        assert scale.shape is not None and first is not None and x is not None and branch is not None
        self.assertEqual(repr(scale.shape.given([1, 2.5, 10**17])), "[1.0, 2.5, 1e+17]")
        self.assertEqual([repr(shape.given(1)) for shape in (first.field(0), x.field("x")) if shape], ["1.0", "1.0"])
        self.assertEqual(repr(branch.given({"a": [2, 2]})), "{'a': [2.0, 2]}")

    def test_files_of_a_dataclass_are_paths_in_a_task_and_its_urls_are_texts(self) -> None:
        one = {"observed": pathlib.Path("a.nc"), "around": pathlib.Path("a"), "scene": "https://example.org/a.tif"}
        made = Window(**one)  # type: ignore[arg-type]
        self.assertEqual(use.in_worker()(one, [one], [one["observed"], 1]), (made, [made], (one["observed"], 1)))
        for misfit, said in [({"observed": "a.nc"}, "observed: 'a.nc' is not a file"), ({"scene": 1}, "scene: 1 is not a URL")]:
            with self.assertRaisesRegex(TypeError, rf"^use\(\): window\.{said}$"):
                use.in_worker()({**one, **misfit}, [], [one["observed"], 1])
        with self.assertRaisesRegex(hints.Misfit, "^it.observed: .* is not a file$"):
            hints.convert(one, Window, "it")

    def test_a_file_is_no_text(self) -> None:
        self.assertEqual(read.in_worker()(pathlib.Path("a.nc")), "a.nc")
        self.assertEqual(read.in_worker()(path=None), None)
        with self.assertRaisesRegex(TypeError, r"^read\(\): path is a file or directory, and 'a.nc' is a str\. Take files as"):
            read.in_worker()("a.nc")

    def test_all_outputs_of_a_task_are_no_file_but_one_of_them_is(self) -> None:
        said = r"^read\(\): path is a file or directory, and .* is a dict: pass its `\.table` or `\.plot`\. Take files"
        with self.assertRaisesRegex(TypeError, said):
            read.in_worker()({"table": pathlib.Path("t.csv"), "plot": pathlib.Path("p.png"), "n": 3})  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
