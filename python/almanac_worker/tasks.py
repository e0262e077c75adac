"""One attempt in this process: its arguments, the call, its result as a message."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from typing import Any, Callable

from . import failures, process, values
from .calls import Mismatch, Signature, results
from .frames import encode
from .held import HeldStore
from .sources import LoadFailed, NotFound, Sources
from .streams import Lines

#: results are kept in the journal: this is far beyond what belongs there
MAX_RESULT = 64 << 20
#: tasks from this duration on (ms) tell their largest memory
_TELL_PEAK = 20.0

_ENVIRONMENT = (
    (b"ALMANAC_RUN", "run"),
    (b"ALMANAC_CALL", "call"),
    (b"ALMANAC_ATTEMPT", "attempt"),
    (b"ALMANAC_LOGICAL_TIME", "logical"),
    (b"ALMANAC_IDEMPOTENCY_KEY", "idempotency"),
    (b"ALMANAC_SCRATCH", "scratch"),
)


class TaskCancelled(KeyboardInterrupt):
    """Raised in a task that is to stop."""


class Function:
    """A function of the author's as tasks name it. Loaded when it is first called."""

    __slots__ = ("file", "name", "threads", "reads", "values", "_found")

    def __init__(self, file: str, name: str, threads: int, reads: list[str], names: list[str] | None) -> None:
        self.file = file
        self.name = name
        self.threads = threads
        self.reads = reads
        self.values = names
        self._found: tuple[Any, Signature] | None = None

    def load(self, sources: Sources) -> tuple[Any, Signature]:
        if self._found is None:
            for path in self.reads:
                sources.reads(path)
            function = sources.function(self.file, self.name)
            self._found = function, Signature(function, self.name)
        return self._found

    def place(self) -> tuple[str, int] | None:
        code = getattr(self._found[0], "__code__", None) if self._found else None
        return (self.file, code.co_firstlineno) if code is not None else (self.file, 1)


class Task:
    """An attempt that was sent here and has not ended."""

    __slots__ = (
        "seq", "function", "inputs", "outputs", "context", "announce", "said", "cancelled", "thread", "lines"
    )

    def __init__(self, message: list[Any], function: Function, log_limit: int) -> None:
        _, self.seq, _, self.inputs, self.outputs, self.context, self.announce = message
        self.function = function
        self.said = False
        self.cancelled = False
        self.thread: int | None = None
        self.lines = Lines(log_limit)


class Runner:
    """Executes attempts one at a time per thread. Owns nothing of them after their end."""

    def __init__(self, sources: Sources, store: HeldStore, holder: str, blob_paths: Callable[[], list[str]]) -> None:
        self._sources = sources
        self._store = store
        self._holder = holder
        self._blob_paths = blob_paths

    def run(self, task: Task, call: Callable[..., Any]) -> str:
        """The message of the attempt's end. `call` calls the author's code, and is where it may be interrupted."""
        kept: list[list[int]] = []
        mapped: list[str] = []
        started = time.perf_counter()
        clock = time.process_time if task.function.threads == 1 else time.thread_time
        cpu = clock()
        try:
            body = self._run(task, call, kept, mapped)
        except TaskCancelled:
            body = {"c": 1}
        except BaseException as error:
            body = {"e": self._failure(task, error)}
            # frames hold the task's memory, and the error holds its frames
            error.__traceback__ = None
        body["ms"] = round((time.perf_counter() - started) * 1000, 3)
        if mapped:
            body["m"] = mapped
        body["cpu"] = round((clock() - cpu) * 1000, 3)
        if body["ms"] > _TELL_PEAK:
            body["rss"] = process.take_peak()
        text = _text(task.seq, body)
        if text is None:
            body = {"e": {"kind": "refused", "message": f"it is larger than {MAX_RESULT >> 20} MiB"}, "m": mapped}
            text = encode(["end", task.seq, body])
        if "v" not in body:
            self._store.free([handle for handle, _ in kept])
        return text

    def _run(
        self, task: Task, call: Callable[..., Any], kept: list[list[int]], mapped: list[str]
    ) -> dict[str, Any]:
        # importing the author's modules may take long, and may have to be interrupted
        function, signature = call(task.function.load, [self._sources], {})

        def held(fields: dict[str, Any]) -> Any:
            spans = fields.get("spans")
            if spans is None:
                return self._store.get(fields["handle"])
            mapped.append(fields["segment"])
            return self._store.map(fields["segment"], fields["file"], fields["form"], spans)

        inputs = values.decode(task.inputs, held)
        outputs = {name: pathlib.Path(path) for name, path in task.outputs.items()}
        positional, named = signature.bind(inputs, outputs)
        del inputs
        returned = call(function, positional, named)
        blobs: list[str] = []
        body: dict[str, Any] = {"v": self._values(task, returned, kept, blobs)}
        if blobs:
            body["b"] = 1
        if kept:
            body["h"] = kept
        return body

    def _values(self, task: Task, returned: Any, kept: list[list[int]], blobs: list[str]) -> dict[str, Any]:
        names = task.function.values

        def hold(value: Any, path: tuple[str | int, ...]) -> dict[str, Any] | None:
            found = self._store.hold(value)
            if found is None:
                return None
            handle, size, text = found
            kept.append([handle, size])
            key = task.context["key"]
            where = {"key": key, "path": list(path), "holder": self._holder, "handle": handle}
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

    def enter(self, context: dict[str, Any]) -> None:
        self._set(b"ALMANAC_EVENTS", self._events)
        for name, field in _ENVIRONMENT:
            self._set(name, os.fsencode(context[field]))
        scratch = context["scratch"]
        if scratch:
            os.chdir(scratch)

    def leave(self) -> None:
        os.chdir(self._base)

    def _set(self, name: bytes, value: bytes) -> None:
        if self._variables.get(name) != value:
            self._variables[name] = value
            os.putenv(name, value)


def main_thread() -> int:
    ident = threading.main_thread().ident
    assert ident is not None
    return ident
