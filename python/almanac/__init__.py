"""
Almanac: workflows of scientific data whose calls are remembered.

A task is a plain function under `@task`, a workflow a function under `@workflow`, async or not; `almanac run flow.py`
runs it. What has been done is not done again: after a crash, after an edit, on changed data.
"""

from .containers import container
from .documents import Document, DocumentState
from .environment import Environment
from .errors import AlmanacError, RunFailed, TaskFailed, WorkflowRefused
from .foreign import workflow_from
from .futures import Future, FutureList, pick
from .messages import Message, messages, send
from .modules import Module, module
from .programs import command, script
from .run import Dataset, dataset, resume, resume_async, run, run_async
from .runs import Ask, RunRecord, answer, asks, cancel, runs
from .sources import source, url
from .tasks import Task, task
from .values import Dir, File, Held, Url, file
from .workflows import Workflow, all as all, gather, map, settled, stage, workflow

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
