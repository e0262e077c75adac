"""How far a run is, while it goes on: in the cell of a notebook, or on the terminal."""

from __future__ import annotations

import datetime
import sys
import time
from typing import Any, Callable, Mapping

from .._notebook.displays import progress_html

__all__ = ["display", "in_notebook", "message_of", "warning_of"]

#: failures that are shown while it goes on, and seconds between two looks at most
_FAILURES = 5
_PAUSE = 0.1

_Draw = Callable[[dict[str, Any], float, list[str], list[str], bool], None]


def message_of(error: Mapping[str, Any]) -> str:
    """With its type: of a KeyError the message alone is no more than a name."""
    kind, message = error.get("type"), error["message"]
    return str(message) if kind in (None, message) else f"{kind}: {message}"


def warning_of(told: Mapping[str, Any]) -> str | None:
    """What is warned of, and in which task; None of whatever else is told."""
    if told["kind"] != "note" or told["type"] != "warning":
        return None
    body = told["body"]
    # executors have figures beside the text
    return f"{told['name']}: {body['text'] if isinstance(body, dict) and 'text' in body else body}"


def in_notebook() -> bool:
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython  # type: ignore[import-not-found]

    return getattr(get_ipython(), "kernel", None) is not None


def display(name: str, progress: bool | None) -> Callable[[dict[str, Any], list[str]], None]:
    """Shows how far it is and what it warns of, in the cell or on the terminal; warnings wherever standard error goes."""
    notebook = in_notebook()
    wanted = progress if progress is not None else (notebook or sys.stderr.isatty())
    if not wanted:
        return _warned("")
    draw = _cell(name) if notebook else _line(name)
    last: dict[str, Any] = {}
    failures: list[str] = []
    drawn = 0.0
    began = time.monotonic()
    run = ""

    def show(told: dict[str, Any], warnings: list[str]) -> None:
        nonlocal last, drawn, began, run
        kind = told["kind"]
        if kind == "started":
            # the engine takes a moment to start, which is no time of the run
            run, began = told["id"], time.monotonic()
            last = {"id": run}
        if kind == "failure" and told["final"] and len(failures) < _FAILURES:
            entry = "" if told["entry"] is None else f" {told['entry']}"
            failures.append(f"{told['task']}{entry}: {message_of(told['error'])}")
        elif kind in ("progress", "run"):
            last = {**told, "id": run}
        now = time.monotonic()
        if kind == "run" or now - drawn > _PAUSE:
            drawn = now
            draw(last, now - began, failures, warnings, kind == "run")

    return show


def _warned(before: str) -> Callable[[dict[str, Any], list[str]], None]:
    """Prints each warning once, after what makes room for it."""
    printed = 0

    def show(told: dict[str, Any], warnings: list[str]) -> None:
        nonlocal printed
        for one in warnings[printed:]:
            print(f"{before}! {one}", file=sys.stderr, flush=True)
        printed = len(warnings)

    return show


def _line(name: str) -> _Draw:
    above = _warned("\r\033[K")

    def draw(told: dict[str, Any], seconds: float, failures: list[str], warnings: list[str], ended: bool) -> None:
        above(told, warnings)
        counts = told.get("counts", {})
        text = " · ".join(f"{count} {state}" for state, count in counts.items() if count)
        print(f"\r\033[K{name} {text}", end="\n" if ended else "", file=sys.stderr, flush=True)

    return draw


def _cell(name: str) -> _Draw:
    from IPython.display import HTML, display as shown_in  # type: ignore[import-not-found]

    handle: Any = shown_in(HTML(progress_html(name, {}, 0, [])), display_id=True)

    def draw(told: dict[str, Any], seconds: float, failures: list[str], warnings: list[str], ended: bool) -> None:
        seen = None if ended else datetime.datetime.now()
        handle.update(HTML(progress_html(name, told, seconds, failures, warnings, seen)))

    return draw
