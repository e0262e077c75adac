"""Tells of a workflow function that blocks: it hears nothing more, and nobody would see why its run stands still."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import FrameType
from typing import Callable

from . import functions, link
from .stalls import is_own

#: seconds between two looks, and how many looks without an exchange with the engine are too many: looks and not
#: seconds are counted, so that a process that was stopped meanwhile is not taken for one that blocks
_PAUSE = 1.0
_LOOKS = 5


class Watchdog:
    """Owns a thread that looks on: who is watched does nothing for it."""

    def __init__(self, exchanges: Callable[[], tuple[int, int]], blocks: Callable[[str], None]) -> None:
        """`exchanges`: how much the engine was told and has told; `blocks` is called once for each time that nothing is."""
        self._exchanges = exchanges
        self._blocks = blocks
        self._watched = threading.get_ident()

    def begin(self) -> None:
        threading.Thread(target=self._main, name="almanac-watch", daemon=True).start()

    def _main(self) -> None:
        before: tuple[int, int] | None = None
        looks = 0
        while True:
            time.sleep(_PAUSE)
            now = self._exchanges()
            frames = _at_work(self._watched) if now == before else []
            if not frames or frames[0].f_code.co_filename == link.__file__:
                before, looks = now, 0
                continue
            looks += 1
            own = next(filter(is_own, frames), None)
            if looks == _LOOKS and own is not None:
                self._blocks(
                    f"it blocks its run: for {round(_LOOKS * _PAUSE)} s it has waited for no call, and is now at "
                    f'File "{_shown(own.f_code.co_filename)}", line {own.f_lineno}, in {own.f_code.co_name}. '
                    "Nothing else of the run begins meanwhile: put what takes long in a task, and wait by `run.sleep`."
                )


def _at_work(watched: int) -> list[FrameType]:
    """From the innermost out: of the loop's thread, or of that of the plain function which it waits for."""
    threads = sys._current_frames()
    thread: int | None = watched
    frames: list[FrameType] = []
    while thread is not None:
        frames, frame = [], threads.get(thread)
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        thread = next((plain for frame in frames if (plain := functions.gone_on(frame)) is not None), None)
    return frames


def _shown(file: str) -> str:
    shown = os.path.relpath(file)
    return file if shown.startswith("..") else shown
