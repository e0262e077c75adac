"""Runs of workflows from a Python program, a test or a notebook: the engine is started beside it."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Callable, Mapping

from .errors import AlmanacError
from .values import Dir, File, _Kept
from .wire import decode_lines, encode
from .workflows import Workflow

__all__ = ["Run", "execute"]

_MISSING = (
    "the engine of Almanac is missing: install Node 20 or newer and `npm install -g almanac`, "
    "or name its command in ALMANAC_COMMAND"
)


class Run:
    """A run that has ended or rests."""

    def __init__(self, told: Mapping[str, Any], output: Any) -> None:
        self.id: str = told["id"]
        self.state: str = told["state"]
        self.executed: int = told["executed"]
        self.reused: int = told["reused"]
        self.seconds: float = told["durationMs"] / 1000
        #: what the workflow gave; files and directories have a `path`
        self.output = output
        shown = told.get("shown")
        #: where outputs are shown as plain files
        self.directory = None if shown is None else pathlib.Path(shown)

    def __repr__(self) -> str:
        return f"<run {self.id} {self.state} · {self.executed} executed · {self.reused} reused · {self.seconds:.2f} s>"

    def _repr_markdown_(self) -> str:
        where = "" if self.directory is None else f" · `{self.directory}`"
        return (
            f"**run `{self.id}`** {self.state} · {self.executed} executed · {self.reused} reused · "
            f"{self.seconds:.2f} s{where}"
        )


def execute(
    workflow: Workflow[..., Any],
    inputs: Mapping[str, Any],
    *,
    arguments: tuple[str, ...] = (),
    progress: bool | None = None,
) -> Run:
    """
    Runs a workflow by the engine. `arguments` are those of `almanac run`. Raises `AlmanacError` where it fails.
    """
    file, _ = workflow.place
    if not os.path.isfile(file):
        raise AlmanacError(
            f"workflow {workflow.name} is in no file: the engine loads it from one",
            code="ALM_LOAD_FAILED",
            hint="Write it to a .py file and import it from there.",
        )
    with tempfile.TemporaryDirectory(prefix="almanac-") as folder:
        params = os.path.join(folder, "params.json")
        with open(params, "w", encoding="utf-8") as out:
            json.dump({name: _given(value, name) for name, value in inputs.items()}, out)
        command = [*_command(), "run", f"{file}:{workflow.name}", "--json", "--params", params, *arguments]
        told = _follow(command, _shown(progress))
    if told["kind"] != "run":
        raise AlmanacError(told["message"], code=told["code"], hint=told.get("hint", ""))
    error = told.get("error")
    if told["state"] == "failed" and error is not None:
        failed = AlmanacError(error["message"], code=error["code"], hint=error.get("hint", ""))
        failed.run = told["id"]  # type: ignore[attr-defined]
        raise failed
    shown = told.get("shown")
    ((output,),) = decode_lines(json.dumps([[told["output"]]], separators=(",", ":")).encode())
    return Run(told, _placed(output, None if shown is None else pathlib.Path(shown)))


def _given(value: Any, name: str) -> Any:
    """Files and directories go as paths."""
    if isinstance(value, os.PathLike):
        return os.path.abspath(os.fspath(value))
    return encode(value, f"input {name}")


def _placed(value: Any, at: pathlib.Path | None) -> Any:
    """Files and directories of an output, with where they are shown."""
    if isinstance(value, (File, Dir)) and at is not None:
        value._wire["at"] = str(_existing(at, value))
    elif isinstance(value, dict) and not isinstance(value, _Kept) and at is not None:
        for name, one in value.items():
            _placed(one, at / name)
    return value


def _existing(at: pathlib.Path, value: File | Dir) -> pathlib.Path:
    if at.exists():
        return at
    named = [one for one in at.parent.glob(f"{at.name}.*")] if isinstance(value, File) else []
    return named[0] if len(named) == 1 else at


def _command() -> list[str]:
    own = os.environ.get("ALMANAC_COMMAND")
    if own:
        return [own]
    node = shutil.which("node")
    # in a checkout of the repository, and in the npm package, it is beside this package
    beside = pathlib.Path(__file__).resolve().parents[2] / "bin" / "almanac.cjs"
    if node is not None and beside.is_file():
        return [node, str(beside)]
    there = shutil.which("almanac")
    if node is None or there is None:
        raise AlmanacError(_MISSING, code="ALM_USAGE")
    return [there]


def _follow(command: list[str], show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    last: dict[str, Any] | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ}) as engine:
        assert engine.stdout is not None
        try:
            for line in engine.stdout:
                event = json.loads(line)
                last = event
                show(event)
        except KeyboardInterrupt:
            # the engine hears it too, stops what runs, and says how it ended
            for line in engine.stdout:
                last = json.loads(line)
    if last is None:
        raise AlmanacError(f"the engine ended with {engine.returncode} and said nothing", code="ALM_BUG")
    return last


def _shown(progress: bool | None) -> Callable[[dict[str, Any]], None]:
    notebook = _display()
    wanted = progress if progress is not None else (notebook is not None or sys.stderr.isatty())
    if not wanted:
        return lambda event: None

    def show(event: dict[str, Any]) -> None:
        if event["kind"] not in ("progress", "run"):
            return
        counts = event.get("counts", {})
        text = " · ".join(f"{count} {state}" for state, count in counts.items() if count)
        if notebook is not None:
            notebook(text)
        else:
            end = "\n" if event["kind"] == "run" else ""
            print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)

    return show


def _display() -> Callable[[str], None] | None:
    """A cell of a notebook, where there is one."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython.display import Markdown, display  # type: ignore[import-not-found]

    handle: Any = display(Markdown("…"), display_id=True)
    return lambda text: handle.update(Markdown(text))
