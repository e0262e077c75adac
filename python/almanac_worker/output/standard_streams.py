"""Descriptors 0, 1 and 2, and `sys.stdout` and `sys.stderr` over them, which tasks may close or redirect."""

from __future__ import annotations

import io
import os
import sys

_NAMES = {1: "stdout", 2: "stderr"}


class StandardStreams:
    """
    Owns copies of the three as they are now.

    D1  what a task has closed or redirected is mended before another gets to it, unless that one is as short: what the
        next file is opened as would otherwise get what is printed
    """

    def __init__(self) -> None:
        self._own = [os.dup(descriptor) for descriptor in (0, 1, 2)]
        self._known = [_file(descriptor) for descriptor in (0, 1, 2)]

    def mend(self) -> None:
        for descriptor, own in enumerate(self._own):
            if _file(descriptor) != self._known[descriptor]:
                os.dup2(own, descriptor, inheritable=True)
        for descriptor, name in _NAMES.items():
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                setattr(sys, name, text_stream(descriptor))


def text_stream(descriptor: int) -> io.TextIOWrapper:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _file(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:  # closed
        return None
    return found.st_dev, found.st_ino
