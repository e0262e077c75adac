"""Annotations that name what is defined further down, or only for type checkers: from Python 3.14 on they need no quotes."""

from __future__ import annotations

import os
import sys
import types
import unittest
from typing import Any, List, Optional

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac._types import hints, structure  # noqa: E402
from almanac_worker.tasks.signature import Mismatch, Signature  # noqa: E402

#: older Pythons evaluate annotations where they stand, unless they are told not to
BEFORE = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"

STEPS = """
import dataclasses
from typing import TYPE_CHECKING, List, Optional

from almanac import task, workflow

if TYPE_CHECKING:
    from nowhere import Nope

@task
def measure(at: Place, nope: Nope = None, times: List[Count] = ()) -> Place:
    return at

@task
def odd(at: Place, count: int, half: Count / 2) -> Nope:
    return at

@workflow
async def main(at: Place, nope: Nope = None):
    return await measure(at)

@dataclasses.dataclass
class Place:
    depth: float
    within: Optional[Place] = None
    by: Later = None

Count = int
Later = Optional[str]
"""


class AnnotationsOfWhatIsDefinedLater(unittest.TestCase):
    def setUp(self) -> None:
        self.module: Any = types.ModuleType("later_steps")
        self.addCleanup(sys.modules.pop, "later_steps", None)
        sys.modules["later_steps"] = self.module
        exec(compile(BEFORE + STEPS, "later_steps.py", "exec", dont_inherit=True), vars(self.module))

    def test_are_what_they_say_once_that_is_there(self) -> None:
        place = self.module.Place
        said = {"at": place, "nope": Any, "times": List[int], "return": place}
        self.assertEqual(hints.of(self.module.measure._function), said)
        self.assertEqual(hints.of(self.module.main.function), {"at": place, "nope": Any})
        self.assertEqual(structure.members(place), {"depth": float, "within": Optional[place], "by": Optional[str]})

    def test_fit_anything_where_they_cannot_be_evaluated_and_the_others_hold(self) -> None:
        said = {"at": self.module.Place, "count": int, "half": Any, "return": Any}
        self.assertEqual(hints.of(self.module.odd._function), said)

    def test_make_what_a_task_and_a_workflow_are_given(self) -> None:
        place = self.module.Place
        depth = {"depth": 2, "within": {"depth": 1}}
        given = place(2.0, place(1.0))
        self.assertEqual(self.module.measure.in_worker()(at=depth), given)
        self.assertEqual(self.module.main.converted({"at": depth}), {"at": given})

    def test_are_told_as_they_are_written_where_a_call_does_not_fit(self) -> None:
        taken = Signature(self.module.measure.in_worker(), "measure")
        self.assertEqual(taken.bind({"at": 1}, {}), ([], {"at": 1}))
        with self.assertRaises(Mismatch) as mismatch:
            taken.bind({}, {})
        # older Pythons write it with quotes
        self.assertEqual(
            str(mismatch.exception).replace("'", ""),
            "its parameter at is given nothing; it is measure(at: Place, nope: Nope = None, times: List[Count] = ()) -> Place",
        )


if __name__ == "__main__":
    unittest.main()
