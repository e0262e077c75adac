"""What this process asks of the operating system. Every function does nothing where the system lacks the means."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

try:
    import ctypes

    # PyDLL keeps the interpreter lock: these calls are shorter than giving it back and taking it again
    _libc: Any = ctypes.PyDLL(None)
    _fflush: Any = _libc.fflush
except (ImportError, OSError, AttributeError):
    _libc = None

_PR_SET_PDEATHSIG = 1
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def refuse_breakpoints() -> None:
    """`breakpoint()` says how it stops, unless the author has chosen a debugger: without a terminal pdb only quits."""
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _no_debugger


def _no_debugger(*_: Any, **__: Any) -> None:
    raise RuntimeError("breakpoint() stops only in a run that is started with --debug-python")


def die_with(parent: int) -> None:
    """Ends this process when the host ends, however it ends. Children of tasks are the host's watchdog's business."""
    if _libc is not None and sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def end_group() -> None:
    """Ends this process and its children at once."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def end_child(raised: BaseException | None) -> None:
    """Ends a child that a task forked, and that has come to the end of the task's function: that is its parent's."""
    import traceback

    if isinstance(raised, SystemExit):
        code = raised.code if isinstance(raised.code, int) else int(raised.code is not None)
    else:
        code = int(raised is not None)
        if raised is not None:
            # without the frame of ours that called it
            begin = raised.__traceback__ and raised.__traceback__.tb_next
            traceback.print_exception(type(raised), raised, begin or raised.__traceback__)
        print("this process was forked by a task, and ends here: end it by os._exit", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(code & 0xFF)


def prefer_as_victim() -> None:
    """Out of memory, the kernel had better take a worker than the host."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    except OSError:
        pass


class Variable:
    """
    A variable of the environment that each of many tasks sets: its text is written over where it lies. `setenv` keeps
    every text that it was ever given, and looks through all of them.
    """

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._text: Any = None
        self._value: memoryview | None = None
        self._room = 0
        # elsewhere `putenv` may copy
        if _libc is not None and sys.platform == "linux":
            self._make(64)

    def _make(self, room: int) -> None:
        start = len(self._name) + 1
        # what the environment pointed to before stays, as long as somebody may read it: `getenv` gives out pointers
        _lent.append(self._text)
        self._text = ctypes.create_string_buffer(self._name + b"=", start + room + 1)
        self._value = memoryview(self._text).cast("B")[start:]
        self._room = room

    def set(self, value: bytes, anew: bool) -> None:
        """`anew`: somebody else has set or removed it since."""
        if self._value is None:
            os.putenv(self._name, value)
            return
        length = len(value)
        if length > self._room:
            self._make(2 * length)
            anew = True
        self._value[: length + 1] = value + b"\0"
        if anew:
            _libc.putenv(self._text)


_lent: list[Any] = []


def flush_c_streams() -> None:
    if _libc is not None:
        _fflush(None)


def trim() -> None:
    """Gives freed memory back: the allocator is told to keep it, for speed."""
    import gc

    gc.collect()
    give_back()


def give_back() -> None:
    """The same without looking for what nobody refers to, which may take long."""
    if _libc is not None and hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def take_peak() -> int:
    """The largest resident size since the last call."""
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    peak = int(line.split()[1]) * 1024
                    break
            else:
                return 0
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
        return peak
    except OSError:
        return 0


def main_thread() -> int:
    ident = threading.main_thread().ident
    assert ident is not None
    return ident


def raise_in_thread(thread: int, kind: type[BaseException]) -> None:
    """Raises an exception in a thread at its next step in Python."""
    if _libc is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))


def settle_in_thread(thread: int, kind: type[BaseException]) -> None:
    """
    Has come what was raised in this thread and has not come. It could be taken back, but then Python 3.11 looks for it at
    every step from then on, and under a profiler never gets any further.
    """
    if _libc is None:
        return
    try:
        raise_in_thread(thread, kind)
        while True:
            pass
    except kind:
        pass


def children() -> list[int]:
    """Processes below this one, at any depth, and others of its group."""
    me = os.getpid()
    parents: dict[int, int] = {}
    found: set[int] = set()
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] == b"Z":
                continue
            parents[int(name)] = int(fields[1])
            if int(fields[2]) == me:
                found.add(int(name))
    below = {me}
    grew = True
    while grew:
        grew = False
        for pid, parent in parents.items():
            if parent in below and pid not in below:
                below.add(pid)
                grew = True
    return sorted((found | below) - {me})


def kill(processes: list[int]) -> None:
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
