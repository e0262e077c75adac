"""The engine as a process beside this program.

B1  it has no terminal: an interrupt reaches this program alone, which hands it on
B2  it ends when this program is gone, however that came about
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Iterator

from ..location import engine, surroundings
from .commands import not_started, told_by

__all__ = ["Engine"]


class Engine:
    """Owns the process, from its start to its end."""

    def __init__(self, arguments: list[str], pumped: bool) -> None:
        """`pumped`: what it prints goes where this program's `print` goes, which may be no file."""
        command = [*engine(), *arguments, "--json", "--beside", str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if pumped else None,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                env=surroundings(),
            )
        except OSError as error:
            raise not_started(command, error) from None
        self._pump = threading.Thread(target=self._copy, args=(sys.stdout,), name="almanac-prints", daemon=True) if pumped else None
        if self._pump is not None:
            self._pump.start()

    def events(self) -> Iterator[dict[str, Any]]:
        """What it tells, to its end. May be asked again after an interrupt, and goes on where it was."""
        out = self._process.stdout
        assert out is not None
        while line := out.readline():
            told = told_by(line)
            if told is None:
                print(line, end="")  # of the author's, in the engine's own language
            else:
                yield told
        if self._pump is not None:
            self._pump.join(timeout=5)

    def interrupt(self) -> None:
        """The first stops the run with clean-up, the second without, the third at once."""
        self._send(signal.SIGINT)

    def end(self) -> int:
        """Its exit code; ends it if it still runs."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGKILL)
            return self._process.wait()

    def _send(self, number: signal.Signals) -> None:
        """As a terminal does: to what a launcher or a script has started too, which need not pass it on."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _copy(self, target: Any) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                target.write(line)
