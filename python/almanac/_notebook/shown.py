"""Runs as a notebook shows them: HTML and SVG of our own, without anything from the network."""

from __future__ import annotations

import base64
import html
import mimetypes
import os
from typing import Any, Mapping, Sequence

__all__ = ["Artifact", "Graph", "progress_html", "run_html"]

#: rows of a table, artifacts of a run, tasks of a graph and bytes of an image that are shown
_ROWS = 50
_ARTIFACTS = 30
_TASKS = 80
_IMAGE = 8 << 20

#: of a lightness that can be read on white and on black: a notebook has either
_COLOURS = {
    "succeeded": "#2e842e",
    "failed": "#da3636",
    "running": "#1976d2",
    "waiting": "#767676",
    "cancelled": "#c05600",
    "paused": "#c05600",
}
_CELL = "padding:2px 12px 2px 0;text-align:left"
_FONT = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.45"
#: of whatever theme the notebook has
_FAINT = "opacity:.65"


def _text(value: Any) -> str:
    return html.escape(str(value))


def _colour(state: str) -> str:
    return _COLOURS.get(state, _COLOURS["waiting"])


def _state(state: str) -> str:
    return f'<b style="color:{_colour(state)}">{_text(state)}</b>'


def _table(heads: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML."""
    top = "".join(f'<th style="{_CELL};font-weight:600">{_text(head)}</th>' for head in heads)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f'<table style="border-collapse:collapse;{_FONT}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


class Artifact:
    """Something that a run shows: a table, an image, a text, a link or a chart."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        self.name = name
        self.kind: str = body["kind"]
        self.body = dict(body)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown: dict[str, Any] = {"text/plain": repr(self), "text/html": self.html}
        if self.kind == "markdown":
            shown["text/markdown"] = str(self.body["text"])
            del shown["text/html"]
        elif self.kind == "plot":
            shown["application/vnd.vegalite.v5+json"] = self.body["spec"]
        return shown

    @property
    def html(self) -> str:
        body = self.body
        if self.kind == "table":
            return _rows(body["rows"])
        if self.kind == "image":
            return _image(body.get("path"), str(body.get("alt") or self.name))
        if self.kind == "link":
            url = str(body["url"])
            safe = url.startswith(("https://", "http://"))
            title = _text(body.get("title") or url)
            return f'<a href="{_text(url)}" rel="noreferrer">{title}</a>' if safe else title
        text = body["text"] if self.kind == "markdown" else body.get("spec")
        return f'<div style="white-space:pre-wrap;{_FONT}">{_text(text)}</div>'


def _rows(rows: list[Mapping[str, Any]]) -> str:
    heads = list(dict.fromkeys(str(name) for row in rows[:_ROWS] for name in row))
    cells = [[_text(row.get(name, "")) for name in heads] for row in rows[:_ROWS]]
    more = "" if len(rows) <= _ROWS else f'<div style="{_FONT};{_FAINT}">{_ROWS} of {len(rows)} rows</div>'
    return _table(heads, cells) + more


def _image(path: Any, alt: str) -> str:
    if path is None or not os.path.isfile(path):
        return f'<span style="{_FONT};{_FAINT}">{_text(alt)} is not there any more: show a file that a task gives</span>'
    kind = mimetypes.guess_type(str(path))[0] or _sniffed(path)
    if kind is None or not kind.startswith("image/") or os.path.getsize(path) > _IMAGE:
        return f'<span style="{_FONT}">{_text(alt)}: <code>{_text(path)}</code></span>'
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode("ascii")
    return f'<img alt="{_text(alt)}" style="max-width:100%" src="data:{kind};base64,{data}">'


def _sniffed(path: Any) -> str | None:
    """Content in the store has no name to tell by."""
    with open(path, "rb") as file:
        head = file.read(256)
    if head.startswith(b"\x89PNG"):
        return "image/png"
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if head.startswith(b"GIF8"):
        return "image/gif"
    return "image/svg+xml" if b"<svg" in head else None


class Graph:
    """Tasks of a run, and what they take from each other. As text it is a Mermaid flowchart."""

    def __init__(self, tasks: list[Mapping[str, Any]]) -> None:
        self.tasks = tasks

    def __str__(self) -> str:
        ids = {task["name"]: f"t{index}" for index, task in enumerate(self.tasks)}
        lines = ["flowchart LR"]
        for task in self.tasks:
            label = _label(task).replace('"', "#quot;")
            lines.append(f'  {ids[task["name"]]}["{label}"]')
        for task in self.tasks:
            lines += [f'  {ids[one]} --> {ids[task["name"]]}' for one in task["inputs"] if one in ids]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<graph of {len(self.tasks)} tasks>"

    def _repr_svg_(self) -> str:
        tasks = self.tasks[:_TASKS]
        column = _columns(tasks)
        places: dict[str, tuple[float, float, float]] = {}
        at = 10.0
        height = 0.0
        for level in range(max(column.values(), default=-1) + 1):
            there = [task for task in tasks if column[task["name"]] == level]
            width = max(len(_label(task)) for task in there) * 7.2 + 24
            for row, task in enumerate(there):
                places[task["name"]] = at, 10 + row * 44.0, width
                height = max(height, 10 + row * 44.0 + 32)
            at += width + 48
        lines = [edge for task in tasks for edge in _edges(task, places)]
        boxes = [_box(task, *places[task["name"]]) for task in tasks]
        size = f'width="{at - 38:.0f}" height="{height + 10:.0f}" viewBox="0 0 {at - 38:.0f} {height + 10:.0f}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="max-width:100%;height:auto" '
            f'font-family="system-ui,sans-serif" font-size="12">{"".join(lines)}{"".join(boxes)}</svg>'
        )

    def _repr_html_(self) -> str:
        more = len(self.tasks) - _TASKS
        return self._repr_svg_() + (f'<div style="{_FONT};{_FAINT}">and {more} more tasks</div>' if more > 0 else "")


