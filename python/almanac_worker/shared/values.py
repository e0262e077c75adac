"""Values between JSON and Python: the wire form of Almanac's codec, both ways.

What comes in becomes native: dates are aware `datetime`s in UTC, bytes `bytes`, big integers `int`, files and
directories `pathlib.Path`. What goes out: numbers, texts, lists, tuples, dicts with text keys, dataclasses,
enums, models of pydantic, dates, bytes and NumPy scalars by value; NumPy arrays, and whatever else pickles with
out-of-band buffers, stay here (see `held/store.py`). Everything else is refused with the path to it: nothing is turned into
text by stealth.
"""

from __future__ import annotations

import datetime
import enum
import json
import math
import os
import pathlib
import threading
from typing import Any, Callable

from .loaded_modules import imported

SAFE = 2**53 - 1
MAX_DEPTH = 200
#: bytes from this size on travel in a file of shared memory
BLOB = 1 << 16

_AS_IS = frozenset((str, bool, type(None)))
_PLAIN = frozenset((str, bool, type(None), int, float))


#: steps of a path that are told
_LONGEST = 12
#: characters of why something cannot be pickled
_LONGEST_WHY = 500


class Refused(Exception):
    """A value that cannot be kept, with the path to it."""

    def __init__(self, path: tuple[str | int, ...], why: str) -> None:
        super().__init__(f"at {path_text(path)}: {why}")
        self.path = path
        self.why = why


def path_text(path: tuple[str | int, ...]) -> str:
    text = ""
    if len(path) > _LONGEST:
        return f"{path_text(path[: _LONGEST - 2])}…{path_text(('', *path[-2:]))}"
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "(the value itself)"


def decode(text: str, held: Callable[[dict[str, Any]], Any]) -> Any:
    """A value of the host's. `held` finds what lives in a worker. Objects with a key `$` come as pairs."""
    if '"$"' not in text:
        return json.loads(text)
    _finder.held = held
    try:
        return _special_decoder.decode(text)
    finally:
        _finder.held = None


class _Finder(threading.local):
    held: Callable[[dict[str, Any]], Any] | None = None


_finder = _Finder()


def _special(fields: dict[str, Any]) -> Any:
    kind = fields.get("$")
    if kind is None:
        return fields
    if kind == "file" or kind == "dir":
        return pathlib.Path(fields["at"])
    if kind == "held":
        assert _finder.held is not None
        return _finder.held(fields)
    return decoders[kind](fields)


# made once: `json.loads` with a hook makes one for each text
_special_decoder = json.JSONDecoder(object_hook=_special)


def _read_blob(fields: dict[str, Any]) -> bytes:
    with open(fields["file"], "rb") as file:
        return file.read(fields["size"])


def _bytes(fields: dict[str, Any]) -> bytes:
    import base64

    return base64.b64decode(fields["v"], validate=True)


decoders: dict[str, Callable[[dict[str, Any]], Any]] = {
    "number": lambda fields: float(fields["v"].replace("Infinity", "inf")),
    "undefined": lambda fields: None,
    "bigint": lambda fields: int(fields["v"]),
    "date": lambda fields: datetime.datetime.fromisoformat(fields["v"].replace("Z", "+00:00")),
    "bytes": _bytes,
    "blob": _read_blob,
    "pairs": lambda fields: dict(fields["v"]),
}


class Encoder:
    """Turns the result of one attempt into JSON structure. Owns nothing; what must stay goes to `hold`."""

    def __init__(
        self,
        hold: Callable[[Any, tuple[str | int, ...]], dict[str, Any] | None],
        blob: Callable[[bytes | bytearray | memoryview], dict[str, Any]],
    ) -> None:
        self._hold = hold
        self._blob = blob

    def wire(self, value: Any, path: tuple[str | int, ...] = (), depth: int = 0) -> Any:
        kind = type(value)
        if kind in _AS_IS:
            return value
        if kind is int:
            return value if -SAFE <= value <= SAFE else _big(value, path)
        if kind is float:
            return value if math.isfinite(value) else _not_finite(value)
        if depth > MAX_DEPTH:
            raise Refused(path, f"it is nested more than {MAX_DEPTH} deep, or contains itself")
        if kind is list or kind is tuple:
            return self._items(value, path, depth)
        if kind is dict:
            return self._fields(value, path, depth)
        return self._other(value, path, depth)

    def _items(self, items: Any, path: tuple[str | int, ...], depth: int) -> list[Any]:
        if len(items) > 64 and _all_plain(items):
            return list(items)
        return [self.wire(item, (*path, index), depth + 1) for index, item in enumerate(items)]

    def _fields(self, fields: dict[Any, Any], path: tuple[str | int, ...], depth: int) -> dict[str, Any]:
        wire = {}
        for key, value in fields.items():
            if not isinstance(key, str):
                raise Refused(path, f"its key {key!r} is no text")
            wire[str(key)] = self.wire(value, (*path, str(key)), depth + 1)
        return {"$": "object", "v": wire} if "$" in wire else wire

    def _other(self, value: Any, path: tuple[str | int, ...], depth: int) -> Any:
        numpy = imported("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.wire(_scalar(value, numpy, path), path, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(value)
        if isinstance(value, datetime.datetime):
            return _date(value, path)
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, enum.Enum):
            return self.wire(value.value, path, depth + 1)
        for base in (int, float, str):
            if isinstance(value, base):
                return self.wire(base(value), path, depth)
        if isinstance(value, (list, tuple)):
            return self._items(value, path, depth)
        if isinstance(value, dict):
            return self._fields(value, path, depth)
        if hasattr(type(value), "__dataclass_fields__"):
            import dataclasses

            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return self._fields(fields, path, depth)
        # a model of pydantic
        dump = getattr(type(value), "model_dump", None)
        if dump is not None:
            return self.wire(dump(value), path, depth + 1)
        held = self._hold(value, path)
        if held is None:
            raise Refused(path, _why(value))
        return held

    def _bytes(self, value: bytes | bytearray | memoryview) -> dict[str, Any]:
        size = value.nbytes if isinstance(value, memoryview) else len(value)
        if size >= BLOB:
            return self._blob(value)
        import base64

        return {"$": "bytes", "v": base64.b64encode(value).decode("ascii")}


