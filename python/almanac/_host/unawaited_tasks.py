"""Asyncio tasks that authors make in workflows, and that nobody may await."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Iterable, NamedTuple

from .._model.caller import under_way
from .._model.futures import Future


class Left(NamedTuple):
    """What was left of them when their function had ended."""

    raised: BaseException | None
    #: of those that went on
    names: list[str]
    #: what they waited for
    unheard: list[Any]


class UnawaitedTasks:
    """
    Owns what is known of them, by the function that made them, until that has ended.

    T1  what one raised is told of when its function has ended, unless somebody retrieved it; no collection of garbage
        has a say in that
    T2  what one waits for that is cancelled with its function is told of too: it would have heard of a failure. Not
        where `asyncio.gather` would drop it, as that has raised already
    """

    def __init__(self) -> None:
        self._of: dict[int, _OfFunction | None] = {}

    def entered(self, scope: int) -> None:
        self._of[scope] = None

    def made(self, loop: asyncio.AbstractEventLoop, coro: Any, **surroundings: Any) -> asyncio.Task[Any]:
        """The loop's factory of tasks."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **surroundings)
        scope = under_way.get()
        if scope is not None and scope.id in self._of:
            of = self._of[scope.id]
            if of is None:
                of = self._of[scope.id] = _OfFunction()
            of.pending[task] = None
            task.add_done_callback(of.ended)
        return task

    def of(self, scope: int) -> list[asyncio.Task[Any]]:
        """Those that have not ended."""
        of = self._of.get(scope)
        return [] if of is None else list(of.pending)

    def unheard(self, scope: int) -> list[BaseException]:
        """What some have raised, so far."""
        of = self._of.get(scope)
        found = [] if of is None else [task.exception() for task in of.raised if _is_unheard(task)]
        return [error for error in found if error is not None]

    def left(self, scope: int) -> Left | None:
        """The function has ended: those that go on are cancelled."""
        of = self._of.pop(scope, None)
        return None if of is None else of.left()


class _OfFunction:
    __slots__ = ("pending", "raised")

    def __init__(self) -> None:
        self.pending: dict[asyncio.Task[Any], None] = {}
        self.raised: list[asyncio.Task[Any]] = []

    def ended(self, task: asyncio.Task[Any]) -> None:
        if self.pending.pop(task, self) is None and _is_unheard(task):
            self.raised.append(task)

    def left(self) -> Left:
        names, unheard = set(), []
        for task in list(self.pending):
            if task.done():
                self.ended(task)
        dropped = _dropped(self.pending)
        for task in self.pending:
            if not _is_cancelled(task):
                names.add(_name_of(task))
                if task not in dropped:
                    unheard.append(_waits_for(task))
        for task in list(self.pending):
            task.cancel()
        raised = next((_raised_by(task) for task in self.raised if _is_unheard(task)), None)
        return Left(raised, sorted(names), unheard)


def _dropped(tasks: Iterable[asyncio.Task[Any]]) -> set[asyncio.Future[Any]]:
    """Those of which nobody wants to hear: of `asyncio.gather` that has raised, and what they in turn wait for."""
    found: set[asyncio.Future[Any]] = set()
    for first in tasks:
        if not _is_gathered_in_vain(first):
            continue
        follow: list[Any] = [first]
        while follow:
            one = follow.pop()
            if one not in found:
                found.add(one)
                follow.extend(getattr(one, "_children", None) or filter(None, [_waits_for(one)]))
    return found


def _is_gathered_in_vain(task: asyncio.Task[Any]) -> bool:
    callbacks: Any = getattr(task, "_callbacks", None) or ()
    for callback, _ in callbacks:
        code = getattr(callback, "__code__", None)
        if code is not None and code.co_filename == asyncio.tasks.__file__ and "outer" in code.co_freevars:
            outer = callback.__closure__[code.co_freevars.index("outer")].cell_contents
            return outer is not None and bool(outer.done())
    return False


def _waits_for(task: Any) -> Any:
    return getattr(task, "_fut_waiter", None)


def _is_unheard(task: asyncio.Task[Any]) -> bool:
    """Did it raise, and nobody asked?"""
    unheard: bool = getattr(task, "_log_traceback")
    return unheard


def _is_cancelled(task: asyncio.Task[Any]) -> bool:
    """Has somebody cancelled it, whom it has not heard yet?"""
    if sys.version_info >= (3, 11):
        return task.cancelling() > 0
    inner: Any = task
    awaited = _waits_for(inner)
    return inner._must_cancel or (awaited is not None and awaited.cancelled())


def _raised_by(task: asyncio.Task[Any]) -> BaseException | None:
    error = task.exception()
    if error is not None and sys.version_info >= (3, 11):
        error.add_note(f"It was raised in an asyncio task that nobody awaited: {_name_of(task)}")
    return error


def _name_of(task: asyncio.Task[Any]) -> str:
    coroutine: Any = task.get_coro()
    # before 3.12 what asyncio makes of a future is a generator
    frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    if frame is not None and frame.f_code.co_filename == asyncio.tasks.__file__:
        # asyncio's own, about one of our futures
        future = frame.f_locals.get("awaitable")
        if isinstance(future, Future):
            return future._name
    return getattr(coroutine, "__qualname__", task.get_name())