def _label(task: Mapping[str, Any]) -> str:
    return f"{task['name']} × {task['calls']}" if task["calls"] > 1 else str(task["name"])


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
        drawn.append(f'<path d="{curve}" fill="none" stroke="#9e9e9e" stroke-width="1.5"/>')
    return drawn


def _box(task: Mapping[str, Any], x: float, y: float, width: float) -> str:
    states = task.get("states") or {}
    worst = next((one for one in ("failed", "cancelled", "running", "waiting") if states.get(one)), "succeeded")
    title = ", ".join(f"{count} {state}" for state, count in states.items())
    return (
        f'<g><title>{_text(title)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="32" rx="6" '
        f'fill="{_colour(worst)}" fill-opacity=".12" stroke="{_colour(worst)}"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 20:.0f}" text-anchor="middle" fill="currentColor">{_text(_label(task))}</text></g>'
    )


def progress_html(
    name: str, told: Mapping[str, Any], seconds: float, failures: list[str], warnings: Sequence[str] = ()
) -> str:
    """How far a run is, what failed, what is warned of, and what it asks people meanwhile."""
    counts = {state: count for state, count in told.get("counts", {}).items() if count}
    whole = sum(counts.values()) or 1
    order = ["succeeded", "failed", "cancelled", "running", "waiting"]
    states = sorted(counts, key=lambda one: order.index(one) if one in order else len(order))
    bar = "".join(
        f'<span style="display:inline-block;height:8px;width:{100 * counts[one] / whole:.2f}%;background:{_colour(one)}"></span>'
        for one in states
    )
    words = " · ".join(f'<span style="color:{_colour(one)}">{counts[one]} {_text(one)}</span>' for one in states)
    if told.get("reused"):
        words = f"{words} · {told['reused']} reused" if words else f"{told['reused']} reused"
    if not words:
        words = _state(told["state"]) if "state" in told else "…"
    lines = "".join(f'<div style="color:{_colour("failed")}">✗ {_text(one)}</div>' for one in failures)
    lines += "".join(f'<div style="color:{_colour("paused")}">! {_text(one)}</div>' for one in warnings)
    for title in told.get("asks", []):
        lines += f"<div>? <b>{_text(title)}</b> <code>almanac answer {_text(told['id'])}</code></div>"
    return (
        f'<div style="{_FONT}"><b>{_text(name)}</b> {words} <span style="{_FAINT}">{seconds:.0f} s</span>'
        f'<div style="width:320px;max-width:100%;font-size:0;line-height:0;background:#9e9e9e33">{bar}</div>{lines}</div>'
    )


