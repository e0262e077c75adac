"""What goes wrong, as Python exceptions. Each has a code of `docs/errors.md` and a hint what to do next."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any, Mapping

if TYPE_CHECKING:
    from ._runs.ended_run import Run

__all__ = ["AlmanacError", "RunFailed", "TaskFailed", "WorkflowRefused"]


class AlmanacError(Exception):
    """
    Anything that Almanac says. `code` is one of docs/errors.md, `hint` says what to do next.

    >>> from almanac import AlmanacError, run
    >>> try:
    ...     run.now()
    ... except AlmanacError as error:
    ...     print(error.code, error.hint)
    ALM_OUTSIDE Call it inside the function of a workflow.
    """

    def __init__(self, message: str, *, code: str = "ALM_WORKFLOW_FAILED", hint: str = "") -> None:
        # of no other class that a failure is of too: that would take it for what it is made of itself
        Exception.__init__(self, message)
        self.code = code
        self.hint = hint

    _at: tuple[str, int] | None = None

    __repr__ = Exception.__repr__

    def __str__(self) -> str:
        text = Exception.__str__(self)
        return text if sys.version_info >= (3, 11) else "\n".join([text, *getattr(self, "__notes__", [])])

    def _render_traceback_(self) -> list[str]:
        # IPython asks for it
        if self.hint and self.hint not in "\n".join(getattr(self, "__notes__", [])):
            noted(self, *getattr(self, "__notes__", []), self.hint)
        return _in_cell(self)


def for_cells(error: BaseException) -> BaseException:
    """The same exception, which a notebook shows as it does ours."""
    error._render_traceback_ = lambda: _in_cell(error)  # type: ignore[attr-defined]
    return error


def _in_cell(error: BaseException) -> list[str]:
    """What a notebook shows of it: as ever, without the lines of ours, which say nothing to whoever reads it in a cell."""
    from IPython import get_ipython  # type: ignore[import-not-found]

    frames: list[types.TracebackType] = []
    at = error.__traceback__
    while at is not None:
        frames.append(at)
        at = at.tb_next
    while frames and str(frames[-1].tb_frame.f_globals.get("__name__")).partition(".")[0] == __package__:
        frames.pop()
    authors: types.TracebackType | None = None
    for one in reversed(frames):
        authors = types.TracebackType(authors, one.tb_frame, one.tb_lasti, one.tb_lineno)
    shell: Any = get_ipython()
    shown: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, authors, tb_offset=1)
    return shown


def noted(error: AlmanacError, *notes: str | None) -> AlmanacError:
    """With what Python shows below the message; before 3.11 it is part of that."""
    error.__dict__["__notes__"] = [note for note in notes if note]
    return error


class _Failure(AlmanacError):
    """What went wrong in a call, as the engine tells it."""

    def __init__(self, message: str, record: Mapping[str, Any]) -> None:
        super().__init__(message, code=record["code"], hint=record.get("hint") or "")
        self.type: str | None = record.get("type")
        self.traceback: str | None = record.get("stack")
        self.file: str | None = record.get("file")
        self.line: int | None = record.get("line")
        self._record = record


class TaskFailed(_Failure):
    """
    A call has failed. It is of the class that was raised as well where that is a builtin one, or is known in the process of
    the workflow. `type` is the exception's own name where a function raised (`"ValueError"`), `traceback` its own
    text, both None where a program failed, or Almanac itself. `file` and `line` say where: of what raised, or of the task.
    A call that was not run, because another failed, has the class and the `type` of that failure.

    ```python
    from almanac import task, workflow

    @task
    def invert(n: float) -> float:
        return 1 / n

    @workflow
    async def main():
        try:
            return await invert(0)
        except ZeroDivisionError as error:
            return [error.type, error.code, error.line]  # gives ["ZeroDivisionError", "ALM_TASK_FAILED", 5]
    ```
    """

    def __init__(self, record: dict[str, Any], token: int) -> None:
        super().__init__(record.get("message", ""), record)
        # by which the engine knows the failure again when it is raised on
        self._token = token

    def __reduce__(self) -> Any:
        return type(self), (self._record, self._token), self.__dict__

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n\n{self.traceback}" if self.traceback and self.traceback not in text else text


class RunFailed(_Failure):
    """
    A run that a program started has failed, or was cancelled. `run` is its name, `ended` the `Run` as far as it came: its
    tasks, artifacts and warnings; the rest is of what it failed with, as in `TaskFailed`.

    ```python
    import almanac
    from almanac import RunFailed, task, workflow

    @task
    def invert(n: float) -> float:
        return 1 / n

    @workflow
    async def main():
        return await invert(0)

    if __name__ == "__main__":
        try:
            almanac.run(main)
        except RunFailed as error:
            print(error.type, error.line, error.ended.state)  # prints ZeroDivisionError 6 failed
    ```
    """

    def __init__(self, run: str, message: str, record: Mapping[str, Any]) -> None:
        super().__init__(message, record)
        self.run = run
        self.ended: Run | None = None

    def __reduce__(self) -> Any:
        return type(self), (self.run, self.args[0], self._record), self.__dict__

    def _repr_html_(self) -> str | None:
        return None if self.ended is None else self.ended._failure_html(self)


class WorkflowRefused(AlmanacError):
    """
    The workflow does what it cannot do: it awaits something foreign, calls from a thread, captures a variable.

    ```python
    import asyncio

    from almanac import WorkflowRefused, workflow

    @workflow
    async def main():
        try:
            await asyncio.to_thread(print)
        except WorkflowRefused as error:
            return str(error)  # gives "a workflow waits for a thread"
    ```
    """


def refused(
    message: str, hint: str, code: str = "ALM_VALUE_REFUSED", at: tuple[str, int] | None = None
) -> WorkflowRefused:
    """`at`: the file and line that are to be corrected, where those that are executed are others."""
    error = WorkflowRefused(message, code=code, hint=hint)
    error._at = at
    return error
