"""Functions of runs that are over: the process of workflows keeps nothing of them."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import unittest
from typing import Any, Callable

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from almanac import run  # noqa: E402
from almanac._host.host import Host  # noqa: E402
from almanac._model import caller  # noqa: E402


class _Engine:
    """Says one thing each time that everybody rests, and then has gone."""

    def __init__(self, *says: list[Any]) -> None:
        self.says = list(says)
        self.heard: list[list[Any]] = []

    def say(self, message: list[Any]) -> None:
        self.heard.append(message)

    def flush(self) -> None: ...

    def read(self) -> list[list[Any]] | None:
        return [self.says.pop(0)] if self.says else None


class Left(unittest.TestCase):
    def left(self, *functions: Callable[[], Any]) -> list[str]:
        """Has them wait, each as a function of one run, and that run be over; what the engine heard after that."""
        self.addCleanup(setattr, caller, "workflow_threads", caller.workflow_threads)
        scopes = list(range(1, len(functions) + 1))
        engine = _Engine()
        host = Host(engine, is_watched=False)  # type: ignore[arg-type]
        numbers = [host.function(function) for function in functions]
        # of another run, which goes on
        others = host.function(self.other)
        engine.says = [["enter", id, number, "run", f"main/{id}", None, 0] for id, number in zip(scopes, numbers)]
        engine.says += [["enter", 99, others, "other", "main", None, 0], ["over", "run", scopes]]
        before = threading.active_count()
        host.serve([])
        kept = [list(host._under_way), [scope.id for scope, _ in host._waiting.values()], len(host._waits), list(host._unawaited._of)]
        self.assertEqual(kept, [[99], [99], 1, [99]])
        self.assertEqual(threading.active_count(), before)
        engine.says = [["over", "other", [99]]]
        host.serve([])
        host._loop.close()
        return [said[0] for said in engine.heard if said[0] in ("end", "note")]

    async def other(self) -> None:
        await run.sleep("1h")

    def test_those_that_wait_for_calls(self) -> None:
        told: list[str] = []

        async def awaiting() -> None:
            try:
                await run.sleep("1h")
            finally:
                told.append("async")

        def plain() -> None:
            try:
                run.sleep("1h").result()
            finally:
                told.append("plain")

        async def gathering() -> None:
            await asyncio.gather(run.sleep("1h"), asyncio.ensure_future(awaiting()))

        self.assertEqual(self.left(awaiting, plain, gathering, lambda: run.sleep("1h")), [])
        self.assertEqual(sorted(told), ["async", "async", "plain"])

    def test_those_that_wait_for_what_is_no_call(self) -> None:
        async def standing() -> None:
            await asyncio.Event().wait()

        self.assertEqual(self.left(standing), [])

    def test_those_that_would_go_on(self) -> None:
        def plain() -> None:
            try:
                run.sleep("1h").result()
            finally:
                run.sleep("2h").result()

        async def awaiting() -> None:
            while True:
                try:
                    await run.sleep("1h")
                except BaseException:
                    continue

        self.assertEqual(self.left(plain, awaiting), [])
        # what swallows its own end is not closed, which would never end
        gc.collect()


if __name__ == "__main__":
    unittest.main()
