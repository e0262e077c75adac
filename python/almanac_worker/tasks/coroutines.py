"""Results of coroutine functions."""

from __future__ import annotations

from typing import Any

from .task import Task

__all__ = ["finished"]


def finished(value: Any, task: Task | None = None) -> Any:
    """The result of a coroutine function is what its coroutine gives. `task`: of a thread, which no signal wakes."""
    kind = type(value)
    # of the type: a value may have whatever is asked of it
    if kind is not int and hasattr(kind, "cr_frame"):
        import asyncio

        return asyncio.run(value if task is None else _woken(value, task))
    return value


async def _woken(coroutine: Any, task: Task) -> Any:
    import asyncio

    task.loop = asyncio.get_running_loop()
    return await coroutine
