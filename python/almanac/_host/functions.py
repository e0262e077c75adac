"""Functions of workflows under way: async ones on the loop, plain ones in a thread of their own.

F1  one function runs at a time, whichever kind it is: plain ones hand over when they wait
F2  a function ends once, with a value or with what it raised
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from types import FrameType
from typing import Any, Callable, Coroutine

from .._flow.workflows import Workflow
from .._model import caller
from ..errors import refused
from .scope import Scope

#: gets the value, or what was raised
Ended = Callable[[Any, "BaseException | None"], None]


def enter(
    loop: asyncio.AbstractEventLoop,
    scope: Scope,
    function: Callable[[], Any],
    begun: Callable[[asyncio.Task[Any]], None],
    ended: Ended,
) -> None:
    """Begins a function, which runs until it waits. `begun`: of an async one, as soon as it is known to be that."""

    def surroundings() -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(caller.under_way.set, scope)
        return context

    if _is_async(function):
        begun(surroundings().run(_begun, loop, _run(function, ended)))
        return

    def gave(value: Any, error: BaseException | None) -> None:
        # `lambda: steps(item)` is plain, and what it gives is not
        if asyncio.iscoroutine(value):
            begun(surroundings().run(_begun, loop, _run(lambda: value, ended)))
        else:
            ended(value, error)

    Plain(surroundings(), function, gave).go_on()


def _is_async(function: Callable[[], Any]) -> bool:
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    owner = getattr(inner, "__self__", None)
    return inspect.iscoroutinefunction(owner.function if isinstance(owner, Workflow) else inner)


def _begun(loop: asyncio.AbstractEventLoop, function: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    # none of those that authors make
    return asyncio.Task(function, loop=loop)


async def _run(function: Callable[[], Any], ended: Ended) -> None:
    try:
        value = await function()
    except BaseException as error:  # sys.exit too is the end of this function, and not of all others
        ended(None, error)
    else:
        ended(value, None)


class Plain:
    """A plain function in a thread, which is never at work while anything else is."""

    def __init__(self, context: contextvars.Context, function: Callable[[], Any], ended: Ended) -> None:
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._function = function
        self._ended = ended
        self._thread = threading.Thread(target=context.run, args=(self._main,), name="workflow", daemon=True)
        self._outcome: tuple[Any, BaseException | None] = None, None

    def go_on(self) -> None:
        """From the loop: gives back when the function waits or has ended."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()

    def wait(self, ask: Callable[[Ended], None]) -> Any:
        """From the function: asks for something, and waits until it is there."""
        ask(self._arrived)
        self._back.release()
        self._go.acquire()
        value, error = self._outcome
        if error is not None:
            raise error
        return value

    def _arrived(self, value: Any, error: BaseException | None) -> None:
        self._outcome = value, error
        self.go_on()

    def _main(self) -> None:
        _own.plain = self
        assert caller.workflow_threads is not None
        ident = threading.get_ident()
        caller.workflow_threads.add(ident)
        try:
            value = self._function()
        except BaseException as error:
            self._ended(None, error)
        else:
            self._ended(value, None)
        finally:
            caller.workflow_threads.discard(ident)
            self._back.release()


def gone_on(frame: FrameType) -> int | None:
    """The thread of the plain function that a frame waits for; None where it waits for none."""
    thread: int | None = frame.f_locals["self"]._thread.ident if frame.f_code is Plain.go_on.__code__ else None
    return thread


class _Own(threading.local):
    plain: Plain | None = None


_own = _Own()


def waiting_function() -> Plain:
    """The plain function that runs in this thread."""
    if _own.plain is None:
        raise refused(
            "`.result()` was called in an async function, which would stop all others",
            "Write `await` instead.",
            "ALM_STUCK",
        )
    return _own.plain
