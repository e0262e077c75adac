"""What a workflow's author uses, outside of a run."""

from __future__ import annotations

import copy
import datetime
import doctest
import fractions
import gc
import json
import numbers
import os
import pathlib
import sys
import tempfile
import types
import unittest
from typing import Any, Callable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import almanac  # noqa: E402
from almanac._host.host import Host  # noqa: E402
from almanac import AlmanacError, File, Held, errors, task, workflow  # noqa: E402
from almanac._flow import containers, documents  # noqa: E402


@task(retries=2)
def double(n: int, times: int = 2) -> int:
    """Doubles it."""
    return times * n


@workflow
async def flow(n: int = 1) -> int:
    return await double(n)


@task
def alone(n: dict[str, int]) -> int:
    return len(n)


count = almanac.command(["wc", "-l", "{in.text}"], name="count", inputs={"text": File})


@task
def renamed() -> int:
    return 1


renamed_before = renamed


@task(timeout=5)
def renamed() -> int:  # type: ignore[no-redef]  # noqa: F811
    return 2


class Outside(unittest.TestCase):
    def test_a_task_is_its_function(self) -> None:
        self.assertEqual((double(3), double(3, times=3), double.__name__, double.__doc__), (6, 9, "double", "Doubles it."))

    def test_what_needs_a_run_says_so(self) -> None:
        for use in [
            lambda: flow(1),
            lambda: double.map([1]),
            lambda: count(text=1),
            almanac.run.now,
            lambda: almanac.dataset("a").read(),
        ]:
            with self.assertRaises(AlmanacError) as raised:
                use()
            self.assertEqual(raised.exception.code, "ALM_OUTSIDE")

    def test_what_almanac_makes_is_made_of_nothing_else(self) -> None:
        for kind in (almanac.File, almanac.Dir, almanac.Url, almanac.Held):
            with self.assertRaisesRegex(AlmanacError, f"^a {kind.__name__} is made by Almanac alone, and not of 'a.txt'$") as raised:
                kind("a.txt")
            self.assertEqual(raised.exception.code, "ALM_VALUE_REFUSED")
        with self.assertRaisesRegex(TypeError, r"^context\(\) "):
            almanac.run.context("cal", default=1)

    def test_examples_in_docstrings_hold(self) -> None:
        for module in (almanac, containers, documents, errors):
            failed, tried = doctest.testmod(module)
            self.assertEqual((module.__name__, failed, tried > 0), (module.__name__, 0, True))


