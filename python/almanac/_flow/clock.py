"""Time and chance, as a workflow may know them: remembered, so that they are the same when it goes on."""

from __future__ import annotations

import datetime

from .._model.caller import current
from .._model.futures import Future
from .options import Duration, milliseconds

__all__ = ["sleep", "now", "random"]


def sleep(duration: Duration) -> Future[None]:
    """
    Waits, durably: seconds, a `timedelta`, or a text like "10m". After a crash it goes on where it was.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        await run.sleep("10ms")
        return "awake"  # gives "awake"
    ```
    """
    return current("sleep").ask("sleep", {"duration": milliseconds(duration)}, "sleep")


def now() -> Future[datetime.datetime]:
    """
    The time, UTC, remembered: the same when the run goes on.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        began = await run.now()
        return began <= await run.now()  # gives true
    ```
    """
    return current("now").ask("now", {}, "now")


def random() -> Future[float]:
    """
    A number from 0 to 1, remembered: the same when the run goes on.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        seed = await run.random()
        return 0 <= seed < 1  # gives true
    ```
    """
    return current("random").ask("random", {}, "random")
