"""Timers of asyncio in workflow functions, with an engine whose time is the test's."""

from __future__ import annotations

import asyncio
import sys
import unittest
from typing import Any, Awaitable, Callable

from almanac import AlmanacError, TaskFailed, run
from almanac._host.host import Host
from almanac._model import caller

_BEGAN = 1_000_000


class Engine:
    """What the host talks to: ends sleeps and timers when they are due, one at a time, and keeps the order in which it did."""

    def __init__(self, replayed: list[tuple[int, int]] | None = None, is_cancelled_at: int | None = None) -> None:
        self.now = _BEGAN
        self.sent = 0
        #: timers and what became of them, in the order of what was said
        self.said: list[str] = []
        #: of calls: when
        self.given: list[tuple[int, int]] = []
        self.end: list[Any] | None = None
        self._replayed = list(replayed or [])
        self._cancelled_at = is_cancelled_at
        self._due: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._wants: dict[int, int] = {}
        self._first: list[list[Any]] = []

    # as a link

    def say(self, message: list[Any]) -> None:
        kind, _, *rest = message
        if kind == "ask":
            call, operation, details = rest[:3]
            ms = details["ms"] if operation == "timer" else details["duration"]
            self._due[call] = self.now + ms
            # calls are numbered in the order in which they are made, whatever else Python numbers
            self._numbers[call] = len(self._numbers)
            if operation == "timer":
                self.said.append(f"{ms} ms")
        elif kind == "want":
            self._wants[rest[0]] = rest[2]
        elif kind == "withdraw":
            self.said.append(f"withdrawn at {self.now - _BEGAN}")
            del self._due[rest[0]]
            self._first.append(["failed", self._wants.pop(rest[0]), _CANCELLED, self.now])
        elif kind == "end":
            self.end = rest

    def say_now(self, message: list[Any]) -> None:
        raise AssertionError(message)

    def flush(self) -> None:
        pass

    def is_forked(self) -> bool:
        return False

    def read(self) -> list[list[Any]] | None:
        if self._first:
            return [self._first.pop(0)]
        if self.end is not None:
            return None
        due = self._next()
        if due is None:
            return None
        at, call = due
        if self._cancelled_at is not None and at > self._cancelled_at:
            self.now = self._cancelled_at
            self._first = [["failed", wait, _CANCELLED, self.now] for wait in self._wants.values()]
            self._cancelled_at, self._due, self._wants = None, {}, {}
            return [self._first.pop(0)]
        self.now = max(self.now, at)
        self.given.append((at, self._numbers[call]))
        del self._due[call]
        return [["outcome", self._wants.pop(call), None, at]]

    def _next(self) -> tuple[int, int] | None:
        if self._replayed:
            at, number = self._replayed.pop(0)
            return at, next(call for call, one in self._numbers.items() if one == number)
        return min(((at, call) for call, at in self._due.items() if call in self._wants), default=None)


_CANCELLED = {"code": "ALM_CANCELLED", "message": "The call was cancelled.", "hint": "Resume the run."}


def executed(function: Callable[[], Awaitable[Any]], engine: Engine | None = None) -> tuple[Any, list[str], Engine]:
    """What it gives, and what it had the engine do about timers. Raises what it raised."""
    engine = engine or Engine()
    threads = caller.workflow_threads
    given: list[Any] = []

    async def entered() -> None:
        given.append(await function())

    host = Host(engine, is_watched=False)  # type: ignore[arg-type]
    try:
        host.serve([["enter", 1, host.function(entered), "run", "main", None, _BEGAN]])
    finally:
        caller.workflow_threads = threads
        host._loop.close()
    if not given:
        raise AssertionError(engine.end)
    return given[0], engine.said, engine


def elapsed() -> int:
    return round(asyncio.get_running_loop().time() * 1000) - _BEGAN


async def call(seconds: float) -> str:
    await run.sleep(seconds)
    return f"{seconds} s"


