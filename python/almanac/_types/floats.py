"""Whole numbers as the floats that an annotation names: JSON does not tell `1.0` from `1`."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, Callable, Union

from . import structure
from .hints import Misfit, convert

__all__ = ["floats"]

_Make = Callable[[Any], Any]


def floats(hint: Any) -> _Make | None:
    """What makes floats of whole numbers where a type says so, and refuses nothing; None where it names none."""
    return _make(hint, {})


def _make(hint: Any, known: dict[Any, dict[str, _Make]]) -> _Make | None:
    hint = structure.plain(hint)
    if hint is float:
        return _float
    if isinstance(hint, dict):
        makes = _by_name(hint, known)
        return functools.partial(_fields, makes) if makes else None
    if typing.is_typeddict(hint):
        if not structure.mentions(hint, float):
            return None
        if hint not in known:
            known[hint] = {}
            known[hint].update(_by_name(structure.members(hint), known))
        # within itself, these are being found
        return functools.partial(_fields, known[hint])
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Union or origin is types.UnionType:
        return _one_of(hint, args, known)
    if args and (origin is list or structure.is_sequence(origin)):
        item = _make(args[0], known)
        return None if item is None else functools.partial(_items, item)
    if args and (origin is dict or structure.is_mapping(origin)):
        item = _make(args[-1], known)
        return None if item is None else functools.partial(_values, item)
    return None


def _float(value: Any) -> Any:
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return value


def _by_name(hints: dict[str, Any], known: dict[Any, dict[str, _Make]]) -> dict[str, _Make]:
    return {name: make for name, hint in hints.items() if (make := _make(hint, known)) is not None}


def _fields(makes: dict[str, _Make], value: Any) -> Any:
    if type(value) is not dict:
        return value
    return {name: makes[name](one) if name in makes else one for name, one in value.items()}


def _items(make: _Make, value: Any) -> Any:
    return [make(one) for one in value] if type(value) is list else value


def _values(make: _Make, value: Any) -> Any:
    return {name: make(one) for name, one in value.items()} if type(value) is dict else value


def _one_of(hint: Any, hints: tuple[Any, ...], known: dict[Any, dict[str, _Make]]) -> _Make | None:
    # where it says both, a whole number is what it is
    makes = [make for one in hints if (make := _make(one, known)) is not None and not (make is _float and int in hints)]
    if not makes:
        return None
    if sum(typing.get_origin(one) is not None or typing.is_typeddict(one) for one in hints) > 1:
        return lambda value: _fitting(value, hint)

    def one_of(value: Any) -> Any:
        for make in makes:
            value = make(value)
        return value

    return one_of


def _fitting(value: Any, hint: Any) -> Any:
    """As the first alternative that it fits."""
    try:
        return convert(value, hint, "it")
    except (Misfit, OverflowError):
        return value
