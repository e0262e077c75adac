"""The process: takes messages, executes, answers.

Two sockets. Over the first (descriptor 3) come attempts, read by the main thread between tasks, so that nothing
stands between a message and its execution; answers of all threads leave there too. Over the second (descriptor 4)
comes what must be heard while a task runs: see `control.py`.

W1  a task that says nothing about threads runs on the main thread, and nothing runs beside it
W2  an attempt has exactly one `end` (or `ok`) or `stale`, or is in one `recalled` before it has begun
"""

from __future__ import annotations

import _signal
import contextvars
import os
import signal
import sys
import threading
import time
from functools import partial
from typing import Any

from .attempts.orders import Orders
from .attempts.table import AttemptTable
from .attempts.unreported_bytes import UnreportedBytes
from .control import Control
from .held.exports import Exports
from .held.store import HeldStore
from .output.capture import capture_logging, capture_threads
from .output.files import OutputFiles
from .shared import process
from .shared.frames import Inbox, Outbox, Result, encode
from .sources import Sources
from .tasks.coroutines import finished
from .tasks.environment import TaskEnvironment
from .tasks.runner import Runner
from .tasks.task import Function, Task, TaskCancelled

#: seconds for which answers to short tasks are collected
_COLLECT = 0.002
_SAY_RESIDENT = 100
#: bytes that are held here, from which on what nobody else needs is not spared for calls that may be made later
_LADEN = 128 << 20
#: results of short tasks in threads leave together, up to so many
_TOGETHER = 128
#: ms from which on a task is not short
_LONG = 0.2
_SIGINT = int(signal.SIGINT)
# what is looked up for each of many short tasks
_modules = sys.modules

_task: contextvars.ContextVar[Task | None] = contextvars.ContextVar("almanac_task", default=None)


