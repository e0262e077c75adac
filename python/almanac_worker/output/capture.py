"""What a task says beside its result: logging records, and print where several tasks run at once.

With one task at a time everything that is written to the process's descriptors is the task's, and the host reads it
from the files behind them. With several, text written through `sys.stdout` and `sys.stderr` is told apart by thread.
"""

from __future__ import annotations

import io
import sys
import threading
from typing import Any, Callable

from ..shared.loaded_modules import imported

#: takes stream and text of the task that runs in this thread, or says False
Sink = Callable[[str, str], bool]


class ThreadStream(io.TextIOBase):
    """`sys.stdout` of a process with several tasks at once. Owns nothing: lines of a task are with the task."""

    def __init__(self, name: str, real: Any, sink: Sink) -> None:
        self._name = name
        self._real = real
        self._sink = sink

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    @property
    def buffer(self) -> Any:
        return self._real.buffer

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._real.fileno()

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        self._real.flush()

    def close(self) -> None:
        """Other tasks go on to write."""
        self.flush()

    def write(self, text: str) -> int:
        if not self._sink(self._name, text):
            self._real.write(text)
        return len(text)


def capture_threads(sink: Sink) -> None:
    """From now on print is told apart by thread."""
    if not isinstance(sys.stdout, ThreadStream):
        sys.stdout = ThreadStream("stdout", sys.stdout, sink)  # type: ignore[assignment]
        sys.stderr = ThreadStream("stderr", sys.stderr, sink)  # type: ignore[assignment]


def capture_logging(sink: Sink) -> bool:
    """Takes logging records that the author's own configuration does not; True once `logging` is in use."""
    logging = imported("logging")
    if logging is None or not hasattr(logging, "lastResort"):
        return False
    with _capturing:
        _capture(logging, sink)
    return True


#: tasks in threads come to use `logging` at once, and one handler is enough
_capturing = threading.Lock()


def _capture(logging: Any, sink: Sink) -> None:
    class Handler(logging.Handler):  # type: ignore[name-defined, misc]
        def emit(self, record: Any) -> None:
            try:
                text = f"{record.levelname} {record.name}: {self.format(record)}"
            except Exception:  # a message whose arguments do not fit: said by logging's own means
                self.handleError(record)
                return
            if not sink("log", text):
                sys.stderr.write(text + "\n")

    # With a handler on the root logger `basicConfig` in the author's code would do nothing, and without one
    # `logging.info` itself would configure output to standard error.
    handler, configure, root = Handler(), logging.basicConfig, logging.root

    def basic_config(**named: Any) -> None:
        if root.handlers == [handler]:
            root.removeHandler(handler)
            root.setLevel(before)
        configure(**named)

    before = root.level
    if not root.handlers:
        root.addHandler(handler)
        root.setLevel(min(before, logging.INFO) or logging.INFO)
        logging.basicConfig = basic_config
