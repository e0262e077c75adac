"""What a task has said, as lines on their way to the host."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Callable

#: takes lines on their way: stream, text, time
Sayer = Callable[[list[list[Any]]], None]


class Lines:
    """
    Cuts a task's text into lines. Owns the rest that has no end yet; keeps no more than `limit` characters in all.

    L1  the task's thread adds; what there is leaves by any thread, each line once, in their order
    """

    def __init__(self, limit: int) -> None:
        self._rest: dict[str, str] = {}
        self._left = limit
        self._dropped = 0
        self._full: deque[list[Any]] = deque()
        # by the same thread again too: one that was interrupted between taking and leaving it says its last words
        self._telling = threading.RLock()

    def add(self, stream: str, text: str) -> None:
        if self._left <= 0:
            self._dropped += len(text)
            return
        self._dropped += max(0, len(text) - self._left)
        text = text[: self._left]
        self._left -= len(text)
        *lines, rest = (self._rest.get(stream, "") + text).split("\n")
        if len(rest) > 1 << 16:
            lines.append(rest)
            rest = ""
        self._rest[stream] = rest
        now = int(time.time() * 1000)
        self._full.extend([[stream, line, now] for line in lines])

    def tell(self, post: Sayer, end: bool) -> None:
        """Gives away the lines that are there; at the task's end also what has none."""
        with self._telling:
            if end:
                self._finish()
            self._give(post)

    def peek(self, post: Sayer) -> None:
        """The same for another thread, unless the task's own is about to."""
        if not self._telling.acquire(blocking=False):
            return
        try:
            self._give(post)
        finally:
            self._telling.release()

    def _finish(self) -> None:
        now = int(time.time() * 1000)
        self._full.extend([[stream, rest, now] for stream, rest in self._rest.items() if rest])
        self._rest = {}
        if self._dropped:
            text = f"… {self._dropped} more characters were written and dropped"
            self._full.append(["stderr", text, now])

    def _give(self, post: Sayer) -> None:
        lines = []
        while self._full:
            lines.append(self._full.popleft())
        if lines:
            post(lines)
