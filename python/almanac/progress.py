"""How far a run is, while it goes on: in the cell of a notebook, or on the terminal."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Mapping

from .shown import progress_html

__all__ = ["display", "in_notebook", "message_of"]

#: failures that are shown while it goes on, and seconds between two looks at most
_FAILURES = 5
_PAUSE = 0.1


def message_of(error: Mapping[str, Any]) -> str:
    """With its type: of a KeyError the message alone is no more than a name."""
    kind, message = error.get("type"), error["message"]
    return str(message) if kind in (None, message) else f"{kind}: {message}"


def in_notebook() -> bool:
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython  # type: ignore[import-not-found]

    return getattr(get_ipython(), "kernel", None) is not None


def display(name: str, progress: bool | None) -> Callable[[dict[str, Any]], None]:
    """Shows how far it is, in the cell or on the terminal."""
    notebook = in_notebook()
    wanted = progress if progress is not None else (notebook or sys.stderr.isatty())
    if not wanted:
        return lambda told: None
    draw = _cell(name) if notebook else _line(name)
    last: dict[str, Any] = {}
    failures: list[str] = []
    drawn = 0.0
    run = ""

    def show(told: dict[str, Any]) -> None:
        nonlocal last, drawn, run
        kind = told["kind"]
        if kind == "started":
            run = told["id"]
        if kind == "failure" and told["final"] and len(failures) < _FAILURES:
            entry = "" if told["entry"] is None else f" {told['entry']}"
            failures.append(f"{told['task']}{entry}: {message_of(told['error'])}")
        elif kind in ("progress", "run"):
            last = {**told, "id": run}
        now = time.monotonic()
        if kind == "run" or now - drawn > _PAUSE:
            drawn = now
            draw(last, failures, kind == "run")

    return show


def _line(name: str) -> Callable[[dict[str, Any], list[str], bool], None]:
    def draw(told: dict[str, Any], failures: list[str], ended: bool) -> None:
        counts = told.get("counts", {})
        text = " · ".join(f"{count} {state}" for state, count in counts.items() if count)
        print(f"\r\033[K{name} {text}", end="\n" if ended else "", file=sys.stderr, flush=True)

    return draw


def _cell(name: str) -> Callable[[dict[str, Any], list[str], bool], None]:
    from IPython.display import HTML, display as shown_in  # type: ignore[import-not-found]

    began = time.monotonic()
    handle: Any = shown_in(HTML(progress_html(name, {}, 0, [])), display_id=True)

    def draw(told: dict[str, Any], failures: list[str], ended: bool) -> None:
        handle.update(HTML(progress_html(name, told, time.monotonic() - began, failures)))

    return draw
