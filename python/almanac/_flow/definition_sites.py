"""Where functions are written: workers find them by file and name, and not by what they are."""

from __future__ import annotations

import os
from typing import Any

from ..errors import refused

__all__ = ["place", "check_name"]

_MOST_LAYERS = 100


def place(function: Any, decorated_in: str) -> tuple[str, int]:
    """File and line of a function. What other decorators made of it is theirs: it is where it was decorated, or begins."""
    layers = [one for one in _layers(function) if hasattr(one, "__code__")]
    found = next((one for one in layers if one.__code__.co_filename == decorated_in), layers[-1])
    return os.path.abspath(found.__code__.co_filename), found.__code__.co_firstlineno


def check_name(function: Any, name: str, line: int) -> None:
    """Raises `WorkflowRefused` where its file has something else by its name: a worker would execute that instead."""
    own = {id(one) for one in _layers(function)}
    homes = [one.__globals__ for one in _layers(function) if hasattr(one, "__globals__")]
    if any(id(one) in own for home in homes for one in _layers(home.get(function.__name__))):
        return
    raise refused(
        f"task {name} (line {line}) is of a function that its file does not call {function.__name__} any more",
        "Workers find it by that name: give each function a name of its own.",
        "ALM_TASK_NOT_FOUND",
    )


def _layers(function: Any) -> list[Any]:
    """A function, and those that it was made of by decorators that say so."""
    found = [function]
    while len(found) < _MOST_LAYERS:
        inner = getattr(found[-1], "__wrapped__", None)
        if inner is None:
            break
        found.append(inner)
    return found
