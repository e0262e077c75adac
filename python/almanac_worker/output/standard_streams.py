"""Descriptors 0, 1 and 2, and `sys.stdout` and `sys.stderr` over them, which tasks may close or redirect."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Any, Callable

#: takes the name of a stream and text that its file has no room for, or says False
Take = Callable[[str, str], bool]

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))

_NAMES = {1: "stdout", 2: "stderr"}


class StandardStreams:
    """
    Owns copies of the three as they are now.

    D1  what a task has closed or redirected is mended before another gets to it, unless that one is as short: what the
        next file is opened as would otherwise get what is printed
    """

    def __init__(self, take: Take = lambda stream, text: False) -> None:
        self._take = take
        self._own = [os.dup(descriptor) for descriptor in (0, 1, 2)]
        self._known = [_file(descriptor) for descriptor in (0, 1, 2)]

    def renew(self) -> None:
        """Streams as this process has them from now on."""
        for descriptor, name in _NAMES.items():
            getattr(sys, name).flush()
            stream = self._stream(descriptor)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    def mend(self) -> None:
        for descriptor, own in enumerate(self._own):
            if _file(descriptor) != self._known[descriptor]:
                os.dup2(own, descriptor, inheritable=True)
        for descriptor, name in _NAMES.items():
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                setattr(sys, name, self._stream(descriptor))

    def _stream(self, descriptor: int) -> io.TextIOWrapper:
        raw = _Roomy(descriptor, self._take)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)


class _Roomy(io.FileIO):
    """A descriptor whose file may be on a full disk: no `print` fails for that."""

    def __init__(self, descriptor: int, take: Take) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._stream = _NAMES[descriptor]
        self.name = f"<{self._stream}>"
        self._take = take
        # characters may be cut between two writes
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _FULL:
                raise
        self._take(self._stream, self._decoder.decode(data))
        return len(data)


def _file(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:  # closed
        return None
    return found.st_dev, found.st_ino
