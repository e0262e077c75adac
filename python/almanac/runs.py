"""What a workflow can do besides calling tasks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Mapping, TypeVar, overload

from . import hints, results
from .calls import current
from .documents import document
from .errors import AlmanacError
from .futures import Future
from .options import Duration, milliseconds
from .workflows import stage

if TYPE_CHECKING:
    from .engine import Run
    from .values import Dir
    from .workflows import Workflow

__all__ = ["Dataset", "dataset", "sleep", "now", "random", "event", "metric", "artifact", "progress"]

T = TypeVar("T")


class Dataset:
    """Directories with versions, kept from run to run; as a workflow reads them and publishes to them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, version: int | None = None) -> Future[Dir]:
        """The directory of its newest version, or of the one named. A run sees the same version wherever it reads."""
        return self._ask("read", {"version": version})

    def publish(
        self, dir: Any, *, upon: str = "seen", incomplete: bool = False, key: str | None = None
    ) -> Future[Any]:
        """Makes a directory its next version: all of it at once, or not at all."""
        return self._ask("publish", {"dir": dir, "upon": upon, "incomplete": incomplete}, key)

    def _ask(self, operation: str, details: dict[str, Any], key: str | None = None) -> Future[Any]:
        scope = current(f"dataset({self.name!r})")
        return scope.ask(operation, {"name": self.name, **details}, self.name, key=key)


def dataset(name: str) -> Dataset:
    """A dataset by its name."""
    return Dataset(name)


def sleep(duration: Duration) -> Future[None]:
    """Waits, durably: seconds, or a text like '10m'. After a crash it goes on where it was."""
    return current("sleep").ask("sleep", {"duration": milliseconds(duration)}, "sleep")


def now() -> Future[datetime.datetime]:
    """The time, remembered."""
    return current("now").ask("now", {}, "now")


def random() -> Future[float]:
    """A number from 0 to 1, remembered."""
    return current("random").ask("random", {}, "random")


def event(name: str, **body: Any) -> None:
    """Something that happened, by name."""
    current("event").note("event", name, body)


def metric(name: str, value: float, *, step: int | None = None) -> None:
    """A figure, kept for comparing runs."""
    current("metric").note("metric", name, {"value": float(value), **({} if step is None else {"step": step})})


def artifact(name: str, kind: str, **body: Any) -> None:
    """Something to show: `kind='markdown', text=…`, or `table`, `image`, `link`, `plot`."""
    current("artifact").note("artifact", name, {"kind": kind, **body})


def progress(done: float, total: float | None = None) -> None:
    """How far it is."""
    current("progress").note("progress", "progress", {"done": done, **({} if total is None else {"total": total})})


class Runs:
    """
    `run(workflow, …)` runs a workflow from a program, a test or a notebook; `run.ask`, `run.sleep` and the others are
    for the workflow itself.
    """

    context = staticmethod(document)
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
        """A typed question to a person. `schema` is a type, or a dict of types by name."""
        details = {"schema": hints.schema(schema), "title": title, "show": show, "timeout": milliseconds(timeout), "to": to}
        return current("ask").ask("ask", details, "ask", key=key, shape=results.of_type(schema))

    def __call__(self, workflow: Workflow[..., Any], /, *arguments: str, **inputs: Any) -> Run:
        """
        Runs a workflow, with what `almanac run` takes as `arguments` (`"--parallel", "4"`), and gives a `Run`. Files and
        directories are given as `pathlib.Path`s. Raises `AlmanacError` where it fails.
        """
        from .engine import execute

        __tracebackhide__ = True
        try:
            return execute(workflow, inputs, arguments=arguments)
        except (AlmanacError, KeyboardInterrupt) as error:
            # lines of ours say nothing to whoever reads it in a cell
            raise error.with_traceback(None) from None


run = Runs()


async def run_async(workflow: Workflow[..., Any], /, *arguments: str, **inputs: Any) -> Run:
    """`run` where an event loop goes on meanwhile: `await run_async(main, raw=path)`. Cancelled, it stops the run."""
    from .engine import execute_async

    __tracebackhide__ = True
    try:
        return await execute_async(workflow, inputs, arguments=arguments)
    except AlmanacError as error:
        raise error.with_traceback(None) from None
