"""One attempt in this process: its arguments, the call, its result as a message."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from typing import Any, Callable

from . import failures, process, values
from .calls import Mismatch, Signature, results
from .frames import encode, encode_text
from .held import HeldStore
from .sources import LoadFailed, NotFound, Sources
from .streams import Lines

#: results are kept in the journal: this is far beyond what belongs there
MAX_RESULT = 64 << 20
#: tasks from this duration on (ms) tell their largest memory
_TELL_PEAK = 20.0

#: values of these types, but for large texts and integers and what is not finite, are their own wire form
_PLAIN = frozenset((str, int, float, bool, type(None)))
_SHORT_TEXT = 4096


class TaskCancelled(KeyboardInterrupt):
    """Raised in a task that is to stop."""


class Function:
    """A function of the author's as tasks name it. Loaded when it is first called."""

    __slots__ = ("file", "name", "threads", "reads", "values", "found")

    def __init__(self, file: str, name: str, threads: int, reads: list[str], names: list[str] | None) -> None:
        self.file = file
        self.name = name
        self.threads = threads
        self.reads = reads
        self.values = names
        self.found: tuple[Any, Signature] | None = None

    def load(self, sources: Sources) -> tuple[Any, Signature]:
        if self.found is None:
            for path in self.reads:
                sources.reads(path)
            function = sources.function(self.file, self.name)
            self.found = function, Signature(function, self.name)
        return self.found

    def place(self) -> tuple[str, int] | None:
        code = getattr(self.found[0], "__code__", None) if self.found else None
        return (self.file, code.co_firstlineno) if code is not None else (self.file, 1)


class Task:
    """An attempt that was sent here and has not ended."""

    __slots__ = (
        "seq", "function", "inputs", "announce", "begins", "run", "call", "attempt", "idempotency", "logical",
        "scratch", "outputs", "said", "cancelled", "thread", "ms", "left", "uses_up", "used_up", "_lines", "_log_limit",
    )

    def __init__(self, message: list[Any], function: Function, run: bytes, log_limit: int) -> None:
        (
            _, self.seq, _, self.inputs, self.announce, _,
            self.call, self.attempt, self.idempotency, self.logical, *more,
        ) = message  # fmt: skip
        self.scratch, self.outputs = more or ("", _NO_OUTPUTS)
        #: a place was made for it: it waits for nobody
        self.begins = self.announce & 2
        #: nobody else needs what it is given that is held
        self.uses_up = self.announce & 4
        self.announce &= 1
        self.function = function
        self.run = run
        self.said = False
        self.cancelled = False
        self.thread: int | None = None
        self.ms = 0.0
        #: bytes of its results that stay here
        self.left = 0
        #: what it was given that goes with its end
        self.used_up: list[int] = _NONE
        # most say nothing
        self._lines: Lines | None = None
        self._log_limit = log_limit

    @property
    def takes_held(self) -> bool:
        """What it is given lies in a worker: it frees memory rather than taking more."""
        return type(self.inputs) is str and '"$":"held"' in self.inputs

    def leaves_nothing(self) -> None:
        self.left = 0
        self.used_up = _NONE

    @property
    def lines(self) -> Lines:
        if self._lines is None:
            self._lines = Lines(self._log_limit)
        return self._lines

    def said_lines(self, end: bool) -> list[list[Any]]:
        return [] if self._lines is None else self._lines.take(end)


_NO_OUTPUTS: dict[str, str] = {}
_NONE: list[int] = []


