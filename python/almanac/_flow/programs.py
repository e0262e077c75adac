"""Tasks of programs: commands and scripts."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, Mapping, Sequence

from .options import checked, stated
from .tasks import Task

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import TaskOptions

__all__ = ["command", "script"]


def command(
    run: Sequence[str],
    *,
    name: str,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    cwd: str | None = None,
    retry_exits: Sequence[int] | None = None,
    **options: Unpack[TaskOptions],
) -> Task[..., Any]:
    """
    Makes a task of a program: `{in.scene}`, `{out.cog}` and `{params.limit}` in its arguments stand for inputs, outputs and
    parameters; no shell is asked. It fails (`ALM_TASK_EXIT`) where the program does not end with 0. docs/authoring.md

    ```python
    from almanac import File, command, file, workflow

    write = command(["sh", "-c", "echo $0 > $1", "{params.text}", "{out.page}"], name="write",
                    inputs={"text": str}, outputs={"page": file("page.txt")})

    @workflow
    async def main():
        return (await write(text="hello").page).size  # gives 6
    ```
    """
    given = {**options, **stated(outputs=outputs, cwd=cwd, retry_exits=retry_exits)}
    return _program("command", {"run": list(run)}, name, inputs, given)


def script(
    source: str,
    *,
    name: str,
    lang: Literal["bash", "sh", "python", "node", "Rscript"] = "bash",
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    retry_exits: Sequence[int] | None = None,
    **options: Unpack[TaskOptions],
) -> Task[..., Any]:
    """
    Makes a task of a script in bash, sh, python, node or Rscript; its text counts as the code. `ALMANAC_IN_x` and
    `ALMANAC_OUT_x` are the paths of inputs and outputs, other inputs are in the JSON file `ALMANAC_PARAMS`; values go to
    the JSON file `ALMANAC_RESULT`. docs/authoring.md

    ```python
    from almanac import file, script, workflow

    page = script('echo hello > "$ALMANAC_OUT_page"', name="page", outputs={"page": file("page.txt")})

    @workflow
    async def main():
        return (await page().page).size  # gives 6
    ```
    """
    given = {**options, **stated(outputs=outputs, retry_exits=retry_exits)}
    return _program("script", {"source": source, "lang": lang}, name, inputs, given)



def _program(
    kind: str, body: dict[str, Any], name: str, inputs: Mapping[str, Any] | None, options: dict[str, Any]
) -> Task[..., Any]:
    checked(name, kind, options)
    frame = sys._getframe(2)
    place = (os.path.abspath(frame.f_code.co_filename), frame.f_lineno)
    given = {**options, "name": name, "inputs": inputs or {}}
    return Task(kind, None, given, body, place)
