"""Failures that are what was raised as well: `except ValueError` catches a task that raised one."""

from __future__ import annotations

import builtins
import functools
import re
import sys
from typing import Any, Mapping, TypeVar

from ..errors import AlmanacError, RunFailed, TaskFailed

__all__ = ["task_failed", "run_failed"]

E = TypeVar("E", bound=AlmanacError)

#: asyncio takes the first two for the end of something, and whoever prints the third asks for its lines
_REFUSED = (StopIteration, StopAsyncIteration, SyntaxError)
#: Python 3.10 has none
_GROUP: Any = getattr(builtins, "ExceptionGroup", None)
#: what Almanac itself says, as Python calls it
_BY_CODE = {"ALM_TASK_TIMEOUT": ["builtins.TimeoutError"], "ALM_TASK_MEMORY": ["builtins.MemoryError"]}


def task_failed(record: dict[str, Any], token: int) -> TaskFailed:
    return _made(TaskFailed, record, record, token)


def run_failed(run: str, message: str, record: Mapping[str, Any]) -> RunFailed:
    return _made(RunFailed, record, run, message, record)


def _made(kind: type[E], record: Mapping[str, Any], *arguments: Any) -> E:
    known = _known(record)
    # mypy takes no generic class for hashable
    of: Any = kind
    while known:
        try:
            made: E = _with(of, _lowest(known))(*arguments)
            return made
        except Exception:  # of an author's class, which may be made in a way of its own: what is above it will do
            known = known[1:]
    return kind(*arguments)


def _known(record: Mapping[str, Any]) -> tuple[type[Exception], ...]:
    """
    The classes that it was of. Nothing is imported for them: who names one in an `except` has it, and what else is imported
    by then must not decide how a workflow goes on.
    """
    found = []
    for name in [*(record.get("types") or ()), *_BY_CODE.get(record["code"], ())]:
        module, _, own = name.rpartition(".")
        one = getattr(sys.modules.get(module), "__dict__", {}).get(own)
        if isinstance(one, type) and issubclass(one, Exception) and _is_common(one):
            found.append(one)
    return tuple(found)


def _is_common(one: type[Exception]) -> bool:
    """It bears being of another class too, and not having been made by its `__init__`."""
    if issubclass(one, (AlmanacError, *_REFUSED)) or issubclass(AlmanacError, one):
        return False
    asked = one.__getattribute__ is Exception.__getattribute__ and not hasattr(one, "__getattr__")
    return type(one) is type and asked and one.__setattr__ is Exception.__setattr__


def _lowest(classes: tuple[type[Exception], ...]) -> tuple[type[Exception], ...]:
    """Without those that others are below, which go first."""
    found: list[type[Exception]] = []
    for one in classes:
        if not any(issubclass(other, one) for other in found):
            found.append(one)
    return tuple(found)


@functools.lru_cache(maxsize=256)
def _with(kind: type[AlmanacError], classes: tuple[type[Exception], ...]) -> Any:
    def reduced(self: Any) -> Any:
        # no module has this class: it is made again of what is known there
        again: Any = kind.__reduce__(self)
        _, arguments, state = again
        return _made, (kind, self._record, *arguments), state

    def held(cls: Any, record: Mapping[str, Any], token: int) -> Any:
        # what an exception group holds is known when it is made; those that nobody looks out for stay in it
        message = re.sub(r" \(\d+ sub-exceptions?\)$", "", record["message"])
        of_all = {"code": record["code"], "hint": record.get("hint")}
        return _GROUP.__new__(cls, message, [task_failed({**of_all, **one}, token) for one in record["group"]])

    own: dict[str, Any] = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__reduce__": reduced}
    if kind is TaskFailed and _GROUP is not None and any(issubclass(one, _GROUP) for one in classes):
        own["__new__"] = held
    return type(kind.__name__, (kind, *classes), own)
