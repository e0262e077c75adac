"""Values that stay in this process: arrays, and whatever else pickles with out-of-band buffers.

Owns the values that were held for results and copies of none: what another worker made is mapped from shared
memory for one attempt and let go with it.

H1  a held value never changes: arrays are made read-only, others are rebuilt for each consumer over read-only bytes;
    what the author's code goes on to hold, and could write to, is copied
H2  a handle stands for one value for ever; it is known to the host before it is used again
"""

from __future__ import annotations

import itertools
import mmap
import os
import pickle
import sys
import threading
import weakref
from typing import Any, Callable, Iterable

from ..shared.loaded_modules import imported

_ALIGN = 64
#: offset and length
_Span = list


class Gone(Exception):
    """A value was let go of before the task that takes it had begun."""

    def __init__(self, handle: int) -> None:
        super().__init__(f"the held value {handle} is gone")
        self.handle = handle


class HeldStore:
    def __init__(self, worker: int, unmapped: Callable[[str], None]) -> None:
        # several threads take from it at once
        self._handles = itertools.count((worker << 32) + 1)
        self._values: dict[int, _Array | _Pickled] = {}
        self._unmapped = unmapped
        # guards the sum of the bytes
        self._lock = threading.Lock()
        self.bytes = 0

    def hold(self, value: Any) -> tuple[int, int, str] | None:
        """Handle, bytes and type of a value, or None where it is not of the kind that is held."""
        entry = _entry(value)
        if entry is None:
            return None
        handle = next(self._handles)
        with self._lock:
            self._values[handle] = entry
            self.bytes += entry.size
        return handle, entry.size, type_text(value)

    def detach(self, handles: Iterable[int]) -> None:
        """
        From now on they do not change: what others hold too is copied. Asked once for each, when the task that gave them
        is over and no name of ours has them.
        """
        entries = [self._values[handle] for handle in handles]
        for entry in entries:
            entry.detach()
        for entry in entries:
            entry.freeze()

    def get(self, handle: int) -> Any:
        entry = self._values.get(handle)
        if entry is None:
            raise Gone(handle)
        return entry.value()

    def free(self, handles: list[int]) -> None:
        # what goes is not taken apart under the lock: that may run the author's code
        gone = []
        with self._lock:
            for handle in handles:
                entry = self._values.pop(handle, None)
                if entry is not None:
                    self.bytes -= entry.size
                    gone.append(entry)

    def export(self, handle: int, path: str) -> list[_Span]:
        """Writes the value for another worker: its pickle and then its buffers. The file may be longer."""
        data, buffers = self._values[handle].parts()
        parts = [memoryview(data), *buffers]
        spans, offset = [], 0
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for part in parts:
                _write(file, part, offset)
                spans.append([offset, part.nbytes])
                offset = -(-(offset + part.nbytes) // _ALIGN) * _ALIGN
        finally:
            os.close(file)
        return spans

    def persist(self, handle: int, path: str, exported: tuple[str, list[_Span]] | None = None) -> None:
        """
        Writes the value to be kept: .npy for an array of numbers, else a pickle. `exported`: it is not here, and a worker
        wrote it to this file.
        """
        entry = self._values[handle] if exported is None else _entry(_exported(*exported))
        if entry is None:
            raise ValueError("it is not of the kind that is held")
        with open(path, "wb") as file:
            if isinstance(entry, _Array):
                sys.modules["numpy"].save(file, entry.value(), allow_pickle=False)
            else:
                pickle.dump(entry.value(), file, protocol=5)

    def map(self, segment: str, path: str, form: str, spans: list[_Span]) -> Any:
        """A value that another worker exported, or one that was persisted, over the shared file's own bytes."""
        if form == "npy":
            numpy = __import__("numpy")
            view = self._view(segment, path, spans[0][1])
            header, end = _npy_header(view)
            flat = numpy.frombuffer(view[end:], dtype=numpy.lib.format.descr_to_dtype(header["descr"]))
            return flat.reshape(header["shape"], order="F" if header["fortran_order"] else "C")
        return _loaded(self._view(segment, path, _end(spans)), spans)

    def _view(self, segment: str, path: str, size: int) -> memoryview:
        mapped = _mapped(path, size)
        # arrays over it keep it; when the last is gone the host may use the file again
        weakref.finalize(mapped, self._unmapped, segment).atexit = False
        return memoryview(mapped)


def _exported(path: str, spans: list[_Span]) -> Any:
    return _loaded(memoryview(_mapped(path, _end(spans))), spans)


def _mapped(path: str, size: int) -> mmap.mmap:
    file = os.open(path, os.O_RDONLY)
    try:
        return mmap.mmap(file, size, access=mmap.ACCESS_READ)
    finally:
        os.close(file)


def _end(spans: list[_Span]) -> int:
    # nothing was written for a buffer without bytes
    return max(offset + length for offset, length in spans if length)


def _loaded(view: memoryview, spans: list[_Span]) -> Any:
    data, *buffers = [view[offset : offset + length] for offset, length in spans]
    return pickle.loads(data, buffers=buffers)


def _npy_header(view: memoryview) -> tuple[dict[str, Any], int]:
    """What is said of an array, and where it begins. NumPy's own readers differ by version, and refuse long ones."""
    import ast

    version = view[6]
    begin = 10 if version == 1 else 12
    end = begin + int.from_bytes(view[8:begin], "little")
    return ast.literal_eval(str(view[begin:end], "utf-8" if version == 3 else "latin1").strip()), end


class _Array:
    """A NumPy array of numbers: given out as views of it, read-only."""

    def __init__(self, array: Any) -> None:
        base = array.base
        if base is not None and getattr(base, "nbytes", 0) > 2 * array.nbytes:
            array = array.copy()  # a small view would keep all of a large array
        self._array = array
        self.size = array.nbytes

    def detach(self) -> None:
        if _is_shared(self, "_array"):
            self._array = self._array.copy()

    def freeze(self) -> None:
        self._array.setflags(write=False)
        # views of it are of this, and are not to be taken for shared
        freeze = getattr(self._array.base, "setflags", None)
        if freeze is not None:
            freeze(write=False)

    def value(self) -> Any:
        # one of its own for each: its shape, its type and whether it can be written to may be set where it lies
        return self._array.view()

    def parts(self) -> tuple[bytes, list[memoryview]]:
        return _parts(self._array)


class _Pickled:
    """Anything else with buffers: kept as its pickle over them."""

    def __init__(self, data: bytes, buffers: list[memoryview]) -> None:
        self._data = data
        self._buffers = buffers
        self.size = len(data) + sum(buffer.nbytes for buffer in buffers)

    def detach(self) -> None:
        for index, buffer in enumerate(self._buffers):
            if _is_shared(buffer, "obj"):
                self._buffers[index] = memoryview(bytes(buffer))

    def freeze(self) -> None:
        """It is read-only as it is."""

    def value(self) -> Any:
        return pickle.loads(self._data, buffers=self._buffers)

    def parts(self) -> tuple[bytes, list[memoryview]]:
        return self._data, self._buffers


def _entry(value: Any) -> _Array | _Pickled | None:
    numpy = imported("numpy")
    if numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject:
        return _Array(value)
    try:
        data, buffers = _parts(value)
    except Exception:  # not to be pickled: whatever it raised, the value is refused by its type
        return None
    if not buffers and not (numpy is not None and isinstance(value, numpy.ndarray)):
        return None
    return _Pickled(data, buffers)


def _parts(value: Any) -> tuple[bytes, list[memoryview]]:
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return data, [buffer.raw().toreadonly() for buffer in buffers]


class _Alone:
    """Something that one thing alone refers to."""

    def __init__(self) -> None:
        self.base = object()


def _references(holder: Any, name: str) -> int:
    return sys.getrefcount(getattr(holder, name))


#: as the interpreter counts them: versions differ in what they count of their own
_OF_ONE = _references(_Alone(), "base")


def _is_shared(holder: Any, name: str) -> bool:
    """
    Does anybody but `holder` refer to this memory, and could write to it? A view refers to what it is of (`base`), and
    so on down to what the memory is.
    """
    while getattr(holder, name, None) is not None:
        references = _references(holder, name)
        thing = getattr(holder, name)
        if references > _OF_ONE and _can_write(thing):
            return True
        holder, name = thing, "obj" if type(thing) is memoryview else "base"
    return False


def _can_write(thing: Any) -> bool:
    writeable = getattr(getattr(thing, "flags", None), "writeable", None)
    if writeable is not None:
        return bool(writeable)
    try:
        return not memoryview(thing).readonly
    except TypeError:  # memory of a library that does not say
        return True


def _write(file: int, part: memoryview, offset: int) -> None:
    view = part.cast("B") if part.format != "B" or part.ndim != 1 else part
    while view:
        written = os.pwrite(file, view[: 1 << 30], offset)
        view = view[written:]
        offset += written


#: names of element types: NumPy puts them together anew each time
_dtype_names: dict[Any, str] = {}
_MOST_NAMES = 1000


def _dtype_name(dtype: Any) -> str:
    name = _dtype_names.get(dtype)
    if name is None:
        if len(_dtype_names) >= _MOST_NAMES:
            _dtype_names.clear()
        name = _dtype_names[dtype] = str(dtype)
    return name


def type_text(value: Any) -> str:
    kind = type(value)
    dtype = getattr(value, "dtype", None)
    shape = getattr(value, "shape", None)
    of_numpy = kind.__name__ == "ndarray" and dtype is not None
    name = _dtype_name(dtype) if of_numpy else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(shape, tuple) and all(isinstance(side, int) for side in shape):
        return f"{name}[{','.join(map(str, shape))}]"
    return name