class Runner:
    """Executes attempts one at a time per thread. Owns nothing of them after their end."""

    def __init__(self, sources: Sources, store: HeldStore, holder: str, blob_paths: Callable[[], list[str]]) -> None:
        self._sources = sources
        self._store = store
        self._holder = holder
        self._blob_paths = blob_paths
        #: is the host late to hear of what is left here?
        self.is_late: Callable[[], bool] = lambda: False
        self._cpu = 0.0

    def wake(self) -> None:
        """Processor time from now on is that of attempts."""
        self._cpu = time.process_time()

    def run(self, task: Task, call: Callable[..., Any]) -> str:
        """The message of the attempt's end. `call` calls the author's code, and is where it may be interrupted."""
        kept: list[list[int]] = []
        mapped: list[str] = []
        started = time.perf_counter()
        alone = task.function.threads == 1
        clock = time.process_time if alone else time.thread_time
        # between tasks there is next to nothing: one look at the clock for each, not two
        cpu = self._cpu if alone else clock()
        try:
            body = self._run(task, call, kept, mapped)
        except TaskCancelled:
            body = {"c": 1}
        except BaseException as error:
            body = {"e": self._failure(task, error)}
            # frames hold the task's memory, and the error holds its frames
            error.__traceback__ = None
        ms = task.ms = (time.perf_counter() - started) * 1000
        now = clock()
        if alone:
            self._cpu = now
        cpu = (now - cpu) * 1000
        if ms <= _TELL_PEAK and not mapped and len(body) == 1 and "v" in body:
            short = _short(body["v"])
            if short is not None:
                return f'["ok",{task.seq},{short},{ms:.3f},{cpu:.3f}]'
        body["ms"] = round(ms, 3)
        body["cpu"] = round(cpu, 3)
        if mapped:
            body["m"] = mapped
        if body["ms"] > _TELL_PEAK:
            body["rss"] = process.take_peak()
        text = _text(task.seq, body)
        if text is None:
            body = {"e": {"kind": "refused", "message": f"it is larger than {MAX_RESULT >> 20} MiB"}, "m": mapped}
            text = encode(["end", task.seq, body])
        if "v" not in body:
            self._store.free([handle for handle, _ in kept])
            task.leaves_nothing()
        return text

    def _run(
        self, task: Task, call: Callable[..., Any], kept: list[list[int]], mapped: list[str]
    ) -> dict[str, Any]:
        # importing the author's modules may take long, and may have to be interrupted
        found = task.function.found
        function, signature = found if found is not None else call(task.function.load, [self._sources], {})

        own: list[int] = []

        def held(fields: dict[str, Any]) -> Any:
            spans = fields.get("spans")
            if spans is None:
                own.append(fields["handle"])
                return self._store.get(fields["handle"])
            mapped.append(fields["segment"])
            return self._store.map(fields["segment"], fields["file"], fields["form"], spans)

        inputs = task.inputs
        if type(inputs) is str:
            inputs = values.decode(inputs, held)
        task.inputs = None
        outputs = {name: pathlib.Path(path) for name, path in task.outputs.items()} if task.outputs else task.outputs
        positional, named = signature.bind(inputs, outputs)
        del inputs
        returned = call(function, positional, named)
        blobs: list[str] = []
        body: dict[str, Any] = {"v": self._values(task, returned, kept, blobs)}
        if blobs:
            body["b"] = 1
        if kept:
            body["h"] = kept
            task.left = sum(size for _, size in kept)
        if own and task.uses_up and self.is_late():
            # they would pile up until the host says so
            body["u"] = task.used_up = own
        return body

    def _values(self, task: Task, returned: Any, kept: list[list[int]], blobs: list[str]) -> dict[str, Any]:
        names = task.function.values
        if type(returned) in _PLAIN and (names is None or len(names) == 1):
            return {"" if names is None else names[0]: _encoder.wire(returned)}

        def hold(value: Any, path: tuple[str | int, ...]) -> dict[str, Any] | None:
            found = self._store.hold(value)
            if found is None:
                return None
            handle, size, text = found
            kept.append([handle, size])
            # the host knows by which key the call's values go
            where = {"key": "", "path": list(path), "holder": self._holder, "handle": handle}
            return {"$": "held", **where, "type": text, "size": size}

        def blob(data: bytes | bytearray | memoryview) -> dict[str, Any]:
            path, size = _write_blob(data, self._blob_paths())
            blobs.append(path)
            return {"$": "blob", "file": path, "size": size}

        encoder = values.Encoder(hold, blob)
        by_name = results(returned, names)
        if names is None:
            return {"": encoder.wire(by_name[""])}
        return {name: encoder.wire(value, (name,)) for name, value in by_name.items()}

    def _failure(self, task: Task, error: BaseException) -> dict[str, Any]:
        if isinstance(error, Mismatch):
            return {"kind": "signature", "message": str(error), **_where(task.function.place())}
        if isinstance(error, NotFound):
            return {"kind": "not-found", "message": str(error)}
        if isinstance(error, values.Refused):
            return {"kind": "refused", "message": str(error), **_where(task.function.place())}
        cause: BaseException = error
        kind, retry = "raised", True
        if isinstance(error, LoadFailed) and error.__cause__ is not None:
            # a syntax error or a missing module is there the next time too
            cause = error.__cause__
            retry = not isinstance(cause, (SyntaxError, ImportError))
        elif isinstance(error, SystemExit):
            kind = "exit"
        elif isinstance(error, MemoryError):
            kind = "memory"
        elif isinstance(error, KeyboardInterrupt) or type(error).__name__ == "BdbQuit":
            retry = False
        fields = failures.record(cause, self._sources.is_local, task.function.place())
        if kind == "exit":
            fields["exit"] = failures.cut(str(getattr(cause, "code", None)), 200)
        return {"kind": kind, "retry": retry and not failures.is_terminal(cause), **fields}


