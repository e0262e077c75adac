"""What a NetCDF file says of itself, read once and in blocks."""

from __future__ import annotations

import itertools
import math
import mmap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from forecast_files import BadFile, reading, short, summary

HEAP = b"GCOL\x01\0\0\0"  # what a heap of HDF5 begins with
BLOCK = 1 << 22  # values read at once
MANY = 1 << 30  # bytes above which a file has to hold a fair part of what it declares


def describe_netcdf(file: Path, kind: str) -> dict[str, Any]:
    """Reads a file of either kind, or says in a BadFile what is wrong with it.

    Returns `format`, `times` (one tuple of year, month, day, hour, minute, second per step), `middles` (the same for
    the middles of their bounds, or none), `cycles` (reference times of a forecast), `bbox` (west, south, east, north
    in degrees as the file counts them, or None) and `variables`: of each its name, the names of its meaning and units,
    shape, least and greatest value, number of missing values, and `empty`, the steps without any value.
    """
    import netCDF4

    if kind == "NetCDF-4":
        check_heaps(file)
    with reading(file, "cannot be opened"):
        dataset = netCDF4.Dataset(str(file))
    if kind == "NetCDF-4":
        with reading(file, "is corrupted"):
            visit_hdf5(file)
    with dataset:
        if kind == "NetCDF-3":
            check_length(file, dataset)
        with reading(file, "its variables cannot be listed"):
            attributes = {name: attributes_of(variable) for name, variable in dataset.variables.items()}
        time = time_variable(dataset, attributes)
        with reading(file, "its times cannot be read"):
            times, middles = netcdf_times(dataset, attributes, time)
            cycles = [
                instant
                for name, about in attributes.items()
                if about.get("standard_name") == "forecast_reference_time"
                for instant in instants(dataset[name], about)
            ]
        along = dataset[time].dimensions[:1] if time else ()
        if along and not times:
            raise BadFile("holds no time step")
        variables = []
        for name in data_variables(dataset, attributes):
            about = attributes[name]
            facts = figures(file, dataset[name], along)
            names = {"name": name, "standard_name": about.get("standard_name"), "units": about.get("units")}
            variables.append(names | facts)
        if not variables:
            raise BadFile("has no variable with data")
        with reading(file, "its coordinates cannot be read"):
            bbox = netcdf_bbox(dataset, attributes)
    return {"format": kind, "times": times, "middles": middles, "cycles": cycles, "bbox": bbox, "variables": variables}