class Timers(unittest.TestCase):
    def test_asyncio_sleeps_by_a_timer_of_the_run(self) -> None:
        async def main() -> Any:
            before = elapsed()
            return [before, await asyncio.sleep(1.5, "woken"), elapsed()]

        self.assertEqual(executed(main)[:2], ([0, "woken", 1500], ["1500 ms"]))

    def test_time_is_that_of_the_last_outcome(self) -> None:
        async def main() -> Any:
            times = [elapsed(), elapsed()]
            await run.sleep(2)
            times.append(elapsed())
            return times

        self.assertEqual(executed(main)[:2], ([0, 0, 2000], []))

    def test_what_comes_in_time_withdraws_the_timer(self) -> None:
        async def main() -> Any:
            return [await asyncio.wait_for(call(1), 60), await asyncio.wait_for(run.sleep(1), 30), elapsed()]

        given = ["1 s", None, 2000]
        self.assertEqual(executed(main)[:2], (given, ["60000 ms", "withdrawn at 1000", "30000 ms", "withdrawn at 2000"]))

    def test_what_is_late_is_cancelled_where_it_waits(self) -> None:
        heard: list[str] = []

        async def late() -> None:
            try:
                await run.sleep(60)
            finally:
                heard.append("left")

        async def main() -> Any:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(late(), 1)
            return [heard, elapsed()]

        self.assertEqual(executed(main)[:2], ([["left"], 1000], ["1000 ms"]))

    def test_of_two_that_are_nested_the_shorter_one_rings(self) -> None:
        async def inner(seconds: float) -> str:
            try:
                return await asyncio.wait_for(call(10), seconds)
            except asyncio.TimeoutError:
                return "inner"

        async def main() -> Any:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(inner(5), 1)
            return [await asyncio.wait_for(inner(1), 5), elapsed()]

        given, said, _ = executed(main)
        self.assertEqual(given, ["inner", 2000])
        self.assertEqual(said, ["1000 ms", "5000 ms", "withdrawn at 1000", "5000 ms", "1000 ms", "withdrawn at 2000"])

    def test_without_a_timeout_or_with_none_left_there_is_no_timer(self) -> None:
        async def main() -> Any:
            given = [await asyncio.wait_for(call(1), None)]
            for timeout in (0, -1):
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(call(1), timeout)
                await asyncio.sleep(timeout)
            return [given, elapsed()]

        self.assertEqual(executed(main)[:2], ([["1 s"], 1000], []))

    def test_cancelled_from_outside_it_withdraws_its_timer(self) -> None:
        async def main() -> Any:
            waits = asyncio.create_task(asyncio.wait_for(call(60), 30))
            await run.sleep(1)
            waits.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waits
            return elapsed()

        self.assertEqual(executed(main)[:2], (1000, ["30000 ms", "withdrawn at 1000"]))

    def test_wait_gives_what_is_done_by_then(self) -> None:
        async def main() -> Any:
            tasks = [asyncio.create_task(call(n)) for n in (1, 2, 90)]
            done, pending = await asyncio.wait(tasks, timeout=5)
            for one in pending:
                one.cancel()
            return [sorted(one.result() for one in done), len(pending), elapsed()]

        self.assertEqual(executed(main)[:2], ([["1 s", "2 s"], 1, 5000], ["5000 ms"]))

    def test_as_completed_gives_what_comes_by_then(self) -> None:
        async def main() -> Any:
            given = []
            tasks = [asyncio.create_task(call(n)) for n in (90, 2, 1)]
            with self.assertRaises(asyncio.TimeoutError):
                for one in asyncio.as_completed(tasks, timeout=5):
                    given.append(await one)
            tasks[0].cancel()
            return [given, elapsed()]

        self.assertEqual(executed(main)[:2], ([["1 s", "2 s"], 5000], ["5000 ms"]))

    def test_callbacks_come_when_they_are_due_and_not_when_they_are_cancelled(self) -> None:
        async def main() -> Any:
            loop = asyncio.get_running_loop()
            came: list[Any] = []
            loop.call_later(2, lambda: came.append(["later", elapsed()]))
            loop.call_at(loop.time() + 1, came.append, "at")
            loop.call_later(0, came.append, "soon")
            never = loop.call_later(1, came.append, "never")
            never.cancel()
            await asyncio.sleep(3)
            never.cancel()
            return came

        said = ["2000 ms", "1000 ms", "1000 ms", "withdrawn at 0", "3000 ms"]
        self.assertEqual(executed(main)[:2], (["soon", "at", ["later", 2000]], said))

    def test_those_that_are_left_are_withdrawn_when_the_function_ends(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().call_later(3600, print)
            asyncio.create_task(asyncio.sleep(7200))
            await run.sleep(1)

        said = ["3600000 ms", "7200000 ms", "withdrawn at 1000", "withdrawn at 1000"]
        self.assertEqual(executed(main)[1], said)

    def test_what_is_never_due_is_no_timer(self) -> None:
        async def main() -> Any:
            asyncio.get_running_loop().call_later(float("inf"), print)
            return await asyncio.wait_for(call(1), float("inf"))

        self.assertEqual(executed(main)[:2], ("1 s", []))

    def test_a_replay_goes_as_it_went(self) -> None:
        async def main() -> Any:
            given: list[Any] = []
            for n in range(4):
                try:
                    given.append(await asyncio.wait_for(call(n), 1.5))
                except asyncio.TimeoutError:
                    given.append(elapsed())
            done, _ = await asyncio.wait([asyncio.create_task(call(2)), asyncio.create_task(asyncio.sleep(2))])
            return [given, len(done), elapsed()]

        first, said, engine = executed(main)
        self.assertEqual(first, [["0 s", "1 s", 2500, 4000], 2, 6000])
        again, said_again, _ = executed(main, Engine(engine.given))
        self.assertEqual((again, said_again), (first, said))

    def test_one_that_rang_before_what_it_bounds_does_so_again(self) -> None:
        async def main() -> str:
            try:
                return await asyncio.wait_for(call(1), 1)
            except asyncio.TimeoutError:
                return "late"

        # both are due at once: what was given first decides, in every life
        self.assertEqual(executed(main, Engine([(_BEGAN + 1000, 0)]))[0], "late")
        self.assertEqual(executed(main, Engine([(_BEGAN + 1000, 1)]))[0], "1 s")

    def test_where_the_run_is_cancelled_who_sleeps_hears_of_it(self) -> None:
        async def main() -> Any:
            codes: list[Any] = []
            for waits in (asyncio.sleep(60), asyncio.wait_for(call(60), 90), asyncio.wait_for(asyncio.sleep(60), 90)):
                try:
                    await waits
                except TaskFailed as error:
                    codes.append([error.code, elapsed()])
            return codes

        given, said, _ = executed(main, Engine(is_cancelled_at=_BEGAN + 1000))
        # what is waited for afterwards comes in its time, as clean-up
        self.assertEqual(given, [["ALM_CANCELLED", 1000]])

        async def bounded() -> Any:
            with self.assertRaises(TaskFailed) as caught:
                await asyncio.wait_for(call(60), 90)
            return [caught.exception.code, elapsed()]

        given, said, _ = executed(bounded, Engine(is_cancelled_at=_BEGAN + 1000))
        self.assertEqual((given, said), (["ALM_CANCELLED", 1000], ["90000 ms"]))

    def test_a_function_that_fails_of_a_timeout_names_the_timer(self) -> None:
        def ended(function: Callable[[], Awaitable[Any]]) -> Any:
            engine = Engine()
            with self.assertRaises(AssertionError):
                executed(function, engine)
            assert engine.end is not None
            _, told, _ = engine.end
            return told["type"], "timer" in told

        async def late() -> None:
            await asyncio.wait_for(call(60), 1)

        async def wrapped() -> None:
            try:
                await late()
            except asyncio.TimeoutError as error:
                raise RuntimeError("too late") from error

        async def else_() -> None:
            await asyncio.sleep(1)
            raise ValueError("no")

        async def own() -> None:
            raise TimeoutError("of the author's")

        timed_out = (ended(late), ended(wrapped), ended(else_), ended(own))
        told = (("TimeoutError", True), ("RuntimeError", True), ("ValueError", False), ("TimeoutError", False))
        self.assertEqual(timed_out, told)

    def test_outside_a_workflow_there_is_none(self) -> None:
        host = Host(Engine(), is_watched=False)  # type: ignore[arg-type]
        with self.assertRaisesRegex(AlmanacError, "a timer was used outside a workflow"):
            host._loop.call_later(1, print)
        host._loop.close()


@unittest.skipIf(sys.version_info < (3, 11), "asyncio has none of this")
class Timeouts(unittest.TestCase):
    def test_a_timeout_bounds_a_group_and_cancels_its_tasks(self) -> None:
        async def main() -> Any:
            given: list[Any] = []

            async def part(n: int) -> None:
                try:
                    given.append(await call(n))
                except asyncio.CancelledError:
                    given.append(f"{n} cancelled")
                    raise

            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(2.5):
                    async with asyncio.TaskGroup() as group:
                        for n in (1, 2, 3, 4):
                            group.create_task(part(n))
            # a group keeps its tasks in a set
            return [sorted(given), elapsed()]

        given = [["1 s", "2 s", "3 cancelled", "4 cancelled"], 2500]
        self.assertEqual(executed(main)[:2], (given, ["2500 ms"]))

    def test_a_group_with_timeouts_of_its_tasks(self) -> None:
        async def main() -> Any:
            async def part(n: int) -> str:
                try:
                    async with asyncio.timeout(2.5):
                        return await call(n)
                except TimeoutError:
                    return "late"

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(part(n)) for n in (1, 2, 3, 4)]
            return [one.result() for one in tasks]

        given, said, _ = executed(main)
        self.assertEqual(given, ["1 s", "2 s", "late", "late"])
        self.assertEqual(said, ["2500 ms"] * 4 + ["withdrawn at 1000", "withdrawn at 2000"])

    def test_none_and_what_is_over_already(self) -> None:
        async def main() -> Any:
            async with asyncio.timeout(None):
                given = await call(1)
            for when in (0, -1):
                with self.assertRaises(TimeoutError):
                    async with asyncio.timeout(when):
                        await call(1)
            return [given, elapsed()]

        self.assertEqual(executed(main)[:2], (["1 s", 1000], []))

    def test_until_a_time_that_is_put_off(self) -> None:
        async def main() -> Any:
            loop = asyncio.get_running_loop()
            await run.sleep(1)
            async with asyncio.timeout_at(loop.time() + 1) as until:
                until.reschedule(loop.time() + 5)
                given = await call(3)
                return [given, until.expired(), until.when() == loop.time() + 2]

        said = ["1000 ms", "withdrawn at 1000", "5000 ms", "withdrawn at 4000"]
        self.assertEqual(executed(main)[:2], (["3 s", False, True], said))


if __name__ == "__main__":
    unittest.main()
