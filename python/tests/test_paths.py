import dataclasses
import pathlib
import typing
import unittest
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

from almanac import AlmanacError, Dir, File, Future, Url, task, workflow
from almanac._types.paths import as_texts, finder

FILE = File({"$": "file", "name": "a.nc", "digest": "d", "size": 1})
FUTURE: "Future[Path]" = Future(None, 1, (), "make")  # type: ignore[arg-type]


@task
def several(texts: Optional[Path], more: List[Path], named: Optional[Dict[str, List[File]]] = None) -> int:
    return 0


@task
def gives(n: int) -> List[Path]:
    return []


@dataclasses.dataclass
class Scene:
    raw: File
    also: Optional[Path] = None
    next: "Optional[Scene]" = None


class Pair(typing.NamedTuple):
    name: str
    scene: Scene


class Told(typing.TypedDict):
    pair: Pair


@dataclasses.dataclass
class MayHave:
    first: Optional[File]
    more: List[File] = dataclasses.field(default_factory=list)


@task
def makes_scene(n: int) -> Scene: ...  # type: ignore[empty-body]


@task
def tells(n: int) -> Told: ...  # type: ignore[empty-body]


@task
def may_have(n: int) -> MayHave: ...  # type: ignore[empty-body]


@task(outputs={"found": File})
def leaves(n: int, *, found: Path) -> Path:
    return found


@workflow
async def main(raw: Dir = Path("raw"), more: Optional[List[Path]] = [Path("/data/a.nc"), "b.nc"], other: Path = None, text: str = "raw"):  # type: ignore[assignment]
    return 0


class WhereTypesNameFiles(unittest.TestCase):
    def test_what_is_none_is_found_with_its_name(self) -> None:
        for hint, value, found in [
            (Path, "a.nc", ("it", "a.nc")),
            (pathlib.PurePath, 3, ("it", 3)),
            (Optional[Path], "a.nc", ("it", "a.nc")),
            (Optional[Path], None, None),
            (List[Path], [FILE, FUTURE, "a.nc"], ("it[2]", "a.nc")),
            (Sequence[Dir], (FILE, Path("a")), None),
            (Tuple[Path, ...], ["a"], ("it[0]", "a")),
            (Dict[str, List[Optional[File]]], {"x": [FILE, None], "y": ["a"]}, ("it.y[0]", "a")),
            (Union[Path, List[Path]], ["a"], ("it", ["a"])),
            (Union[Path, List[Path]], [FILE], None),
            (List[Path], FUTURE, None),
        ]:
            with self.subTest(hint=hint, value=value):
                find = finder(hint)
                assert find is not None
                self.assertEqual(find("it", value), found)

    def test_other_types_name_none(self) -> None:
        for hint in [int, str, Url, List[str], Dict[str, int], Union[Path, str], Tuple[Path, int], typing.Any, list, dict]:
            with self.subTest(hint=hint):
                self.assertIsNone(finder(hint))

    def test_a_task_is_not_given_a_text_for_one_in_a_workflow_or_in_a_worker(self) -> None:
        for arguments, said in [
            (("a", []), "several: texts is a file or directory, and 'a' is a str"),
            ((None, [FILE, "b"]), "several: more[1] is a file or directory, and 'b' is a str"),
            ((None, [], {"x": ["c"]}), "several: named.x[0] is a file or directory, and 'c' is a str"),
        ]:
            with self.assertRaises(AlmanacError) as raised:
                several._parameters.bound(arguments, {})
            self.assertEqual(str(raised.exception), said)
        with self.assertRaisesRegex(TypeError, r"^several\(\): more\[0\] is a file or directory, and 'b' is a str\. Take files"):
            several.in_worker()(None, ["b"])
        self.assertEqual(several.in_worker()(None, [Path("b")]), 0)

    def test_a_task_that_would_return_some_is_refused_with_what_to_write_and_where(self) -> None:
        with self.assertRaises(AlmanacError) as raised:
            gives.check()
        error = raised.exception
        self.assertEqual(
            (str(error), error.code, error._at),
            (
                "task gives is annotated to return List[Path]: files are left at a path, and not returned",
                "ALM_RESULT_REFUSED",
                (__file__, 20),
            ),
        )
        self.assertIn('outputs={"found": File}', error.hint)
        leaves.check()

    def test_a_task_whose_result_has_one_is_refused_with_where_it_is(self) -> None:
        for refused, said in [
            (makes_scene, "task makes_scene is annotated to return Scene, with a file at raw:"),
            (tells, "task tells is annotated to return Told, with a file at pair.scene.raw:"),
        ]:
            with self.subTest(said=said), self.assertRaises(AlmanacError) as raised:
                refused.check()
            self.assertEqual(str(raised.exception), f"{said} files are left at a path, and not returned")
            self.assertEqual(raised.exception._at, refused._place)
        may_have.check()

    def test_a_default_that_is_a_path_is_told_as_the_engine_reads_it(self) -> None:
        here = Path(__file__).parent
        told = {name: one.get("default") for name, one in main.definition()["inputs"].items()}
        self.assertEqual(told, {"raw": str(here / "raw"), "more": ["/data/a.nc", str(here / "b.nc")], "other": None, "text": "raw"})
        self.assertEqual(as_texts({"a": [Path("x/../b")]}, "/at"), {"a": ["/at/b"]})

    def test_a_task_whose_result_has_one_is_refused_with_where_it_is(self) -> None:
        for refused, said in [
            (makes_scene, "task makes_scene is annotated to return Scene, with a file at raw:"),
            (tells, "task tells is annotated to return Told, with a file at pair.scene.raw:"),
        ]:
            with self.subTest(said=said), self.assertRaises(AlmanacError) as raised:
                refused.check()
            self.assertEqual(str(raised.exception), f"{said} files are left at a path, and not returned")
            self.assertEqual(raised.exception._at, refused._place)
        may_have.check()

    def test_a_default_that_is_a_path_is_not_looked_up_for_a_child(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "input raw is missing: a path that is a default is looked up for a run of its own only"):
            main.converted({"more": None})
        self.assertEqual(main.converted({"raw": Dir({}), "more": None, "other": FILE}), {"raw": Dir({}), "more": None, "other": FILE})


if __name__ == "__main__":
    unittest.main()
