"""What a workflow can do besides calling tasks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Mapping, Sequence, TypeVar, overload

from .._flow.clock import now, random, sleep
from .._flow.documents import context
from .._flow.foreign_workflows import ForeignWorkflow
from .._flow.notes import artifact, event, metric, progress
from .._flow.options import Duration, milliseconds
from .._flow.workflows import Workflow, stage
from .._model.caller import current
from .._model.futures import Future
from .._types import results, schemas
from ..errors import AlmanacError

if TYPE_CHECKING:
    # imported where a run is asked for: it takes longer than all else here, and workflows ask for none
    from .ended_run import Run

__all__ = ["resume", "resume_async", "run", "run_async"]

T = TypeVar("T")


class Callback:
    """What `run.callback` gives: `url` is where to post to, `posted` what is posted."""

    __slots__ = ("url", "posted")

    def __init__(self, url: Future[str], posted: Future[Any]) -> None:
        self.url = url
        self.posted = posted


class Runs:
    """
    `run(workflow, …)` runs a workflow from a program, a test or a notebook; `run.ask`, `run.sleep` and the others are
    for the workflow itself, and raise `AlmanacError` (`ALM_OUTSIDE`) outside of one.

    ```python
    from almanac import run, workflow

    @workflow
    async def main():
        begun = await run.now()  # the same when the run goes on
        await run.sleep("10ms")
        run.metric("share", await run.random(), step=1)
        run.artifact("note", "markdown", text="It **went on**.")
        run.event("slept", at=begun)
        run.progress(1, 2)
        return (await run.now()) > begun  # gives true
    ```
    """

    context = staticmethod(context)
    stage = staticmethod(stage)
    sleep = staticmethod(sleep)
    now = staticmethod(now)
    random = staticmethod(random)
    event = staticmethod(event)
    metric = staticmethod(metric)
    artifact = staticmethod(artifact)
    progress = staticmethod(progress)

    @overload
    def ask(
        self,
        schema: type[T],
        *,
        title: str,
        show: Any = None,
        timeout: Duration | None = None,
        to: str | None = None,
        key: str | None = None,
    ) -> Future[T]: ...
    @overload
    def ask(
        self,
        schema: Mapping[str, Any],
        *,
        title: str,
        show: Any = None,
        timeout: Duration | None = None,
        to: str | None = None,
        key: str | None = None,
    ) -> Future[dict[str, Any]]: ...
    def ask(
        self,
        schema: Any,
        *,
        title: str,
        show: Any = None,
        timeout: Duration | None = None,
        to: str | None = None,
        key: str | None = None,
    ) -> Future[Any]:
        """
        A typed question to a person. `schema` is a type, which the answer is, or a dict of types by name: one like
        `str | None` may be left out, and is None then. The run rests until `almanac answer`; after `timeout` it fails
        (`ALM_ASK_TIMEOUT`). Equal questions need a `key` each.

        ```python
        from dataclasses import dataclass

        from almanac import run, workflow

        @dataclass
        class Verdict:
            accept: bool
            why: str = ""

        @workflow
        async def main():
            verdict = await run.ask(Verdict, title="Is the image good?", show={"range": 13}, timeout="2d")
            return verdict.why if not verdict.accept else "good"  # almanac answer last accept=true
        ```
        """
        details = {"schema": schemas.schema(schema), "title": title, "show": show, "timeout": milliseconds(timeout), "to": to}
        return current("ask").ask("ask", details, "ask", key=key, shape=results.of_type(schema))

    @overload
    def receive(
        self, name: str, schema: type[T], *, timeout: Duration | None = None, key: str | None = None
    ) -> Future[T]: ...
    @overload
    def receive(
        self, name: str, schema: Mapping[str, Any], *, timeout: Duration | None = None, key: str | None = None
    ) -> Future[dict[str, Any]]: ...
    def receive(
        self, name: str, schema: Any, *, timeout: Duration | None = None, key: str | None = None
    ) -> Future[Any]:
        """
        The next message to this run by that name that no call has received: of `almanac send`, of `almanac.send`, or of
        another run. `schema` is a type, which the message is, or a dict of types by name: one like `bool | None` may be
        left out, and is None then. Messages are received once each, in the order in which they came, whether the run
        asked before or not. The run rests until one is there; after `timeout` the call fails (`ALM_RECEIVE_TIMEOUT`).
        Equal calls that wait at once need a `key` each.

        ```python
        from almanac import run, workflow

        @workflow
        async def main():
            gain = 1.0
            while True:
                steer = await run.receive("steer", {"gain": float, "done": bool | None})
                gain = steer["gain"]
                if steer["done"]:
                    return gain  # almanac send last steer gain=2, and at last: gain=3 done=true
        ```
        """
        details = {"name": name, "schema": schemas.schema(schema), "timeout": milliseconds(timeout)}
        return current("receive").ask("receive", details, name, key=key, shape=results.of_type(schema))

    def send(self, name: str, value: Any = None, *, to: str | None = None, key: str | None = None) -> Future[None]:
        """
        A message out of the run, for whoever reads them (`almanac messages RUN -f`, `almanac.messages`), or `to` another run
        of the project, which receives it by `run.receive`. It is sent once, when all that it depends on is durable,
        whatever happens to the process.

        ```python
        from almanac import run, task, workflow

        @task
        def find(n: int) -> float:
            return n * n

        @workflow
        async def main():
            for n in (1, 2):
                await run.send("found", {"peak": find(n)})
            return 2  # gives 2
        ```
        """
        return current("send").ask("send", {"name": name, "value": value, "to": to}, name, key=key)

    def trigger(
        self,
        workflow: Workflow[..., Any] | ForeignWorkflow,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
    ) -> Future[dict[str, Any]]:
        """
        Starts a workflow as a run of its own, without waiting for it: `{"id": …, "workflow": …, "name": …}` of that run, the
        same when this one goes on. It outlives this run, and how it ends is of no consequence here. `name` and `tags` are the
        new run's. Raises `AlmanacError` (`ALM_SCHEMA`, `ALM_TRIGGER_REFUSED`, `ALM_DEPTH`) where it is awaited.

        ```python
        from almanac import run, task, workflow

        @task
        def double(n: int) -> int:
            return 2 * n

        @workflow
        async def report(n: int):
            return await double(n)

        @workflow
        async def main():
            triggered = await run.trigger(report, {"n": double(2)}, name="nightly")
            return triggered["workflow"]  # gives "report"
        ```
        """
        if not isinstance(workflow, (Workflow, ForeignWorkflow)):
            raise TypeError(f"run.trigger takes a workflow, not {workflow!r}: put @workflow on the function")
        frame = sys._getframe(1)
        at = {"file": os.path.abspath(frame.f_code.co_filename), "line": frame.f_lineno}
        if isinstance(workflow, Workflow):
            source = {"file": workflow.place[0], "name": workflow.name, "foreign": False}
        else:
            source = {"file": workflow.file, "name": workflow.export, "foreign": True}
        details = {**source, "input": dict(inputs or {}), "title": name, "tags": list(tags), "at": at}
        return current("run.trigger").ask("trigger", details, f"run.trigger({source['name']})", key=key)

    def callback(
        self, schema: Any, *, title: str = "callback", timeout: Duration | None = None, key: str | None = None
    ) -> Callback:
        """
        A URL for an outside system to post to, once, and what it posts: `schema` is a type, or a dict of types by name. Who
        has the URL may post: it holds a token that is only known where it is given to. It is known at once, and the same
        whenever the run goes on; pass it to a task. `almanac listen` takes what is posted.

        ```python
        from almanac import run, task, workflow

        @task(cache=False)
        def submit(notify: str) -> bool:
            return notify.startswith("http")

        @workflow
        async def main():
            job = run.callback({"state": str}, title="the job of the archive")
            await submit(job.url)
            return (await job.posted)["state"]
        ```
        """
        details = {"schema": schemas.schema(schema), "title": title, "timeout": milliseconds(timeout)}
        scope = current("callback")
        posted: Future[Any] = scope.ask("callback", details, "callback", key=key, shape=results.of_type(schema))
        return Callback(scope.ask("callback.url", {"of": posted}, "callback"), posted)

    def __call__(self, workflow: Workflow[..., Any], /, *arguments: str, **inputs: Any) -> Run:
        """
        Runs a workflow, with what `almanac run` takes as `arguments` (`"--parallel", "4"`), and gives a `Run`. Files and
        directories are given as `pathlib.Path`s. Raises `AlmanacError` where it fails.

        ```python
        from almanac import run, workflow

        @workflow
        async def main(n: int = 1):
            return n + 1

        if __name__ == "__main__":
            done = run(main, n=4)
            print(done.output, done.executed)  # prints 5 0
        ```
        """
        from .execution import execute

        __tracebackhide__ = True
        try:
            return execute(workflow, inputs, arguments=arguments)
        except (AlmanacError, KeyboardInterrupt) as error:
            # lines of ours say nothing to whoever reads it in a cell
            raise error.with_traceback(None) from None


run = Runs()


def resume(workflow: Workflow[..., Any], /, *arguments: str, run: str | None = None) -> Run:
    """
    Goes on with a run of a workflow that failed, was stopped, or rests, as its code is now: in a notebook, as its cells
    are now. `run` is its id; if absent it is the newest of the workflow. What holds is kept, cached or not. `arguments` are
    those of `almanac resume`. Raises `AlmanacError` where it fails.

    ```python
    from almanac import resume, run, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main(n: int):
        return await double(n)

    if __name__ == "__main__":
        run(main, n=4)
        done = resume(main)
        print(done.output, done.executed, done.reused)  # prints 8 0 1
    ```
    """
    from .execution import Resumed, execute

    __tracebackhide__ = True
    try:
        return execute(workflow, {}, arguments=arguments, resumed=Resumed(run))
    except (AlmanacError, KeyboardInterrupt) as error:
        raise error.with_traceback(None) from None


async def run_async(workflow: Workflow[..., Any], /, *arguments: str, **inputs: Any) -> Run:
    """
    `run` where an event loop goes on meanwhile. Cancelled, it stops the run.

    ```python
    import asyncio

    from almanac import run_async, workflow

    @workflow
    async def main(n: int = 1):
        return n + 1

    if __name__ == "__main__":
        print(asyncio.run(run_async(main, n=4)).output)  # prints 5
    ```
    """
    from .execution import execute_async

    __tracebackhide__ = True
    try:
        return await execute_async(workflow, inputs, arguments=arguments)
    except AlmanacError as error:
        raise error.with_traceback(None) from None


async def resume_async(workflow: Workflow[..., Any], /, *arguments: str, run: str | None = None) -> Run:
    """
    `resume` where an event loop goes on meanwhile. Cancelled, it stops the run.

    ```python
    import asyncio

    from almanac import resume_async, run_async, workflow

    @workflow
    async def main(n: int = 1):
        return n + 1

    async def program():
        await run_async(main, n=4)
        return await resume_async(main)

    if __name__ == "__main__":
        print(asyncio.run(program()).output)  # prints 5
    ```
    """
    from .execution import Resumed, execute_async

    __tracebackhide__ = True
    try:
        return await execute_async(workflow, {}, arguments=arguments, resumed=Resumed(run))
    except AlmanacError as error:
        raise error.with_traceback(None) from None