class Told(unittest.TestCase):
    """What the engine is told of a task."""

    def test_files_lie_beside_the_one_that_names_them(self) -> None:
        here = os.path.dirname(os.path.abspath(__file__))
        for env in ["requirements.txt", almanac.Environment("requirements.txt")]:
            told = double.options(env=env, reads=["grid/a.nc"]).definition()
            self.assertEqual(told["env"], {"requirements": os.path.join(here, "requirements.txt")})
            self.assertEqual(told["options"]["reads"], [os.path.join(here, "grid", "a.nc")])

    def test_threads_are_those_of_the_environment_unless_the_task_says_otherwise(self) -> None:
        env = almanac.Environment("requirements.txt", threads=4)
        self.assertEqual(double.options(env=env).definition()["options"]["threads"], 4)
        self.assertEqual(double.options(env=env, threads=2).definition()["options"]["threads"], 2)
        self.assertEqual(list(double.options(env=env).definition()["env"]), ["requirements"])
        for wrong in [0, 1.5, "4"]:
            with self.assertRaisesRegex(AlmanacError, r"threads of Environment is not valid: .* is no whole number from 1"):
                almanac.Environment("requirements.txt", threads=wrong)  # type: ignore[arg-type]

    def test_options_have_the_names_of_the_engine(self) -> None:
        told = double.options(retries={"count": 3, "max_delay": "1m"}, on_failure="skip").definition()
        self.assertEqual(told["options"], {"retries": {"count": 3, "maxDelay": "1m"}, "onFailure": "skip"})

    def test_durations_are_seconds_timedeltas_or_texts(self) -> None:
        options = {"timeout": datetime.timedelta(minutes=1), "heartbeat": 0.5, "retries": {"count": 1, "delay": 2, "max_delay": "1m"}}
        told = double.options(**options, cache={"for": 60}).definition()["options"]
        self.assertEqual(
            told,
            {"timeout": 60000, "heartbeat": 500, "retries": {"count": 1, "delay": 2000, "maxDelay": "1m"}, "cache": {"for": 60000}},
        )


    def test_numbers_of_other_libraries_paths_and_exception_classes_are_told_as_json(self) -> None:
        class Int64:
            """As NumPy has them: an integer that is no `int`."""

            def __init__(self, value: int) -> None:
                self.value = value

            def __int__(self) -> int:
                return self.value

        numbers.Integral.register(Int64)
        options: dict[str, Any] = {
            "retries": {"count": Int64(2), "on": [OSError, "ValueError"], "delay": Int64(3)},
            "priority": Int64(3),
            "cpu": fractions.Fraction(1, 2),
            "limits": {"gpfs": Int64(2), "timeout": 1, "on": 1},
            "reads": [pathlib.Path("grid") / "a.nc"],
        }
        here = os.path.dirname(os.path.abspath(__file__))
        told = {
            "retries": {"count": 2, "on": ["OSError", "ValueError"], "delay": 3000},
            "priority": 3,
            "cpu": 0.5,
            "limits": {"gpfs": 2, "timeout": 1, "on": 1},
            "reads": [os.path.join(here, "grid", "a.nc")],
        }
        self.assertEqual(json.loads(json.dumps(double.options(**options).definition()["options"])), told)

    def test_documents_are_told_with_the_task(self) -> None:
        beams = almanac.run.context("beams", of={"project": "survey"}, schema=dict, initial={})
        told = double.options(context={"times": beams}, limits=("gpfs",), rate="2/s").definition()
        self.assertEqual(told["options"], {"retries": 2, "limits": ["gpfs"], "rate": "2/s"})
        described = {"name": "beams", "of": {"project": "survey"}, "schema": {"type": "object"}, "initial": {}}
        self.assertEqual(told["context"], {"times": described})


    def test_a_container_is_told_with_paths_of_this_machine(self) -> None:
        here = os.path.dirname(os.path.abspath(__file__))
        volumes = {"/ref": "grid", "/out": {"source": "../made", "write": True}}
        made = almanac.container.task("a/b:1", ["x"], name="inside", inputs={"f": File}, volumes=volumes, cpu=2)
        told = made.definition()
        self.assertEqual(
            told["container"],
            {
                "image": "a/b:1",
                "run": ["x"],
                "volumes": {
                    "/ref": os.path.join(here, "grid"),
                    "/out": {"source": os.path.normpath(os.path.join(here, "..", "made")), "write": True},
                },
            },
        )
        self.assertEqual((told["kind"], told["options"], told["inputs"], told["file"]), (
            "container", {"cpu": 2, "name": "inside"}, {"f": "file"}, os.path.abspath(__file__)
        ))  # fmt: skip
        with self.assertRaises(AlmanacError):
            almanac.container.task("a/b:1", name="inside", memry="2GiB")


