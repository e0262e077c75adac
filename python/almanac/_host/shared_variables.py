"""Variables of modules that a workflow function assigns. All runs of the process share them."""

from __future__ import annotations

import dis
import functools
import inspect
import os
from types import CodeType
from typing import Any, Callable, Iterator


def assigned_by(function: Callable[..., Any]) -> str | None:
    """What is said of a function that assigns one, with the line of the first."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else _of(code)


@functools.lru_cache(maxsize=256)
def _of(code: CodeType) -> str | None:
    name, line = next(_assigned(code), (None, None))
    if name is None:
        return None
    return (
        f"it assigns {name}, a variable of its module ({os.path.basename(code.co_filename)}:{line}): all runs share that, and "
        "it is assigned again whenever a run goes on. Return the value, or keep it with `run.context`."
    )


def _assigned(code: CodeType) -> Iterator[tuple[str, int]]:
    before = ""
    for one in dis.get_instructions(code):
        # what is imported when it is needed is the same each time
        if one.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") and not before.startswith("IMPORT_"):
            yield one.argval, next(line for start, end, line in code.co_lines() if line and start <= one.offset < end)
        before = one.opname
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _assigned(inner)
