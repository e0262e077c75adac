"""The files behind standard output, standard error and the events of a task."""

from __future__ import annotations

import os
import sys

from ..shared import process
from .standard_streams import StandardStreams, Take

# what is looked up for each of many short tasks
_lseek = os.lseek
_END = os.SEEK_END


class OutputFiles:
    """Owns descriptors of its own for them: the author's code may close or redirect 1 and 2."""

    def __init__(self, events: str, take: Take) -> None:
        self._files = os.dup(1), os.dup(2), os.open(events, os.O_RDONLY)
        self._standard = StandardStreams(take)
        self._standard.renew()
        self._sizes = (0, 0, 0)
        #: by tasks in threads, which may be in the middle of using them
        self.shared = False

    def mend(self) -> None:
        """What a task has closed or replaced."""
        if not self.shared:
            self._standard.mend()

    def grown(self) -> tuple[int, int, int] | None:
        """How far they go, if that is farther than before: what is in them up to here is the task's."""
        try:
            sys.stdout.flush()
        except (AttributeError, OSError, ValueError):
            self.mend()  # the author's code closed or replaced it
        try:
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError):
            self.mend()
        process.flush_c_streams()
        # they are written by appending, so their position is of no use to anybody
        out, err, events = self._files
        sizes = (_lseek(out, 0, _END), _lseek(err, 0, _END), _lseek(events, 0, _END))
        if sizes == self._sizes:
            return None
        self._sizes = sizes
        return sizes
