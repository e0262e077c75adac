"""Exceptions as Almanac keeps them: the author's file and line, and a traceback of the author's frames."""

from __future__ import annotations

import builtins
import os
import sys
import textwrap
import traceback
from typing import Any, Callable, NamedTuple

#: Python 3.10 has none
_GROUP: Any = getattr(builtins, "ExceptionGroup", None)
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: frames of libraries that are left out in one place are counted
_MAX_TEXT = 64 * 1024
_MAX_CHAIN = 8
#: frames that are told of a deep recursion, at each end
_MAX_FRAMES = 50
#: how often a line is told that calls itself
_MAX_REPEATED = 3
#: exceptions of a group that are told, and groups within groups
_MAX_GROUP = 8
_MAX_NESTED = 3
#: members of a group that are told so that they can be made again, in all, groups within groups, and letters of a message
_MAX_MEMBERS = 32
_MAX_WITHIN = 4
_MAX_MESSAGE = 1024
#: names of classes that are told, and characters of each
_MAX_TYPES = 24
_MAX_NAME = 200


def record(error: BaseException, is_local: Callable[[str], bool], fallback: tuple[str, int] | None) -> dict[str, Any]:
    """Type, message, place and traceback of an exception."""
    first, _, last = _frames(error)
    place = _place(error, [*first, *last], is_local) or fallback
    fields: dict[str, Any] = {
        "type": type(error).__name__,
        "types": types(error),
        "message": cut(message(error), 8 * 1024),
        "stack": cut(_chain(error, is_local), _MAX_TEXT),
    }
    if (held := members(error)) is not None:
        fields["group"] = held
    if place is not None:
        fields["file"], fields["line"] = place
    return fields


def types(error: BaseException) -> list[str]:
    """Its class and those above it, each with its module."""
    return [f"{one.__module__}.{one.__qualname__}"[:_MAX_NAME] for one in type(error).__mro__[:-1][:_MAX_TYPES]]


def members(error: BaseException) -> list[dict[str, Any]] | None:
    """What an exception group holds, by which it can be made again; None where it is none. What is too much is told as one."""
    return _members(error, [_MAX_MEMBERS], 0)


def _members(error: BaseException, left: list[int], within: int) -> list[dict[str, Any]] | None:
    if _GROUP is None or not isinstance(error, _GROUP) or within == _MAX_WITHIN:
        return None
    held: list[dict[str, Any]] = []
    # an attribute of the author's could stand before it
    exceptions = _GROUP.exceptions.__get__(error)
    for one in exceptions:
        if left[0] == 0:
            held.append({"message": f"{len(exceptions) - len(held)} more exceptions of the group"})
            break
        left[0] -= 1
        told: dict[str, Any] = {"message": cut(message(one), _MAX_MESSAGE), "type": type(one).__name__, "types": types(one)}
        deeper = _members(one, left, within + 1)
        held.append(told if deeper is None else {**told, "group": deeper})
    return held


def is_terminal(error: BaseException) -> bool:
    try:
        return bool(getattr(error, "almanac_terminal", False))
    except Exception:  # a property of the author's that raises says nothing
        return False


def cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n… {len(text) - limit} characters left out …\n{text[-limit // 2 :]}"


def message(error: BaseException) -> str:
    """What it says of itself, or else its type."""
    try:
        text = str(error)
    except Exception as other:  # a broken __str__ must not hide the failure
        text = f"({type(error).__name__}.__str__ raised {type(other).__name__})"
    return text or type(error).__name__


class _Frames(NamedTuple):
    first: list[traceback.FrameSummary]
    #: how many are left out
    between: int
    last: list[traceback.FrameSummary]


def _frames(error: BaseException) -> _Frames:
    count, at = 0, error.__traceback__
    while at is not None:
        count, at = count + 1, at.tb_next
    between = max(0, count - 2 * _MAX_FRAMES)
    rest = error.__traceback__ if between else None
    for _ in range(_MAX_FRAMES + between if between else 0):
        rest = rest and rest.tb_next
    try:
        first = traceback.extract_tb(error.__traceback__, _MAX_FRAMES if between else None)
        last = traceback.extract_tb(rest)
    except Exception:  # sources that cannot be read
        return _Frames([], 0, [])
    ours = _ours()
    of_author = [[frame for frame in frames if not frame.filename.startswith(ours)] for frames in (first, last)]
    return _Frames(of_author[0], between, of_author[1])


def _ours() -> tuple[str, ...]:
    """Where frames lie that say nothing to an author: here, and in the package that gives a task what it names."""
    package = getattr(sys.modules.get("almanac"), "__file__", None)
    decorates = (os.path.dirname(package) + os.sep,) if package else ()
    return (_OURS, "<frozen importlib", *decorates)


def _place(
    error: BaseException, frames: list[traceback.FrameSummary], is_local: Callable[[str], bool]
) -> tuple[str, int] | None:
    if isinstance(error, SyntaxError) and error.filename and is_local(error.filename):
        return error.filename, error.lineno or 1
    for frame in reversed(frames):
        if is_local(frame.filename):
            return frame.filename, frame.lineno or 1
    return None


def _chain(error: BaseException, is_local: Callable[[str], bool], nested: int = 0) -> str:
    """As Python prints it, causes first."""
    parts = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(current))
        parts.append(_one(current, is_local) + _group(current, is_local, nested))
        if current.__cause__ is not None:
            parts.append("\nThe above exception was the direct cause of the following exception:\n\n")
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            parts.append("\nDuring handling of the above exception, another exception occurred:\n\n")
            current = current.__context__
        else:
            current = None
    if parts[-1].startswith("\n"):
        parts.pop()
    return "".join(reversed(parts))


def _group(error: BaseException, is_local: Callable[[str], bool], nested: int) -> str:
    """What an exception group holds, each further in."""
    try:
        within = getattr(error, "exceptions", None)
    except Exception:  # an attribute of the author's that raises says nothing
        return ""
    if nested >= _MAX_NESTED or not isinstance(within, tuple) or not all(isinstance(one, BaseException) for one in within):
        return ""
    told = [
        f"  {index} of {len(within)}:\n" + textwrap.indent(_chain(one, is_local, nested + 1), "    ")
        for index, one in enumerate(within[:_MAX_GROUP], 1)
    ]
    if len(within) > _MAX_GROUP:
        told.append(f"  … {len(within) - _MAX_GROUP} more\n")
    return "".join(told)


def _one(error: BaseException, is_local: Callable[[str], bool]) -> str:
    first, between, last = _frames(error)
    lines = ["Traceback (most recent call last):\n"] if first or last else []
    lines += _told(first, is_local, len(first) if last else len(first) - 1)
    if between:
        lines.append(f"  … {between} more frames\n")
    lines += _told(last, is_local, len(last) - 1)
    try:
        lines.extend(traceback.format_exception_only(type(error), error))
    except Exception:  # a broken __str__
        lines.append(f"{type(error).__name__}\n")
    return "".join(lines)


def _told(frames: list[traceback.FrameSummary], is_local: Callable[[str], bool], raised: int) -> list[str]:
    """Of libraries only the frame that raised is told; of a line that calls itself the first three."""
    lines: list[str] = []
    left_out = repeated = 0
    before = None
    for index, frame in enumerate(frames):
        if not is_local(frame.filename) and index != raised:
            left_out += 1
            continue
        repeated = repeated + 1 if frame == before and not left_out else 0
        before = frame
        if repeated >= _MAX_REPEATED and frames[index + 1 : index + 2] == [frame]:
            continue
        if repeated >= _MAX_REPEATED:
            lines.append(f"  [Previous line repeated {repeated - _MAX_REPEATED + 1} more times]\n")
            continue
        lines.extend(_left_out(left_out))
        left_out = 0
        lines.extend(traceback.format_list([frame]))
    return [*lines, *_left_out(left_out)]


def _left_out(count: int) -> list[str]:
    return [f"  … {count} frame{'s' if count > 1 else ''} of libraries\n"] if count else []
