"""Runs of a project, for programs beside them: which there are, what they ask, and an end to one."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Mapping

from .._flow.workflows import Workflow
from .._model.wire import encode
from .commands import in_project

__all__ = ["Ask", "RunRecord", "answer", "asks", "cancel", "runs"]


@dataclass(frozen=True)
class RunRecord:
    """
    A run as it stands. `state` is one of docs/states.md, or "interrupted": no process has it any more. `next` is the
    command that goes on with it, `error` what it failed with.

    ```python
    from almanac import run, runs, workflow

    @workflow
    async def main(n: int):
        return n

    if __name__ == "__main__":
        run(main, n=4)
        last = runs(main)[0]
        print(last.workflow, last.state, last.error, last.next)  # prints main succeeded None None
    ```
    """

    id: str
    workflow: str
    state: str
    executed: int
    reused: int
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    error: str | None = None
    next: str | None = None


class _RunRecords(list[RunRecord]):
    """A notebook shows them as a table."""

    def _repr_html_(self) -> str:
        from .._notebook.displays import runs_html

        return runs_html(self)


def runs(
    workflow: Workflow[..., Any] | str | None = None, *, limit: int = 20, project: str | None = None
) -> list[RunRecord]:
    """
    Runs of a project, newest first: all, or those of a workflow, or of all workflows of a name. The project is that of the
    workflow, or of the working directory, if none is named. Raises `AlmanacError`.

    ```python
    from almanac import run, runs, workflow

    @workflow
    async def main(n: int):
        return n

    if __name__ == "__main__":
        print([run(main, n=n).id for n in (1, 2)] == [one.id for one in reversed(runs(main))])  # prints True
    ```
    """
    # most programs do not ask, and it takes a while to import
    from .._notebook import cells

    words = ["runs", "--limit", str(limit)]
    if isinstance(workflow, Workflow):
        file = workflow.place[0]
        words += ["--workflow", workflow.name]
        words += ["--file", file if os.path.isfile(file) else cells.path_of(workflow.function)]
    elif workflow is not None:
        words += ["--workflow", workflow]
    return _RunRecords(_record(told) for told in in_project(words, project) if told["kind"] == "run")


def cancel(run: str, *, project: str | None = None) -> None:
    """
    Cancels a run, by its id or `"last"`: the process that has it is asked to, and its clean-up is executed; one that rests
    is cancelled at once. Raises `AlmanacError`.

    ```python
    from almanac import cancel, run, runs, workflow

    @workflow
    async def main():
        return await run.ask({"accept": bool}, title="Is it good?")

    if __name__ == "__main__":
        waiting = run(main)
        cancel(waiting.id)
        print(waiting.state, runs(main)[0].state)  # prints waiting cancelled
    ```
    """
    in_project(["cancel", run], project)


@dataclass(frozen=True)
class Ask:
    """
    What a run asks a person: `call` is the call that waits for it, `schema` the JSON Schema of the answer, `shown` is to be
    judged, a line each.

    ```python
    from almanac import Ask

    if __name__ == "__main__":
        ask = Ask(call=3, title="Is it good?", schema={"type": "boolean"}, shown=("range  13",))
        print(ask.title, *ask.shown)  # prints Is it good? range  13
    ```
    """

    call: int
    title: str
    schema: Mapping[str, Any]
    shown: tuple[str, ...] = ()
    to: str | None = None


def asks(run: str, *, project: str | None = None) -> list[Ask]:
    """
    What a run asks, by its id or `"last"`, and nobody has answered. Raises `AlmanacError`.

    ```python
    from almanac import asks, run, workflow

    @workflow
    async def main():
        return await run.ask({"accept": bool}, title="Is it good?", show={"range": 13})

    if __name__ == "__main__":
        print([(ask.title, ask.shown) for ask in asks(run(main).id)])  # prints [('Is it good?', ('range  13',))]
    ```
    """
    return [
        Ask(told["call"], told["title"], told["schema"], tuple(told["shown"]), told.get("to"))
        for told in in_project(["answer", run], project)
        if told["kind"] == "ask"
    ]


def answer(
    run: str, value: Any, *, call: int | None = None, by: str | None = None, project: str | None = None
) -> None:
    """
    Answers what a run asks (`run.ask`), by its id or `"last"`; `call` says which question, where several are open. The
    answer is kept when this returns; a process that has the run goes on, else `almanac.resume` does. Raises `AlmanacError`
    (`ALM_SCHEMA`) where it is not what was asked for: the question stays open.

    ```python
    from almanac import answer, resume, run, workflow

    @workflow
    async def main():
        verdict = await run.ask({"accept": bool}, title="Is it good?")
        return verdict["accept"]

    if __name__ == "__main__":
        waiting = run(main)
        answer(waiting.id, {"accept": True})
        print(resume(main).output)  # prints True
    ```
    """
    words = ["answer", run, *([] if call is None else [str(call)]), "-", *([] if by is None else ["--by", by])]
    in_project(words, project, json.dumps(encode(value, "an answer"), allow_nan=False))


def _record(told: Mapping[str, Any]) -> RunRecord:
    # with it comes what cells show, which most programs do not need
    from .progress import message_of

    error = told.get("error")
    return RunRecord(
        told["id"],
        told["workflow"],
        told["state"],
        told["executed"],
        told["reused"],
        _time(told["createdAt"]),
        started=_time(told.get("startedAt")),
        ended=_time(told.get("endedAt")),
        name=told.get("name"),
        tags=tuple(told["tags"]),
        error=None if error is None else message_of(error),
        next=told["next"],
    )


def _time(ms: int | None) -> Any:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, timezone.utc)
