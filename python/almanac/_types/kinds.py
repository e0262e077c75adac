"""What an annotation says of an input or output: a file, a directory, a URL, or a value."""

from __future__ import annotations

import pathlib
from typing import Any

from .._model.values import Dir, File, NamedFile, Url

__all__ = ["KEPT", "TAKE_FILES", "kind_of", "output_of", "no_file"]

_FILES = (File, Dir, pathlib.PurePath)

#: entries of a directory
KEPT = ("file", "dir")

TAKE_FILES = "Take files as inputs of the workflow, or from the task that makes them; a parameter that is only a text is annotated so."


def kind_of(hint: Any) -> str:
    if hint is File or hint is pathlib.Path or hint is pathlib.PurePath:
        return "file"
    return "dir" if hint is Dir else "url" if hint is Url else "value"


def output_of(hint: Any) -> str | dict[str, str]:
    return {"file": hint.name} if isinstance(hint, NamedFile) else kind_of(hint)


def no_file(name: str, value: Any) -> str:
    text = repr(value)
    said = f"{name} is a file or directory, and {text if len(text) < 60 else text[:59] + '…'} is a {type(value).__name__}"
    fields = [key for key, one in value.items() if isinstance(one, _FILES)] if isinstance(value, dict) else []
    return f"{said}: pass its {' or '.join(f'`.{key}`' for key in fields)}" if fields else said
