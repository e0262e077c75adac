"""Annotations of functions and classes as types."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from typing import Any, Callable

__all__ = ["of", "descriptions"]


@functools.lru_cache(maxsize=4096)
def of(function: Callable[..., Any]) -> dict[str, Any]:
    """Its annotations by parameter; of those that cannot be found (under `TYPE_CHECKING`), anything fits."""
    return _evaluated(function, extras=False)


def descriptions(function: Callable[..., Any]) -> dict[str, str]:
    """What `Annotated[int, "of high priority"]` says of its parameters, or a field of pydantic there."""
    said = {
        name: next((text for text in map(_description, typing.get_args(hint)[1:]) if text is not None), None)
        for name, hint in _evaluated(function, extras=True).items()
        if typing.get_origin(hint) is typing.Annotated
    }
    return {name: text for name, text in said.items() if text is not None}


def _evaluated(owner: Any, extras: bool) -> dict[str, Any]:
    try:
        return typing.get_type_hints(owner, include_extras=extras)
    except Exception:  # whatever evaluating an annotation raises
        pass
    found: dict[str, Any] = {}
    for one in reversed(owner.__mro__) if isinstance(owner, type) else [owner]:
        names = getattr(inspect.unwrap(one), "__globals__", None) or getattr(sys.modules.get(one.__module__), "__dict__", {})
        own = dict(vars(one)) if isinstance(one, type) else None
        for name, hint in _annotations(one).items():
            # evaluated alone: one that cannot be is not to be the end of the others
            alone = types.SimpleNamespace(__annotations__={name: hint})
            try:
                found.update(typing.get_type_hints(alone, names, own, include_extras=extras))
            except Exception:  # whatever it raises
                found[name] = Any
    return found


def _annotations(owner: Any) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def _description(said: Any) -> str | None:
    text = said if isinstance(said, str) else getattr(said, "description", None)
    return text if isinstance(text, str) else None
