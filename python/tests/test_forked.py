"""A workflow's process that forks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unittest

PROGRAM = """
import json, os, socket, sys
from almanac._host.host import Host
from almanac._host.link import Forked, Link

async def main():
    child = os.fork()
    if child > 0:
        os.waitpid(child, 0)
    return child > 0

engine, own = socket.socketpair()
host = Host(Link(own), is_watched=False)
enter = ["enter", 1, host.function(main), "run", "main", None, 0]
engine.sendall((json.dumps([enter]) + "\\n").encode())
engine.shutdown(socket.SHUT_WR)
try:
    host.serve([])
except Forked as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
print(engine.recv(65536).decode())
"""


class AChildOfAFork(unittest.TestCase):
    def test_that_goes_on_is_told_once_and_its_parent_gives_the_result(self) -> None:
        env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}
        # of threads that are none of ours
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "this process was forked from a workflow's and has no engine\n")
        said = [message for line in done.stdout.splitlines() if line for message in json.loads(line)]
        self.assertEqual([one for one in said if one[0] == "end"], [["end", 1, True, True]])


if __name__ == "__main__":
    unittest.main()
