"""Where functions stand that wait for what is no call of Almanac."""

from __future__ import annotations

import asyncio
import linecache
from types import FrameType
from typing import Any, Callable, Iterable, Iterator

from .descriptions import is_inner, is_local

#: told of together
_MOST = 5


def stall(tasks: Iterable[asyncio.Task[Any]], is_ours: Callable[[Any], bool]) -> dict[str, Any] | None:
    """The first of them, and where the others stand. `is_ours`: is it a call's outcome that is awaited?"""
    culprits = [(frames, waited) for task in tasks for frames, waited in _culprit(task, is_ours)]
    # who waits for several others waits for one of those
    culprits.sort(key=lambda one: _is_collector(one[0]))
    own = [(frames, waited) for frames, waited in culprits if any(map(is_own, frames))]
    if not own:
        return None
    frames, waited = own[0]
    last = [frame for frame in frames if is_own(frame)][-1]
    others = [_text([frame for frame in frames if is_own(frame)]) for frames, _ in own[:_MOST]]
    return {
        "what": f": {_name(frames, waited)} in {last.f_code.co_name}()",
        "file": last.f_code.co_filename,
        "line": last.f_lineno,
        "stack": "\n".join(others),
    }


def because(failed: dict[str, Any]) -> dict[str, Any]:
    """An asyncio task has raised that nobody awaits: it may have been to give what is waited for."""
    told: dict[str, Any] = {name: failed[name] for name in ("file", "line", "stack") if name in failed}
    told["what"] = f", and an asyncio task that nobody awaits raised {failed['type']}: {failed['message']}"
    return told


def _culprit(task: asyncio.Task[Any], is_ours: Callable[[Any], bool]) -> Iterator[tuple[list[FrameType], Any]]:
    waited: Any = getattr(task, "_fut_waiter", None)
    if task.done() or waited is None or is_ours(waited) or isinstance(waited, asyncio.Task):
        return
    # those of `asyncio.gather` are looked at by themselves
    if getattr(waited, "_children", None) is None:
        yield list(_frames(task.get_coro())), waited


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """From the outermost in."""
    while coroutine is not None:
        for kind, inner in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame = getattr(coroutine, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                coroutine = getattr(coroutine, inner)
                break
        else:
            return


def is_own(frame: FrameType) -> bool:
    """Is it the author's code?"""
    return is_local(frame.f_code.co_filename) and not is_inner(frame.f_code.co_filename)


def _is_collector(frames: list[FrameType]) -> bool:
    return frames[-1].f_code.co_filename in (asyncio.tasks.__file__, getattr(asyncio, "taskgroups", asyncio.tasks).__file__)


def _name(frames: list[FrameType], waited: Any) -> str:
    """What is awaited, as the author may have written it."""
    inner = frames[-1]
    if is_own(inner):
        return f"a {type(waited).__name__} of {type(waited).__module__.lstrip('_')}"
    module = inner.f_globals.get("__name__", "").partition(".")[0]
    owner = inner.f_locals.get("self")
    within = f"{type(owner).__name__}." if owner is not None else ""
    return f"{module}.{within}{inner.f_code.co_name}()"


def _text(frames: list[FrameType]) -> str:
    lines = ["It stands at (most recent call last):"]
    for frame in frames:
        file, line = frame.f_code.co_filename, frame.f_lineno
        lines.append(f'  File "{file}", line {line}, in {frame.f_code.co_name}')
        text = linecache.getline(file, line).strip()
        if text:
            lines.append(f"    {text}")
    return "\n".join(lines)
