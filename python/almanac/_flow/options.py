"""The options of tasks, as a checker and an editor know them. `docs/options.md` has what each means."""

from __future__ import annotations

import datetime
import json
import math
import numbers
import os
import re
from typing import TYPE_CHECKING, Any, Literal, Mapping, Sequence, TypedDict

from ..errors import refused
from .documents import Document

if TYPE_CHECKING:
    from .environment import Environment

__all__ = ["Duration", "Retries", "TaskOptions", "FunctionOptions", "checked", "stated", "told", "milliseconds"]

#: seconds, a `timedelta`, or a text like `"90s"`, `"10m"`, `"2d"`
Duration = int | float | str | datetime.timedelta


class Retries(TypedDict, total=False):
    """`retries={"count": 3, "delay": "10s"}`"""

    count: int
    delay: Duration
    backoff: float
    max_delay: Duration
    jitter: float
    #: types of errors, with those below them; codes, reasons and exits
    on: Sequence[str | type[BaseException]]
    memory_factor: float


class TaskOptions(TypedDict, total=False):
    """Of every task."""

    retries: int | Retries
    timeout: Duration
    heartbeat: Duration
    cache: bool | Mapping[Literal["for"], Duration]
    version: str
    variables: Sequence[str]
    reads: Sequence[str | os.PathLike[str]]
    context: Mapping[str, Document[Any]]
    effect: bool
    random: bool
    persist: bool
    location: bool
    cpu: float
    memory: int | str
    priority: int
    limits: Sequence[str] | Mapping[str, int]
    rate: str
    on_failure: Literal["fail", "skip", "pause"]


class FunctionOptions(TaskOptions, total=False):
    """Of a task that is a function in Python."""

    name: str
    env: str | Environment
    threads: int


