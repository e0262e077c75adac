"""What the engine is told of files and of failures."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
import traceback
from typing import Any, Callable, Iterator

from almanac_worker.shared import failures, packages

from .._flow.foreign_workflows import foreign
from .._flow.modules import read_files
from .._flow.tasks import Task
from .._flow.workflows import Workflow
from ..errors import AlmanacError, TaskFailed
from .package_copies import refuse_hidden

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_STDLIB = os.path.dirname(os.path.abspath(os.__file__))


def load(file: str, function: Callable[[Callable[..., Any]], int]) -> dict[str, Any]:
    """Imports a file; its workflows by the names that they have there, and the files that it is made of."""
    refuse_hidden(file)
    name = packages.import_package(file)
    module = sys.modules.get(name)
    if module is None or getattr(module, "__file__", None) != file:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        # by which Python tells circular imports
        spec._initializing = True  # type: ignore[attr-defined]
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            sys.modules.pop(name, None)
            packages.explain(error, file)
            raise
        finally:
            spec._initializing = False  # type: ignore[attr-defined]
        packages.enter_package(name, module)
    workflows = {}
    for export, value in vars(module).items():
        if isinstance(value, Task):
            value.check()
        if isinstance(value, Workflow) and (value.place[0] == file or export in ("default", "main")):
            workflows[export] = {**value.definition(), "function": function(value.entered)}
    named = [{"file": one.file, "export": one.export} for one in foreign]
    return {"workflows": workflows, "foreign": named, "files": sorted(_local_files())}


def _local_files() -> set[str]:
    found = set(read_files)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and is_local(file):
            found.add(os.path.realpath(file))
    return found


def is_local(path: str) -> bool:
    """Is it the author's own, not installed and not ours?"""
    if path.startswith("<frozen ") or "site-packages" in path or "dist-packages" in path:
        return False
    return not path.startswith((_STDLIB + os.sep, _OURS + os.sep))


def failure(error: BaseException, file: str | None = None, line: int | None = None) -> dict[str, Any]:
    """An exception as the engine keeps it: in Python's own terms, with the author's lines; where it has none, those given."""
    try:
        return _described(error, file, line)
    except Exception as other:  # the author's code is asked what it is, and must not hide the failure
        message = f"({type(error).__name__} cannot be told: {type(other).__name__})"
        at = {} if file is None else {"file": file} if line is None else {"file": file, "line": line}
        return {"message": message, "type": type(error).__name__, "tokens": [], **at}


def _described(error: BaseException, file: str | None, line: int | None) -> dict[str, Any]:
    if isinstance(error, SystemExit):
        message = f"it called sys.exit({error.code!r}): return from the workflow instead"
    elif isinstance(error, AlmanacError):
        message = str(error.args[0]) if error.args else ""
    else:
        message = (isinstance(error, SyntaxError) and error.msg) or failures.message(error)
    record: dict[str, Any] = {"message": message, "type": type(error).__name__, "tokens": sorted(_tokens(error))}
    record["types"] = failures.types(error)
    if (held := failures.members(error)) is not None:
        record["group"] = held
    if isinstance(error, TaskFailed):
        record["raised"] = error._token
    if isinstance(error, AlmanacError):
        record["code"], record["hint"] = error.code, error.hint
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_inner(frame.filename)]
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        record["file"], record["line"], record["column"] = error.filename, error.lineno, error.offset
    else:
        own = [frame for frame in frames if is_local(frame.filename)]
        if isinstance(error, AlmanacError) and error._at is not None:
            record["file"], record["line"] = error._at
        elif own:
            record["file"], record["line"] = own[-1].filename, own[-1].lineno
        elif file is not None:
            record["file"] = file
            if line is not None:
                record["line"] = line
    chain = traceback.TracebackException.from_exception(error)
    _without_ours(chain)
    record["stack"] = "".join(chain.format()).rstrip()
    return record


def is_inner(path: str) -> bool:
    return path.startswith((_OURS + os.sep, "<frozen ")) or f"{os.sep}asyncio{os.sep}" in path


def _without_ours(chain: traceback.TracebackException) -> None:
    """Frames of Almanac and of asyncio say nothing to the author."""
    pending: list[traceback.TracebackException] = [chain]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if not is_inner(frame.filename)])
        pending += [other for other in (one.__cause__, one.__context__) if other is not None]
        pending += getattr(one, "exceptions", None) or []


def _tokens(error: BaseException) -> set[int]:
    """The failures of calls that it stands for."""
    return {one._token for one in _together(error) if isinstance(one, TaskFailed)}


def is_of_time(error: BaseException) -> bool:
    """Is it there because a timer has rung, as far as can be told?"""
    kinds = (TimeoutError, asyncio.TimeoutError, asyncio.CancelledError)
    return any(isinstance(one, kinds) and not isinstance(one, AlmanacError) for one in _together(error))


def _together(error: BaseException) -> Iterator[BaseException]:
    """Itself, what caused it, and those put together in it."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending and len(seen) < 1000:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [other for other in (one.__cause__, one.__context__) if other is not None]
        pending += [other for other in getattr(one, "exceptions", ()) if isinstance(other, BaseException)]
