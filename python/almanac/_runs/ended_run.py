"""A run that has ended or rests, as a program has it in hand and a notebook shows it."""

from __future__ import annotations

import functools
import pathlib
from typing import Any, Mapping

from .._flow.workflows import Workflow
from .._model.values import File
from .._notebook.artifact import Artifact
from .._notebook.graph import Graph
from .._notebook.displays import failure_html, run_html
from .._types import results
from ..errors import RunFailed
from .commands import asked

__all__ = ["Run"]


class Run:
    """A run that has ended or rests. A notebook shows its tasks, figures, artifacts and graph."""

    def __init__(
        self,
        told: Mapping[str, Any],
        kept: Any,
        workflow: Workflow[..., Any],
        warnings: list[str],
        near: str,
        project: tuple[str, ...],
    ) -> None:
        self.id: str = told["id"]
        self.workflow = workflow.name
        self._function = workflow.function.__name__
        self.state: str = told["state"]
        self.executed: int = told["executed"]
        self.reused: int = told["reused"]
        self.seconds: float = told["durationMs"] / 1000
        #: what the workflow gave, as its annotation says; files and directories have a `path`
        self.output = results.as_returned(kept, workflow.function) if self.state == "succeeded" else kept
        #: what the engine warned of, each once, the first 20
        self.warnings = warnings
        shown = told.get("shown")
        #: where outputs are shown as plain files
        self.directory = None if shown is None else pathlib.Path(shown)
        self._kept = kept
        self._near = near
        self._project = list(project)

    @functools.cached_property
    def graph(self) -> Graph:
        """Its tasks and what they take from each other; as text a Mermaid flowchart."""
        told = asked(["graph", self.id, *self._project], self._near)
        return Graph([one for one in told if one["kind"] == "task"])

    @functools.cached_property
    def artifacts(self) -> dict[str, Artifact]:
        """What it shows, by name."""
        return {one["name"]: Artifact(one["name"], one["body"]) for one in self._looked_at.get("artifacts", [])}

    @functools.cached_property
    def metrics(self) -> dict[str, float]:
        """The newest value of each figure, by name."""
        # a whole one comes as an integer
        told = {name: one["value"] for name, one in self._looked_at.get("metrics", {}).items()}
        return {name: float(value) if type(value) is int else value for name, value in told.items()}

    @functools.cached_property
    def _looked_at(self) -> dict[str, Any]:
        told = asked(["show", self.id, *self._project], self._near)
        return next((one for one in told if one["kind"] == "run"), {})

    def __repr__(self) -> str:
        return f"<run {self.id} of {self.workflow} {self.state} · {self.executed} executed · {self.reused} reused · {self.seconds:.2f} s>"

    def _repr_markdown_(self) -> str:
        where = "" if self.directory is None else f" · `{self.directory}`"
        return (
            f"**{self.workflow}** {self.state} · {self.executed} executed · {self.reused} reused · "
            f"{self.seconds:.2f} s · `{self.id}`{where}"
        )

    def _repr_html_(self) -> str:
        told = {name: getattr(self, name) for name in ("id", "workflow", "state", "executed", "reused", "seconds", "directory")}
        metrics = {name: {"value": value} for name, value in self.metrics.items()}
        files = self._kept.items() if type(self._kept) is dict else [("output", self._kept)]
        told["files"] = {name: one.path for name, one in files if isinstance(one, File)}
        told["output"] = self.output if any(not isinstance(one, File) for _, one in files) else None
        if self.state == "waiting":
            told["function"] = self._function
            told["next"] = self._looked_at.get("next")
            told["asks"] = asked(["answer", self.id, *self._project], self._near)
        return run_html({**told, "graph": self.graph, "metrics": metrics, "artifacts": self.artifacts})

    def _failure_html(self, failed: RunFailed) -> str:
        notes = [note for note in getattr(failed, "__notes__", []) if note != failed.traceback]
        return f"<div>{failure_html(str(failed.args[0]), failed.traceback, notes)}{self._repr_html_()}</div>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/plain": repr(self),
            "text/markdown": self._repr_markdown_(),
            "text/html": self._repr_html_(),
        }
