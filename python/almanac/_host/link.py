"""Messages to the engine and back: a line is a list of messages, each a list that begins with its kind."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from ..wire import decode_lines

#: messages that leave together at most, so that the engine can begin with the first
_TOGETHER = 512

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Link:
    """Owns the socket. Used by one thread at a time."""

    def __init__(self, engine: socket.socket) -> None:
        self._socket = engine
        self._out: list[list[Any]] = []
        self._rest = b""
        self._pid = os.getpid()

    def say(self, message: list[Any]) -> None:
        out = self._out
        out.append(message)
        if len(out) >= _TOGETHER:
            self.flush()

    def flush(self) -> None:
        if not self._out:
            return
        if os.getpid() != self._pid:
            raise RuntimeError("this process was forked from a workflow's and has no engine")
        line = _dump(self._out).encode("utf-8", "surrogatepass")
        self._out.clear()
        self._socket.sendall(line + b"\n")

    def read(self) -> list[list[Any]] | None:
        """The messages of all lines that are there, at least one; None when the engine has closed the socket."""
        while b"\n" not in self._rest:
            data = self._socket.recv(1 << 18)
            if not data:
                return None
            self._rest += data
        whole, _, self._rest = self._rest.rpartition(b"\n")
        return [message for line in whole.split(b"\n") for message in decode_lines(line)]
