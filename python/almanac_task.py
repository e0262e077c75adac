"""Says things about the task that is running: `from almanac_task import event, metric, artifact, progress, heartbeat`.

For convenience only. Within Almanac's Python worker, and in any program that has `ALMANAC_EVENTS`, each call is one
line for the run; anywhere else, as in a test or a notebook, it does nothing.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable

__all__ = ["event", "metric", "artifact", "progress", "heartbeat"]

# set by the worker: takes the line of the task that runs in this thread
_deliver: Callable[[str], bool] | None = None


def event(name: str, **body: Any) -> None:
    """A named event with plain values."""
    _say({"type": "event", "name": name, "body": body})


def metric(name: str, value: float, *, step: float | None = None) -> None:
    """A number to compare runs by."""
    _say({"type": "metric", "name": name, "value": float(value), **({} if step is None else {"step": float(step)})})


def artifact(name: str, kind: str, **body: Any) -> None:
    """
    Something to show: `kind="markdown", text=…`, or `table` with rows, `image` with path, `link` with url, `plot` with spec.
    It is kept with the run; of an image what its file holds when the task ends.
    """
    if kind == "image" and _deliver is not None and "path" in body:
        # where the engine is, is another directory
        body["path"] = os.path.abspath(body["path"])
    _say({**body, "type": "artifact", "name": name, "kind": kind})


def progress(done: float, total: float | None = None) -> None:
    """How far it is."""
    _say({"type": "progress", "done": float(done), **({} if total is None else {"total": float(total)})})


def heartbeat() -> None:
    """A sign of life in a long step."""
    _say({"type": "heartbeat"})


def _say(body: dict[str, Any]) -> None:
    try:
        line = json.dumps(body, default=_plain, allow_nan=False)
    except ValueError:
        # JSON has no such numbers: they are texts, as the engine takes them
        line = json.dumps(json.loads(json.dumps(body, default=_plain), parse_constant=str))
    if _deliver is not None and _deliver(line):
        return
    path = os.environ.get("ALMANAC_EVENTS")
    if path:
        # one write of a whole line: appends of several processes do not mix
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, (line + "\n").encode("utf-8"))
        finally:
            os.close(file)


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