def check_heaps(file: Path) -> None:
    """Refuses a file whose heaps of attributes do not add up: the HDF5 library would never return from one."""
    if file.stat().st_size == 0:
        return
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(HEAP)
        while start >= 0:
            size = int.from_bytes(content[start + 8 : start + 16], "little")
            if 4096 <= size <= len(content) - start:  # another is no heap, or one that the library refuses
                at, end = start + 16, start + size
                while at + 16 <= end:
                    index = int.from_bytes(content[at : at + 2], "little")
                    length = int.from_bytes(content[at + 8 : at + 16], "little")
                    # Object 0 is the free space, its own head included.
                    at += 16 + -(-length // 8) * 8 if index else length or size
                if at > end:
                    raise BadFile("is corrupted (a heap of its attributes does not add up)")
            start = content.find(HEAP, start + 16)


def visit_hdf5(file: Path) -> None:
    """Reads every object's description and attributes, as indexing will: the NetCDF library passes over many."""
    import h5py

    def visit(name: str, thing: Any) -> None:
        for value in thing.attrs.values():
            del value
        if isinstance(thing, h5py.Dataset) and thing.shape is not None:
            for dimension in thing.dims:
                len(dimension)
            thing.id.get_storage_size()

    with h5py.File(file, "r") as content:
        visit("/", content)
        content.visititems(visit)


def check_length(file: Path, dataset: Any) -> None:
    """Refuses a classic file that is cut short: the library reads what is not there as zeros."""
    from kerchunk.netCDF3 import NetCDF3ToZarr

    size = file.stat().st_size
    with reading(file, "is cut short or corrupted"):
        # Nothing is packed in it, so it is no shorter than its values; asked first, for a wrong count of records
        # would keep kerchunk busy for long.
        end = sum(math.prod(v.shape) * v.dtype.itemsize for v in dataset.variables.values())
        if end <= size:
            refs = NetCDF3ToZarr(str(file), inline_threshold=0).translate()["refs"]
            chunks = [ref for ref in refs.values() if isinstance(ref, list)]
            end = max((offset + length for _, offset, length in chunks), default=0)
    if end > size:
        raise BadFile(f"is cut short: {size} of {end} bytes")


def attributes_of(variable: Any) -> dict[str, Any]:
    """Attributes by name; a text attribute that is not text is left out, so that callers need not ask."""
    found = {name: variable.getncattr(name) for name in variable.ncattrs()}
    texts = (
        "units",
        "calendar",
        "axis",
        "standard_name",
        "bounds",
        "climatology",
        "coordinates",
        "grid_mapping",
        "ancillary_variables",
        "cell_measures",
    )
    return {name: value for name, value in found.items() if name not in texts or isinstance(value, str)}


def time_variable(dataset: Any, attributes: dict[str, dict[str, Any]]) -> str | None:
    """The name of the variable with the valid times, as CF tells it, or None."""
    candidates = [
        name
        for name, about in attributes.items()
        if " since " in about.get("units", "") and dataset[name].ndim <= 1 and is_numeric(dataset[name])
    ]

    def rank(name: str) -> int:
        about = attributes[name]
        signs = (
            about.get("standard_name") == "time",
            name in ("time", "valid_time"),
            about.get("axis") == "T",
            name in dataset[name].dimensions,
        )
        return signs.index(True) if True in signs else len(signs)

    best = min(candidates, key=rank, default=None)
    return best if best is not None and rank(best) < 4 else None


def netcdf_times(dataset: Any, attributes: dict[str, dict[str, Any]], time: str | None) -> tuple[list, list]:
    if time is None:
        return [], []
    about = attributes[time]
    bounds = dataset.variables.get(about.get("bounds", about.get("climatology", "")))
    if bounds is None or bounds.ndim != 2 or bounds.shape[1] != 2:
        return instants(dataset[time], about), []
    # Bounds have the units of what they bound, unless they say otherwise.
    return instants(dataset[time], about), instants(bounds, about | attributes[bounds.name], middle=True)


def instants(variable: Any, about: dict[str, Any], middle: bool = False) -> list[tuple[int, ...]]:
    from netCDF4 import num2date

    values = np.ma.atleast_1d(variable[...])
    numbers = np.ma.getdata(values).astype("f8")
    if np.ma.is_masked(values) or not np.isfinite(numbers).all():
        raise BadFile(f"a value of {variable.name} is missing")
    if middle:
        numbers = numbers.mean(axis=1)
    dates: Any = num2date(numbers, about["units"], about.get("calendar", "standard"))
    # Times kept as fractions of days fall short of the second: 05:59:59.99998 is six.
    rounded = [date + timedelta(milliseconds=500) for date in dates]
    return [(d.year, d.month, d.day, d.hour, d.minute, d.second) for d in rounded]


def is_numeric(variable: Any) -> bool:
    # The type of a string, a compound or a list of varying length is no numpy type, or not one of numbers.
    return isinstance(variable.dtype, np.dtype) and variable.dtype.kind in "iuf"


def data_variables(dataset: Any, attributes: dict[str, dict[str, Any]]) -> list[str]:
    """What the file is about: its variables without coordinates, bounds, and what others refer to."""
    referred = set(dataset.dimensions)
    for about in attributes.values():
        for key in ("coordinates", "bounds", "climatology", "grid_mapping", "ancillary_variables", "cell_measures"):
            referred.update(about.get(key, "").split())
    return [name for name, v in dataset.variables.items() if name not in referred and v.ndim and is_numeric(v)]


def figures(file: Path, variable: Any, along: tuple[str, ...]) -> dict[str, Any]:
    """Least and greatest value, missing ones and empty steps of a variable, read in blocks."""
    shape, name = variable.shape, variable.name
    declared = math.prod(shape) * variable.dtype.itemsize
    if declared > max(MANY, 10_000 * file.stat().st_size):
        raise BadFile(f"{name} declares {declared >> 20} MiB of values in a file of {file.stat().st_size} bytes")
    axis = variable.dimensions.index(along[0]) if along and along[0] in variable.dimensions else None
    filled = np.zeros(1 if axis is None else shape[axis], bool)
    least, greatest, count = math.inf, -math.inf, 0
    for block in blocks(shape):
        with reading(file, f"{name} cannot be read"):
            values = np.ma.asarray(variable[block])
        there = ~np.ma.getmaskarray(values)
        data = np.ma.getdata(values)
        if data.dtype.kind == "f":
            there &= ~np.isnan(data)
        if not there.any():
            continue
        held = data[there]
        least, greatest, count = min(least, held.min()), max(greatest, held.max()), count + held.size
        if axis is None:
            filled[0] = True
        else:
            filled[block[axis]] |= there.any(axis=tuple(d for d in range(there.ndim) if d != axis))
    return summary(shape, least, greatest, math.prod(shape) - count, np.flatnonzero(~filled).tolist())


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Slices that together cover an array, each of at most BLOCK values."""
    room, sizes = BLOCK, []
    for length in reversed(shape):
        sizes.append(max(1, min(length, room)))
        room = max(1, room // sizes[-1])
    steps = [range(0, length, size) for length, size in zip(shape, reversed(sizes))]
    for start in itertools.product(*steps):
        yield tuple(slice(a, min(a + n, length)) for a, n, length in zip(start, reversed(sizes), shape))


def netcdf_bbox(dataset: Any, attributes: dict[str, dict[str, Any]]) -> list[float] | None:
    ends = []
    for standard_name, units in (("longitude", "degrees_east"), ("latitude", "degrees_north")):
        found = [
            name
            for name, about in attributes.items()
            if is_numeric(dataset[name]) and dataset[name].size <= BLOCK
            if about.get("standard_name") == standard_name or about.get("units") == units
        ]
        if not found:
            return None
        values = np.ma.masked_invalid(np.ma.concatenate([np.ma.ravel(dataset[name][...]) for name in found]))
        if values.count() == 0:
            return None
        ends.append((short(values.min()), short(values.max())))
    (west, east), (south, north) = ends
    return [west, south, east, north]
