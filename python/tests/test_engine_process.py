import asyncio
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

from almanac import AlmanacError, messages, resume, resume_async, run, run_async, workflow
from almanac._runs.engine_process import Engine
from almanac._runs.commands import answered, asked
from almanac._runs.execution import execute_async

#: stands for an engine that a launcher has started, which passes nothing on
ENGINE = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print('{"kind": "started"}', flush=True)
signal.sigwait([signal.SIGINT])
print('{"kind": "stopped"}', flush=True)
sys.exit(3)
"""


@workflow
async def flow() -> int:
    return 1


class EngineProcess(unittest.TestCase):
    def command(self, program: str) -> None:
        """Stands for an engine, for this test."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "engine")
        with open(path, "w") as file:
            file.write(f"#!{sys.executable}\n{program}")
        os.chmod(path, 0o755)
        there = mock.patch.dict(os.environ, {"ALMANAC_COMMAND": path})
        there.start()
        self.addCleanup(there.stop)

    def test_what_it_says_ends_where_a_line_does(self):
        text = '{"kind": "task", "name": "a\u2028b\u2029c\x85d"}'
        self.command(f"import sys\nsys.stdout.buffer.write({text!r}.encode() + b'\\n')")
        self.assertEqual(asked(["graph"], "."), [{"kind": "task", "name": "a\u2028b\u2029c\x85d"}])

    def test_messages_have_any_characters(self):
        text = '{"kind": "message", "seq": 1, "direction": "out", "name": "n", "value": "a\u2028b\u2029c\x85d", "at": 1}'
        self.command(f"import sys\nsys.stdout.buffer.write({text!r}.encode() + b'\\n')")
        self.assertEqual([one.value for one in messages("run")], ["a\u2028b\u2029c\x85d"])

    def test_a_resume_says_why_runs_cannot_be_looked_for(self):
        self.command('print(\'{"kind": "error", "code": "ALM_JOURNAL_DAMAGED", "message": "it is damaged", "hint": "Look."}\')')
        self.assertEqual(asked(["runs"], "."), [])
        with self.assertRaises(AlmanacError) as raised:
            resume(flow)
        error = raised.exception
        self.assertEqual((error.args[0], error.code, error.hint), ("it is damaged", "ALM_JOURNAL_DAMAGED", "Look."))
        self.command("import os\nos.kill(os.getpid(), 9)")
        with self.assertRaisesRegex(AlmanacError, "`almanac runs` was ended by signal 9"):
            answered(["runs"], ".")
        self.command("import sys\nsys.exit('error: unknown option --file')")
        with self.assertRaisesRegex(AlmanacError, "^error: unknown option --file"):
            resume(flow)
        with mock.patch.dict(os.environ, {"ALMANAC_COMMAND": "/nowhere/almanac"}):
            with self.assertRaisesRegex(AlmanacError, "/nowhere/almanac cannot be started"):
                resume(flow)

    def test_what_goes_wrong_where_it_is_read_reaches_who_awaits_it(self):
        self.command("print('of the author')\nprint('{\"kind\": \"started\", \"id\": \"1\"}')")
        closed = io.StringIO()
        closed.close()
        with mock.patch("sys.stdout", closed), self.assertRaisesRegex(ValueError, "closed file"):
            asyncio.run(asyncio.wait_for(execute_async(flow, {}, progress=False), 30))

    def test_warnings_are_told_and_kept_each_once(self):
        notes = [("first", "1.5 GiB"), ("first", "1.5 GiB"), ("second", {"text": "slow", "seconds": 4})]
        told = [{"kind": "note", "type": "warning", "name": name, "body": body} for name, body in notes]
        ended = {"kind": "run", "id": "r", "state": "succeeded", "executed": 1, "reused": 0, "durationMs": 1, "output": 1}
        said = "\n".join(map(json.dumps, [{"kind": "started", "id": "r"}, *told, ended]))
        self.command(f"print({said!r})")
        with mock.patch("sys.stderr", io.StringIO()) as err:
            done = run(flow)
        self.assertEqual(done.warnings, ["first: 1.5 GiB", "second: slow"])
        self.assertEqual(err.getvalue(), "! first: 1.5 GiB\n! second: slow\n")

    def test_what_is_no_text_is_refused_with_how_to_give_it(self):
        why = '4 is no text: give inputs by name (`n=4`), and what the command takes as texts ("--parallel", "4")'
        for call in (run, resume):
            with self.assertRaises(TypeError) as raised:
                call(flow, 4)
            self.assertEqual(str(raised.exception), why)
        for later in (run_async, resume_async):
            with self.assertRaises(TypeError) as raised:
                asyncio.run(later(flow, 4))
            self.assertEqual(str(raised.exception), why)

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
