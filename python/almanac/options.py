"""The options of tasks, as a checker and an editor know them. `docs/options.md` has what each means."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Literal, Mapping, Sequence, TypedDict

from .errors import refused

if TYPE_CHECKING:
    from .documents import Document
    from .tasks import Environment

__all__ = ["Duration", "Retries", "TaskOptions", "FunctionOptions", "checked", "told", "milliseconds"]

#: seconds, a `timedelta`, or a text like `"90s"`, `"10m"`, `"2d"`
Duration = int | float | str | datetime.timedelta


class Retries(TypedDict, total=False):
    """`retries={"count": 3, "delay": "10s"}`"""

    count: int
    delay: Duration
    backoff: float
    max_delay: Duration
    jitter: float
    on: Sequence[str]
    memory_factor: float


class TaskOptions(TypedDict, total=False):
    """Of every task."""

    retries: int | Retries
    timeout: Duration
    heartbeat: Duration
    cache: bool | Mapping[Literal["for"], Duration]
    version: str
    variables: Sequence[str]
    reads: Sequence[str]
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
_LISTS = ("variables", "reads")
_NESTED = {"max_delay": "maxDelay", "memory_factor": "memoryFactor"}
_DURATIONS = ("timeout", "heartbeat", "delay", "max_delay", "for")


def milliseconds(given: Any) -> Any:
    """A duration as the engine takes it: texts as they are, numbers are seconds here and milliseconds there."""
    if isinstance(given, datetime.timedelta):
        given = given.total_seconds()
    return round(given * 1000) if isinstance(given, (int, float)) and not isinstance(given, bool) else given


def told(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a task of that kind as the engine takes them."""
    known = {**_OPTIONS, **_OWN_OPTIONS[kind]}
    return {known[name]: _option(name, value) for name, value in options.items() if name in known}


def _option(name: str, value: Any) -> Any:
    if name in _DURATIONS:
        return milliseconds(value)
    if isinstance(value, Mapping):
        return {_NESTED.get(one, one): _option(one, given) for one, given in value.items()}
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def _fault(option: str, value: Any) -> str | None:
    """What is wrong with a value that would else be taken for another one."""
    if value is None:
        return None
    if option in _FLAGS and not isinstance(value, bool):
        return f"{value!r} is neither True nor False"
    if option in _LISTS and not (
        isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(one, str) for one in value)
    ):
        return f"{value!r} is no list of texts; write ['…']"
    if option == "on_failure" and value not in ("fail", "skip", "pause"):
        return f"{value!r} is none of 'fail', 'skip' and 'pause'"
    return None


def checked(name: str, kind: str, options: Mapping[str, Any]) -> None:
    """Raises `AlmanacError` (`ALM_OPTION_REFUSED`) for what is no option of a task of that kind."""
    import difflib

    from .documents import Document

    known = [*_OPTIONS, *_OWN_OPTIONS[kind], *_OTHERS]
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, 1)
            raise refused(
                f"option {option} of {name} is not known{f'; did you mean {close[0]}?' if close else ''}",
                "See docs/options.md for the options.",
                "ALM_OPTION_REFUSED",
            )
        fault = _fault(option, options[option])
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
