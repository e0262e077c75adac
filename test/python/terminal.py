"""Runs a command in a terminal of its own and talks to it: `terminal.py COMMAND… ` with [[expect, answer], …] as JSON
on standard input. Prints what the terminal showed; the exit code is the command's."""

import json
import os
import pty
import select
import signal
import sys
import time

conversation = json.loads(sys.stdin.read())
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

shown = ""
seen = 0
until = time.monotonic() + 240
while time.monotonic() < until:
    ready, _, _ = select.select([terminal], [], [], 1)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        shown += data.decode("utf-8", "replace")
    while conversation and conversation[0][0] in shown[seen:]:
        expected, answer = conversation.pop(0)
        seen = shown.index(expected, seen) + len(expected)
        os.write(terminal, answer.encode())
else:
    os.kill(pid, signal.SIGKILL)
sys.stdout.write(shown)
sys.stdout.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) if not conversation else f"never shown: {conversation[0][0]!r}")
