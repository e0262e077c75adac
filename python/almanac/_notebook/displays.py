"""What a notebook displays of runs: HTML of our own, without anything from the network."""

from __future__ import annotations

import datetime
import json
import os
import reprlib
from typing import Any, Iterable, Mapping, Sequence

from .artifact import Artifact, image, picture
from .graph import TASKS, Graph
from .markup import FAINT, FONT, code, colour, folded, state, table, text

__all__ = ["failure_html", "progress_html", "run_html", "runs_html"]

#: artifacts of a run that are shown, and letters of all its pictures: a notebook keeps them
_ARTIFACTS = 30
_LETTERS = 24 << 20
#: letters of a failure in a line
_ERROR = 200

#: of a row of a task
_CELL = f"{FONT};padding:0 8px 0 0;border:none;text-align:left;background:none"

#: letters of what a run gave
_VALUE = 500
_value = reprlib.Repr()
_value.maxlevel = 3
_value.maxlist = _value.maxtuple = _value.maxdict = 12
_value.maxstring = _value.maxother = 200


def progress_html(
    name: str,
    told: Mapping[str, Any],
    seconds: float,
    failures: list[str],
    warnings: Sequence[str] = (),
    seen: datetime.datetime | None = None,
) -> str:
    """
    How far a run and its tasks are, what failed, what is warned of, and what it asks people meanwhile. `seen`: when that was,
    of a run that goes on: of a kernel that is restarted the cell stays as it is.
    """
    counts = {state: count for state, count in told.get("counts", {}).items() if count}
    words = " · ".join(f'<span style="color:{colour(one)}">{counts[one]} {text(one)}</span>' for one in _in_order(counts))
    if told.get("reused"):
        words = f"{words} · {told['reused']} reused" if words else f"{told['reused']} reused"
    if not words:
        words = state(told["state"]) if "state" in told else "…"
    lines = "".join(f'<div style="color:{colour("failed")}">✗ {text(one)}</div>' for one in failures)
    lines += "".join(f'<div style="color:{colour("paused")}">! {text(one)}</div>' for one in warnings)
    for title in told.get("asks", []):
        lines += f"<div>? <b>{text(title)}</b> {code(told['next'])}</div>"
    at = "" if seen is None else f", seen at {seen:%H:%M:%S}"
    run = f' <code style="{FAINT}">{text(told["id"])}</code>' if told.get("id") else ""
    # as high without calls as with them: what is below does not move
    return (
        f'<div style="{FONT}"><b>{text(name)}</b> {words} <span style="{FAINT}">· {seconds:.0f} s{at}</span>{run}'
        f"{_bar(counts, sum(counts.values()))}{_task_bars(told.get('tasks') or [])}{lines}</div>"
    )


def _in_order(counts: Mapping[str, int]) -> list[str]:
    order = ["succeeded", "failed", "cancelled", "running", "waiting"]
    return sorted(counts, key=lambda one: order.index(one) if one in order else len(order))


def _bar(counts: Mapping[str, int], whole: int) -> str:
    parts = "".join(
        f'<span style="display:inline-block;height:8px;width:{100 * counts[one] / (whole or 1):.2f}%;background:{colour(one)}"></span>'
        for one in _in_order(counts)
    )
    return f'<div style="width:320px;max-width:100%;height:8px;font-size:0;line-height:0;background:#9e9e9e33">{parts}</div>'


def _task_bars(tasks: Sequence[Mapping[str, Any]]) -> str:
    """A row a task; of one alone the bar of the run says it."""
    if len(tasks) < 2:
        return ""
    rows = "".join(
        f'<tr><td style="{_CELL}">{_bar(task["counts"], task["total"])}</td>'
        f'<td style="{_CELL}">{sum(task["counts"].values())}/{task["total"]}</td>'
        f'<td style="{_CELL}">{"all others" if task["name"] is None else text(task["name"])}</td></tr>'
        for task in tasks
    )
    return f'<table style="margin:2px 0;border:none;border-collapse:collapse">{rows}</table>'


def failure_html(message: str, traceback: str | None, notes: Sequence[str]) -> str:
    """What a run failed with, where, and what to do."""
    stack = "" if traceback is None else folded("Traceback", f"<pre>{text(traceback)}</pre>")
    lines = "".join(f"<div>{text(note)}</div>" for note in notes)
    return f'<div style="{FONT}"><div style="color:{colour("failed")}">✗ {text(message)}</div>{stack}{lines}</div>'


