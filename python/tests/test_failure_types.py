import asyncio
import copy
import json
import pickle
import socket
import sys
import traceback
import types
import unittest
import urllib.error

from almanac import AlmanacError, RunFailed, TaskFailed
from almanac._model.failure_types import run_failed, task_failed
from almanac_worker.shared import failures


class Faint(ValueError):
    """As an author makes one."""

    def __init__(self, scene, magnitude):
        super().__init__(f"{scene} is of magnitude {magnitude}")
        self.scene = scene

    def __repr__(self):
        return f"Faint({self.scene})"


class Own(KeyError):
    @property
    def code(self):
        return 4


class Asked(OSError):
    def __getattr__(self, name):
        return self.__dict__["file"]


class Made(LookupError):
    def __new__(cls, one):
        return super().__new__(cls, one)


def of(error, **more):
    """What a workflow is raised where a task raised that."""
    told = failures.record(error, lambda path: True, None)
    return task_failed({"code": "ALM_TASK_FAILED", "hint": "Correct it.", **told, **more}, 7)


class FailuresAsRaised(unittest.TestCase):
    def test_is_of_the_builtin_class_that_was_raised_and_of_those_above_it(self):
        error = of(ValueError("no time: 25:00"))
        self.assertIsInstance(error, TaskFailed)
        self.assertIsInstance(error, ValueError)
        self.assertNotIsInstance(error, KeyError)
        self.assertEqual(
            (str(error), error.args, error.type, error.code, error.hint, repr(error)),
            (
                "no time: 25:00\n\nValueError: no time: 25:00\n",
                ("no time: 25:00",),
                "ValueError",
                "ALM_TASK_FAILED",
                "Correct it.",
                "TaskFailed('no time: 25:00')",
            ),
        )
        self.assertIsInstance(of(ConnectionResetError("gone")), OSError)

    def test_every_builtin_can_be_told_printed_pickled_and_raised_from(self):
        seen = {}
        for name, kind in vars(__import__("builtins")).items():
            if not isinstance(kind, type) or not issubclass(kind, Exception):
                continue
            error = task_failed({"code": "ALM_TASK_FAILED", "message": "x", "types": [f"builtins.{name}", "builtins.Exception"]}, 7)
            try:
                raise AlmanacError("other words") from error
            except AlmanacError as other:
                text = "".join(traceback.format_exception(type(other), other, None))
            self.assertIn("almanac.errors.TaskFailed: x\n", text)
            self.assertEqual((str(error), repr(error), error.code), ("x", "TaskFailed('x')", "ALM_TASK_FAILED"))
            for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
                self.assertEqual((type(again), again.args, again._token), (type(error), ("x",), 7))
            seen[kind] = isinstance(error, kind)
        plain = {kind for kind, also in seen.items() if not also}
        groups = {kind for kind in seen if kind.__name__ == "ExceptionGroup"}
        syntax = {kind for kind in seen if issubclass(kind, SyntaxError)}
        self.assertEqual(plain, {StopIteration, StopAsyncIteration} | groups | syntax)

    def test_is_of_an_authors_class_that_is_here_without_being_made_as_one(self):
        error = of(Faint("a", 9))
        self.assertIsInstance(error, Faint)
        self.assertEqual((error.args, repr(error), error.type), (("a is of magnitude 9",), "TaskFailed('a is of magnitude 9')", "Faint"))
        self.assertFalse(hasattr(error, "scene"))

    def test_is_of_what_is_above_a_class_that_is_not_here(self):
        error = task_failed(
            {"code": "ALM_TASK_FAILED", "message": "no", "type": "JSONDecodeError", "types": [
                "elsewhere.JSONDecodeError", "elsewhere.RequestException", "builtins.OSError", "json.decoder.JSONDecodeError",
                "builtins.ValueError", "builtins.Exception", "builtins.BaseException",
            ]},
            7,
        )
        self.assertIsInstance(error, OSError)
        self.assertIsInstance(error, json.JSONDecodeError)

    def test_another_class_of_a_builtins_name_is_not_that_one(self):
        other = type("ConnectionError", (Exception,), {"__module__": "elsewhere"})
        self.assertIs(type(of(other("x"))), TaskFailed)

    def test_is_of_what_is_above_a_class_that_cannot_be_of_two(self):
        for made, kind in ((Own("k"), KeyError), (Asked("a"), OSError), (Made("m"), LookupError)):
            error = of(made)
            self.assertIsInstance(error, kind)
            self.assertNotIsInstance(error, type(made))
            self.assertEqual(error.code, "ALM_TASK_FAILED")
        self.assertIsInstance(of(urllib.error.HTTPError("http://x", 404, "Not Found", None, None)), urllib.error.URLError)

    def test_nothing_is_imported_or_asked_for_it(self):
        asked = []
        module = types.ModuleType("lazy")
        module.__getattr__ = asked.append
        sys.modules["lazy"] = module
        self.addCleanup(sys.modules.pop, "lazy")
        error = task_failed({"code": "ALM_TASK_FAILED", "message": "x", "types": ["lazy.Error", "wave.Error"]}, 7)
        self.assertEqual((type(error), asked, "wave" in sys.modules), (TaskFailed, [], False))

    def test_a_timeout_and_too_little_memory_are_what_python_calls_them(self):
        for code, kind in (("ALM_TASK_TIMEOUT", TimeoutError), ("ALM_TASK_MEMORY", MemoryError)):
            self.assertIsInstance(task_failed({"code": code, "message": "x"}, 7), kind)

    def test_what_almanac_says_is_nothing_else(self):
        error = of(AlmanacError("x"))
        self.assertIs(type(error), TaskFailed)

    def test_one_that_is_raised_in_an_async_function_ends_it(self):
        async def function():
            raise of(socket.timeout("slow"))

        with self.assertRaises(TimeoutError):
            asyncio.run(function())

    def test_a_run_that_failed_is_too(self):
        error = run_failed("run1", "broken", {"code": "ALM_TASK_FAILED", "type": "ValueError", "types": ["builtins.ValueError"]})
        self.assertIsInstance(error, RunFailed)
        self.assertIsInstance(error, ValueError)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(again), again.run, str(again), again.type), (type(error), "run1", "broken", "ValueError"))


