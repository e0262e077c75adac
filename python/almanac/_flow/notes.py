"""What a workflow says of itself: events, figures, things to show. It is kept as it is said, so all of it must be known."""

from __future__ import annotations

from typing import Any, Callable

from .._model.caller import current
from .._model.futures import Future
from .._model.values import File
from .._types.results import has_futures
from ..errors import refused

__all__ = ["event", "metric", "artifact", "progress"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


#: what each kind of artifact must have
_ARTIFACTS: dict[str, tuple[str, str, Callable[[Any], bool]]] = {
    "markdown": ("text", "a text", _is_text),
    "table": ("rows", "a list of dicts", lambda rows: isinstance(rows, (list, tuple)) and all(isinstance(row, dict) for row in rows)),
    "image": ("path", "a file that a task left, or an input", lambda path: isinstance(path, File)),
    "link": ("url", "a text", _is_text),
    "plot": ("spec", "a dict", lambda spec: isinstance(spec, dict)),
}


def event(name: str, **body: Any) -> None:
    """
    Something that happened, by name, with plain values. `almanac logs RUN` shows it.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        run.event("calibrated", gain=1.2)
        return "done"  # gives "done"
    ```
    """
    current("event").note("event", name, _known(f"event {name!r}", body))


def metric(name: str, value: float, *, step: int | None = None) -> None:
    """
    A figure, kept for comparing runs; `step` where there are several, in order.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        for step, loss in enumerate([0.9, 0.5]):
            run.metric("loss", loss, step=step)
        return loss  # gives 0.5
    ```
    """
    current("metric").note("metric", name, {"value": float(value), **({} if step is None else {"step": step})})


def artifact(name: str, kind: str, **body: Any) -> None:
    """
    Something to show: `kind="markdown", text=…`, or `table` with `rows`, `image` with `path` (a file that a task gave), `link`
    with `url`, `plot` with `spec`. `almanac show RUN` lists them. Raises `WorkflowRefused` (`ALM_VALUE_REFUSED`).

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        rows = [{"station": "LM", "gain": 1.2}]
        run.artifact("gains", "table", rows=rows)
        return len(rows)  # gives 1
    ```
    """
    what = f"artifact {name!r}"
    if kind not in _ARTIFACTS:
        raise refused(f"{what}: no kind is {kind!r}", f"There are {_kinds()}.")
    field, wanted, fits = _ARTIFACTS[kind]
    if field not in body:
        raise refused(f"{what}: {kind} needs {field}", f"There are {_kinds()}.")
    if not fits(_known(what, body)[field]):
        raise refused(f"{what}: {field} is {wanted}, and not {_short(body[field])}", _IMAGES if kind == "image" else "Pass plain values.")
    current("artifact").note("artifact", name, {"kind": kind, **body})


_IMAGES = "Take the file as an input, or show it in the task that makes it: `from almanac_task import artifact`."


def progress(done: float, total: float | None = None) -> None:
    """
    How far it is: `done` of `total`, in whatever they are counted.

    ```python
    from almanac import run, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main():
        total = 0
        for done, n in enumerate([1, 2, 3], start=1):
            total += await double(n)
            run.progress(done, 3)
        return total  # gives 12
    ```
    """
    current("progress").note("progress", "progress", {"done": done, **({} if total is None else {"total": total})})


def _kinds() -> str:
    return ", ".join(f"{kind} with {field}" for kind, (field, *_) in _ARTIFACTS.items())


def _known(what: str, body: dict[str, Any]) -> dict[str, Any]:
    if has_futures(body):
        field = next(name for name, value in body.items() if has_futures(value))
        future = f"the future of {body[field]._name}" if isinstance(body[field], Future) else "a future"
        raise refused(f"{what}: {field} is not known yet: it has {future}", "Await it first.", "ALM_FUTURE_AS_TEXT")
    return body


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