def _nothing(*_: Any) -> Any:
    raise AssertionError("a plain value needs nothing else")


_encoder = values.Encoder(_nothing, _nothing)


def _short(fields: dict[str, Any]) -> str | None:
    """JSON of values that are one plain one, which is most; None for all else."""
    if len(fields) != 1:
        return None
    ((name, value),) = fields.items()
    kind = type(value)
    if kind is int or kind is float:
        text = repr(value)
    elif kind is str and len(value) <= _SHORT_TEXT:
        text = encode_text(value)
    elif value is None:
        text = "null"
    elif kind is bool:
        text = "true" if value else "false"
    else:
        return None
    return f'{{"":{text}}}' if name == "" else f"{{{encode_text(name)}:{text}}}"


def _write_blob(data: bytes | bytearray | memoryview, paths: list[str]) -> tuple[str, int]:
    for index, path in enumerate(paths):
        try:
            with open(path, "wb") as file:
                return path, file.write(data)
        except OSError:
            if index == len(paths) - 1:
                raise
            if os.path.exists(path):
                os.unlink(path)
    raise AssertionError("there is always a path")


def _where(place: tuple[str, int] | None) -> dict[str, Any]:
    return {} if place is None else {"file": place[0], "line": place[1]}


def _text(seq: int, body: dict[str, Any]) -> str | None:
    text = encode(["end", seq, body])
    return text if len(text) <= MAX_RESULT else None


class Surroundings:
    """`ALMANAC_*` and the working directory of the one task that runs.

    Other variables stay as tasks leave them: modules set some when they are imported, once, and rely on them ever after.
    Works on the bytes behind `os.environ`: going through its mapping for every task costs more than everything else
    about a short one.
    """

    def __init__(self, events: str) -> None:
        self._base = os.getcwd()
        self._variables: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
        self._events = os.fsencode(events)
        # as they are given, and as they are set
        self._attempt = 0, b"0"
        self._logical = "", b""
        self._scratch = "", b""

    def enter(self, task: Task) -> None:
        have = self._variables.get
        attempt, logical, scratch = task.attempt, task.logical, task.scratch
        if attempt != self._attempt[0]:
            self._attempt = attempt, str(attempt).encode()
        if logical != self._logical[0]:
            self._logical = logical, logical.encode()
        if scratch != self._scratch[0]:
            self._scratch = scratch, os.fsencode(scratch)
        # these are what they were, unless a task has set them
        if have(b"ALMANAC_EVENTS") != self._events:
            self._set(b"ALMANAC_EVENTS", self._events)
        if have(b"ALMANAC_RUN") != task.run:
            self._set(b"ALMANAC_RUN", task.run)
        if have(b"ALMANAC_ATTEMPT") != self._attempt[1]:
            self._set(b"ALMANAC_ATTEMPT", self._attempt[1])
        if have(b"ALMANAC_LOGICAL_TIME") != self._logical[1]:
            self._set(b"ALMANAC_LOGICAL_TIME", self._logical[1])
        if have(b"ALMANAC_SCRATCH") != self._scratch[1]:
            self._set(b"ALMANAC_SCRATCH", self._scratch[1])
        self._set(b"ALMANAC_CALL", b"%d" % task.call)
        self._set(b"ALMANAC_IDEMPOTENCY_KEY", task.idempotency.encode())
        if scratch:
            os.chdir(scratch)

    def leave(self) -> None:
        os.chdir(self._base)

    def _set(self, name: bytes, value: bytes) -> None:
        self._variables[name] = value
        os.putenv(name, value)


def main_thread() -> int:
    ident = threading.main_thread().ident
    assert ident is not None
    return ident
