"""Where types name files and directories: in `Path | None`, `list[Path]`, `dict[str, File]` as in `Path`."""

from __future__ import annotations

import dataclasses
import inspect
import os
import pathlib
import re
import typing
from typing import Any, Callable, Collection, Mapping

from .._model.futures import Future
from .._model.values import Dir, File
from ..errors import refused
from . import structure
from .annotations import of
from .kinds import KEPT, kind_of

__all__ = ["finder", "finders", "refuse_returned", "as_texts"]

#: what is neither file nor directory, with its name; None where all are
Find = Callable[[str, Any], "tuple[str, Any] | None"]


def finder(hint: Any) -> Find | None:
    """What finds a value that is no file where a type says that it is one; None where the type names none."""
    hint = structure.plain(hint)
    if kind_of(hint) in KEPT:
        return _itself
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if structure.is_union(hint):
        return _one_of([finder(one) for one in args if one is not type(None)])
    if origin is dict or structure.is_mapping(origin):
        return _within(finder(args[-1]), dict, lambda value: value.items(), "{}.{}")
    if args and (origin in (list, tuple, set, frozenset) or structure.is_sequence(origin)):
        # of a tuple of several types any may be one
        inner = [finder(one) for one in args if one is not Ellipsis]
        return _within(inner[0] if len(inner) == 1 else None, (list, tuple), enumerate, "{}[{}]")
    return None


def finders(hinted: Mapping[str, Any], given: Collection[str]) -> dict[str, Find]:
    """Of parameters, but for those that somebody else gives."""
    return {name: find for name, hint in hinted.items() if name not in given and (find := finder(hint)) is not None}


def refuse_returned(task: str, hint: Any, at: tuple[str, int]) -> None:
    place = _place_in(hint, ())
    if place is None:
        return
    # in some versions of Python `Path` is of another module than the one that it is imported from
    written = re.sub(r"(\w+\.)+", "", inspect.formatannotation(hint))
    within = f", with a file at {place}" if place else ""
    raise refused(
        f"task {task} is annotated to return {written}{within}: files are left at a path, and not returned",
        f'Write @task(outputs={{"found": File}}), and a parameter of that name that gets the path: def {task}(…, *, found: Path) -> None.',
        "ALM_RESULT_REFUSED",
        at,
    )


def _place_in(hint: Any, within: tuple[Any, ...]) -> str | None:
    """Where a value of a type has a file or directory: in a field that it cannot be without, as in `scene.raw`; "" where it is one."""
    hint = structure.plain(hint)
    if finder(hint) is not None:
        return ""
    if hint in within:
        return None
    for name, field in _needed(hint).items():
        place = _place_in(field, (*within, hint))
        if place is not None:
            return f"{name}.{place}" if place else name
    return None


def _needed(hint: Any) -> dict[str, Any]:
    """The fields that have no default, and are not None."""
    if structure.is_named_tuple(hint):
        fields, defaults = of(hint), hint._field_defaults
        needed = [name for name in hint._fields if name in fields and name not in defaults]
    elif dataclasses.is_dataclass(hint) or typing.is_typeddict(hint):
        fields = structure.members(hint)
        needed = structure.required(hint, fields)
    else:
        return {}
    return {name: fields[name] for name in needed if type(None) not in typing.get_args(structure.plain(fields[name]))}


def _itself(name: str, value: Any) -> tuple[str, Any] | None:
    return None if value is None or isinstance(value, (Future, File, Dir, pathlib.PurePath)) else (name, value)


def _one_of(finds: list[Find | None]) -> Find | None:
    known = [find for find in finds if find is not None]
    # what is no file is another alternative
    if not known or len(known) < len(finds):
        return None

    def find(name: str, value: Any) -> tuple[str, Any] | None:
        found = [one(name, value) for one in known]
        return None if None in found else found[0]

    return find


def _within(inner: Find | None, kind: Any, parts: Callable[[Any], Any], path: str) -> Find | None:
    if inner is None:
        return None

    def find(name: str, value: Any) -> tuple[str, Any] | None:
        if not isinstance(value, kind):
            return None
        return next((found for step, one in parts(value) if (found := inner(path.format(name, step), one)) is not None), None)

    return find


def as_texts(value: Any, folder: str) -> Any:
    """Where a type names files, their paths as the engine reads them, from a folder on."""
    if isinstance(value, (list, tuple)):
        return [as_texts(one, folder) for one in value]
    if isinstance(value, dict):
        return {name: as_texts(one, folder) for name, one in value.items()}
    return os.path.normpath(os.path.join(folder, value)) if isinstance(value, (str, pathlib.PurePath)) else value
