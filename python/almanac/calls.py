"""The workflow function under way, and the calls that it makes."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any, Callable, Protocol

from almanac_worker.values import SAFE

from .errors import AlmanacError, noted, refused
from .futures import Future

if TYPE_CHECKING:
    import asyncio

    from .results import Returned, Shape
    from .tasks import Task

__all__ = ["Scope", "Engine", "current", "found"]


class Engine(Protocol):
    """What a scope asks of the process that the function lives in."""

    def call(self, message: list[Any]) -> None: ...
    def number(self) -> int: ...
    def task(self, task: Task[..., Any]) -> int: ...
    def function(self, function: Callable[..., Any], gives: Returned | None = None) -> int: ...
    def waiter(self, future: Future[Any]) -> asyncio.Future[Any]: ...
    def block(self, future: Future[Any]) -> Any: ...


class Scope:
    """One function: of a run, a child workflow, a stage or a branch. Equal calls in two of them are not equals."""

    __slots__ = ("id", "run", "_engine", "path", "tries")

    def __init__(self, id: int, run: str, path: str, engine: Engine) -> None:
        self.id = id
        self.run = run
        self.path = path
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

    def task(self, task: Task[..., Any], arguments: dict[str, Any], key: str | None) -> Future[Any]:
        """One call of a task."""
        engine = self._engine
        wire = arguments if _are_plain(arguments) else _encoded(arguments, task.name)
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
        task: Task[..., Any] | None = None,
        function: Callable[..., Any] | None = None,
        path: tuple[str | int, ...] = (),
        shape: Shape | None = None,
    ) -> Future[Any]:
        """Any other call. `function` is one of the author's, run here."""
        from .wire import encode

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
        from .results import Returned
        from .wire import encode

        engine = self._engine
        shape = Returned()
        told = {} if at is None else {"at": {"file": at[0], "line": at[1]}}
        wire = encode({"name": name, "input": inputs, "limits": limits or {}, **told}, f"an argument of {name}")
        call = engine.number()
        engine.call(["ask", self.id, call, "child", wire, key, {"function": engine.function(function, shape)}])
        return Future(self, call, (), name, shape)

    def note(self, kind: str, name: str, body: Any) -> None:
        """Something to show."""
        from .wire import encode

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
        from .hints import Misfit

        assert future._shape is not None
        try:
            return future._shape.given(value)
        except Misfit as error:
            raise AlmanacError(
                f"What {future._name} gave is not what its annotation says: {error}.",
                code="ALM_SCHEMA",
                hint="Return what the annotation says, or correct it.",
            ) from None

    def _own(self, future: Future[Any]) -> None:
        scope = _scope.get()
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


def _encoded(arguments: dict[str, Any], task: str) -> Any:
    from .wire import encode

    return encode(arguments, f"an argument of {task}")


_scope: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("almanac_scope", default=None)

#: refused in threads, whose exceptions nobody hears: the function that ends next has failed of the first
stray_calls: list[AlmanacError] = []
#: threads in which workflow functions run; None where this process hosts none
workflow_threads: set[int] | None = None


def found() -> Scope | None:
    """The function that runs now; None outside a workflow."""
    scope = _scope.get()
    if workflow_threads is not None and threading.get_ident() not in workflow_threads:
        error = refused(
            "a workflow used a task from a thread of its own",
            "Make calls in the workflow's function itself: they run side by side without threads.",
            "ALM_STUCK",
        )
        stray_calls.append(error)
        raise error
    return scope


_INSIDE = "Call it inside the function of a workflow."


def current(what: str, hint: str = _INSIDE) -> Scope:
    """The function that runs now. Raises `AlmanacError` outside a workflow."""
    scope = found()
    if scope is None:
        raise outside(what, hint)
    return scope


def outside(what: str, hint: str = _INSIDE) -> AlmanacError:
    return noted(AlmanacError(f"{what} was used outside a workflow", code="ALM_OUTSIDE", hint=hint), hint)


def outside_of_workflows(what: str) -> None:
    """Raises `AlmanacError` in one."""
    if found() is not None:
        hint = "Call it at the top level of the file: what it names is looked at before anything runs."
        raise refused(f"{what} was called in a workflow", hint, "ALM_DEFINED_INSIDE")
