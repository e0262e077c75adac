"""Messages over a socket: a frame is a 4-byte little-endian length and that much JSON, a list of messages.

F1  a frame is written whole by one thread
F2  messages leave in the order in which they were posted
"""

from __future__ import annotations

import json
import select
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    # every process of Python that imports `almanac` would load it
    import socket


def _encoder() -> Callable[[Any], str]:
    """What `JSONEncoder.encode` does; that makes its machinery anew for each value, which takes longer than the value."""
    whole = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return whole.encode
    try:
        parts = make(None, whole.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, False)
    except TypeError:  # another Python, which makes it otherwise
        return whole.encode
    return lambda value: "".join(parts(value, 0))


#: JSON of one line
encode = _encoder()
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def decode(text: str) -> Any:
    """What `json.loads` gives, of a text that begins with a value and that we have written ourselves."""
    return _scan(text, 0)[0]


#: of a text alone, much faster
encode_text = json.encoder.encode_basestring_ascii

#: of an attempt: its number, µs that it took, µs of processor time, and a value that is its own wire form, not large
Result = tuple[int, int, int, Any]
#: so many of the largest are a frame
_TOGETHER = 256

#: more would be a mapping of its own, made and removed for each message
_CHUNK = 1 << 16
#: characters after which a frame is closed
_FRAME = 1 << 20


class Inbox:
    """Frames as they come in. Owns the bytes that were received and not yet read."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = bytearray()
        # one that waits in `recv` is woken when the other side has read what was sent before, too
        self._waiting = select.poll()
        self._waiting.register(sock, select.POLLIN)

    def read(self, before_wait: Callable[[], float | None]) -> list[Any] | None:
        """The next frame's messages, or None when the other side is gone.

        `before_wait` may give milliseconds: when nothing has come for so long it is called once more.
        """
        while True:
            buffer = self._buffer
            if len(buffer) >= 4:
                end = 4 + int.from_bytes(buffer[:4], "little")
                if len(buffer) >= end:
                    text = buffer[4:end].decode("utf-8", "surrogatepass")
                    del buffer[:end]
                    messages: list[Any] = decode(text)
                    return messages
            while not self._waiting.poll(before_wait()):
                pass
            try:
                data = self._socket.recv(_CHUNK)
            except ConnectionError:
                return None
            if not data:
                return None
            if not buffer and 4 + int.from_bytes(data[:4], "little") == len(data):
                whole: list[Any] = decode(data[4:].decode("utf-8", "surrogatepass"))
                return whole
            buffer += data


class Outbox:
    """Messages on their way out, from any thread. Owns what was posted and not yet written."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._pending: deque[str | Result] = deque()
        self._writing = threading.Lock()

    def post(self, message: list[Any]) -> None:
        self._pending.append(encode(message))

    def post_end(self, end: str | Result) -> None:
        """How an attempt ended: a message that is JSON already, or a plain result, which goes with those beside it."""
        self._pending.append(end)

    @property
    def size(self) -> int:
        return len(self._pending)

    def flush(self) -> None:
        # Who finds the lock taken may leave: the one who has it looks again after giving it back.
        while self._pending and self._writing.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._writing.release()

    def _write(self) -> None:
        while self._pending:
            text = self._next()
            if self._pending:
                batch = [text]
                size = len(text)
                while self._pending and size < _FRAME:
                    batch.append(self._next())
                    size += len(batch[-1])
                text = ",".join(batch)
            body = f"[{text}]".encode("ascii")
            try:
                self._socket.sendall(len(body).to_bytes(4, "little") + body)
            except OSError:
                return  # the host is gone: the control thread ends this process

    def abandon(self) -> None:
        """In a child of a fork: what is under way is its parent's to say."""
        self._pending.clear()
        self._writing = threading.Lock()
        self._socket.close()

    def _next(self) -> str:
        end = self._pending.popleft()
        return end if isinstance(end, str) else self._together(end)

    def _together(self, first: Result) -> str:
        """One message of all the plain results that follow each other."""
        if not self._pending:
            seq, us, cpu, value = first
            return f'["ok",[{seq}],[{us}],[{cpu}],[{encode(value)}]]'
        results = [first]
        while self._pending and type(self._pending[0]) is tuple and len(results) < _TOGETHER:
            results.append(self._pending.popleft())  # type: ignore[arg-type]
        return encode(["ok", *zip(*results)])
