"""The graph of a run as a picture, with colours of its own: it is the same in every theme."""

from __future__ import annotations

import base64
from typing import Any, Mapping

from .markup import FAINT, FONT, colour, text

__all__ = ["TASKS", "Graph"]

#: tasks that are drawn, and letters of a name; both are in the text
TASKS = 80
_LETTERS = 40


class Graph:
    """Tasks of a run, and what they take from each other. As text it is a Mermaid flowchart."""

    def __init__(self, tasks: list[Mapping[str, Any]]) -> None:
        self.tasks = tasks

    def __str__(self) -> str:
        ids = {task["name"]: f"t{index}" for index, task in enumerate(self.tasks)}
        lines = ["flowchart LR"]
        for task in self.tasks:
            label = (task["name"] + _times(task)).replace('"', "#quot;")
            lines.append(f'  {ids[task["name"]]}["{label}"]')
        for task in self.tasks:
            lines += [f'  {ids[one]} --> {ids[task["name"]]}' for one in task["inputs"] if one in ids]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<graph of {len(self.tasks)} tasks>"

    def _repr_svg_(self) -> str:
        tasks = self.tasks[:TASKS]
        column = _columns(tasks)
        places: dict[str, tuple[float, float, float]] = {}
        at = 2.0
        height = 0.0
        for level in range(max(column.values(), default=-1) + 1):
            there = [task for task in tasks if column[task["name"]] == level]
            width = max(len(_label(task)) for task in there) * 7.2 + 24
            for row, task in enumerate(there):
                places[task["name"]] = at, 2 + row * 44.0, width
                height = max(height, 2 + row * 44.0 + 32)
            at += width + 48
        lines = [edge for task in tasks for edge in _edges(task, places)]
        boxes = [_box(task, *places[task["name"]]) for task in tasks]
        width, height = max(at - 46, 1), height + 2
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="system-ui,sans-serif" font-size="12">'
            f'{"".join(lines)}{"".join(boxes)}</svg>'
        )

    def _repr_html_(self) -> str:
        # an image: SVG among HTML is taken apart where the notebook is not trusted
        drawn = base64.b64encode(self._repr_svg_().encode()).decode("ascii")
        alt = ", ".join(task["name"] + _times(task) for task in self.tasks[:TASKS])
        more = len(self.tasks) - TASKS
        return (
            f'<div style="overflow:auto;margin:6px 0;{FONT}"><img style="max-width:none;vertical-align:top" '
            f'alt="{text(alt)}" src="data:image/svg+xml;base64,{drawn}"></div>'
        ) + (f'<div style="{FONT};{FAINT}">and {more} more tasks</div>' if more > 0 else "")


def _times(task: Mapping[str, Any]) -> str:
    return f" × {task['calls']}" if task["calls"] > 1 else ""


def _label(task: Mapping[str, Any]) -> str:
    name = task["name"]
    return (name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…") + _times(task)


def _columns(tasks: list[Mapping[str, Any]]) -> dict[str, int]:
    """How far from the beginning each is: tasks that take from each other in a circle, as in a loop, are side by side."""
    column = {str(task["name"]): 0 for task in tasks}
    for _ in tasks:
        changed = False
        for task in tasks:
            before = [column[one] for one in task["inputs"] if one in column and one != task["name"]]
            least = max(before, default=-1) + 1
            if column[task["name"]] < least < len(tasks):
                column[task["name"]] = least
                changed = True
        if not changed:
            break
    # levels that a circle has left empty
    used = {level: index for index, level in enumerate(sorted(set(column.values())))}
    return {name: used[level] for name, level in column.items()}


def _edges(task: Mapping[str, Any], places: Mapping[str, tuple[float, float, float]]) -> list[str]:
    x2, y2, _ = places[task["name"]]
    drawn = []
    for one in task["inputs"]:
        if one not in places or one == task["name"]:
            continue
        x1, y1, width = places[one]
        start, middle = x1 + width, (x1 + width + x2) / 2
        curve = f"M{start:.0f} {y1 + 16:.0f} C{middle:.0f} {y1 + 16:.0f} {middle:.0f} {y2 + 16:.0f} {x2:.0f} {y2 + 16:.0f}"
        drawn.append(f'<path d="{curve}" fill="none" stroke="#8a8a8a" stroke-width="1.5"/>')
    return drawn


def _box(task: Mapping[str, Any], x: float, y: float, width: float) -> str:
    states = task.get("states") or {}
    worst = next((one for one in ("failed", "cancelled", "running", "waiting") if states.get(one)), "succeeded")
    title = ", ".join(f"{count} {state}" for state, count in states.items())
    place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="32" rx="6"'
    return (
        f'<g><title>{text(title)}</title><rect {place} fill="#fff"/>'
        f'<rect {place} fill="{colour(worst)}" fill-opacity=".12" stroke="{colour(worst)}"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 20:.0f}" text-anchor="middle" fill="#111">{text(_label(task))}</text></g>'
    )
