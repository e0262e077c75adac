"""How the process begins."""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import os
import signal
import socket
import sys

from almanac_worker.shared import packages, process

from .host import Host
from .link import Forked, Link
from .package_copies import differs

#: descriptors from which on that of the engine lies
_FAR = 500


def main() -> None:
    """Entry of the process: serves until the engine closes the socket."""
    engine = socket.socket(fileno=_moved(3))
    engine.setblocking(True)
    link = Link(engine)
    first = link.read()
    if first is None:
        return
    config = first[0][1]
    process.die_with(config["parent"])
    if sys.version_info >= (3, 14):
        # addresses within the interpreter would push out what it said before
        faulthandler.enable(c_stack=False)
    else:
        faulthandler.enable()
    # the engine is interrupted too, and decides what becomes of the run
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    said = differs(sys.path, os.environ.pop("ALMANAC_PACKAGE", None))
    if said is not None:
        print(said, file=sys.stderr, flush=True)
    packages.first_on(sys.path, config["directory"])
    # what is compiled here would be written next to the author's files
    sys.dont_write_bytecode = True
    sys.argv = [""]
    if config["debug"] is not None:
        from almanac_worker.shared import debugger

        debugger.begin(config["debug"], "workflow")
    else:
        process.refuse_breakpoints()
    try:
        Host(link, is_watched=config["debug"] is None).serve(first[1:])
    except OSError as error:
        print(f"the workflow's code closed the connection to the engine ({error})", file=sys.stderr, flush=True)
        os._exit(1)
    except Forked as error:
        print(f"{error}: end it by `os._exit`, and use tasks for what is to run beside", file=sys.stderr, flush=True)
        os._exit(1)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # the author's code closed or replaced it
            stream.flush()
    # no exit handlers: functions under way have no say any more
    os._exit(0)


def _moved(descriptor: int) -> int:
    """Where the author's code does not close what it did not open."""
    try:
        far = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FAR)
    except OSError:  # there are not so many
        os.set_inheritable(descriptor, False)
        return descriptor
    os.close(descriptor)
    return far
