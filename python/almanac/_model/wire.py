"""Values between a workflow in Python and the engine: the wire form of Almanac's codec, both ways."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from almanac_worker.shared.frames import decode
from almanac_worker.shared.values import Encoder, Refused, decoders

from ..errors import refused
from .futures import Future
from .values import Dir, File, Held, Kept, NamedFile, Url

__all__ = ["TO_A_FILE", "decode_lines", "encode", "is_array"]

#: what a program does with an object that is no value
TO_A_FILE = "Write it to a file, and give the workflow the path of that as an input (a `pathlib.Path`)"


def _reference(value: Any, path: tuple[str | int, ...]) -> dict[str, Any] | None:
    if isinstance(value, Future):
        return {"$": "future", "call": value._call, "path": value._path}
    if isinstance(value, Kept):
        return value._wire
    if isinstance(value, pathlib.PurePath):
        raise Refused(path, "it is a path: take files as inputs of the workflow, in a model's field as `File` or `Dir`, or let a task make them")
    if isinstance(value, NamedFile):
        raise Refused(path, "it names an output of a task: take files as inputs of the workflow, or let a task make them")
    if is_array(value):
        raise Refused(path, f"it is a {type(value).__name__}: make arrays in tasks, and pass on their futures")
    return None


def is_array(value: Any) -> bool:
    """Is it an array or a table?"""
    return type(value).__module__.partition(".")[0] in ("numpy", "pandas", "polars", "pyarrow", "torch", "xarray")


def _bytes(value: bytes | bytearray | memoryview) -> dict[str, Any]:
    import base64

    return {"$": "bytes", "v": base64.b64encode(value).decode("ascii")}


_encoder = Encoder(_reference, _bytes)


def encode(value: Any, what: str) -> Any:
    """JSON structure of a value. Raises `WorkflowRefused` with the path to what cannot be kept."""
    try:
        return _encoder.wire(value)
    except Refused as error:
        raise refused(
            f"{what}, {error}" if error.path else f"{what}: {error.why}",
            "Pass plain values, dataclasses, dates, bytes, files, directories or futures.",
        ) from None


_references = {"file": File, "dir": Dir, "url": Url, "held": Held}


def _special(fields: dict[str, Any]) -> Any:
    kind = fields.get("$")
    if kind is None:
        return fields
    reference = _references.get(kind)
    if reference is not None:
        return reference(fields)
    return decoders[kind](fields)


def decode_lines(given: bytes) -> list[list[Any]]:
    """The messages of a line."""
    messages: list[list[Any]]
    line = given.decode("utf-8", "surrogatepass")
    if '"$"' not in line:
        messages = decode(line)
    elif '"$":"object"' not in line:
        messages = json.loads(line, object_hook=_special)
    else:
        # an object that has a key `$` of its own is wrapped: what is in it is no kind
        messages = _unwrapped(json.loads(line))
    return messages


def _unwrapped(wire: Any) -> Any:
    if isinstance(wire, list):
        return [_unwrapped(item) for item in wire]
    if not isinstance(wire, dict):
        return wire
    if wire.get("$") == "object":
        return {name: _unwrapped(value) for name, value in wire["v"].items()}
    return _special({name: _unwrapped(value) for name, value in wire.items()})