@unittest.skipIf(sys.version_info < (3, 11), "Python 3.10 has no groups")
class Groups(unittest.TestCase):
    def test_is_the_group_that_was_raised_and_holds_what_that_held(self):
        error = of(ExceptionGroup("many", [ValueError("a"), ExceptionGroup("within", [Faint("m31", 9), KeyError("k")])]))
        self.assertIsInstance(error, TaskFailed)
        self.assertIsInstance(error, ExceptionGroup)
        for again in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
            faint, others = again.split(Faint)
            self.assertEqual(repr(faint), "ExceptionGroup('many', [ExceptionGroup('within', [TaskFailed('m31 is of magnitude 9')])])")
            left = "ExceptionGroup('many', [TaskFailed('a'), ExceptionGroup('within', [TaskFailed(\"'k'\")])])"
            self.assertEqual(repr(others), left)
        members = [(one.code, one.hint, one.type, one._token) for one in error.exceptions]
        self.assertEqual(members, [("ALM_TASK_FAILED", "Correct it.", one, 7) for one in ("ValueError", "ExceptionGroup")])

    def test_is_taken_apart_by_a_clause_for_groups(self):
        caught = []
        # no syntax of Python 3.10
        text = """
try:
    try:
        raise error
    except* ValueError as group:
        caught.append(group.exceptions)
    except* OSError as group:
        caught.append(group.exceptions)
except ExceptionGroup as rest:
    caught.append(rest.exceptions)
"""
        exec(text, {"error": of(ExceptionGroup("many", [OSError("o"), KeyError("k"), ValueError("v")])), "caught": caught})
        self.assertEqual([[one.args[0] for one in group] for group in caught], [["v"], ["o"], ["'k'"]])

    def test_what_is_too_much_stays_in_it_as_one_that_is_of_no_class(self):
        error = of(ExceptionGroup("many", [ValueError(n) for n in range(40)]))
        values, others = error.split(ValueError)
        self.assertEqual((len(values.exceptions), repr(others)), (32, "ExceptionGroup('many', [TaskFailed('8 more exceptions of the group')])"))
        deep = ValueError("deep")
        for n in range(6):
            deep = ExceptionGroup(str(n), [deep])
        values, others = of(deep).split(ValueError)
        self.assertEqual((values, repr(others).count("ExceptionGroup"), repr(others).count("TaskFailed")), (None, 4, 1))


if __name__ == "__main__":
    unittest.main()
