"""The event loop of workflow functions: it waits for the engine alone, which keeps its timers, and never for the world."""

from __future__ import annotations

import asyncio
import contextvars
import selectors
import threading
from typing import Any, Callable, NoReturn

from .._model.caller import under_way
from ..errors import refused
from .scope import Scope
from .timers import Timer, Timers

_HINT = "Await only futures of Almanac in a workflow, and timers of asyncio; threads, fetches and files belong in tasks."

#: what a loop does for others, by what a function would wait for
_FOREIGN = {
    "a thread": ["run_in_executor"],
    "a connection": ["create_connection", "create_unix_connection", "create_datagram_endpoint"],
    "a server": ["create_server", "create_unix_server"],
    "a process": ["subprocess_exec", "subprocess_shell"],
    "a file": ["add_reader", "add_writer", "connect_read_pipe", "connect_write_pipe"],
}


class _AtRest(selectors.SelectSelector):
    """When the loop has nothing to do, no function goes on before the engine says something."""

    def __init__(self, rest: Callable[[], None]) -> None:
        super().__init__()
        self._rest = rest

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._rest()
        return []


class WorkflowLoop(asyncio.SelectorEventLoop):
    """Runs functions until each has come to rest. Whatever would wait for something else is refused where it is asked."""

    def __init__(self, rest: Callable[[], None], timers: Callable[[Callable[[Timer], None]], Timers]) -> None:
        """`timers`: made with what is to be done when one rings."""
        super().__init__(_AtRest(rest))
        self._at_rest = rest
        self._timers = timers(self._ready.append)  # type: ignore[attr-defined]
        self._thread = threading.get_ident()

    def _run_once(self) -> None:
        # what it does of itself beside this is for timers, which the engine has, for other threads and for sockets
        if self.get_debug():
            super()._run_once()  # type: ignore[misc]
            return
        ready = self._ready  # type: ignore[attr-defined]
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            self._at_rest()
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()

    def time(self) -> float:
        """Seconds since 1970 at which the function that asks was given the last outcome: the same when the run goes on."""
        scope = under_way.get()
        return scope.time / 1000 if isinstance(scope, Scope) else super().time()

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        timer = Timer(when, callback, args, self, context)
        self._timers.begin(timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        assert isinstance(handle, Timer)
        self._timers.cancelled(handle)

    def left(self, scope: Scope) -> None:
        """Its function has ended."""
        if scope.timers:
            self._timers.left(scope)

    def leave(self) -> None:
        """The engine is gone."""
        super().stop()

    def stop(self) -> None:
        raise refused("a workflow stopped the event loop, in which others run too", "Return from the workflow instead.", "ALM_STUCK")


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise refused(f"a workflow waits for {what}", _HINT, "ALM_STUCK")

    return refuse


for _what, _names in _FOREIGN.items():
    for _name in _names:
        setattr(WorkflowLoop, _name, _refusing(_what))


def _call_soon(loop: WorkflowLoop, callback: Callable[..., object], *args: Any, **surroundings: Any) -> asyncio.Handle:
    """Of asyncio itself, as when a generator is left: it has another thread's name only."""
    if threading.get_ident() != loop._thread:
        _refusing("a thread")()
    return loop.call_soon(callback, *args, **surroundings)


setattr(WorkflowLoop, "call_soon_threadsafe", _call_soon)
