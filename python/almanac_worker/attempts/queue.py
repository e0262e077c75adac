"""Attempts that wait for a thread, and the threads that wait for an attempt."""

from __future__ import annotations

import threading
from collections import deque

from ..tasks.task import Task
from .unreported_bytes import UnreportedBytes


class AttemptQueue:
    """
    Owns the queues, and the counts of threads and of what they run. All of it is guarded by the worker's lock, which
    whoever calls a method holds.

    Q1  first come those for which a place was made, then those that take what is held, as they free memory
    Q2  a thread that is woken is idle no more, even before it runs: the next attempt needs another
    """

    def __init__(self, lock: threading.Lock, unreported: UnreportedBytes) -> None:
        self._turn = threading.Condition(lock)
        self._unreported = unreported
        self._first: deque[Task] = deque()
        self._consumers: deque[Task] = deque()
        self._others: deque[Task] = deque()
        #: how many may run at once
        self._width = 1 << 30
        self._running = 0
        self._idle = 0
        #: how many there are
        self.threads = 0

    def add(self, task: Task) -> int:
        """How many threads are to be started for it."""
        queue = self._first if task.order.begins else self._consumers if task.takes_held else self._others
        queue.append(task)
        if self._running >= self._width:
            return 0
        if self._idle > 0:
            self._wake(1)
            return 0
        more = int(self.threads < min(task.order.function.threads, self._width))
        self.threads += more
        return more

    def widen(self, width: int | None = None) -> int:
        """So many may run at once from now on; those that run already go on. How many threads are to be started."""
        if width is not None:
            self._width = width
        waiting = len(self._first) + len(self._consumers) + len(self._others)
        woken = min(waiting, self._idle)
        self._wake(woken)
        known = (self._first or self._consumers or self._others or (None,))[0]
        if known is None:
            return 0
        limit = min(known.order.function.threads, self._width, self.threads + waiting - woken)
        more = max(0, limit - self.threads)
        self.threads += more
        return more

    def next(self, ended: bool) -> Task:
        """The next attempt that may begin, when there is one. `ended`: who asks has run one."""
        if ended:
            self._running -= 1
        while self._running >= self._width or (queue := self._served()) is None:
            self._idle += 1
            self._turn.wait()
        self._running += 1
        return queue.popleft()

    @property
    def has_next(self) -> bool:
        return self._served() is not None

    def remove(self, seq: int) -> bool:
        for queue in (self._first, self._consumers, self._others):
            for task in queue:
                if task.seq == seq:
                    queue.remove(task)
                    return True
        return False

    def _served(self) -> deque[Task] | None:
        if self._first:
            return self._first
        if self._consumers:
            return self._consumers
        return self._others if self._others and not self._unreported.are_many else None

    def _wake(self, count: int) -> None:
        self._idle -= count
        self._turn.notify(count)