def _all_plain(items: Any) -> bool:
    """Lists of numbers and texts are the common large case: judged at C speed."""
    kinds = set(map(type, items))
    if not kinds <= _PLAIN:
        return False
    if kinds <= _AS_IS:
        return True
    if kinds == {float}:
        return all(map(math.isfinite, items))
    if kinds == {int}:
        return bool(-SAFE <= min(items) and max(items) <= SAFE)
    return False


def _big(value: int, path: tuple[str | int, ...]) -> dict[str, Any]:
    try:
        return {"$": "bigint", "v": str(value)}
    except ValueError:
        raise Refused(path, f"it is an integer of {value.bit_length()} bits") from None


def _not_finite(value: float) -> dict[str, Any]:
    return {"$": "number", "v": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}


def _date(value: datetime.datetime, path: tuple[str | int, ...]) -> dict[str, Any]:
    if value != value:
        raise Refused(path, "it is no time (NaT)")
    # a time without a zone is UTC, as scientific data mean it
    aware = value.replace(tzinfo=datetime.timezone.utc) if value.tzinfo is None else value.astimezone(datetime.timezone.utc)
    text = aware.replace(tzinfo=None).isoformat(timespec="microseconds" if aware.microsecond % 1000 else "milliseconds")
    return {"$": "date", "v": text + "Z"}


def _scalar(value: Any, numpy: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, numpy.datetime64):
        item = value.astype("datetime64[us]").item()
        if item is None or isinstance(item, int):
            raise Refused(path, "it is no time (NaT), or one outside the years 1 to 9999")
        return item
    if isinstance(value, numpy.floating):
        number = float(value)
        # of a longdouble; only NaN is not itself
        if number != value and value == value:
            raise Refused(path, f"it is a {type(value).__name__} with more digits than a float has; return its text, or an array")
        return number
    # a difference of times counts as an integer there
    if isinstance(value, (numpy.bool_, numpy.integer, numpy.str_, numpy.bytes_)) and not isinstance(
        value, numpy.timedelta64
    ):
        return value.item()
    if isinstance(value, numpy.complexfloating):
        raise Refused(path, _COMPLEX)
    raise Refused(path, f"it is a {type(value).__name__}")


_COMPLEX = "it is a complex number: return its parts, [z.real, z.imag], or an array"


def _why(value: Any) -> str:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, os.PathLike):
        return f"it is a path ({kind.__name__}); leave files at the paths of declared outputs, or return its text"
    if isinstance(value, (set, frozenset)):
        return "it is a set, which has no order: make it a sorted list"
    if kind is complex:
        return _COMPLEX
    if name == "decimal.Decimal":
        return "it is a Decimal: make it a float or a text"
    if name in ("function", "builtin_function_or_method"):
        return f"it is a function ({getattr(value, '__name__', '?')})"
    if name in ("generator", "coroutine", "async_generator"):
        return f"it is a {name.replace('_', ' ')}: make it a list of what it gives"
    told = f"it is an instance of {name}"
    # what has arrays within is held where it can be pickled
    return told + _unpicklable(value) if hasattr(kind, "__array__") else told


def _unpicklable(value: Any) -> str:
    """What is within that cannot be pickled, and where, as far as that is known."""
    import pickle

    try:
        pickle.dumps(value, protocol=5)
        return ""
    except Exception as error:  # pickling runs the author's code
        why = f"{type(error).__name__}: {error}"[:_LONGEST_WHY]
    numpy = imported("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.dtype.kind != "O":
        return f", which cannot be serialised: {why}"
    for index, item in numpy.ndenumerate(value):
        try:
            pickle.dumps(item, protocol=5)
        except Exception:
            at = f"[{','.join(map(str, index))}]"
            return f" whose element {at} cannot be serialised, a {type(item).__name__}: {why}"
    return f", which cannot be serialised: {why}"
