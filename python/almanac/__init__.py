"""
Almanac: workflows of scientific data whose calls are remembered.

A task is a plain function under `@task`, a workflow a function under `@workflow`, async or not; `almanac run flow.py`
runs it. What has been done is not done again: after a crash, after an edit, on changed data.
"""

from ._flow.containers import container
from ._flow.datasets import Dataset, dataset
from ._flow.documents import Document, DocumentState
from ._flow.environment import Environment
from ._flow.foreign_workflows import workflow_from
from ._flow.modules import Module, module
from ._flow.programs import command, script
from ._flow.sources import source, url
from ._flow.tasks import Task, task
from ._flow.workflows import Workflow, all as all, gather, map, settled, stage, workflow
from ._model.futures import Future, FutureList, pick
from ._model.values import Dir, File, Held, Url, file
from ._runs.messages import Message, messages, send
from ._runs.run import resume, resume_async, run, run_async
from ._runs.runs import Ask, RunRecord, answer, asks, cancel, runs
from .errors import AlmanacError, RunFailed, TaskFailed, WorkflowRefused

__all__ = [
    "AlmanacError",
    "Ask",
    "Dataset",
    "Dir",
    "Document",
    "DocumentState",
    "Environment",
    "File",
    "Future",
    "FutureList",
    "Held",
    "Message",
    "Module",
    "RunFailed",
    "RunRecord",
    "Task",
    "TaskFailed",
    "Url",
    "Workflow",
    "WorkflowRefused",
    "answer",
    "asks",
    "cancel",
    "command",
    "container",
    "dataset",
    "file",
    "gather",
    "map",
    "messages",
    "module",
    "pick",
    "resume",
    "resume_async",
    "run",
    "run_async",
    "runs",
    "script",
    "send",
    "settled",
    "source",
    "stage",
    "task",
    "url",
    "workflow",
    "workflow_from",
]

# in help, tracebacks and pickles they are of the module that authors import; errors are of `almanac.errors`, and what has
# fields stays where the names are that its annotations name
for _name in __all__:
    _one = globals()[_name]
    if hasattr(_one, "__qualname__") and not hasattr(_one, "__dataclass_fields__") and _one.__module__ != "almanac.errors":
        _one.__module__ = "almanac"
