"""A workflow function under way, and the calls that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Protocol

from almanac_worker.shared.signatures import signature
from almanac_worker.shared.values import SAFE

from .._model.caller import current, under_way
from .._model.futures import Called, Future
from .._model.shape import Shape
from .._model.wire import encode
from .._types.hints import Misfit
from .._types.results import Each, Returned, items
from ..errors import AlmanacError, refused

if TYPE_CHECKING:
    import asyncio

__all__ = ["Scope", "Engine", "here"]


class Engine(Protocol):
    """What a scope asks of the process that the function lives in."""

    def call(self, message: list[Any]) -> None: ...
    def number(self) -> int: ...
    def task(self, task: Called) -> int: ...
    def function(self, function: Callable[..., Any], gives: Returned | None = None) -> int: ...
    def waiter(self, future: Future[Any]) -> asyncio.Future[Any]: ...
    def block(self, future: Future[Any]) -> Any: ...


class Scope:
    """One function: of a run, a child workflow, a stage or a branch. Equal calls in two of them are not equals."""

    __slots__ = ("id", "run", "_engine", "path", "time", "timers", "rang", "tries")

    def __init__(self, id: int, run: str, path: str, time: float, engine: Engine) -> None:
        self.id = id
        self.run = run
        self.path = path
        #: of the last outcome that the function was given: ms since 1970, the same when the run goes on
        self.time = time
        #: those that are open, by call
        self.timers: dict[int, asyncio.TimerHandle] | None = None
        #: the call of the last that rang
        self.rang = 0
        #: how often it wanted to wait when it was over
        self.tries = 0
        self._engine = engine

    def __deepcopy__(self, memo: object) -> Scope:
        return self

    def __reduce__(self) -> str:
        raise refused(
            "a future cannot be pickled or go to another process",
            "Pass it to a task, or await it and pass its value.",
        )

    def task(self, task: Called, arguments: dict[str, Any], key: str | None) -> Future[Any]:
        """One call of a task."""
        engine = self._engine
        wire = arguments if _are_plain(arguments) else encode(arguments, f"an argument of {task.name}")
        call = engine.number()
        engine.call(["task", self.id, call, engine.task(task), wire, key])
        return Future(self, call, (), task.name, task.shape)

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
    ) -> Future[Any]:
        """Any other call. `function` is one of the author's, run here."""
        engine = self._engine
        wire = encode(details, f"an argument of {operation}")
        call = engine.number()
        told = {
            **({} if task is None else {"task": engine.task(task)}),
            **({} if function is None else {"function": engine.function(function)}),
        }
        engine.call(["ask", self.id, call, operation, wire, key, told])
        return Future(self, call, path, name, shape)

    def child(
        self,
        name: str,
        inputs: dict[str, Any] | None,
        key: str | None,
        function: Callable[..., Any],
        *,
        limits: dict[str, Any] | None = None,
        at: tuple[str, int] | None = None,
    ) -> Future[Any]:
        """A workflow, a stage or a branch: a function with calls of its own. `at`: the file and line that call it."""
        engine = self._engine
        shape = Returned()
        told = {} if at is None else {"at": {"file": at[0], "line": at[1]}}
        wire = encode({"name": name, "input": inputs, "limits": limits or {}, **told}, f"an argument of {name}")
        call = engine.number()
        engine.call(["ask", self.id, call, "child", wire, key, {"function": engine.function(function, shape)}])
        return Future(self, call, (), name, shape)

    def all(self, values: list[Any]) -> Future[list[Any]]:
        """All of them, once they have ended."""
        return self.ask("all", {"of": values}, "all", shape=items(values))

    def filter(self, of: Any, args: tuple[Any, ...]) -> Future[Any]:
        """Of a directory, a map or a list. The call is that of the function which filters, whichever has made what is filtered."""
        *before, keep = args or (None,)
        if not callable(keep) or isinstance(keep, Future) or len(before) > 1:
            raise TypeError("filter(keep) or filter(values, keep): keep is a function that says yes or no")
        by = before[0] if before else None
        function = _of_value(keep)
        shape = by._shape if isinstance(by, Future) else None
        if isinstance(shape, Each):
            function = shape.keeping(function)
        return current("filter").ask("filter", {"of": of, "by": by}, "filter", function=function)

    def note(self, kind: str, name: str, body: Any) -> None:
        """Something to show."""
        self._engine.call(["note", self.id, kind, name, encode(body, f"{kind} {name}")])

    def waiter(self, future: Future[Any]) -> asyncio.Future[Any]:
        """What is to be awaited: it has the value as the engine says it."""
        self._own(future)
        return self._engine.waiter(future)

    def block(self, future: Future[Any]) -> Any:
        self._own(future)
        value = self._engine.block(future)
        return value if future._shape is None else self.given(future, value)

    def given(self, future: Future[Any], value: Any) -> Any:
        """The value as its annotation says."""
        assert future._shape is not None
        try:
            return future._shape.given(value)
        except Misfit as error:
            raise AlmanacError(
                f"What {future._name} gave is not what its annotation says: {str(error).removeprefix('it: ')}.",
                code="ALM_SCHEMA",
                hint="Return what the annotation says, or correct it.",
            ) from None

    def _own(self, future: Future[Any]) -> None:
        scope = under_way.get()
        if scope is not None and scope.run != future._scope.run:
            raise refused(
                f"a future of {future._name} belongs to another run",
                "Pass values from run to run, not futures.",
                "ALM_FUTURE_FOREIGN",
            )


def _are_plain(arguments: dict[str, Any]) -> bool:
    """Are they their own wire form, as numbers and texts are?"""
    for value in arguments.values():
        kind = type(value)
        if kind is not str and kind is not bool and value is not None and not (kind is int and -SAFE <= value <= SAFE):
            return False
    return "$" not in arguments


def _of_value(keep: Callable[..., object]) -> Callable[..., object]:
    """Many only ask for the value, and not for its place: the path of its entry, the number of an item."""
    try:
        signature(keep).bind(None, "")
    except (TypeError, ValueError):
        return lambda value, *_: keep(value)
    return keep


def here(what: str) -> Scope:
    """The function that runs now. Raises `AlmanacError` outside a workflow."""
    scope = current(what)
    assert isinstance(scope, Scope)
    return scope
