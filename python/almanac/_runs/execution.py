"""Runs of workflows from a Python program, a test or a notebook: the engine is started beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import tempfile
import threading
from typing import Any, Callable, Mapping

from .._flow.workflows import Workflow
from .._model import caller
from .._model.failure_types import run_failed
from .._model.values import Dir, File, Kept
from .._model.wire import decode_lines
from .._notebook import cells
from ..errors import AlmanacError, for_cells, noted, refused
from ..location import engine
from ..version import HOME, VERSION
from .commands import answered
from .ended_run import Run
from .engine_process import Engine
from .inputs import as_given
from .progress import display, in_notebook, message_of, warning_of

__all__ = ["execute", "execute_async"]

#: a folder that has one of these is a project
_PROJECT = (".almanac", "almanac.config.ts", "almanac.config.js", "package.json")
#: warnings of a run that are told, as many as the command tells
_WARNINGS = 20


def execute(
    workflow: Workflow[..., Any],
    inputs: Mapping[str, Any],
    *,
    arguments: tuple[str, ...] = (),
    progress: bool | None = None,
    resumed: Resumed | None = None,
) -> Run:
    """
    Runs a workflow by the engine, or goes on with a run of it. `arguments` are those of `almanac run`. Raises
    `AlmanacError` where it fails, and `KeyboardInterrupt` when it was interrupted and the run has stopped.
    """
    with _Following(workflow, inputs, arguments, progress, resumed) as following:
        interrupted = False
        while True:
            try:
                following.read(following.take)
                break
            except KeyboardInterrupt:
                interrupted = True
                following.engine.interrupt()
        if interrupted:
            raise for_cells(KeyboardInterrupt(following.stopped()))
        return following.run()


async def execute_async(
    workflow: Workflow[..., Any],
    inputs: Mapping[str, Any],
    *,
    arguments: tuple[str, ...] = (),
    progress: bool | None = None,
    resumed: Resumed | None = None,
) -> Run:
    """The same beside other work of an event loop. Cancelled, it stops the run before it ends."""
    # most programs have no loop, and it takes longer to import than all else here
    import asyncio

    loop = asyncio.get_running_loop()
    _check(workflow, arguments)
    if resumed is not None:
        with _file_of(workflow) as file:
            # the engine is asked, which takes a moment
            resumed = await asyncio.to_thread(resumed.found, file, workflow.name, _project_near(arguments, file)[1])
    with _Following(workflow, inputs, arguments, progress, resumed) as following:
        ended = loop.create_future()

        def read() -> None:
            raised: BaseException | None = None
            try:
                following.read(lambda told: loop.call_soon_threadsafe(following.take, told))
            except BaseException as error:  # whoever waits is to hear of it
                raised = error
            try:
                if raised is None:
                    loop.call_soon_threadsafe(ended.set_result, None)
                else:
                    loop.call_soon_threadsafe(ended.set_exception, raised)
            except RuntimeError:  # the loop was closed: nobody waits any more
                following.engine.interrupt()

        threading.Thread(target=read, name="almanac-engine", daemon=True).start()
        cancelled: asyncio.CancelledError | None = None
        while not ended.done():
            try:
                await asyncio.shield(ended)
            except asyncio.CancelledError as error:
                cancelled = error
                following.engine.interrupt()
        if cancelled is not None:
            cancelled.args = (following.stopped(),)
            raise for_cells(cancelled)
        return following.run()


@dataclasses.dataclass(frozen=True)
class Resumed:
    """A run that is gone on with: by its id, or the newest of the workflow."""

    run: str | None

    def found(self, file: str, workflow: str, project: str) -> Resumed:
        """The same with its id. Raises `AlmanacError` where there is no run."""
        if self.run is not None:
            return self
        told = answered(["runs", "--workflow", workflow, "--file", file, "--limit", "1", "--project", project], project)
        if not told:
            raise AlmanacError(
                f"workflow {workflow} has no run to go on with", code="ALM_RUN_UNKNOWN", hint="Run it first: `almanac.run`."
            )
        return Resumed(told[0]["id"])

    def words(self, file: str, workflow: str, project: str) -> list[str]:
        """The command, in a project. Raises `AlmanacError` where there is no run."""
        return ["resume", str(self.found(file, workflow, project).run), "--file", f"{file}:{workflow}"]


class _Following:
    """One run by an engine beside this program. Owns that process, and the files that it is given."""

    def __init__(
        self,
        workflow: Workflow[..., Any],
        inputs: Mapping[str, Any],
        arguments: tuple[str, ...],
        progress: bool | None,
        resumed: Resumed | None = None,
    ) -> None:
        _check(workflow, arguments)
        if caller.workflow_threads is not None:
            raise _nested()
        self._workflow = workflow
        self._function = workflow.function.__name__
        self._owned = contextlib.ExitStack()
        try:
            self._file = self._owned.enter_context(_file_of(workflow))
            # of a notebook, by which it was written
            self._cells = None if self._file == workflow.place[0] else [*workflow.function.__globals__.get("In", ())]
            self._project = _project_of(arguments)
            if resumed is not None and not self._project:
                self._project = _project_near(arguments, self._file)
                arguments = (*arguments, *self._project)
            if resumed is None:
                folder = self._owned.enter_context(tempfile.TemporaryDirectory(prefix="almanac-"))
                params = os.path.join(folder, "params.json")
                with open(params, "w", encoding="utf-8") as out:
                    json.dump({name: as_given(value, name) for name, value in inputs.items()}, out)
                words = ["run", f"{self._file}:{workflow.name}", "--params", params]
            else:
                words = resumed.words(self._file, workflow.name, self._project[1])
            self._show = display(workflow.name, progress)
            self.engine = Engine([*words, *arguments], pumped=in_notebook())
        except BaseException:
            self._owned.close()
            raise
        self._last: dict[str, Any] | None = None
        self._warnings: list[str] = []
        self._id: str | None = None

    def __enter__(self) -> _Following:
        return self

    def __exit__(self, *_: object) -> None:
        self.exit = self.engine.end()
        self._owned.close()

    def read(self, take: Callable[[dict[str, Any]], object]) -> None:
        for told in self.engine.events():
            take(told)

    def take(self, told: dict[str, Any]) -> None:
        self._last = told
        self._id = told["id"] if told["kind"] == "started" else self._id
        warning = self._in_cells(warning_of(told))
        if warning is not None and warning not in self._warnings and len(self._warnings) < _WARNINGS:
            self._warnings.append(warning)
        self._show(told, self._warnings)

    def _in_cells(self, text: str | None) -> str | None:
        return text if text is None or self._cells is None else cells.in_cells(text, self._file, self._cells)

    def stopped(self) -> str:
        if self._id is None:
            return "before the run began"
        return f"run {self._id} was stopped: {_goes_on(self._function, self._last or {}, self._id)}, goes on"

    def run(self) -> Run:
        told = self._last
        if told is None:
            raise AlmanacError(
                f"the engine ended with {self.engine.end()} and said nothing", code="ALM_BUG", hint="See what it printed."
            )
        if "--beside" in told.get("message", ""):
            raise AlmanacError(
                f"the engine of Almanac ({' '.join(engine())}) is older than the package that is imported, "
                f"almanac {VERSION} in {HOME}",
                code="ALM_USAGE",
                hint="Install the same version of both, or name the engine's command in ALMANAC_COMMAND.",
            )
        if told["kind"] != "run":
            message, hint = told.get("message", f"the engine ended after {told['kind']}"), told.get("hint", "")
            raise noted(AlmanacError(message, code=told.get("code", "ALM_BUG"), hint=hint), hint)
        error = told.get("error")
        if told["state"] in ("failed", "cancelled") and error is not None:
            raise _failed(self._ended(told, None), told, self._in_cells(error.get("stack")), self._function)
        shown = told.get("shown")
        ((output,),) = decode_lines(json.dumps([[told["output"]]], separators=(",", ":")).encode())
        placed = _placed(output, None if shown is None else pathlib.Path(shown))
        return self._ended(told, placed)

    def _ended(self, told: Mapping[str, Any], output: Any) -> Run:
        return Run(told, output, self._workflow, self._warnings, os.path.dirname(self._file), self._project)


def _check(workflow: object, arguments: tuple[object, ...]) -> None:
    if not isinstance(workflow, Workflow):
        raise TypeError(f"almanac.run takes a workflow, not {workflow!r}: put @workflow on the function")
    texts = tuple(one for one in arguments if isinstance(one, str))
    if len(texts) < len(arguments):
        odd = [one for one in arguments if not isinstance(one, str)]
        raise TypeError(
            f"{odd[0]!r} is no text: give inputs by name (`n={odd[0]!r}`), "
            'and what the command takes as texts ("--parallel", "4")'
        )
    if _wants_pdb(texts):
        hint = f'Use the command, `almanac run {os.path.basename(workflow.place[0])} --debug-python`, or "--debug-python", "debugpy".'
        message = "almanac.run has no terminal for pdb"
        raise noted(AlmanacError(message, code="ALM_USAGE", hint=hint), hint)


def _wants_pdb(arguments: tuple[str, ...]) -> bool:
    at = next((number for number, one in enumerate(arguments) if one.partition("=")[0] == "--debug-python"), None)
    return at is not None and "debugpy" not in (arguments[at].partition("=")[2], *arguments[at + 1 : at + 2])


def _nested() -> AlmanacError:
    if caller.found() is not None:
        what = "almanac.run was called in a workflow: call the other workflow itself"
    else:
        what = 'almanac.run was called while the engine imports this file: put it under `if __name__ == "__main__":`'
    return refused(what, "A workflow is run by one engine.", "ALM_DEFINED_INSIDE")


def _failed(ended: Run, told: Mapping[str, Any], stack: str | None, function: str) -> AlmanacError:
    error = told["error"]
    failed = run_failed(ended.id, message_of(error), {**error, "stack": stack})
    failed.ended = ended
    goes_on = f"run {ended.id} {ended.state}: {_goes_on(function, told, ended.id)}, keeps what succeeded"
    return noted(failed, stack, failed.hint, goes_on)


def _goes_on(function: str, told: Mapping[str, Any], run: str) -> str:
    return f"`almanac.resume({function})`, or the command `{told.get('next') or f'almanac resume {run}'}`"


def near(file: str) -> str:
    """The project of a workflow's file, as the engine finds it."""
    here, folder = pathlib.Path.cwd(), pathlib.Path(os.path.abspath(file)).parent
    for one in (folder, *folder.parents):
        if any((one / mark).exists() for mark in _PROJECT):
            return str(one)
    return str(here if folder.is_relative_to(here) else folder)


