"""Values as the types that a function names."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import pathlib
import typing
from typing import Any, Literal

from .._model.futures import Future
from .._model.values import Dir, File, Held, Url
from . import structure
from .annotations import descriptions, of

__all__ = ["Misfit", "of", "descriptions", "convert", "makes"]


#: types that nothing else is made into
_EXACT: frozenset[Any] = frozenset(
    {File, Dir, Url, int, float, str, bool, list, dict, type(None), bytes, datetime.datetime}
)


#: what a task has in place of what a workflow passes on
_IN_WORKERS: dict[Any, Any] = {File: pathlib.PurePath, Dir: pathlib.PurePath, Url: str}


#: as annotations: files and directories, which a workflow has as those
_PATHS: frozenset[Any] = frozenset({pathlib.Path, pathlib.PurePath})


#: as texts they are ISO 8601
_DATES: frozenset[Any] = frozenset({datetime.datetime, datetime.date})


class Misfit(Exception):
    """A value is not what an annotation says."""


def convert(value: Any, hint: Any, path: str, in_worker: bool = False) -> Any:
    """
    The value as the type that a function names. Raises `Misfit` with the path to what is something else. `in_worker`
    files and directories are paths, and URLs texts.
    """
    hint = structure.plain(hint)
    # what is not known here, or lives in a worker, is what it is
    if hint is Any or isinstance(value, (Future, Held)) or isinstance(hint, (str, typing.TypeVar)):
        return value
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value if value in args else _misfit(path, value, " or ".join(map(repr, args)))
    if structure.is_union(hint):
        return _one_of(value, args, path, in_worker)
    if origin is not None:
        return _collection(value, origin, args, path, in_worker)
    if isinstance(hint, type):
        return _instance(value, hint, path, in_worker)
    return value


def _one_of(value: Any, hints: tuple[Any, ...], path: str, in_worker: bool) -> Any:
    # a whole number is also a number: the alternative that says exactly what it is goes first
    for hint in sorted(hints, key=lambda one: type(value) is not one):
        try:
            return convert(value, hint, path, in_worker)
        except Misfit:
            continue
    return _misfit(path, value, " or ".join(_name(hint) for hint in hints))


def _collection(value: Any, origin: Any, args: tuple[Any, ...], path: str, in_worker: bool) -> Any:
    if origin in (list, set, frozenset, tuple) or structure.is_sequence(origin):
        if isinstance(value, (set, frozenset, tuple)):
            value = list(value)
        if not isinstance(value, list):
            _misfit(path, value, "a list")
        if origin is tuple and args and args[-1] is not Ellipsis:
            if len(args) != len(value):
                _misfit(path, value, f"a tuple of {len(args)}")
            return tuple(convert(one, hint, f"{path}[{i}]", in_worker) for i, (one, hint) in enumerate(zip(value, args)))
        item = args[0] if args else Any
        items = [convert(one, item, f"{path}[{i}]", in_worker) for i, one in enumerate(value)]
        return origin(items) if origin in (set, frozenset, tuple) else items
    if structure.is_dataclass(origin):
        return value if isinstance(value, origin) else _fields(value, origin, path, in_worker, structure.variables(origin, args))
    if origin is dict or structure.is_mapping(origin):
        if not isinstance(value, dict):
            _misfit(path, value, "a dict")
        item = args[1] if len(args) > 1 else Any
        return {name: convert(one, item, f"{path}.{name}", in_worker) for name, one in value.items()}
    return value


def _instance(value: Any, hint: Any, path: str, in_worker: bool) -> Any:
    if typing.is_typeddict(hint):
        return _fields(value, hint, path, in_worker)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    if in_worker and isinstance(value, _IN_WORKERS.get(hint, ())):
        return value
    if hint in _PATHS:
        return value if isinstance(value, (File, Dir)) else _misfit(path, value, "a file or a directory")
    if hint is float and type(value) is int:
        return float(value)
    if hint in _DATES and isinstance(value, str):
        return _date(value, hint, path)
    if hint in _EXACT or hint is datetime.date:
        _misfit(path, value, _name(hint))
    if issubclass(hint, enum.Enum):
        try:
            return hint(value)
        except (ValueError, TypeError):
            return _misfit(path, value, " or ".join(repr(one.value) for one in hint))
    validate = getattr(hint, "model_validate", None)
    if validate is not None:
        try:
            return validate(value)
        except Exception as error:  # pydantic's own, which is not imported here
            hint = "\nA field that is a file is annotated File, Dir or Url." if _has_path(value) else ""
            raise Misfit(f"{path}: {error}{hint}") from None
    if structure.is_named_tuple(hint):
        return _named_tuple(value, hint, path, in_worker)
    return _fields(value, hint, path, in_worker) if dataclasses.is_dataclass(hint) else value


def _has_path(value: Any) -> bool:
    """Has a model of pydantic been given what its author annotated `Path`?"""
    return isinstance(value, dict) and any(isinstance(one, (File, Dir)) for one in value.values())


def _named_tuple(value: Any, hint: Any, path: str, in_worker: bool) -> Any:
    """It is kept as the list of its fields; those at the end that have defaults may be left out."""
    names = hint._fields
    least = len(names) - len(hint._field_defaults)
    if not isinstance(value, (list, tuple)) or not least <= len(value) <= len(names):
        _misfit(path, value, f"{hint.__name__}({', '.join(names)})")
    known = of(hint)
    return hint(*(convert(one, known.get(name, Any), f"{path}.{name}", in_worker) for name, one in zip(names, value)))


def _fields(value: Any, hint: Any, path: str, in_worker: bool, variables: dict[Any, Any] | None = None) -> Any:
    if not isinstance(value, dict):
        _misfit(path, value, _name(hint))
    fields = structure.members(hint)
    unknown = [name for name in value if name not in fields]
    missing = [name for name in structure.required(hint, fields) if name not in value]
    if unknown or missing:
        said = [f"{name} is missing" for name in missing] + [f"there is no {name}" for name in unknown]
        raise Misfit(f"{path}: {', '.join(said)}")
    known = variables or {}
    converted = {
        name: convert(one, known.get(fields[name], fields[name]), f"{path}.{name}", in_worker)
        for name, one in value.items()
    }
    if typing.is_typeddict(hint):
        return converted
    made_itself = {field.name for field in dataclasses.fields(hint) if not field.init}
    try:
        return hint(**{name: one for name, one in converted.items() if name not in made_itself})
    except (TypeError, ValueError) as error:
        # what its author checks, in `__post_init__`
        raise Misfit(f"{path}: {error}") from error


def _date(text: str, hint: Any, path: str) -> Any:
    try:
        # Python 3.10 knows no `Z`
        found = hint.fromisoformat(text.replace("Z", "+00:00") if hint is datetime.datetime else text)
    except ValueError:
        return _misfit(path, text, "a date like 2026-01-31" if hint is datetime.date else "a time like 2026-01-31T12:00:00Z")
    if hint is datetime.datetime and found.tzinfo is None:
        return found.replace(tzinfo=datetime.timezone.utc)
    return found


def makes(hint: Any, seen: set[Any] | None = None) -> bool:
    """Is a value as it was kept made into something else for this type? Plain types are what they are."""
    seen = set() if seen is None else seen
    hint = structure.plain(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, set, frozenset) or structure.is_dataclass(origin):
        return True
    if origin is not None:
        return origin is not Literal and any(makes(one, seen) for one in args)
    if not isinstance(hint, type) or hint in _EXACT:
        return False
    if typing.is_typeddict(hint):
        if hint in seen:
            return False
        seen.add(hint)
        return any(makes(one, seen) for one in of(hint).values())
    made = dataclasses.is_dataclass(hint) or issubclass(hint, enum.Enum) or hasattr(hint, "model_validate")
    made = made or structure.is_named_tuple(hint)
    return made or hint is datetime.date


def _name(hint: Any) -> str:
    names = {File: "a file", Dir: "a directory", Url: "a URL", type(None): "None"}
    return names.get(hint) or getattr(hint, "__name__", None) or str(hint)


def _misfit(path: str, value: Any, wanted: str) -> Any:
    text = repr(value)
    raise Misfit(f"{path}: {text if len(text) < 60 else text[:57] + '…'} is not {wanted}")