class Elsewhere(unittest.TestCase):
    """Functions of a file that is read, and not imported."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "elsewhere_steps.py")
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(
                "import nowhere\nfrom pathlib import Path\n\n"
                'def index(file: Path, step: int = 1, *, refs: Path) -> dict:\n    "Makes references."\n    return {}\n'
            )

    def test_a_task_of_one_is_known_by_its_signature(self) -> None:
        steps = almanac.module(self.file, env=almanac.Environment("requirements.txt"))
        index = task(steps.index, timeout="10m", outputs={"refs": almanac.file("refs.json"), "found": dict})
        told = index.definition()
        self.assertEqual((index.name, index.__doc__, index._parameters.entry()), ("index", "Makes references.", "file"))
        self.assertEqual((told["file"], told["function"], told["line"]), (self.file, "index", 4))
        self.assertEqual(told["outputs"], {"refs": {"file": "refs.json"}, "found": "value"})
        self.assertTrue(told["env"]["requirements"].endswith("requirements.txt"))
        given = File({"$": "file", "name": "a", "digest": "0" * 64, "size": 1})
        self.assertEqual(index._parameters.bound((given,), {"step": 2}), {"file": given, "step": 2})
        with self.assertRaisesRegex(AlmanacError, "index: file is a file or directory, and 'a' is a str"):
            index._parameters.bound(("a",), {"step": 2})
        with self.assertRaisesRegex(TypeError, "has no parameter 'steps'; it has file, step"):
            index._parameters.bound((given,), {"steps": 2})

    def test_it_is_imported_where_it_is_called(self) -> None:
        with self.assertRaisesRegex(ModuleNotFoundError, "nowhere"):
            almanac.module(self.file).index("a")

    def test_what_is_not_there(self) -> None:
        with self.assertRaisesRegex(AttributeError, "elsewhere_steps.py has no function ingest"):
            almanac.module(self.file).ingest
        with self.assertRaisesRegex(AlmanacError, "there is no file"):
            almanac.module(self.file + "x")


class Kept(unittest.TestCase):
    """What the process of a workflow keeps of tasks: neither all variants for ever, nor one in the place of another."""

    def test_a_variant_that_is_gone_leaves_nothing_and_no_other_is_taken_for_it(self) -> None:
        said: list[list[Any]] = []
        link = types.SimpleNamespace(say=said.append, flush=lambda: None)
        host = Host(link, is_watched=False)  # type: ignore[arg-type]
        for n in range(500):
            # with what is not kept as a variant, so that each is gone before the next, often from the same place
            variant = double.options(variables=(f"V{n}",))
            self.assertEqual(host.task(variant), host.task(variant))
        defined = [message for message in said if message[0] == "define"]
        self.assertEqual([one[2]["options"]["variables"] for one in defined], [[f"V{n}"] for n in range(500)])
        self.assertEqual(len({one[1] for one in defined}), 500)
        gc.collect()
        self.assertEqual((len(host._tasks), len(host._gone_tasks)), (1, 499))

    def test_equal_variants_of_a_loop_are_one(self) -> None:
        self.assertIs(double.options(priority=5), double.options(priority=5))
        self.assertIsNot(double.options(cpu=1), double.options(cpu=1.0))


class ItemsOfAList(unittest.TestCase):
    def test_a_dict_gives_arguments_by_name_where_a_task_is_free_to_take_several_and_else_is_one_value(self) -> None:
        dicts: list[dict[str, Any]] = [{}, {"n": 1}, {"n": 1, "times": 3}, {"else": 1}]
        for inputs, into, arguments in [
            ({}, None, [{"n": {}}, {"n": 1}, {"n": 1, "times": 3}, {"n": {"else": 1}}]),
            ({"times": 2}, None, [{"n": one, "times": 2} for one in dicts]),
            ({}, "n", [{"n": one} for one in dicts]),
        ]:
            with self.subTest(inputs=inputs, into=into):
                self.assertEqual([double._parameters.of_item(one, inputs, into) for one in dicts], arguments)
        self.assertEqual([alone._parameters.of_item(one, {}, None) for one in dicts], [{"n": one} for one in dicts])


class StaysWithItsWorker(unittest.TestCase):
    held = Held({"type": "float64[3]", "size": 24, "key": "k", "path": []})

    def test_it_says_what_it_is(self) -> None:
        self.assertEqual(f"{self.held}", "Held(float64[3], 24 bytes, in the worker that made it)")

    def test_what_a_workflow_would_compute_with_it_belongs_in_a_task(self) -> None:
        uses: list[Callable[[Any], object]] = [
            len, list, float, bool, abs, lambda a: a[0], lambda a: a.mean(), lambda a: a + 1, lambda a: 1 / a,
            lambda a: a == 1, lambda a: a < 1, lambda a: a.__array__(),
        ]  # fmt: skip
        for use in uses:
            with self.assertRaisesRegex(AlmanacError, "a workflow has no value of what stays with the worker") as caught:
                use(self.held)
            self.assertIn("Pass it to a task that does this", caught.exception.hint)

    def test_it_is_told_from_others_and_copied(self) -> None:
        other = Held({"type": "float64[3]", "size": 24, "key": "other", "path": []})
        self.assertEqual([self.held == copy.copy(self.held), self.held == other, self.held == None], [True, False, False])  # noqa: E711
        self.assertEqual(len({self.held, other, copy.deepcopy(self.held)}), 2)


class Refused(unittest.TestCase):
    def test_definitions_that_no_fingerprint_can_see(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "defined inside a function"):

            @task
            def inner() -> None: ...

        with self.assertRaisesRegex(AlmanacError, "a task cannot be a lambda"):
            task(lambda n: n)

    def test_options_that_are_not_known(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "option retry of double is not known; did you mean retries"):
            double.options(retry=1)

    def test_options_that_are_not_valid(self) -> None:
        no_duration = "is no duration; write seconds, '30s', '5m' or '1h'"
        for given, fault in [
            ({"on_failure": "ignore"}, "on_failure of double is not valid: 'ignore' is none of 'fail', 'skip' and 'pause'"),
            ({"effect": "yes"}, "effect of double is not valid: 'yes' is neither True nor False"),
            ({"variables": "API_URL"}, "variables of double is not valid: 'API_URL' is no list of texts; write ['…']"),
            ({"reads": ["a.csv", 1]}, "reads of double is not valid: ['a.csv', 1] is no list of texts; write ['…']"),
            ({"timeout": "5 minutes"}, f"timeout of double is not valid: '5 minutes' {no_duration}"),
            ({"heartbeat": float("nan")}, f"heartbeat of double is not valid: nan {no_duration}"),
            ({"cache": {"for": -1}}, f"cache of double is not valid: for: -1 {no_duration}"),
            ({"retries": -1}, "retries of double is not valid: -1 is no number from 0"),
            ({"retries": {"delay": 1}}, "retries of double is not valid: it has no count"),
            ({"retries": {"count": 1, "backoff": 0}}, "retries of double is not valid: backoff: 0 is no number from 1"),
            (
                {"retries": {"count": 1, "on": OSError}},
                "retries of double is not valid: on: 'OSError' is no list of errors; write ['…'], or [OSError]",
            ),
            ({"priority": "high"}, "priority of double is not valid: 'high' is no number"),
            ({"memory": "2 gigabytes"}, "memory of double is not valid: '2 gigabytes' is no size; write '512MiB' or '2GiB'"),
            ({"limits": [object]}, "limits of double is not valid: [<class 'object'>] is not made of texts and numbers"),
        ]:
            with self.subTest(given), self.assertRaises(AlmanacError) as caught:
                double.options(**given)  # type: ignore[arg-type]
            self.assertEqual(caught.exception.code, "ALM_OPTION_REFUSED")
            self.assertIn(f"option {fault}", str(caught.exception))

    def test_a_function_that_its_file_calls_otherwise_now(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "task renamed .* does not call renamed any more"):
            renamed_before.definition()
        self.assertEqual(renamed.definition()["function"], "renamed")
        self.assertEqual(task(os.path.basename).definition()["function"], "basename")

    def test_documents_that_are_none(self) -> None:
        with self.assertRaisesRegex(AlmanacError, "context.times of double is no document"):
            double.options(context={"times": {"gain": 1}})
        with self.assertRaisesRegex(AlmanacError, "option of of run.context"):
            almanac.run.context("beams", of="survey")  # type: ignore[arg-type]

    def test_what_is_no_plain_function(self) -> None:
        for given in [len, 3, AlmanacError]:
            with self.assertRaises(TypeError):
                task(given)  # type: ignore[call-overload]


if __name__ == "__main__":
    unittest.main()