class Worker:
    def __init__(self, config: dict[str, Any], inbox: Inbox, outbox: Outbox) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._debug: str | None = config["debug"]
        self._blobs: list[str] = [f"{place}-w{config['worker']}-b" for place in config["places"]]
        self._blob_count = 0
        self._sources = Sources(config["directory"])
        self._store = HeldStore(config["worker"], self._unmapped)
        self._exports = Exports(self._store, outbox)
        self._runner = Runner(self._sources, self._store, config["holder"], self._blob_paths)
        self._unreported = UnreportedBytes()
        self._runner.is_laden = lambda: self._unreported.are_many or self._store.bytes > _LADEN
        self._environment = TaskEnvironment(config["events"])
        self._orders = Orders(config["logBytes"])
        self._attempts = AttemptTable(self._unreported)
        self.here: Task | None = None
        self._interruptible: Task | None = None
        self._flushed_at = 0.0
        self._resident_at = 0.0
        # something was done since the resident memory was said last
        self._weigh = True
        #: what the host knows to be loaded
        self._loaded = 0, 0
        #: under a debugger they are the terminal
        self._output = OutputFiles(config["events"], lambda *said: self._keep(*said, _task.get() or self.here)) if self._debug is None else None
        self._logging = False
        self._on_signal = self._interrupted
        #: a task forked, and this is the child
        self._is_child = False

    def forked(self) -> None:
        """In the child, before it goes on: what it says of itself goes where the task prints, and the host hears nothing."""
        self._is_child = True
        self._outbox.abandon()

    # ---- the main thread

    def serve(self, messages: list[Any] | None) -> None:
        """Until the host says stop or is gone. `messages` came with the configuration."""
        self._sources.install()
        if self._debug is None:
            _signal.signal(_SIGINT, self._on_signal)
        self._outbox.post(["ready", os.getpid(), sys.version.split()[0], process.resident()])
        self._outbox.flush()
        while messages is not None:
            stale = None
            checked = False
            self._runner.wake()
            for message in messages:
                kind = message[0]
                if kind == "run":
                    if not checked:
                        stale, checked = self._sources.stale(), True
                    self._take_all(message, stale)
                elif kind == "fn":
                    self._orders.learn_function(message[1], Function(*message[2:]))
                elif kind == "of":
                    self._orders.learn_run(message[1], message[2])
                elif kind == "width":
                    self._widen(message[1])
                elif kind == "heard":
                    self._unreported.hear(message[1])
                    self._widen()
                elif kind == "free":
                    self._store.free(message[1])
                elif kind == "squeeze":
                    process.give_back()
                    self._resident_at = 0.0
                elif kind == "trim":
                    process.trim()
                    # before anything else begins: what it then takes is its own
                    self._resident_at = 0.0
                    self._weigh = True
                    self._before_wait()
                elif kind == "stop":
                    return
            self._weigh = True
            messages = self._inbox.read(self._before_wait)

    def _before_wait(self) -> float | None:
        """Says how much memory is kept, now or when that has not been said for a while: then after the pause that it gives."""
        now = time.perf_counter()
        if self._weigh and self._resident_at + _SAY_RESIDENT / 1000 <= now:
            self._mend()
            self._resident_at = now
            self._weigh = False
            self._outbox.post(["rss", process.resident()])
        self._flush(now)
        return _SAY_RESIDENT if self._weigh else None

    def _mend(self) -> None:
        if self._output is not None:
            self._output.mend()

    def _flush(self, now: float) -> None:
        self._flushed_at = now
        self._outbox.flush()

    def _take_all(self, message: list[Any], stale: str | None) -> None:
        _, *alike, seqs, inputs, calls, keys = message
        if stale is not None:
            for seq in seqs:
                self._outbox.post(["stale", seq, stale])
            return
        order = self._orders.of(alike)
        take = self._run_here if order.function.threads == 1 or self._debug is not None else self._in_thread
        for seq, given, call, key in zip(seqs, inputs, calls, keys):
            take(Task(order, seq, given, call, key))

    def _run_here(self, task: Task) -> None:
        if not self._attempts.begin(task):
            return
        if task.order.announce:
            self.tell_begun(task)
            self._flush(time.perf_counter())
        elif self._runner.ended_at - self._flushed_at > _COLLECT:
            self._flush(self._runner.ended_at)
        # it is known by this alone, so that what it prints goes to the process's own files
        self.here = task
        try:
            try:
                self._environment.enter(task)
                end = self._runner.run(task, self._call_here)
            finally:
                self._interruptible = None
                self._restore()
        except TaskCancelled:  # it came when the task was over already
            end = encode(["end", task.seq, {"c": 1}])
            task.leaves_nothing()
        except OSError as error:  # the scratch directory is gone
            end = encode(["end", task.seq, {"e": {"kind": "raised", "retry": True, "type": "OSError", "message": str(error)}}])
        self.here = None
        if task.ms > _LONG:
            self._mend()
        self._say_lines(task, True)
        self._end(task, end)

    def _call_here(self, function: Any, positional: list[Any], named: dict[str, Any]) -> Any:
        task = self.here
        assert task is not None
        if not self._logging and "logging" in _modules:
            self._logging = capture_logging(self._say) if self._debug is None else True
        self._interruptible = task
        if task.cancelled:
            raise TaskCancelled
        try:
            return finished(function(*positional, **named))
        finally:
            self._interruptible = None
            if self._is_child:
                process.end_child(sys.exc_info()[1])

    def _restore(self) -> None:
        self._environment.leave()
        # the functions of `signal` turn numbers into enumerations, which takes longer than all else here
        if self._debug is None and _signal.getsignal(_SIGINT) != self._on_signal:
            _signal.signal(_SIGINT, self._on_signal)

    def _interrupted(self, _signal: int, _frame: Any) -> None:
        task = self._interruptible
        if task is not None and task.cancelled:
            self._interruptible = None
            raise TaskCancelled

    # ---- threads of tasks that allow them

    def _in_thread(self, task: Task) -> None:
        if self._attempts.threads == 0:
            sys.setswitchinterval(0.0005)
            os.environ.pop("ALMANAC_EVENTS", None)
            capture_threads(lambda stream, text: self._keep(stream, text, _task.get()))
            if self._output is not None:
                self._output.shared = True
        self._start_threads(self._attempts.wait(task, self.tell_unbegun))

    def tell_unbegun(self, seq: int) -> None:
        """It was cancelled before it began."""
        self._outbox.post(["end", seq, {"c": 1, "ms": 0, "cpu": 0}])

    def _widen(self, width: int | None = None) -> None:
        self._start_threads(self._attempts.widen(width))

    def _start_threads(self, count: int) -> None:
        for index in range(count):
            name = f"task-{self._attempts.threads - index}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        me = threading.get_ident()
        task = self._attempts.next(False)
        while True:
            if task.order.announce:
                self.tell_begun(task)
                self._outbox.flush()
            token = _task.set(task)
            try:
                self._attempts.runs_in(task, me)
                end = self._runner.run(task, self._call_in_thread)
                self._attempts.runs_in(task, None)
                if task.cancelled:
                    process.settle_in_thread(me, TaskCancelled)
            except TaskCancelled:
                end = encode(["end", task.seq, {"c": 1}])
                task.leaves_nothing()
            _task.reset(token)
            self._say_lines(task, True)
            self._end(task, end)
            if task.ms > _LONG or not self._attempts.has_next or self._outbox.size >= _TOGETHER:
                self._outbox.flush()
            # what it was given and gave is not kept while nothing runs
            del task, end
            task = self._attempts.next(True)

    def _call_in_thread(self, function: Any, positional: list[Any], named: dict[str, Any]) -> Any:
        if not self._logging and "logging" in _modules:
            self._logging = capture_logging(self._say)
        task = _task.get()
        if task is not None and task.cancelled:
            raise TaskCancelled
        try:
            return finished(function(*positional, **named), task)
        finally:
            if self._is_child:
                process.end_child(sys.exc_info()[1])

    # ---- what tasks say

    def tell_begun(self, task: Task) -> None:
        if not task.said:
            task.said = True
            self._outbox.post(["begun", task.seq])

    def _end(self, task: Task, end: str | Result) -> None:
        task.over = True
        if task.left > 0:
            self._attempts.leave(task.left)
        # what is no source counts as well, such as compiled modules
        loaded = self._sources.count, len(_modules)
        if loaded != self._loaded:
            self._loaded = loaded
            self._outbox.post(["loaded"])
        grown = None if self._output is None else self._output.grown()
        if grown is not None:
            self._outbox.post(["said", *grown])
        if task.cancelled:
            left = process.children()
            last = all(one.over for one in self._attempts.under_way())
            if left and last:
                process.kill(left)
                self._outbox.post(["spoilt"])
        self._outbox.post_end(end)
        # not before that: a recall would find it neither here nor ended, and give it to another
        self._attempts.end(task)
        # when the host is sure to hear of it
        if task.used_up:
            self._store.free(task.used_up)

    def _say(self, stream: str, text: str) -> bool:
        """A line of the task that runs in this thread; a thread that a lone task started counts as its own."""
        task = _task.get() or self.here
        if task is None or self._is_child:
            return False
        # an exception in the middle of a write would leave half a frame: no interruption here
        paused = self._interruptible if threading.get_ident() == process.main_thread() else None
        if paused is not None:
            self._interruptible = None
        if stream == "note":
            self._outbox.post(["note", task.seq, text])
        else:
            task.lines.add(stream, text + "\n")
            self._say_lines(task, False)
        now = time.perf_counter()
        if paused is not None and now - self._flushed_at > 0.05:
            self._flush(now)
        if paused is not None:
            self._interruptible = paused
            if paused.cancelled:
                raise TaskCancelled
        return True

    def _keep(self, stream: str, text: str, task: Task | None) -> bool:
        if task is None or self._is_child:
            return False
        # no writing here, see `_say`: the host pokes, and the end flushes
        task.lines.add(stream, text)
        return True

    def _say_lines(self, task: Task, end: bool) -> None:
        if (lines := task.said_lines) is not None:
            lines.tell(partial(self.tell_lines, task), end)

    def tell_lines(self, task: Task, lines: list[list[Any]]) -> None:
        self._outbox.post(["log", task.seq, lines])

    def note(self, line: str) -> bool:
        return self._say("note", line)

    def control(self, inbox: Inbox) -> Control:
        return Control(inbox, self._outbox, self._attempts, self._exports, self)

    def _unmapped(self, segment: str) -> None:
        self._outbox.post(["unmapped", segment])

    def _blob_paths(self) -> list[str]:
        self._blob_count += 1
        return [f"{begin}{self._blob_count}" for begin in self._blobs]
