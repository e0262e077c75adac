"""Asyncio tasks that authors make in workflows, and that nobody may await."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from .. import calls


class Strays:
    """
    Owns what is known of them, by the function that made them, until that has ended.

    T1  what one raised is told of when its function has ended, unless somebody retrieved it; no collection of garbage
        has a say in that
    """

    def __init__(self) -> None:
        self._of: dict[int, _OfFunction | None] = {}

    def entered(self, scope: int) -> None:
        self._of[scope] = None

    def made(self, loop: asyncio.AbstractEventLoop, coro: Any, **surroundings: Any) -> asyncio.Task[Any]:
        """The loop's factory of tasks."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **surroundings)
        scope = calls._scope.get()
        if scope is not None and scope.id in self._of:
            of = self._of[scope.id]
            if of is None:
                of = self._of[scope.id] = _OfFunction()
            of.pending[task] = None
            task.add_done_callback(of.ended)
        return task

    def left(self, scope: int) -> tuple[BaseException | None, list[str]]:
        """The function has ended: what one of them raised, and names of those that go on, which are cancelled."""
        of = self._of.pop(scope, None)
        return (None, []) if of is None else of.left()


class _OfFunction:
    __slots__ = ("pending", "raised")

    def __init__(self) -> None:
        self.pending: dict[asyncio.Task[Any], None] = {}
        self.raised: list[asyncio.Task[Any]] = []

    def ended(self, task: asyncio.Task[Any]) -> None:
        if self.pending.pop(task, self) is None and _is_unheard(task):
            self.raised.append(task)

    def left(self) -> tuple[BaseException | None, list[str]]:
        names = set()
        for task in list(self.pending):
            if task.done():
                self.ended(task)
                continue
            if not _is_cancelled(task):
                names.add(_name_of(task))
            task.cancel()
        for task in self.raised:
            if _is_unheard(task):
                return _raised_by(task), sorted(names)
        return None, sorted(names)


def _is_unheard(task: asyncio.Task[Any]) -> bool:
    """Did it raise, and nobody asked?"""
    unheard: bool = getattr(task, "_log_traceback")
    return unheard


def _is_cancelled(task: asyncio.Task[Any]) -> bool:
    """Has somebody cancelled it, whom it has not heard yet?"""
    if sys.version_info >= (3, 11):
        return task.cancelling() > 0
    inner: Any = task
    return inner._must_cancel or (inner._fut_waiter is not None and inner._fut_waiter.cancelled())


def _raised_by(task: asyncio.Task[Any]) -> BaseException | None:
    error = task.exception()
    if error is not None and sys.version_info >= (3, 11):
        error.add_note(f"It was raised in an asyncio task that nobody awaited: {_name_of(task)}")
    return error


def _name_of(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())
