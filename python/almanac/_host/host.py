"""Serves the engine: enters functions, takes their calls to it, and gives them outcomes one at a time.

G1  an outcome is given when all functions have come to rest after the one before
G2  calls leave in the order in which they were made
G3  a function of a run that is over is left, as asyncio leaves a task that is cancelled
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import weakref
from collections import deque
from typing import Any, Callable

from .._flow.workflows import Workflow
from .._model import caller
from .._model.failure_types import task_failed
from .._model.futures import Called, Future
from .._model.wire import encode
from .._types.results import Returned
from ..errors import refused
from .descriptions import failure, is_of_time, load
from .functions import Ended, enter, waiting_function
from .invocation import Invocation, place_of
from .link import Link
from .loop import WorkflowLoop
from .scope import Scope, here
from .shared_variables import assigned_by
from .stalls import because, stall
from .timers import Timers
from .unawaited_tasks import Left, UnawaitedTasks
from .watchdog import Watchdog

#: told of together
_NAMES = 5

#: so often one that is left may try to wait for something else; then it waits for good
_TRIES = 100


def _never_closed(task: asyncio.Task[Any] | None) -> None:
    """It swallows whatever would end it: collected, be it when the process ends, it would be told to end without end."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))


class Host:
    """Owns what the engine may name: functions, tasks that it was told of, and who waits."""

    def __init__(self, link: Link, is_watched: bool) -> None:
        """`is_watched`: not where a debugger stops it."""
        self._link = link
        self._watchdog = Watchdog(lambda: (self._taken, link.sent), self._blocks) if is_watched else None
        self._loop = WorkflowLoop(self._rest, functools.partial(Timers, link.say, self._want))
        self._loop.set_exception_handler(self._raised_in_callback)
        self._unawaited = UnawaitedTasks()
        self._loop.set_task_factory(self._unawaited.made)
        #: what callbacks raised, by scope: nobody else hears of it
        self._unheard: dict[int, BaseException] = {}
        #: scopes whose functions have not ended, and what runs those that are async
        self._under_way: dict[int, asyncio.Task[Any] | None] = {}
        self._inbox: deque[list[Any]] = deque()
        self._handlers: dict[str, Callable[..., None]] = {
            "load": self._on_load,
            "enter": self._on_enter,
            "outcome": self._on_outcome,
            "failed": self._on_failed,
            "evaluate": self._on_evaluate,
            "stand": self._on_stand,
            "over": self._on_over,
        }
        self._numbers = 0
        #: with the scope of each
        self._waiting: dict[int, tuple[Scope, Ended | asyncio.Future[Any]]] = {}
        #: those of them that are awaited, and not called back
        self._waits: dict[asyncio.Future[Any], int] = {}
        self._functions: dict[int, Callable[..., Any]] = {}
        #: what those that are branches give, for who awaits them
        self._gives: dict[int, Returned] = {}
        #: those of a run, to be let go with it
        self._of_run: dict[str, list[int]] = {}
        #: by what they are, and not by where they lie: variants come and go
        self._tasks: weakref.WeakKeyDictionary[Called, int] = weakref.WeakKeyDictionary()
        #: of those that are gone; the engine is told at rest, as they go at any moment
        self._gone_tasks: deque[int] = deque()
        #: what has come from the engine, and of that what it was told of
        self._taken = 0
        self._told = 0
        #: the one that was given something last
        self._at_work: Scope | None = None
        #: runs that were told of as blocked
        self._blocked: set[str] = set()
        #: by run, workflows that were told to assign variables of their modules
        self._assigning: dict[str, set[Workflow[..., Any]]] = {}

    def serve(self, first: list[list[Any]]) -> None:
        self._inbox.extend(first)
        caller.workflow_threads = {threading.get_ident()}
        if self._watchdog is not None:
            self._watchdog.begin()
        self._loop.run_forever()

    # what scopes ask

    def call(self, message: list[Any]) -> None:
        self._link.say(message)

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def task(self, task: Called) -> int:
        known = self._tasks.get(task)
        if known is None:
            definition = task.definition()
            known = self._tasks[task] = self.number()
            self._link.say(["define", known, definition])
            weakref.finalize(task, self._gone_tasks.append, known).atexit = False
        return known

    def function(self, function: Callable[..., Any], gives: Returned | None = None) -> int:
        number = self.number()
        scope = caller.under_way.get()
        if scope is not None:
            if scope.id not in self._under_way:
                return number  # the engine hears nothing from it any more
            self._of_run.setdefault(scope.run, []).append(number)
        self._functions[number] = function
        if gives is not None:
            self._gives[number] = gives
        return number

    def waiter(self, future: Future[Any]) -> asyncio.Future[Any]:
        if asyncio.get_running_loop() is not self._loop:
            raise refused(
                "a workflow awaits a call in an event loop of its own",
                "Make the workflow `async def`, and await there: `asyncio.run` and other loops are for programs.",
                "ALM_STUCK",
            )
        waiter: asyncio.Future[Any] = self._loop.create_future()
        self._want(here("a future"), future, waiter)
        return waiter

    def block(self, future: Future[Any]) -> Any:
        return waiting_function().wait(lambda arrived: self._want(here("a future"), future, arrived))

    def _want(self, scope: Scope, future: Future[Any], arrived: Ended | asyncio.Future[Any]) -> None:
        if scope.id not in self._under_way:
            scope.tries += 1
            if scope.tries > _TRIES:
                if isinstance(arrived, asyncio.Future):
                    _never_closed(asyncio.current_task(self._loop))
                return
            raise asyncio.CancelledError
        wait = self.number()
        self._waiting[wait] = scope, arrived
        if isinstance(arrived, asyncio.Future):
            self._waits[arrived] = wait
        self._link.say(["want", scope.id, future._call, future._path, wait])

    def _blocks(self, how: str) -> None:
        """From the thread that looks on: said once a run."""
        scope = self._at_work
        if scope is not None and scope.run not in self._blocked:
            self._blocked.add(scope.run)
            with contextlib.suppress(OSError):  # the engine is gone, which the function will hear of
                self._link.say_now(["note", scope.id, "warning", scope.path, how])

    # what the engine says

    def _rest(self) -> None:
        """Nobody goes on: the next that the engine says."""
        if not self._inbox:
            if self._taken != self._told:
                self._told = self._taken
                while self._gone_tasks:
                    self._link.say(["undefine", self._gone_tasks.popleft()])
                self._link.say(["rested", self._taken])
            self._link.flush()
            came = self._link.read()
            if came is None:
                self._loop.leave()
                return
            self._inbox.extend(came)
        message = self._inbox.popleft()
        self._handlers[message[0]](*message[1:])

    def _on_load(self, number: int, file: str) -> None:
        self._at_work = None
        try:
            described = load(file, self.function)
        except BaseException as error:
            self._link.say(["failed", number, failure(error, file)])
        else:
            self._link.say(["loaded", number, described])

    def _on_enter(
        self, id: int, function: int, run: str, path: str, inputs: dict[str, Any] | None, at: float
    ) -> None:
        self._taken += 1
        self._under_way[id] = None
        self._unawaited.entered(id)
        scope = self._at_work = Scope(id, run, path, at, self)
        of = Invocation(scope, self._functions[function], self._gives.get(function))
        self._warn_of_assignments(of)
        given = of.function if inputs is None else functools.partial(of.function, **inputs)
        enter(self._loop, scope, given, functools.partial(self._begun, id), functools.partial(self._returned, of))

    def _warn_of_assignments(self, of: Invocation) -> None:
        """Once for each workflow of a run, and not for each child that it is."""
        owner = getattr(of.function, "__self__", None)
        if not isinstance(owner, Workflow) or (what := assigned_by(owner.function)) is None:
            return
        told = self._assigning.setdefault(of.scope.run, set())
        if owner not in told:
            told.add(owner)
            self._link.say(["note", of.scope.id, "warning", of.scope.path, what])

    def _begun(self, id: int, task: asyncio.Task[Any]) -> None:
        if id in self._under_way:
            self._under_way[id] = task
        else:
            task.cancel()

    def _returned(self, of: Invocation, value: Any, error: BaseException | None) -> None:
        if error is not None:
            return self._ended(of, None, error)
        try:
            future = of.known_later(value)
        except Exception as refused:
            return self._ended(of, None, refused)
        if future is None:
            self._ended(of, value, None)
        else:
            self._want(of.scope, future, functools.partial(self._ended, of))

    def _ended(self, of: Invocation, value: Any, error: BaseException | None) -> None:
        id = of.scope.id
        if id not in self._under_way:
            return
        del self._under_way[id]
        self._loop.left(of.scope)
        left = self._unawaited.left(id)
        unheard = self._raised_unheard(id, left)
        error = unheard if error is None else error
        waits = [self._waits[one] for one in left.unheard if one in self._waits] if left else []
        if error is None:
            if left and left.names:
                names = ", ".join(left.names[:_NAMES])
                body = f"asyncio tasks that nobody awaited were cancelled when it returned: {names}"
                self._link.say(["note", id, "warning", of.scope.path, body])
            try:
                kept = encode(of.kept(value), "the result")
                self._link.say(["end", id, True, kept, *([waits] if waits else [])])
                return
            except Exception as unkept:
                error = unkept
        told = failure(error, *place_of(of.function))
        if of.scope.rang and is_of_time(error):
            told["timer"] = of.scope.rang
        self._link.say(["end", id, False, told, waits])

    def _raised_unheard(self, id: int, left: Left | None) -> BaseException | None:
        """What a callback, a call or an asyncio task of the function has raised that nobody heard."""
        raised = self._unheard.pop(id, None) or (caller.stray_calls[0] if caller.stray_calls else None)
        caller.stray_calls.clear()
        return left.raised if raised is None and left is not None else raised

    def _on_outcome(self, wait: int, value: Any, at: float) -> None:
        self._taken += 1
        scope, arrived = self._waiting.pop(wait)
        self._at_work = scope
        if at > scope.time:
            scope.time = at
        if not isinstance(arrived, asyncio.Future):
            return arrived(value, None)
        del self._waits[arrived]
        if not arrived.cancelled():
            arrived.set_result(value)

    def _on_failed(self, wait: int, record: dict[str, Any], at: float) -> None:
        self._taken += 1
        scope, arrived = self._waiting.pop(wait)
        self._at_work = scope
        if at > scope.time:
            scope.time = at
        error = task_failed(record, wait)
        if not isinstance(arrived, asyncio.Future):
            return arrived(None, error)
        del self._waits[arrived]
        if not arrived.cancelled():
            arrived.set_exception(error)

    def _on_evaluate(self, number: int, function: int, args: list[Any]) -> None:
        self._taken += 1
        self._at_work = None
        try:
            self._link.say(["value", number, True, encode(self._functions[function](*args), "what a filter gave")])
        except Exception as error:
            self._link.say(["value", number, False, failure(error, *place_of(self._functions[function]))])

    def _on_stand(self, number: int, scopes: list[int]) -> None:
        tasks = [self._under_way.get(id) for id in scopes]
        tasks += [task for id in scopes for task in self._unawaited.of(id)]
        raised = next((error for id in scopes for error in self._unawaited.unheard(id)), None)
        if raised is None:
            found = stall((task for task in tasks if task is not None), self._waits.__contains__)
        else:
            found = because(failure(raised))
        self._link.say(["stands", number, found])

    def _raised_in_callback(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self._link.is_forked():
            return  # from Python 3.14 on asyncio goes no step further in a child: it is told so when it comes to rest
        error, handle = context.get("exception"), context.get("handle")
        surroundings = getattr(handle, "_context", None)
        scope = None if surroundings is None else surroundings.get(caller.under_way)
        if error is None or scope is None or scope.id not in self._under_way:
            # its function has ended, or there was none
            loop.default_exception_handler(context)
            return
        self._unheard.setdefault(scope.id, error)

    def _on_over(self, run: str, scopes: list[int]) -> None:
        """`scopes`: those whose functions have not ended, as the run rests or could not go on."""
        for number in self._of_run.pop(run, ()):
            del self._functions[number]
            self._gives.pop(number, None)
        self._blocked.discard(run)
        self._assigning.pop(run, None)
        left = {id for id in scopes if id in self._under_way}
        waits = [wait for wait, (scope, _) in self._waiting.items() if scope.id in left] if left else []
        for id in left:
            task = self._under_way.pop(id)
            self._unawaited.left(id)
            self._unheard.pop(id, None)
            if task is not None:
                task.cancel()
        for wait in waits:
            _, arrived = self._waiting.pop(wait)
            if isinstance(arrived, asyncio.Future):
                del self._waits[arrived]
            else:
                arrived(None, asyncio.CancelledError())
