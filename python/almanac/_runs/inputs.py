"""Inputs that a program gives a run: values as the engine reads them, and files by their paths."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from .._model.wire import TO_A_FILE, encode, is_array
from ..errors import AlmanacError, noted, refused

__all__ = ["as_given"]


def as_given(value: Any, name: str) -> Any:
    try:
        return encode(_by_paths(value), f"input {name}")
    except AlmanacError as error:
        if not is_array(value):
            raise noted(error, error.hint) from None
        message = f"input {name} is a {type(value).__name__}, which lives in this program alone"
        raise noted(refused(message, f"{TO_A_FILE}."), f"{TO_A_FILE}.") from None


def _by_paths(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.path.abspath(os.fspath(value))
    if type(value) in (list, tuple):
        return [_by_paths(one) for one in value]
    if type(value) is dict:
        return {name: _by_paths(one) for name, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _by_paths(getattr(value, field.name)) for field in dataclasses.fields(value)}
    # a model of pydantic
    dump = getattr(type(value), "model_dump", None)
    return value if dump is None else _by_paths(dump(value))
