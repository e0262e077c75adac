"""How the process begins."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys

from almanac_worker import process

from .host import Host
from .link import Link


def main() -> None:
    """Entry of the process: serves until the engine closes the socket."""
    engine = socket.socket(fileno=3)
    engine.setblocking(True)
    os.set_inheritable(engine.fileno(), False)
    link = Link(engine)
    first = link.read()
    if first is None:
        return
    config = first[0][1]
    process.die_with(config["parent"])
    faulthandler.enable()
    # the engine is interrupted too, and decides what becomes of the run
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    sys.path.insert(0, config["directory"])
    # what is compiled here would be written next to the author's files
    sys.dont_write_bytecode = True
    sys.argv = [""]
    if config["debug"] is not None:
        from almanac_worker import debugger

        debugger.begin(config["debug"], "workflow")
    Host(link).serve(first[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # no exit handlers: functions under way have no say any more
    os._exit(0)