def run_html(told: Mapping[str, Any]) -> str:
    """A run that has ended or rests: what it is, gave and waits for, its tasks, figures and artifacts, and its graph."""
    lasting = f"{told['executed']} executed · {told['reused']} reused · {told['seconds']:.2f} s"
    parts = [
        f'<div style="{FONT}"><b>{text(told["workflow"])}</b> {state(told["state"])} · {lasting} '
        f'<code style="{FAINT}">{text(told["id"])}</code></div>'
    ]
    if told.get("directory") is not None:
        parts.append(f'<div style="{FONT}">{code(told["directory"])}</div>')
    if told.get("output") is not None:
        gave = _value.repr(told["output"])
        parts.append(f'<div style="{FONT}">gave {code(gave if len(gave) <= _VALUE else gave[:_VALUE] + "…")}</div>')
    asks = told.get("asks", [])
    parts += [_ask(told["id"], ask, len(asks) > 1) for ask in asks]
    if told.get("next") is not None:
        goes_on = code(f"almanac.resume({told.get('function', '')})")
        parts.append(f'<div style="{FONT}">{"" if asks else code(told["next"]) + ", and "}{goes_on} goes on</div>')
    graph: Graph | None = told.get("graph")
    if graph is not None and graph.tasks:
        parts += [graph._repr_html_(), folded("Tasks", _tasks(graph))]
    metrics: Mapping[str, Any] = told.get("metrics") or {}
    if metrics:
        parts.append(table(["metric", "value"], [[text(name), text(one["value"])] for name, one in metrics.items()]))
    artifacts = list((told.get("artifacts") or {}).values())
    parts += _pictures(told.get("files", {}), artifacts[-_ARTIFACTS:])
    if len(artifacts) > _ARTIFACTS:
        rest = f"the last {_ARTIFACTS} of {len(artifacts)} artifacts"
        parts.append(f'<div style="{FONT};{FAINT}">{rest}: all are in <code>artifacts</code> of the run</div>')
    return f'<div>{"".join(parts)}</div>'


def runs_html(runs: Iterable[Any]) -> str:
    """Runs of a project, a line each."""
    rows = [
        [
            code(run.id),
            text(run.workflow if run.name is None else f"{run.workflow} · {run.name}"),
            state(run.state),
            text(run.executed),
            text(run.reused),
            f"{run.created.astimezone():%Y-%m-%d %H:%M:%S}",
            "" if run.started is None or run.ended is None else f"{(run.ended - run.started).total_seconds():.2f} s",
            text((run.error or "")[:_ERROR]),
            "" if run.next is None else code(run.next),
        ]
        for run in runs
    ]
    return table(["run", "workflow", "state", "executed", "reused", "created", "took", "error", "next"], rows)


def _ask(run: str, ask: Mapping[str, Any], one_of_many: bool) -> str:
    lines = "".join(f'<div style="{FAINT}">{text(line)}</div>' for line in ask.get("shown", []))
    pictures = "".join(f"<div>{picture(path, name) or ''}</div>" for name, path in ask.get("files", {}).items())
    fields = ask.get("schema", {}).get("properties")
    value = "…" if not fields else "{" + ", ".join(f"{json.dumps(name)}: …" for name in fields) + "}"
    call = f", call={ask['call']}" if one_of_many else ""
    answer = code(f'almanac.answer("{run}", {value}{call})')
    return f'<div style="{FONT};margin:4px 0">? <b>{text(ask["title"])}</b>{lines}{pictures}<div>{answer}</div></div>'


def _tasks(graph: Graph) -> str:
    rows = [
        [
            text(task["name"]),
            " · ".join(f"{count} {state(of)}" for of, count in (task.get("states") or {}).items()),
            text(task["executed"]),
            text(task["reused"]),
        ]
        for task in graph.tasks[:TASKS]
    ]
    return table(["task", "calls", "executed", "reused"], rows)


def _pictures(files: Mapping[str, Any], artifacts: Sequence[Artifact]) -> list[str]:
    """Outputs and artifacts, each once: what a task shows it often gives, too."""
    shown = [one.body.get("path") for one in artifacts if one.kind == "image"]
    things = [(name, image(path, name)) for name, path in files.items() if not any(_same(path, one) for one in shown)]
    things += [(one.name, one.html) for one in artifacts]
    parts, letters = [], 0
    for name, inner in things:
        letters += len(inner)
        if letters > _LETTERS:
            parts.append(f'<div style="{FONT};{FAINT}">more is in <code>output</code> and <code>artifacts</code> of the run</div>')
            break
        parts.append(f'<div style="{FONT};margin-top:8px"><b>{text(name)}</b></div>{inner}')
    return parts


def _same(one: Any, other: Any) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, TypeError):
        return False
