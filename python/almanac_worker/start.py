"""How the process begins: descriptors, settings of the interpreter, debugger."""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading

from .shared import process
from .shared.frames import Inbox, Outbox
from .worker import Worker


def main() -> None:
    """Entry of the process."""
    data, control = socket.socket(fileno=3), socket.socket(fileno=4)
    for sock in (data, control):
        sock.setblocking(True)
        os.set_inheritable(sock.fileno(), False)
    inbox, outbox = Inbox(data), Outbox(data)
    first = inbox.read(lambda: None)
    if first is None:
        return
    config = first[0][1]
    process.die_with(config["parent"])
    process.prefer_as_victim()
    for name in config["unset"]:
        os.environ.pop(name, None)
    if sys.version_info >= (3, 14):
        # addresses within the interpreter would push out what it said before
        faulthandler.enable(c_stack=False)
    else:
        faulthandler.enable()
    try:
        os.chdir(config["directory"])
    except OSError:
        os.chdir("/")  # that the directory is not there is told when a task looks for its file
    worker = Worker(config, inbox, outbox)
    os.register_at_fork(after_in_child=worker.forked)
    threading.Thread(target=worker.control(Inbox(control)).serve, name="control", daemon=True).start()

    import almanac_task

    almanac_task._deliver = worker.note
    sys.argv = [""]
    if config["debug"] is not None:
        from .shared import debugger

        debugger.begin(config["debug"], "tasks")
    else:
        process.refuse_breakpoints()
    worker.serve(first[1:])
    outbox.flush()
    sys.stdout.flush()
    # no exit handlers: threads and libraries of tasks that ended long ago have no say any more
    os._exit(0)