#: options of every kind of task, and what the engine calls them
_OPTIONS = {
    "retries": "retries",
    "timeout": "timeout",
    "heartbeat": "heartbeat",
    "cache": "cache",
    "version": "version",
    "variables": "variables",
    "reads": "reads",
    "effect": "effect",
    "random": "random",
    "persist": "persist",
    "location": "location",
    "cpu": "cpu",
    "memory": "memory",
    "priority": "priority",
    "limits": "limits",
    "rate": "rate",
    "on_failure": "onFailure",
    "name": "name",
}
#: those of one kind besides
_OWN_OPTIONS = {
    "python": {"threads": "threads"},
    "command": {"cwd": "cwd", "retry_exits": "retryExits"},
    "script": {"retry_exits": "retryExits"},
    "container": {"retry_exits": "retryExits"},
}
#: those that are not told as they are
_OTHERS = ("env", "outputs", "context")
_FLAGS = ("effect", "random", "persist", "location")
#: those that have options of their own; what others are mappings of is named by the author
_OF_OPTIONS = ("retries", "cache")
_NESTED = {"max_delay": "maxDelay", "memory_factor": "memoryFactor"}
_DURATIONS = ("timeout", "heartbeat", "delay", "max_delay", "for")
#: the least that a number may be
_NUMBERS = {"cpu": 0, "priority": -math.inf, "count": 0, "backoff": 1, "jitter": 0, "memory_factor": 1}
_DURATION = re.compile(r"\d+(\.\d+)?(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"\d+(\.\d+)?\s?([KMGT]i?B)", re.ASCII)


def milliseconds(given: Any) -> Any:
    """A duration as the engine takes it: texts as they are, numbers are seconds here and milliseconds there."""
    if isinstance(given, datetime.timedelta):
        given = given.total_seconds()
    given = _plain(given)
    return round(given * 1000) if _is_number(given) else given


def told(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a task of that kind as the engine takes them."""
    known = {**_OPTIONS, **_OWN_OPTIONS[kind]}
    return {known[name]: _option(name, value) for name, value in options.items() if name in known}


def _option(name: str, value: Any) -> Any:
    if name in _DURATIONS:
        return milliseconds(value)
    if isinstance(value, Mapping):
        if name not in _OF_OPTIONS:
            return {one: _plain(given) for one, given in value.items()}
        return {_NESTED.get(one, one): _option(one, given) for one, given in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Numbers of NumPy, paths and exception classes as what JSON has."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return value.__name__
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fault(option: str, value: Any) -> str | None:
    """What is wrong with a value that would else be taken for another one, or be refused at the first call."""
    value = _plain(value)
    if value is None:
        return None
    if option in _FLAGS and not isinstance(value, bool):
        return f"{value!r} is neither True nor False"
    if option == "variables" and not _lists(value, str):
        return f"{value!r} is no list of texts; write ['…']"
    if option == "reads" and not _lists(value, str, os.PathLike):
        return f"{value!r} is no list of texts; write ['…']"
    if option == "on" and not _lists(_option(option, value), str):
        return f"{value!r} is no list of errors; write ['…'], or [OSError]"
    if option == "on_failure" and value not in ("fail", "skip", "pause"):
        return f"{value!r} is none of 'fail', 'skip' and 'pause'"
    if option in _DURATIONS and not _is_duration(value):
        return f"{value!r} is no duration; write seconds, '30s', '5m' or '1h'"
    if option == "memory" and not _is_at_least(value, 0) and not (isinstance(value, str) and _SIZE.fullmatch(value)):
        return f"{value!r} is no size; write '512MiB' or '2GiB'"
    if option == "retries" and not isinstance(value, Mapping):
        return _fault("count", value)
    if option in _NUMBERS and not _is_at_least(value, _NUMBERS[option]):
        least = _NUMBERS[option]
        return f"{value!r} is no number" + (f" from {least}" if math.isfinite(least) else "")
    if option not in _OF_OPTIONS or not isinstance(value, Mapping):
        return _unkept(_option(option, value))
    if option == "retries" and "count" not in value:
        return "it has no count"
    return next((f"{one}: {fault}" for one, given in value.items() if (fault := _fault(one, given)) is not None), None)


def _lists(value: Any, *kinds: type) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(one, kinds) for one in value)


def _is_duration(value: Any) -> bool:
    if isinstance(value, datetime.timedelta):
        return value.total_seconds() >= 0
    return _is_at_least(value, 0) or (isinstance(value, str) and _DURATION.fullmatch(value) is not None)


def _is_at_least(value: Any, least: float) -> bool:
    return _is_number(value) and math.isfinite(value) and value >= least


def _unkept(value: Any) -> str | None:
    """The engine is told of options in JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return f"{value!r} is not made of texts and numbers"
    return None


def stated(**options: Any) -> dict[str, Any]:
    """Those that somebody has given: the others are None."""
    return {name: value for name, value in options.items() if value is not None}


def checked(name: str, kind: str, options: Mapping[str, Any]) -> None:
    """Raises `AlmanacError` (`ALM_OPTION_REFUSED`) for what is no option of a task of that kind."""
    import difflib

    known = [*_OPTIONS, *_OWN_OPTIONS[kind], *_OTHERS]
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, 1)
            raise refused(
                f"option {option} of {name} is not known{f'; did you mean {close[0]}?' if close else ''}",
                "See docs/options.md for the options.",
                "ALM_OPTION_REFUSED",
            )
        fault = None if option in _OTHERS else _fault(option, options[option])
        if fault is not None:
            raise refused(
                f"option {option} of {name} is not valid: {fault}",
                "See docs/options.md for the options.",
                "ALM_OPTION_REFUSED",
            )
    for argument, document in (options.get("context") or {}).items():
        if not isinstance(document, Document):
            raise refused(
                f"option context.{argument} of {name} is no document of run.context",
                "Write context={'calibration': run.context('calibration')}.",
                "ALM_OPTION_REFUSED",
            )
