"""Messages to the engine and back: a line is a list of messages, each a list that begins with its kind."""

from __future__ import annotations

import os
import select
import socket
import threading
from typing import Any

from almanac_worker.shared.frames import encode

from .._model.wire import decode_lines

#: messages that leave together at most, so that the engine can begin with the first
_TOGETHER = 512

#: more would be a mapping of its own, made and removed for each message
_CHUNK = 1 << 16


class Forked(RuntimeError):
    """The author's code forked, and went on in the child as if it were the workflow."""


class Link:
    """Owns the socket. Used by one thread at a time, but for `say_now`."""

    def __init__(self, engine: socket.socket) -> None:
        self._socket = engine
        # one that waits in `recv` is woken when the engine has read what was sent before, too
        self._waiting = select.poll()
        self._waiting.register(engine, select.POLLIN)
        self._out: list[list[Any]] = []
        self._rest = b""
        self._pid = os.getpid()
        self._sending = threading.Lock()
        #: how often something was sent
        self.sent = 0

    def say(self, message: list[Any]) -> None:
        out = self._out
        out.append(message)
        if len(out) >= _TOGETHER:
            self.flush()

    def is_forked(self) -> bool:
        return os.getpid() != self._pid

    def flush(self) -> None:
        if not self._out:
            return
        if self.is_forked():
            raise Forked("this process was forked from a workflow's and has no engine")
        line = encode(self._out) + "\n"
        self._out.clear()
        with self._sending:
            self._socket.sendall(line.encode("ascii"))
        self.sent += 1

    def say_now(self, message: list[Any]) -> None:
        """From any thread, past what has not left."""
        with self._sending:
            self._socket.sendall((encode([message]) + "\n").encode("ascii"))

    def read(self) -> list[list[Any]] | None:
        """The messages of all lines that are there, at least one; None when the engine has closed the socket."""
        self._waiting.poll()
        data = self._socket.recv(_CHUNK)
        if not self._rest and data.find(b"\n") == len(data) - 1 >= 0:
            return decode_lines(data)
        if not data:
            return None
        parts = [self._rest, data]
        while b"\n" not in parts[-1]:
            data = self._socket.recv(_CHUNK)
            if not data:
                return None
            parts.append(data)
        whole, _, self._rest = b"".join(parts).rpartition(b"\n")
        return [message for line in whole.split(b"\n") for message in decode_lines(line)]
