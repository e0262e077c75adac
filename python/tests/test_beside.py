import os
import sys
import tempfile
import unittest
from unittest import mock

from almanac.beside import Engine

#: stands for an engine that a launcher has started, which passes nothing on
ENGINE = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print('{"kind": "started"}', flush=True)
signal.sigwait([signal.SIGINT])
print('{"kind": "stopped"}', flush=True)
sys.exit(3)
"""


class Beside(unittest.TestCase):
    def test_an_interrupt_reaches_what_a_launcher_has_started(self):
        with tempfile.TemporaryDirectory() as folder:
            launcher, program = os.path.join(folder, "launcher"), os.path.join(folder, "engine.py")
            with open(program, "w") as file:
                file.write(ENGINE)
            with open(launcher, "w") as file:
                file.write(f"#!/bin/sh\ntrap : INT\n'{sys.executable}' '{program}'\n")
            os.chmod(launcher, 0o755)
            with mock.patch.dict(os.environ, {"ALMANAC_COMMAND": launcher}):
                engine = Engine([], pumped=False)
            events = engine.events()
            self.assertEqual(next(events), {"kind": "started"})
            engine.interrupt()
            self.assertEqual(list(events), [{"kind": "stopped"}])
            self.assertEqual(engine.end(), 3)
            engine.interrupt()  # nobody is there any more


if __name__ == "__main__":
    unittest.main()
