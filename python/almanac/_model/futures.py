"""The outcome of a call that may not have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Awaitable, Callable, Generator, Generic, NoReturn, Protocol, TypeVar

from ..errors import refused
from .shape import Shape

if TYPE_CHECKING:
    import asyncio

__all__ = ["Called", "Caller", "Future", "FutureList", "pick"]

T = TypeVar("T")
U = TypeVar("U")
_AWAIT = "Await it first (`.result()` in a plain function), or pass the future to a task."

if TYPE_CHECKING:
    # a checker takes a future wherever the value is declared that it stands for: passed on it is an edge. What takes
    # both kinds of awaitables (`asyncio.gather`) tells mypy what it gives only if they agree
    class _Passed(asyncio.Future[T], Any):  # type: ignore[misc]
        # but nothing else of that is there: these are fields
        add_done_callback: Any
        cancel: Any
        cancelled: Any
        done: Any
        exception: Any
        get_loop: Any
        remove_done_callback: Any
        set_exception: Any
        set_result: Any

    class _PassedList(list["Future[T]"], Any):  # type: ignore[misc]
        ...
else:

    class _Passed(Generic[T]):
        __slots__ = ()

    class _PassedList(list, Generic[T]):
        pass


class Called(Protocol):
    """A task, as whoever calls it knows it."""

    name: str

    @property
    def shape(self) -> Shape | None: ...
    def definition(self) -> dict[str, Any]: ...


class Caller(Protocol):
    """A function of a workflow under way: it makes calls, and waits for them. `_host` has it."""

    id: int
    run: str

    def task(self, task: Called, arguments: dict[str, Any], key: str | None) -> Future[Any]: ...
    def ask(
        self,
        operation: str,
        details: dict[str, Any],
        name: str,
        *,
        key: str | None = None,
        task: Called | None = None,
        function: Callable[..., Any] | None = None,
        path: tuple[str | int, ...] = (),
        shape: Shape | None = None,
    ) -> Future[Any]: ...
    def child(
        self,
        name: str,
        inputs: dict[str, Any] | None,
        key: str | None,
        function: Callable[..., Any],
        *,
        limits: dict[str, Any] | None = None,
        at: tuple[str, int] | None = None,
    ) -> Future[Any]: ...
    def all(self, values: list[Any]) -> Future[list[Any]]: ...
    def filter(self, of: Any, args: tuple[Any, ...]) -> Future[Any]: ...
    def note(self, kind: str, name: str, body: Any) -> None: ...
    def waiter(self, future: Future[Any]) -> asyncio.Future[Any]: ...
    def block(self, future: Future[Any]) -> Any: ...
    def given(self, future: Future[Any], value: Any) -> Any: ...


class Future(_Passed[T]):
    """
    The outcome of a call that may not have ended. Awaited (in a plain function: `.result()`) it gives the value or
    raises what failed; passed to another task it makes an edge; its fields and items are futures too. It has no value
    before that: `if future:` or `f"{future}"` raises `WorkflowRefused` (`ALM_FUTURE_AS_TEXT`).

    ```python
    from almanac import task, workflow

    @task
    def limits(n: int) -> dict[str, int]:
        return {"low": -n, "high": n}

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main():
        found = limits(4)
        high = double(found.high)  # begins when `limits` has ended
        return [await high, (await found)["low"], found["low"]]  # gives [8, -4, -4]
    ```
    """

    __slots__ = ("_scope", "_call", "_path", "_name", "_shape")

    def __init__(
        self, scope: Caller, call: int, path: tuple[str | int, ...], name: str, shape: Shape | None = None
    ) -> None:
        self._scope = scope
        self._call = call
        self._path = path
        self._name = name
        self._shape = shape

    def __await__(self) -> Generator[Any, None, T]:
        scope = self._scope
        value: T = yield from scope.waiter(self)
        return value if self._shape is None else scope.given(self, value)

    def result(self) -> T:
        """
        The value, in a workflow that is a plain function: it goes on when the call has ended.

        ```python
        from almanac import task, workflow

        @task
        def double(n: int) -> int:
            return 2 * n

        @workflow
        def main():
            n = 1
            while n < 100:
                n = double(n).result()
            return n  # gives 128
        ```
        """
        value: T = self._scope.block(self)
        return value

    def all(self) -> Future[Any]:
        """
        The list itself: a directory of values and a list read alike.

        ```python
        from pathlib import Path

        from almanac import Dir, task, workflow

        @task(outputs={"parts": Dir})
        def split(words: list[str], *, parts: Path) -> None:
            parts.mkdir()
            for word in words:
                (parts / word).write_text(word)

        @task
        def inverse(part: Path) -> float:
            return 1 / (len(part.read_text()) - 1)

        @workflow
        async def main():
            lengths = inverse.map(split(["abc", "abcde"]).parts)
            return await lengths.all()  # gives [0.5, 0.25]
        ```
        """
        shape = self._shape
        return self._scope.ask("all", {"of": self}, self._name, shape=shape and shape.all())

    def settled(self) -> Future[Any]:
        """
        Does not fail with an entry of a map: `done` holds those that succeeded, `failed` says of the others why.

        ```python
        from pathlib import Path

        from almanac import Dir, task, workflow

        @task(outputs={"parts": Dir})
        def split(words: list[str], *, parts: Path) -> None:
            parts.mkdir()
            for word in words:
                (parts / word).write_text(word)

        @task
        def inverse(part: Path) -> float:
            return 1 / (len(part.read_text()) - 1)

        @workflow
        async def main():
            ended = inverse.map(split(["a", "abc"]).parts).settled()
            return await ended.done.all()  # gives [0.5]
        ```
        """
        return self._scope.ask("settled", {"of": self}, self._name)

    def filter(self, *args: Any) -> Future[Any]:
        """
        Those entries or items for which a function says yes; see `Dir.filter`.

        ```python
        from pathlib import Path

        from almanac import Dir, task, workflow

        @task(outputs={"parts": Dir})
        def split(words: list[str], *, parts: Path) -> None:
            parts.mkdir()
            for word in words:
                (parts / word).write_text(word)

        @task
        def inverse(part: Path) -> float:
            return 1 / (len(part.read_text()) - 1)

        @workflow
        async def main():
            parts = split(["abc", "b"]).parts.filter(lambda path: len(path) > 1)
            return await inverse.map(parts).all()  # gives [0.5]
        ```
        """
        return self._scope.filter(self, args)

    def _field(self, step: str | int) -> Future[Any]:
        shape = self._shape
        if shape is not None:
            step = shape.step(step)
        return Future(self._scope, self._call, (*self._path, step), self._name, shape and shape.field(step))

    def __getattr__(self, name: str) -> Future[Any]:
        if name.startswith("_"):
            if name == "_condition":
                raise refused(
                    "concurrent.futures waits for futures of its own only",
                    "Ask each for its `.result()`, in any order; `gather` and `settled` wait for many.",
                    "ALM_STUCK",
                )
            raise AttributeError(name)
        return self._field(name)

    def __call__(self, *_: object, **__: object) -> NoReturn:
        # `.done()`, `.add_done_callback(…)`: what it has are the fields of what it will give
        steps = "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in self._path)
        raise refused(
            f"a future was called: {self._name}(…){steps}()",
            "Await it first. For `asyncio.wait` and callbacks make it a task: `asyncio.ensure_future(future)`.",
            "ALM_FUTURE_AS_TEXT",
        )

    def __getitem__(self, key: str | int) -> Future[Any]:
        if type(key) is not int and not isinstance(key, str):
            raise TypeError(f"a future has fields by name and items by number, not by {key!r}")
        return self._field(key)

    def __repr__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self._path)
        return f"<Future of {self._name}{path}>"

    def _known(self, *_: object) -> NoReturn:
        raise refused(f"the result of {self._name} was used before it is known", _AWAIT, "ALM_FUTURE_AS_TEXT")

    # outside a workflow a task gives its value, which has all of them
    if not TYPE_CHECKING:
        __str__ = __bool__ = __iter__ = __len__ = __int__ = __float__ = __format__ = _known
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _known
        __lt__ = __le__ = __gt__ = __ge__ = _known

    def __eq__(self, other: object) -> bool:
        # `f(1) == 3` would be false whatever f gives
        return self is other if isinstance(other, Future) else self._known()

    __hash__ = object.__hash__


class FutureList(_PassedList[T]):
    """
    The calls of a map over a list: a list of futures, and all of them at once.

    ```python
    from almanac import task, workflow

    @task
    def invert(n: float) -> float:
        return 1 / n

    @workflow
    async def main():
        calls = invert.map([1, 2, 0])
        ended = await calls.settled()
        return [await calls[1], [one["ok"] for one in ended]]  # gives [0.5, [true, true, false]]
    ```
    """

    def __init__(self, scope: Caller, futures: list[Future[T]]) -> None:
        super().__init__(futures)
        self._scope = scope

    def all(self) -> Future[list[T]]:
        """All results, in order; fails with the first failure once all have ended."""
        return self._scope.all(list(self))

    def settled(self) -> Future[list[dict[str, Any]]]:
        """How each ended: `{'ok': True, 'value': …}` or `{'ok': False, 'error': {'code': …, 'message': …}}`."""
        return self._scope.ask("settled", {"of": list(self)}, "settled")


def pick(future: Future[T], part: Callable[[T], U]) -> Future[U]:
    """
    A field or an item of a future, as `future.high` and `future["high"]` are too; of this one mypy, pyright and editors
    know the type: they read the function as one of the value.

    ```python
    from dataclasses import dataclass

    from almanac import pick, task, workflow

    @dataclass
    class Limits:
        low: int
        high: int

    @task
    def limits(n: int) -> Limits:
        return Limits(-n, n)

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main():
        high = pick(limits(4), lambda found: found.high)  # a Future[int]
        return await double(high)  # gives 8
    ```
    """
    found: Any = part(future)
    if not isinstance(found, Future):
        raise TypeError(f"pick() takes a function that gives a field or an item of what it is given, and not {found!r}")
    return found
