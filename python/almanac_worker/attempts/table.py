"""The attempts that this process was given and has not ended: under way, waiting for a thread, or asked back."""

from __future__ import annotations

import threading
from typing import Callable

from ..tasks.task import Task
from .queue import AttemptQueue
from .recalls import Recalls
from .unreported_bytes import UnreportedBytes

__all__ = ["AttemptTable"]


class AttemptTable:
    """
    Owns the table of them, and the lock that guards it, their `cancelled` and `thread`, and what waits: the control
    thread looks there.
    """

    def __init__(self, unreported: UnreportedBytes) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[int, Task] = {}
        self._cancelled_early: set[int] = set()
        self._recalls = Recalls()
        self._unreported = unreported
        self._queue = AttemptQueue(self._lock, unreported)

    # ---- the main thread

    def begin(self, task: Task) -> bool:
        """False where the host has asked it back."""
        with self._lock:
            if self._recalls.take(task.seq):
                return False
            self._begins(task)
            return True

    def wait(self, task: Task, never_began: Callable[[int], None]) -> int:
        """
        For a thread, unless the host has asked it back, or cancelled it before it was read. How many threads are to be
        started.
        """
        with self._lock:
            if self._recalls.take(task.seq):
                return 0
            if task.seq not in self._cancelled_early:
                return self._queue.add(task)
            self._cancelled_early.discard(task.seq)
        never_began(task.seq)
        return 0

    def widen(self, width: int | None) -> int:
        """See `AttemptQueue.widen`."""
        with self._lock:
            return self._queue.widen(width)

    # ---- whoever executes

    @property
    def threads(self) -> int:
        return self._queue.threads

    @property
    def has_next(self) -> bool:
        return self._queue.has_next

    def next(self, ended: bool) -> Task:
        """The next that may begin, when there is one. `ended`: who asks has run one."""
        with self._lock:
            task = self._queue.next(ended)
            self._begins(task)
            return task

    def runs_in(self, task: Task, thread: int | None) -> None:
        with self._lock:
            task.thread = thread

    def leave(self, size: int) -> None:
        """A result has left so many bytes here."""
        with self._lock:
            self._unreported.leave(size)

    def end(self, task: Task) -> None:
        self._under_way.pop(task.seq, None)

    def _begins(self, task: Task) -> None:
        if task.seq in self._cancelled_early:
            self._cancelled_early.discard(task.seq)
            task.cancelled = True
        self._under_way[task.seq] = task

    # ---- the control thread

    def under_way(self) -> list[Task]:
        return list(self._under_way.values())

    def cancel(self, seq: int, stop: Callable[[Task], None]) -> bool:
        """`stop` is told to stop one that is under way. True where it was waiting, and will not begin."""
        with self._lock:
            task = self._under_way.get(seq)
            if task is not None:
                task.cancelled = True
                stop(task)
                return False
            if self._queue.remove(seq):
                return True
            self._cancelled_early.add(seq)
            return False

    def recall(self, seqs: list[int]) -> list[int]:
        """Those that have not begun: the host gives them to others. What it does not get back has begun."""
        with self._lock:
            back = [seq for seq in seqs if self._queue.remove(seq)]
            # not read yet; what has ended the host has heard of before it hears this
            ahead = [seq for seq in seqs if seq not in self._under_way and seq not in back]
            self._recalls.add(ahead)
            return back + ahead
