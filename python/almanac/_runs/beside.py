"""The engine as a process beside this program.

B1  it has no terminal: an interrupt reaches this program alone, which hands it on
B2  it ends when this program is gone, however that came about
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Iterator

from ..errors import AlmanacError, noted
from ..location import engine, surroundings

__all__ = ["Engine", "answered", "asked", "in_project"]

_HINT = "Name the engine's command in ALMANAC_COMMAND, or leave it empty."


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
            raise _not_started(command, error) from None
        self._pump = threading.Thread(target=self._copy, args=(sys.stdout,), name="almanac-prints", daemon=True) if pumped else None
        if self._pump is not None:
            self._pump.start()

    def events(self) -> Iterator[dict[str, Any]]:
        """What it tells, to its end. May be asked again after an interrupt, and goes on where it was."""
        out = self._process.stdout
        assert out is not None
        while line := out.readline():
            told = _object(line)
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


def asked(arguments: list[str], near: str) -> list[dict[str, Any]]:
    """What a command that only looks says; nothing where it cannot."""
    try:
        return answered(arguments, near)
    except AlmanacError:
        return []


def answered(arguments: list[str], near: str | None = None, given: str = "") -> list[dict[str, Any]]:
    """What a command says, which is `given` that. Raises `AlmanacError` where it fails."""
    command = [*engine(), *arguments, "--json"]
    try:
        done = subprocess.run(
            command, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=near, encoding="utf-8",
            env=surroundings(),
        )
    except OSError as error:
        raise _not_started(command, error) from None
    # JSON has U+2028 and its like as they are, which are no ends of lines
    found = [told for line in done.stdout.split("\n") if (told := _object(line)) is not None]
    for told in found:
        if told["kind"] == "error":
            hint = told.get("hint") or ""
            raise noted(AlmanacError(told["message"], code=told["code"], hint=hint), hint)
    if done.returncode != 0:
        how = f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
        said = done.stderr.strip() or f"`almanac {' '.join(arguments)}` {how}"
        raise AlmanacError(said, code="ALM_USAGE", hint="Try it in a terminal, and see what it prints.")
    return found


def in_project(arguments: list[str], project: str | None, given: str = "") -> list[dict[str, Any]]:
    """What a command says of a project: of that of the working directory, if none is named. Raises `AlmanacError`."""
    return answered([*arguments, *([] if project is None else ["--project", project])], given=given)


def _not_started(command: list[str], error: OSError) -> AlmanacError:
    return AlmanacError(f"{command[0]} cannot be started: {error.strerror}", code="ALM_USAGE", hint=_HINT)


def _object(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "kind" in told else None
