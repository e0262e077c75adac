"""The event loop of workflow functions: it waits for the engine alone, and never for the world."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any, Callable, NoReturn

from ..errors import refused

_HINT = "Await only futures of Almanac in a workflow; timers, fetches and files belong in tasks (`run.sleep` is remembered)."


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

    def __init__(self, rest: Callable[[], None]) -> None:
        super().__init__(_AtRest(rest))

    def call_at(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a timer")

    def call_later(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a timer")

    def run_in_executor(self, *_: Any) -> NoReturn:
        raise _foreign("a thread")

    async def create_connection(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a connection")

    async def create_server(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a server")

    async def create_datagram_endpoint(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a socket")

    async def subprocess_exec(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a process")

    async def subprocess_shell(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a process")

    def add_reader(self, *_: Any) -> NoReturn:
        raise _foreign("a file descriptor")

    def add_writer(self, *_: Any) -> NoReturn:
        raise _foreign("a file descriptor")

    def call_soon_threadsafe(self, *_: Any, **__: Any) -> NoReturn:
        raise _foreign("a thread")


def _foreign(what: str) -> Exception:
    return refused(f"a workflow waits for {what}", _HINT, "ALM_STUCK")
