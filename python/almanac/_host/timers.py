"""Timers of the event loop, each of which is a call of the run: it rings at the same place when the run goes on."""

from __future__ import annotations

import asyncio
import functools
import math
from typing import Any, Callable, Iterator

from .._model.futures import Future
from ..errors import TaskFailed
from .functions import Ended
from .scope import Scope, here

#: ms from which on nobody will be there
_NEVER = 1e14


class Timer(asyncio.TimerHandle):
    """What `call_at` gives."""

    __slots__ = ("scope", "call")

    scope: Scope
    #: 0 where the engine does not know it
    call: int


class Timers:
    """
    T1 a timer rings when its call's outcome is given, and never before what the engine said earlier
    T2 one that is cancelled, or left when its function ends, is withdrawn: it does not hold the run
    T3 time stands still while a function goes on: it is that of the last outcome that it was given
    """

    def __init__(
        self,
        say: Callable[[list[Any]], None],
        want: Callable[[Scope, Future[Any], Ended], None],
        ring: Callable[[Timer], None],
    ) -> None:
        self._say = say
        self._want = want
        self._ring = ring

    def begin(self, timer: Timer) -> None:
        scope = timer.scope = here("a timer")
        timer.call = 0
        ms = timer.when() * 1000 - scope.time
        if ms <= 0:
            self._ring(timer)
        elif ms < _NEVER:
            # up to the next whole one, but for what floats are short of
            future = scope.ask("timer", {"ms": math.ceil(ms - 0.01) or 1}, "timer")
            self._want(scope, future, functools.partial(self._ended, timer))
            timer.call = future._call
            if scope.timers is None:
                scope.timers = {}
            scope.timers[timer.call] = timer

    def _ended(self, timer: Timer, _: None, error: BaseException | None) -> None:
        scope = timer.scope
        if scope.timers is not None:
            scope.timers.pop(timer.call, None)
        if timer.cancelled():
            return
        if error is None:
            scope.time = max(scope.time, timer.when() * 1000)
            scope.rang = timer.call
            self._ring(timer)
        elif isinstance(error, TaskFailed):
            # the run is cancelled: so are the calls that it bounds, and who waits for nothing else hears of it
            for waiter in _woken_by(timer):
                waiter.set_exception(error)

    def cancelled(self, timer: Timer) -> None:
        scope = timer.scope
        if scope.timers is not None and scope.timers.pop(timer.call, None) is not None:
            self._say(["withdraw", scope.id, timer.call])

    def left(self, scope: Scope) -> None:
        """Its function has ended."""
        for timer in list((scope.timers or {}).values()):
            timer.cancel()


def _woken_by(timer: Timer) -> Iterator[asyncio.Future[Any]]:
    """Whom `asyncio.sleep`, `asyncio.wait` or the author would wake with it."""
    callback: Any = timer._callback  # type: ignore[attr-defined]
    for one in (getattr(callback, "__self__", None), *timer._args):
        if isinstance(one, asyncio.Future) and not isinstance(one, asyncio.Task) and not one.done():
            yield one
