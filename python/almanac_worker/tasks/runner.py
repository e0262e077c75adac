"""The execution of an attempt: its arguments, the call, its result as a message."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import time
from typing import Any, Callable

from ..held.store import Gone, HeldStore
from ..shared import failures, process, values
from ..shared.frames import Result, encode
from ..sources import LoadFailed, NotFound, Sources
from .signature import Mismatch, results
from .task import Task, TaskCancelled

#: results are kept in the journal: this is far beyond what belongs there
MAX_RESULT = 64 << 20
_TOO_LARGE = f"it is larger than {MAX_RESULT >> 20} MiB as JSON"
#: tasks from this duration on (ms) tell their largest memory
_TELL_PEAK = 20.0
#: the same where others may be beside them, whose memory it is as well
_TELL_PEAK_BESIDE = 500.0

#: attempts that take less (ms) are brief; after so many of them the processor time is looked at
_BRIEF = 0.2
_BRIEF_ONES = 16

_SHORT_TEXT = 4096

_NONE: list[int] = []
_NO_PATHS: dict[str, Any] = {}

# what is looked up for each of many short tasks
_clock = time.perf_counter


class Runner:
    """Executes attempts one at a time per thread. Owns nothing of them after their end."""

    def __init__(self, sources: Sources, store: HeldStore, holder: str, blob_paths: Callable[[], list[str]]) -> None:
        self._sources = sources
        self._store = store
        self._holder = holder
        self._blob_paths = blob_paths
        #: is so much held here that what nobody else needs goes at once?
        self.is_laden: Callable[[], bool] = lambda: False
        self._cpu = 0.0
        self._brief = 0
        #: when the last attempt ended
        self.ended_at = 0.0

    def wake(self) -> None:
        """Processor time from now on is that of attempts."""
        self._cpu = time.process_time()

    def run(self, task: Task, call: Callable[..., Any]) -> str | Result:
        """The message of the attempt's end. `call` calls the author's code, and is where it may be interrupted."""
        kept: list[list[int]] = []
        mapped: list[str] = []
        blobs: list[str] = []
        function = task.order.function
        alone = function.threads == 1
        cpu = self._cpu if alone else time.thread_time()
        started = _clock()
        try:
            returned, own = self._call(task, call, mapped)
            if function.is_one and not mapped and _is_plain(returned):
                body = None
            else:
                body = self._body(task, returned, own, kept, blobs)
                if kept:
                    returned = None  # what has more names than ours now is held by the author's code
                    self._store.detach(handle for handle, _ in kept)
        except TaskCancelled:
            body = {"c": 1}
        except BaseException as error:
            body = {"e": self._failure(task, error)}
            # frames hold the task's memory, and the error holds its frames
            error.__traceback__ = None
        self.ended_at = ended = _clock()
        ms = task.ms = (ended - started) * 1000
        used = self._used(ms, cpu) if alone else (time.thread_time() - cpu) * 1000
        if body is None:
            if ms <= _TELL_PEAK:
                return task.seq, int(ms * 1000), int(used * 1000), returned
            body = {"v": {function.values[0] if function.values else "": returned}}
        return self._told(task, body, used, kept, mapped, blobs)

    def _used(self, ms: float, cpu: float) -> float:
        """
        ms of processor time of an attempt that had the process to itself. Of what is brief it is the time that it took:
        asking for it takes longer. It is asked so often that next to nothing between attempts counts for the next.
        """
        if ms < _BRIEF and self._brief < _BRIEF_ONES:
            self._brief += 1
            self._cpu += ms / 1000
            return ms
        self._brief = 0
        self._cpu = now = time.process_time()
        return min(ms, (now - cpu) * 1000) if ms < _BRIEF else (now - cpu) * 1000

    def _told(
        self,
        task: Task,
        body: dict[str, Any],
        used: float,
        kept: list[list[int]],
        mapped: list[str],
        blobs: list[str],
    ) -> str:
        body["ms"] = round(task.ms, 3)
        body["cpu"] = round(used, 3)
        if mapped:
            body["m"] = mapped
        if body["ms"] > (_TELL_PEAK if task.order.function.threads == 1 else _TELL_PEAK_BESIDE):
            body["rss"] = process.take_peak()
        text = _text(task.seq, body)
        if text is None:
            body = {"e": {"kind": "refused", "message": _TOO_LARGE}, "m": mapped}
            text = encode(["end", task.seq, body])
        if "v" not in body:
            self._store.free([handle for handle, _ in kept])
            task.leaves_nothing()
            for path in blobs:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        return text

    def _call(self, task: Task, call: Callable[..., Any], mapped: list[str]) -> tuple[Any, list[int]]:
        """What the author's function gives, and what it was given that is held here."""
        # importing the author's modules may take long, and may have to be interrupted
        order = task.order
        found = order.function.found
        function, signature = found if found is not None else call(order.function.load, [self._sources], {})
        inputs = task.inputs
        own = _NONE
        if type(inputs) is str:
            own = []
            inputs = values.decode(inputs, self._finder(own, mapped))
        task.inputs = None
        outputs = {name: pathlib.Path(path) for name, path in order.outputs.items()} if order.outputs else _NO_PATHS
        positional, named = signature.bind(inputs, outputs)
        del inputs
        return call(function, positional, named), own

    def _finder(self, own: list[int], mapped: list[str]) -> Callable[[dict[str, Any]], Any]:
        def held(fields: dict[str, Any]) -> Any:
            spans = fields.get("spans")
            if spans is None:
                own.append(fields["handle"])
                return self._store.get(fields["handle"])
            mapped.append(fields["segment"])
            return self._store.map(fields["segment"], fields["file"], fields["form"], spans)

        return held

    def _body(
        self, task: Task, returned: Any, own: list[int], kept: list[list[int]], blobs: list[str]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"v": self._values(task, returned, kept, blobs)}
        if blobs:
            body["b"] = 1
        if kept:
            body["h"] = kept
            task.left = sum(size for _, size in kept)
        if own and task.order.uses_up and self.is_laden():
            # they would pile up until the host says so
            body["u"] = task.used_up = own
        return body

    def _values(self, task: Task, returned: Any, kept: list[list[int]], blobs: list[str]) -> dict[str, Any]:
        names = task.order.function.values

        def hold(value: Any, path: tuple[str | int, ...]) -> dict[str, Any] | None:
            found = self._store.hold(value)
            if found is None:
                return None
            handle, size, text = found
            kept.append([handle, size])
            # the host knows by which key the call's values go
            where = {"key": "", "path": list(path), "holder": self._holder, "handle": handle}
            return {"$": "held", **where, "type": text, "size": size}

        room = MAX_RESULT * 3 // 4

        def blob(data: bytes | bytearray | memoryview) -> dict[str, Any]:
            # the host makes JSON of them, where three bytes are four letters
            nonlocal room
            room -= memoryview(data).nbytes
            if room < 0:
                raise values.Refused((), _TOO_LARGE)
            paths = self._blob_paths()
            # before there is any: the task may be cancelled meanwhile
            blobs.extend(paths)
            path, size = _write_blob(data, paths)
            return {"$": "blob", "file": path, "size": size}

        encoder = values.Encoder(hold, blob)
        by_name = results(returned, names)
        if names is None:
            return {"": encoder.wire(by_name[""])}
        return {name: encoder.wire(value, (name,)) for name, value in by_name.items()}

    def _failure(self, task: Task, error: BaseException) -> dict[str, Any]:
        if isinstance(error, Gone):
            return {"kind": "gone", "message": "", "gone": error.handle}
        if isinstance(error, Mismatch):
            return {"kind": "signature", "message": str(error), **_where(task.order.function.place())}
        if isinstance(error, NotFound):
            return {"kind": "not-found", "message": str(error)}
        if isinstance(error, values.Refused):
            return {"kind": "refused", "message": str(error), **_where(task.order.function.place())}
        if isinstance(error, _Unwritable):
            return {"kind": "unwritable", "retry": True, "message": str(error), "size": error.size}
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
        fields = failures.record(cause, self._sources.is_local, task.order.function.place())
        if kind == "exit":
            code = getattr(cause, "code", None)
            fields["exit"] = failures.cut(str(0 if code is None else code), 200)
        return {"kind": kind, "retry": retry and not failures.is_terminal(cause), **fields}


def _is_plain(value: Any) -> bool:
    """Is it its own wire form, and small? Most results are."""
    kind = type(value)
    if kind is int:
        return -values.SAFE <= value <= values.SAFE
    if kind is float:
        return math.isfinite(value)
    return kind is bool or value is None or (kind is str and len(value) <= _SHORT_TEXT)


def _write_blob(data: bytes | bytearray | memoryview, paths: list[str]) -> tuple[str, int]:
    for index, path in enumerate(paths):
        try:
            with open(path, "wb") as file:
                return path, file.write(data)
        except OSError as error:
            if os.path.exists(path):
                os.unlink(path)
            if index == len(paths) - 1:
                raise _Unwritable(len(data), str(error)) from None
    raise AssertionError("there is always a path")


class _Unwritable(Exception):
    """A result that has no room anywhere: not the task's doing."""

    def __init__(self, size: int, why: str) -> None:
        super().__init__(why)
        self.size = size


def _where(place: tuple[str, int] | None) -> dict[str, Any]:
    return {} if place is None else {"file": place[0], "line": place[1]}


def _text(seq: int, body: dict[str, Any]) -> str | None:
    text = encode(["end", seq, body])
    return text if len(text) <= MAX_RESULT else None
