"""Values of a workflow that stand for bytes kept elsewhere. In a task they are `pathlib.Path`s, arrays, URLs."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import AlmanacError, refused
from .caller import current
from .futures import Future

if TYPE_CHECKING:
    # a checker takes a file where a task declares the path that it gets
    _Anything = Any
else:
    _Anything = object

__all__ = ["Dir", "File", "Held", "Kept", "NamedFile", "Url", "file"]


class Kept(_Anything):  # type: ignore[misc]
    """Known by its content; made by the engine alone."""

    __slots__ = ("_wire",)

    def __init__(self, wire: dict[str, Any]) -> None:
        if not isinstance(wire, dict):
            raise _not_ours(type(self).__name__, wire)
        self._wire = wire

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._identity() == self._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        return (self._wire.get("name"), self._wire.get("digest"))

    @property
    def path(self) -> pathlib.Path:
        """
        Where it is, to be read: of the output of a run that has ended, outside of workflows. It is what this run gave,
        whatever later runs give.
        """
        at = self._wire.get("at")
        if at is None:
            raise AlmanacError(
                "a workflow has no path of what it passes on", code="ALM_OUTSIDE", hint="Pass it to a task, which gets its path."
            )
        return pathlib.Path(at)


def _not_ours(kind: str, value: object) -> AlmanacError:
    hints = {
        "Url": "Take it as an input of the workflow, or from `url.http` or `url.s3`.",
        "Held": "A task that gives an array gives one.",
    }
    files = "Take it as an input of the workflow, or from the task that makes it; a program gives a run a `pathlib.Path`."
    return refused(f"a {kind} is made by Almanac alone, and not of {value!r}", hints.get(kind, files))


class _Field(Kept):
    """What may be a field of a model of pydantic, as of a dataclass."""

    __slots__ = ()

    #: what a task has in its place
    _in_tasks: type = pathlib.PurePath

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # type: ignore[import-not-found]

        return core_schema.no_info_plain_validator_function(cls._fitting)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, str]:
        return {"almanac": cls.__name__.lower()}

    @classmethod
    def _fitting(cls, value: Any) -> Any:
        if not isinstance(value, (cls, cls._in_tasks)):
            raise ValueError(f"it is no {cls.__name__}")
        return value


class File(_Field):
    """
    A file, known by its base name and content. As an annotation: an input or output that is a file. In a task it is a
    `pathlib.Path`, which is not to be written to.

    ```python
    from pathlib import Path

    from almanac import File, task, workflow

    @task(outputs={"table": File})
    def write(text: str, *, table: Path) -> None:
        table.write_text(text)

    @task
    def count(table: Path) -> int:
        return len(table.read_text().split())

    @workflow
    async def main():
        table = write("three words here").table
        return [await count(table), (await table).size]  # gives [3, 16]
    ```
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its base name."""
        return str(self._wire["name"])

    @property
    def digest(self) -> str:
        """SHA-256 of its content, 64 hexadecimal digits."""
        return str(self._wire["digest"])

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self._wire["size"])

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.size} bytes, {self.digest[:12]}…)"


class NamedFile:
    """An output that is a file, and what it is called."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"file({self.name!r})"


def file(name: str) -> NamedFile:
    """
    An output that is a file of this name, as a workflow's results show it. An output that is just a `File` is called as
    the output is.

    ```python
    from pathlib import Path

    from almanac import file, task, workflow

    @task(outputs={"page": file("report.md")})
    def report(lines: int, *, page: Path) -> None:
        page.write_text(f"{lines} lines")

    @workflow
    async def main():
        return (await report(3).page).name  # gives "report.md"
    ```
    """
    return NamedFile(name)


