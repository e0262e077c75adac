"""What must be heard while a task runs: cancel, recall, poke, export, persist. A thread of its own waits for it."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any, Protocol

from .attempts.table import AttemptTable
from .held.exports import Exports
from .shared import process
from .shared.frames import Inbox, Outbox
from .tasks.task import Task, TaskCancelled

__all__ = ["Control"]


class Teller(Protocol):
    """Tells the host of attempts."""

    @property
    def here(self) -> Task | None:
        """What the main thread executes."""

    def tell_begun(self, task: Task) -> None: ...
    def tell_lines(self, task: Task, lines: list[list[Any]]) -> None: ...
    def tell_unbegun(self, seq: int) -> None: ...


class Control:
    """
    C1  when the socket closes the host is dead, and this process and its children end at once
    """

    def __init__(self, inbox: Inbox, outbox: Outbox, attempts: AttemptTable, exports: Exports, teller: Teller) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._attempts = attempts
        self._exports = exports
        self._teller = teller

    def serve(self) -> None:
        while True:
            messages = self._inbox.read(lambda: None)
            if messages is None:
                process.end_group()
                return
            for message in messages:
                getattr(self, f"_on_{message[0]}")(*message[1:])
            self._outbox.flush()

    def _on_cancel(self, seq: int) -> None:
        if self._attempts.cancel(seq, self._stop):
            self._teller.tell_unbegun(seq)

    def _stop(self, task: Task) -> None:
        if task.thread is not None:
            process.raise_in_thread(task.thread, TaskCancelled)
            task.wake()
        elif task is self._teller.here:
            signal.pthread_kill(process.main_thread(), signal.SIGINT)

    def _on_recall(self, seqs: list[int]) -> None:
        self._outbox.post(["recalled", self._attempts.recall(seqs)])

    def _on_poke(self) -> None:
        """The host wonders: what has begun, what was said?"""
        for task in self._attempts.under_way():
            if task is self._teller.here or task.thread is not None:
                self._teller.tell_begun(task)
                if (lines := task.said_lines) is not None:
                    lines.peek(partial(self._teller.tell_lines, task))

    def _on_export(self, handle: int, segment: str, path: str, spare: str) -> None:
        self._exports.export(handle, segment, path, spare)

    def _on_persist(self, token: int, handle: int, path: str, spare: str, exported: Any = None) -> None:
        self._exports.persist(token, handle, path, spare, exported)