def failure_html(message: str, traceback: str | None, notes: Sequence[str]) -> str:
    """What a run failed with, where, and what to do."""
    stack = "" if traceback is None else _folded("Traceback", f"<pre>{_text(traceback)}</pre>")
    lines = "".join(f"<div>{_text(note)}</div>" for note in notes)
    return f'<div style="{_FONT}"><div style="color:{_colour("failed")}">✗ {_text(message)}</div>{stack}{lines}</div>'


def run_html(told: Mapping[str, Any]) -> str:
    """A run that has ended or rests: what it is, what it waits for, its tasks, figures and artifacts, and its graph."""
    lasting = f"{told['executed']} executed · {told['reused']} reused · {told['seconds']:.2f} s"
    parts = [
        f'<div style="{_FONT}"><b>{_text(told["workflow"])}</b> {_state(told["state"])} · {lasting} '
        f'<code style="{_FAINT}">{_text(told["id"])}</code></div>'
    ]
    if told.get("directory") is not None:
        parts.append(f'<div style="{_FONT}"><code>{_text(told["directory"])}</code></div>')
    for ask in told.get("asks", []):
        lines = "".join(f'<div style="{_FAINT}">{_text(line)}</div>' for line in ask.get("shown", []))
        parts.append(f'<div style="{_FONT};margin:4px 0">? <b>{_text(ask["title"])}</b>{lines}</div>')
    if told.get("next") is not None:
        parts.append(f'<div style="{_FONT}"><code>{_text(told["next"])}</code>, and <code>almanac.resume</code> goes on</div>')
    graph: Graph | None = told.get("graph")
    if graph is not None and graph.tasks:
        rows = [
            [
                _text(task["name"]),
                " · ".join(f"{count} {_state(state)}" for state, count in (task.get("states") or {}).items()),
                _text(task["executed"]),
                _text(task["reused"]),
            ]
            for task in graph.tasks[:_TASKS]
        ]
        parts += [graph._repr_html_(), _folded("Tasks", _table(["task", "calls", "executed", "reused"], rows))]
    metrics: Mapping[str, Any] = told.get("metrics") or {}
    if metrics:
        parts.append(_table(["metric", "value"], [[_text(name), _text(one["value"])] for name, one in metrics.items()]))
    for name, file in told.get("files", {}).items():
        parts.append(f'<div style="{_FONT};margin-top:8px"><b>{_text(name)}</b></div>{_image(file, name)}')
    artifacts = list((told.get("artifacts") or {}).values())
    for artifact in artifacts[-_ARTIFACTS:]:
        parts.append(f'<div style="{_FONT};margin-top:8px"><b>{_text(artifact.name)}</b></div>{artifact.html}')
    if len(artifacts) > _ARTIFACTS:
        rest = f"the last {_ARTIFACTS} of {len(artifacts)} artifacts"
        parts.append(f'<div style="{_FONT};{_FAINT}">{rest}: all are in <code>artifacts</code> of the run</div>')
    return f'<div>{"".join(parts)}</div>'


def _folded(title: str, inner: str) -> str:
    return f'<details style="{_FONT}"><summary>{_text(title)}</summary>{inner}</details>'