def _file_of(workflow: Workflow[..., Any]) -> contextlib.AbstractContextManager[str]:
    """A file of a notebook's cells keeps its text as long as it is used."""
    file, _ = workflow.place
    if os.path.isfile(file):
        return contextlib.nullcontext(file)
    namespace = workflow.function.__globals__
    if namespace.get("__name__") != "__main__":
        raise AlmanacError(
            f"workflow {workflow.name} is in no file: the engine loads it from one",
            code="ALM_LOAD_FAILED",
            hint="Write it to a .py file and import it from there.",
        )
    return cells.file_of(workflow.function, namespace)


def _project_of(arguments: tuple[str, ...]) -> tuple[str, ...]:
    paths = [path for one, path in zip(arguments, arguments[1:]) if one == "--project"]
    paths += [one.partition("=")[2] for one in arguments if one.startswith("--project=")]
    return ("--project", os.path.abspath(paths[-1])) if paths else ()


def _project_near(arguments: tuple[str, ...], file: str) -> tuple[str, ...]:
    return _project_of(arguments) or ("--project", near(file))


def _placed(value: Any, at: pathlib.Path | None) -> Any:
    """Files and directories of an output, with where they are: as the engine says, or where they are shown."""
    if isinstance(value, (File, Dir)) and at is not None:
        value._wire.setdefault("at", str(at))
    elif isinstance(value, dict) and not isinstance(value, Kept) and at is not None:
        for name, one in value.items():
            _placed(one, at / name)
    return value
