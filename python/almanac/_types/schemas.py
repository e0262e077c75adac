"""Type hints as JSON Schemas, with `almanac` where files are meant."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import pathlib
import typing
from typing import Any, Literal

from .._model.values import Dir, File, Url
from . import structure
from .annotations import of

__all__ = ["schema"]


_SCHEMAS: dict[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    File: {"almanac": "file"},
    # a file or a directory, whichever is given
    pathlib.Path: {"anyOf": [{"almanac": "file"}, {"almanac": "dir"}]},
    pathlib.PurePath: {"anyOf": [{"almanac": "file"}, {"almanac": "dir"}]},
    Dir: {"almanac": "dir"},
    Url: {"almanac": "url"},
    list: {"type": "array"},
    dict: {"type": "object"},
    datetime.date: {"type": "string", "format": "date"},
}


def schema(hint: Any, within: bool = False) -> dict[str, Any]:
    """
    The JSON Schema of a type; `{}` where it says nothing that JSON Schema can, and `within` a type that names itself,
    where another is that does.
    """
    if isinstance(hint, dict):
        # what may be None may be left out, and is None then
        optional = {name for name, one in hint.items() if _may_be_none(one)}
        fields = {
            name: {**schema(one, within), **({"default": None} if name in optional else {})} for name, one in hint.items()
        }
        return _object(fields, [name for name in hint if name not in optional])
    hint = structure.plain(hint)
    known = _SCHEMAS.get(hint) if isinstance(hint, type) else None
    if known is not None:
        return dict(known)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if structure.is_union(hint):
        # a path is one of two by itself
        alternatives = [one for arg in args for one in _alternatives(schema(arg, within))]
        return {} if {} in alternatives else {"anyOf": alternatives}
    if origin is tuple and args[1:] != (...,):
        return _list_of(args, within)
    if args and (origin in (list, tuple, set, frozenset) or structure.is_sequence(origin)):
        return {"type": "array", "items": schema(args[0], within)}
    if origin is dict or structure.is_mapping(origin):
        values = schema(args[1], within) if len(args) == 2 else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [one.value for one in hint]}
    pydantic = getattr(hint, "model_json_schema", None)
    if pydantic is not None:
        return pydantic()  # type: ignore[no-any-return]
    if structure.is_named_tuple(hint):
        recursive, found = structure.mentions(hint, hint), of(hint)
        hints = [found.get(name, Any) for name in hint._fields]
        return {} if recursive and within else _list_of(hints, within or recursive)
    if dataclasses.is_dataclass(hint) or typing.is_typeddict(hint):
        recursive = structure.mentions(hint, hint)
        if recursive and within:
            return {}
        fields = structure.members(hint)
        defaults = _defaults(hint)
        properties = {
            name: {**schema(one, within or recursive), **defaults.get(name, {})} for name, one in fields.items()
        }
        return _object(properties, structure.required(hint, fields))
    return {}


def _list_of(hints: typing.Sequence[Any], within: bool) -> dict[str, Any]:
    """How many there are is told where the value is made."""
    return {"type": "array", "prefixItems": [schema(one, within) for one in hints]}


def _alternatives(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told["anyOf"] if list(told) == ["anyOf"] else [told]
    return found


def _may_be_none(hint: Any) -> bool:
    return structure.is_union(hint := structure.plain(hint)) and type(None) in typing.get_args(hint)


def _defaults(hint: Any) -> dict[str, dict[str, Any]]:
    """Of a dataclass, those that JSON has: who keeps the value fills them in."""
    if not dataclasses.is_dataclass(hint):
        return {}
    missing, found = dataclasses.MISSING, {}
    for field in structure.made_of(hint):
        value = field.default_factory() if field.default_factory is not missing else field.default
        if value is not missing and _is_json(value):
            found[field.name] = {"default": value}
    return found


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(one) for name, one in value.items())
    return value is None or type(value) in (str, int, bool) or (type(value) is float and math.isfinite(value))


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}
