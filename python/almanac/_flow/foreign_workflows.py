"""Workflows of other files, in TypeScript or Python."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from .._model.caller import current, outside_of_workflows
from .._model.futures import Future

__all__ = ["ForeignWorkflow", "foreign", "workflow_from"]

#: named while modules are imported, so that the engine can load them before anything runs
foreign: list[ForeignWorkflow] = []


class ForeignWorkflow:
    """A workflow of another file, in TypeScript or Python."""

    def __init__(self, file: str, export: str) -> None:
        self.file = file
        self.export = export
        foreign.append(self)

    def __call__(self, **inputs: Any) -> Future[Any]:
        return self._child(None, inputs)

    def key(self, key: str) -> Callable[..., Future[Any]]:
        """The same child under a key that tells it from others of its name."""
        return lambda **inputs: self._child(str(key), inputs)

    def _child(self, key: str | None, inputs: dict[str, Any]) -> Future[Any]:
        details = {"file": self.file, "export": self.export, "input": inputs}
        return current(f"workflow {self.export} of {self.file}").ask("workflow", details, self.export, key=key)


def workflow_from(file: str, export: str = "default") -> ForeignWorkflow:
    """
    A workflow of another file, in TypeScript or Python, relative to the file that says so: called by the names of its
    inputs it is a child. Without a name (`export`) it is the file's default export, its `main`, or its only one. Raises `AlmanacError` (`ALM_LOAD_FAILED`, `ALM_NO_WORKFLOW`)
    before anything runs.

    ```python
    from pathlib import Path

    from almanac import workflow, workflow_from

    # stands for a file of yours
    Path(__file__).with_name("add-one.ts").write_text('''
    import { json, task, workflow } from 'almanac'
    export const add = task('add', (n: number) => n + 1)
    export default workflow('add-one', { input: { n: json<number>() } }, async ({ n }) => add(n))
    ''')
    add_one = workflow_from("add-one.ts")

    @workflow
    async def main():
        return await add_one(n=3)  # gives 4
    ```
    """
    outside_of_workflows(f"workflow_from({file!r})")
    folder = os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))
    return ForeignWorkflow(os.path.normpath(os.path.join(folder, file)), export)