class Dir(_Field):
    """
    A directory, known by its content. As an annotation: an input or output that is a directory. In a task it is a
    `pathlib.Path`, which is not to be written to.

    ```python
    from pathlib import Path

    from almanac import Dir, task, workflow

    @task(outputs={"parts": Dir})
    def split(words: list[str], *, parts: Path) -> None:
        parts.mkdir()
        for word in words:
            (parts / word).write_text(word)

    @task
    def length(part: Path) -> int:
        return len(part.read_text())

    @workflow
    async def main():
        parts = split(["a", "bc", "def"]).parts
        short = await parts.filter(lambda path: path != "def")
        return [short.entries, await length.map(short).all()]  # gives [2, [1, 2]]
    ```
    """

    __slots__ = ()

    @staticmethod
    def of(**entries: Any) -> Future[Dir]:
        """
        A directory made of files, directories and values that exist, by name: nothing is copied.

        ```python
        from almanac import Dir, workflow

        @workflow
        async def main():
            return (await Dir.of(a=1, b=Dir.of(c=2))).entries  # gives 2
        ```
        """
        return current("Dir.of").ask("dir", {"entries": entries}, "dir")

    @property
    def digest(self) -> str:
        """SHA-256 of its root listing, 64 hexadecimal digits."""
        return str(self._wire["digest"])

    @property
    def entries(self) -> int:
        """Files below it, at any depth."""
        return int(self._wire["entries"])

    @property
    def size(self) -> int:
        """Bytes of all files below it."""
        return int(self._wire["size"])

    def filter(self, *args: Any) -> Future[Dir]:
        """
        The entries for which a function says yes: of their path, `filter(keep)`, or of the value that a map over the same
        entries gave, `filter(values, keep)`, where it may ask for the path as well.

        ```python
        from pathlib import Path

        from almanac import Dir, task, workflow

        @task(outputs={"parts": Dir})
        def split(words: list[str], *, parts: Path) -> None:
            parts.mkdir()
            for word in words:
                (parts / word).write_text(word)

        @task
        def length(part: Path) -> int:
            return len(part.read_text())

        @workflow
        async def main():
            parts = await split(["a", "bc", "def"]).parts
            long = parts.filter(length.map(parts), lambda length: length > 1)
            return (await long).entries  # gives 2
        ```
        """
        return current("filter").filter(self, args)

    def all(self) -> Future[list[Any]]:
        """The values of a map's output, in order of entry path."""
        return current("all").ask("all", {"of": self}, "all")

    def __repr__(self) -> str:
        return f"Dir({self.entries} files, {self.size} bytes, {self.digest[:12]}…)"


class Url(_Field):
    """
    A file that is left where it is: `url.http` and `url.s3` name one. As an annotation: an input of a workflow that is
    given as `https://…` or `s3://bucket/key`, or of a program. A task gets its URL, as a `str`.

    >>> from almanac import Url, task, workflow
    >>> @task
    ... def bounds(scene: str) -> list[float]:
    ...     import rasterio
    ...     with rasterio.open(scene) as file:
    ...         return list(file.bounds)
    >>> @workflow
    ... async def main(scene: Url):  # almanac run flow.py --input scene=https://example.org/scene.tif
    ...     return bounds(scene)
    """

    __slots__ = ()

    _in_tasks = str

    @property
    def place(self) -> str:
        """What it is known by, without anything that lets one in."""
        return str(self._wire["place"])

    @property
    def version(self) -> str | None:
        """By which its bytes are told from others: the bucket's version id, or an `ETag`; None: they never change."""
        return self._wire.get("version")

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self._wire["size"])

    def _identity(self) -> tuple[Any, ...]:
        return (self.place, self.version, self.size)

    def __repr__(self) -> str:
        return f"Url({self.place!r}, {self.size} bytes)"


class Held(Kept):
    """
    An array, or something like it, that lives in the worker that made it. Pass it to a task; it has no value here.

    ```python
    import pickle

    from almanac import task, workflow

    class Grid:  # stands for a NumPy array here: its bytes can go by themselves
        def __init__(self, numbers: bytearray) -> None:
            self.numbers = numbers

        def __reduce_ex__(self, protocol):
            return Grid, (pickle.PickleBuffer(self.numbers),)

    @task
    def read(n: int) -> Grid:
        return Grid(bytearray(range(n)))

    @task
    def mean(grid: Grid) -> float:
        return sum(grid.numbers) / len(grid.numbers)

    @workflow
    async def main():
        return [repr(await read(5))[:4], await mean(read(5))]  # gives ["Held", 2]
    ```
    """

    __slots__ = ()

    def _identity(self) -> tuple[Any, ...]:
        return (self._wire["key"], *self._wire["path"])

    def __repr__(self) -> str:
        return f"Held({self._wire['type']}, {self._wire['size']} bytes, in the worker that made it)"

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) if other is None or isinstance(other, Kept) else self._used()

    __hash__ = Kept.__hash__

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refuse(f".{name}")

    def __getitem__(self, key: object) -> NoReturn:
        self._refuse(f"[{key!r}]")

    def _used(self, *_: object) -> NoReturn:
        self._refuse("")

    def _refuse(self, what: str) -> NoReturn:
        raise refused(
            f"a workflow has no value of what stays with the worker that made it: {self!r}{what}",
            "Pass it to a task that does this and returns plain values (`float(array.mean())`, `array.tolist()`), and await that.",
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        self._used()

    __bool__ = __len__ = __iter__ = __contains__ = __int__ = __float__ = __index__ = __complex__ = _used
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __matmul__ = _used
    __floordiv__ = __mod__ = __pow__ = __neg__ = __abs__ = __invert__ = __and__ = __or__ = __xor__ = _used
    __lt__ = __le__ = __gt__ = __ge__ = _used
