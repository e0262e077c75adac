"""An attempt that was sent here: the function that it names, what it has alike with others, and where it stands."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

from ..output.lines import Lines
from ..sources import Sources
from .signature import Signature

if TYPE_CHECKING:
    import asyncio


class TaskCancelled(KeyboardInterrupt):
    """Raised in a task that is to stop."""


class Function:
    """A function of the author's as tasks name it. Loaded when it is first called."""

    __slots__ = ("file", "name", "threads", "reads", "values", "is_one", "found")

    def __init__(self, file: str, name: str, threads: int, reads: list[str], names: list[str] | None) -> None:
        self.file = file
        self.name = name
        self.threads = threads
        self.reads = reads
        self.values = names
        #: it gives one value
        self.is_one = names is None or len(names) == 1
        self.found: tuple[Any, Signature] | None = None

    def load(self, sources: Sources) -> tuple[Any, Signature]:
        if self.found is None:
            for path in self.reads:
                sources.reads(path)
            function = sources.function(self.file, self.name)
            # under `@task` of a workflow in Python
            decorated = getattr(type(function), "in_worker", None)
            if decorated is not None:
                function = decorated(function)
            self.found = function, Signature(function, self.name)
        return self.found

    def place(self) -> tuple[str, int] | None:
        code = getattr(inspect.unwrap(self.found[0]), "__code__", None) if self.found else None
        return (self.file, code.co_firstlineno) if code is not None else (self.file, 1)


class Order:
    """What attempts have alike that came in one message."""

    __slots__ = (
        "function", "run", "attempt", "announce", "begins", "uses_up", "logical", "scratch", "outputs", "log_limit",
    )  # fmt: skip

    def __init__(
        self,
        function: Function,
        run: bytes,
        log_limit: int,
        attempt: int,
        flags: int,
        logical: str,
        scratch: str = "",
        outputs: dict[str, str] | None = None,
    ) -> None:
        self.function = function
        self.run = run
        self.attempt = attempt
        self.announce = flags & 1
        #: a place was made for them: they wait for nobody
        self.begins = flags & 2
        #: nobody else needs what they are given that is held
        self.uses_up = flags & 4
        self.logical = logical
        self.scratch = scratch
        self.outputs = outputs or _NO_OUTPUTS
        self.log_limit = log_limit


class Task:
    """An attempt that was sent here and has not ended."""

    # of the class: most attempts end with these as they are
    said = False
    cancelled = False
    #: only its end is to be told
    over = False
    thread: int | None = None
    ms = 0.0
    #: bytes of its results that stay here
    left = 0
    #: what it was given that goes with its end
    used_up: list[int] = []
    #: of an async function in a thread
    loop: asyncio.AbstractEventLoop | None = None
    _lines: Lines | None = None

    def __init__(self, order: Order, seq: int, inputs: Any, call: int, idempotency: str) -> None:
        self.order = order
        self.seq = seq
        self.inputs = inputs
        self.call = call
        self.idempotency = idempotency

    @property
    def takes_held(self) -> bool:
        """What it is given lies in a worker: it frees memory rather than taking more."""
        return type(self.inputs) is str and '"$":"held"' in self.inputs

    def leaves_nothing(self) -> None:
        self.left = 0
        self.used_up = _NONE

    def wake(self) -> None:
        """From another thread: it hears what was raised in it."""
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self.loop.call_soon_threadsafe(str)

    @property
    def lines(self) -> Lines:
        if self._lines is None:
            self._lines = Lines(self.order.log_limit)
        return self._lines

    @property
    def said_lines(self) -> Lines | None:
        """Where it has said anything."""
        return self._lines


_NO_OUTPUTS: dict[str, str] = {}
_NONE: list[int] = []
