"""Debuggers of a process with the author's code: pdb on the terminal, or debugpy on a port.

D1  a terminal has one prompt at a time: processes of a run wait for each other there
"""

from __future__ import annotations

import fcntl
import os
import pdb
import site
import sys
import sysconfig
from contextlib import contextmanager
from typing import Any, Iterator

#: exit code, known to the host
NO_DEBUGPY = 93

#: where the packages of Almanac lie
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))

#: not the author's: steps lead over them
_INNER = ["almanac.*", "almanac_worker.*", "asyncio.*", "contextvars", "functools", "concurrent.*", "threading", "selectors"]


def begin(how: str | None, what: str) -> None:
    """Makes `breakpoint()` stop under pdb, or waits until a client of debugpy is there. `what`: whose process it is."""
    if how == "pdb" and "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _stop
    elif how == "debugpy":
        _wait_for_client(what)


def _stop(*_: Any, **__: Any) -> None:
    # Ctrl-C is for the run to hear, which then ends this process
    _TerminalPdb(skip=_INNER, nosigint=True).set_trace(sys._getframe(1))


class _TerminalPdb(pdb.Pdb):
    def interaction(self, *args: Any, **kwargs: Any) -> None:
        with _terminal():
            super().interaction(*args, **kwargs)

    def user_exception(self, frame: Any, exc_info: Any) -> None:
        # that a coroutine has ended is an exception in whatever awaited it
        if not self.is_skipped_module(frame.f_globals.get("__name__", "")):
            super().user_exception(frame, exc_info)


@contextmanager
def _terminal() -> Iterator[None]:
    try:
        terminal = os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY)
    except OSError:  # there is none: standard input is what it is
        yield
        return
    try:
        fcntl.flock(terminal, fcntl.LOCK_EX)
        yield
    finally:
        os.close(terminal)


def _library_roots() -> list[str]:
    """Where code is that is not the author's, for `justMyCode`: what debugpy takes for that, and what lies with this package."""
    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots = [*installed, *site.getsitepackages(), site.getusersitepackages(), _PACKAGES]
    return sorted({path for root in roots for path in (os.path.abspath(root), os.path.realpath(root))})


def _wait_for_client(what: str) -> None:
    # modules that are frozen are not the author's
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    os.environ.setdefault("LIBRARY_ROOTS", os.pathsep.join(_library_roots()))
    try:
        import debugpy  # type: ignore[import-not-found]
    except ImportError:
        os._exit(NO_DEBUGPY)

    host, port = debugpy.listen(("127.0.0.1", 0))
    print(f"{what}: debugpy listens on {host}:{port}: attach a debugger to go on", file=sys.stderr, flush=True)
    debugpy.wait_for_client()
