"""What a type is made of: alternatives, items, fields."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import types
import typing
from typing import Any, Union

from .._model.futures import Future
from .annotations import of

__all__ = [
    "field", "is_dataclass", "is_mapping", "is_named_tuple", "is_sequence", "is_union", "made_of", "members",
    "mentions", "plain", "required", "says", "unless_none", "variables",
]


def plain(hint: Any) -> Any:
    """Without what says nothing about the value."""
    while typing.get_origin(hint) is typing.Annotated or isinstance(hint, dataclasses.InitVar):
        hint = typing.get_args(hint)[0] if not isinstance(hint, dataclasses.InitVar) else hint.type
    if typing.get_origin(hint) is Future:
        return typing.get_args(hint)[0]
    if sys.version_info >= (3, 11) and typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return typing.get_args(hint)[0]
    return Any if hint is inspect.Parameter.empty else hint


def is_union(hint: Any) -> bool:
    return typing.get_origin(hint) is Union or typing.get_origin(hint) is types.UnionType


def is_sequence(origin: Any) -> bool:
    import collections.abc

    return origin in (collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)


def is_mapping(origin: Any) -> bool:
    import collections.abc

    return origin in (collections.abc.Mapping, collections.abc.MutableMapping)


def is_dataclass(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def is_named_tuple(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def says(hint: Any) -> bool:
    """Does an annotation say anything?"""
    return plain(hint) is not Any


def unless_none(hint: Any) -> Any:
    """What it is where it is not None, if that is one type."""
    hint = plain(hint)
    others = [one for one in typing.get_args(hint) if one is not type(None)] if is_union(hint) else []
    return plain(others[0]) if len(others) == 1 else hint


def field(hint: Any, step: str | int) -> Any:
    """The type of a field or item; None where it is not known."""
    hint = plain(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(step, int):
        if is_named_tuple(hint) and -len(hint._fields) <= step < len(hint._fields):
            return of(hint).get(hint._fields[step])
        return args[0] if origin is list and args else None
    if origin is dict and len(args) == 2:
        return args[1]
    named = origin if is_dataclass(origin) else hint
    if not (is_dataclass(named) or typing.is_typeddict(named)):
        return None
    found = members(named).get(step)
    return variables(named, args).get(found, found)


def variables(generic: Any, args: tuple[Any, ...]) -> dict[Any, Any]:
    return dict(zip(getattr(generic, "__parameters__", ()), args))


def members(hint: Any) -> dict[str, Any]:
    """What a dataclass or a `TypedDict` is made of, with types: fields and `InitVar`s, and no `ClassVar`s."""
    found = of(hint)
    if typing.is_typeddict(hint):
        return found
    return {one.name: found.get(one.name, Any) for one in made_of(hint)}


def made_of(hint: Any) -> list[dataclasses.Field[Any]]:
    # `dataclasses.fields` is without what a dataclass is made of and does not keep
    kind = dataclasses._FIELD_CLASSVAR  # type: ignore[attr-defined]
    return [one for one in hint.__dataclass_fields__.values() if one._field_type is not kind]


def required(hint: Any, fields: dict[str, Any]) -> list[str]:
    if typing.is_typeddict(hint):
        return sorted(hint.__required_keys__)
    missing = dataclasses.MISSING
    has_default = {
        field.name
        for field in made_of(hint)
        if field.default is not missing or field.default_factory is not missing or not field.init
    }
    return [name for name in fields if name not in has_default]


@functools.lru_cache(maxsize=4096)
def mentions(hint: Any, other: Any) -> bool:
    """Does a type name another, or itself, in whatever it is made of?"""
    pending, seen = _named(hint), {}
    while pending:
        one = pending.pop()
        if plain(one) is other:
            return True
        if id(one) not in seen:
            seen[id(one)] = one
            pending += _named(one)
    return False


def _named(hint: Any) -> list[Any]:
    hint = plain(hint)
    if is_dataclass(hint) or typing.is_typeddict(hint):
        return list(members(hint).values())
    return list(of(hint).values() if is_named_tuple(hint) else typing.get_args(hint))
