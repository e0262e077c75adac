"""kerchunk references of many files as one over time.

kerchunk's own combination takes what does not depend on time, and how values are coded, from the first file, and sets
chunks where it expects them. So files are first brought to one form where that can be done, and refused where they
would be combined to something wrong.
"""

from __future__ import annotations

import base64
import json
import math
import re
import warnings
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from forecast_grib import load_eccodes
from forecast_references import Refs, grid_of, url_of

SMALL = 1 << 16  # arrays of at most so many bytes may be put in to make files fit together


def load(refs: Path, root: str) -> list[tuple[str, dict[str, Any]]]:
    """The references of a directory, each with its data's place: beside `root` as the references are beside `refs`."""
    parts = []
    for file in sorted(path for path in refs.rglob("*") if path.is_file()):
        name = file.relative_to(refs).as_posix()
        part = json.loads(file.read_text(encoding="utf-8"))
        folder = PurePosixPath(name).parent.as_posix()
        part["templates"] |= {"u": root if folder == "." else f"{root}/{folder}"}
        parts.append((name, part))
    if not parts:
        raise ValueError("there are no references to combine: no file was indexed")
    return parts


class Part:
    """One file's references, and of it what must agree with the others."""

    def __init__(self, name: str, refs: dict[str, Any]) -> None:
        self.name, self.refs = name, refs
        of = lambda kind: {k[: -len(kind)]: json.loads(v) for k, v in refs["refs"].items() if k.endswith(kind)}
        self.arrays, self.about = of("/.zarray"), of("/.zattrs")
        self.dims = {array: about.get("_ARRAY_DIMENSIONS", []) for array, about in self.about.items()}
        self.time = self.find_time()
        self.along = self.dims[self.time][0]
        self.units = (self.about[self.time]["units"], self.about[self.time].get("calendar", "standard"))
        self.fixed = sorted(array for array in self.arrays if self.along not in self.dims[array])
        self.varying = sorted(array for array in self.arrays if self.along in self.dims[array])

    def find_time(self) -> str:
        """The coordinate of time, as CF tells it: it need not be named as its dimension is."""
        found = [
            (about.get("standard_name") != "time", array not in self.dims[array], array)
            for array, about in self.about.items()
            if array in self.arrays and len(self.dims[array]) == 1 and " since " in str(about.get("units", ""))
            if about.get("standard_name") in ("time", None)
        ]
        if not found:
            raise ValueError(f"{self.name} has no coordinate of time along a dimension: it cannot be combined")
        return min(found)[2]

    def shape(self, array: str) -> tuple[Any, ...]:
        """Form, chunks and coding of an array, without its length along time."""
        about, dims = self.arrays[array], self.dims[array]
        lengths = [None if dim == self.along else n for dim, n in zip(dims, about["shape"])]
        coding = [self.about[array].get(key) for key in ("units", "scale_factor", "add_offset", "missing_value")]
        if array == self.time or " since " in str(coding[0]):
            coding[0] = None
        stored = [about[key] for key in ("chunks", "dtype", "filters", "compressor", "fill_value")]
        return (dims, lengths, stored, coding)

    def chunks(self, array: str) -> dict[str, Any]:
        """The references of an array's chunks by their place in it."""
        keys = [key for key in self.refs["refs"] if key.startswith(f"{array}/") and "/.z" not in key]
        return {key[len(array) + 1 :]: self.refs["refs"][key] for key in keys}

    def content(self, ref: Any) -> bytes:
        """The bytes of a chunk."""
        if isinstance(ref, str):
            return base64.b64decode(ref[7:]) if ref.startswith("base64:") else ref.encode()
        path = re.sub(r"{{(.)}}", lambda found: self.refs["templates"][found[1]], ref[0])
        with open(path, "rb") as stream:
            if len(ref) == 1:
                return stream.read()
            stream.seek(ref[1])
            return stream.read(ref[2])

    def values(self, array: str) -> np.ndarray:
        """The values of a small array."""
        import kerchunk.codecs  # noqa: F401 - zarr knows its codecs from then on
        import zarr
        from zarr.core.buffer import default_buffer_prototype

        held = {".zarray": self.refs["refs"][f"{array}/.zarray"].encode()}
        held |= {key: self.content(ref) for key, ref in self.chunks(array).items()}
        buffers = {key: default_buffer_prototype().buffer.from_bytes(content) for key, content in held.items()}
        return np.asarray(zarr.open_array(zarr.storage.MemoryStore(buffers), mode="r", zarr_format=2)[...])

    def replace(self, array: str, values: np.ndarray) -> None:
        """Puts the values of a small array into the references, each step of time by itself."""
        for key in self.chunks(array):
            del self.refs["refs"][f"{array}/{key}"]
        axis = self.dims[array].index(self.along)
        chunks = [1 if at == axis else n for at, n in enumerate(values.shape)]
        for step in range(values.shape[axis]):
            key = ".".join(str(step) if at == axis else "0" for at in range(values.ndim))
            content = values.take([step], axis).tobytes()
            self.refs["refs"][f"{array}/{key}"] = "base64:" + base64.b64encode(content).decode()
        self.describe(array, chunks, dtype=values.dtype.str, filters=None, compressor=None, order="C")

    def describe(self, array: str, chunks: list[int], **about: Any) -> None:
        self.arrays[array] |= {"chunks": chunks, **about}
        self.refs["refs"][f"{array}/.zarray"] = json.dumps(self.arrays[array])

    def by_step(self) -> None:
        """Takes chunks of several steps of time apart, where that can be done: what is not packed, and what is small.

        Files of different length fit together only so, as do those that keep room for more steps than they have.
        """
        for array in self.varying:
            about, dims = self.arrays[array], self.dims[array]
            shape, chunks, written = about["shape"], about["chunks"], self.chunks(array)
            if chunks[dims.index(self.along)] == 1 or not written:
                continue
            item = np.dtype(about["dtype"]).itemsize
            if math.prod(shape) * item <= SMALL:
                self.replace(array, self.values(array))
            elif dims[0] == self.along and chunks == shape and not about["filters"] and not about["compressor"]:
                (key, (url, offset, _)), length = next(iter(written.items())), math.prod(shape[1:]) * item
                del self.refs["refs"][f"{array}/{key}"]
                for step in range(shape[0]):
                    here = f"{array}/{step}{'.0' * (len(shape) - 1)}"
                    self.refs["refs"][here] = [url, offset + step * length, length]
                self.describe(array, [1, *shape[1:]])


def check_alike(parts: list[Part]) -> None:
    """Refuses files that would be combined to something wrong: kerchunk takes what is not time from the first alone."""
    first = parts[0]
    for part in parts[1:]:
        if (part.along, part.time, part.arrays.keys()) != (first.along, first.time, first.arrays.keys()):
            odd = sorted(part.arrays.keys() ^ first.arrays.keys()) or [part.time]
            raise ValueError(f"{part.name} and {first.name} do not hold the same variables: {', '.join(odd)}")
        for array in first.arrays:
            if part.shape(array) != first.shape(array):
                raise ValueError(f"{array} of {part.name} has another shape, type or coding than that of {first.name}")
        for array in first.fixed:
            if not same_values(part, first, array):
                raise ValueError(f"{array} of {part.name} has other values than that of {first.name}: another grid")


def same_values(part: Part, other: Part, array: str) -> bool:
    if any(codec["id"] == "grib" for codec in part.arrays[array]["filters"] or []):
        # Made from the message of each file, slowly: its description is enough.
        return grid_of(part.refs["refs"]) == grid_of(other.refs["refs"])
    mine, others = part.chunks(array), other.chunks(array)
    if mine.keys() == others.keys() and all(part.content(mine[key]) == other.content(others[key]) for key in mine):
        return True
    a, b = part.values(array), other.values(array)  # perhaps the same, coded otherwise
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


def ordered_by_time(parts: list[Part]) -> list[Part]:
    """The files in the order of their times; refuses overlaps and chunks that do not fit together."""
    from netCDF4 import num2date

    spans = []
    for part in parts:
        values = np.atleast_1d(part.values(part.time)).astype("f8")
        dates: Any = num2date(values, *part.units, only_use_cftime_datetimes=True)
        instants = list(dates)
        if instants != sorted(set(instants)):
            raise ValueError(f"the times of {part.name} do not rise")
        spans.append((instants[0], instants[-1], part, len(instants)))
    spans.sort(key=lambda span: (span[0], span[2].name))
    at = 0
    for (_, last, part, length), following in zip(spans, [*spans[1:], None]):
        if following and following[0] <= last:
            raise ValueError(f"{part.name} and {following[2].name} both hold the time {following[0].isoformat()}")
        for array in part.varying:
            chunk = part.arrays[array]["chunks"][part.dims[array].index(part.along)]
            if at % chunk or (following and length % chunk):
                raise ValueError(
                    f"packed chunks of {chunk} time steps of {array} do not fit the {length} steps of {part.name}: "
                    f"give the files chunks of one step, with nccopy -c {part.along}/1"
                )
        at += length
    return [span[2] for span in spans]


def in_same_units(parts: list[Part]) -> None:
    """Times that each file counts from a start of its own are recoded, into the references, to the first's units."""
    from netCDF4 import date2num, num2date

    first = parts[0]
    units = lambda part, array: (part.about[array].get("units"), part.about[array].get("calendar", "standard"))
    bounds = {about.get(key): array for array, about in first.about.items() for key in ("bounds", "climatology")}
    for array in first.varying:
        bound = bounds.get(array, array)  # bounds are in the units of what they bound
        if " since " not in str(units(first, bound)[0]) or len({units(part, bound) for part in parts}) == 1:
            continue
        for part in parts:
            dates = num2date(np.asarray(part.values(array), "f8"), *units(part, bound), only_use_cftime_datetimes=True)
            part.replace(array, np.asarray(date2num(dates, *units(first, bound)), "<f8"))
    for part in parts[1:]:
        for array in part.varying:
            for key in {"units", "calendar"} & part.about[array].keys():
                part.about[array][key] = first.about[array].get(key)


def combined(parts: Iterable[tuple[str, dict[str, Any]]], root: str) -> Refs:
    """The references of all files as one over time."""
    import fsspec
    from kerchunk.combine import MultiZarrToZarr

    files = [Part(name, refs) for name, refs in parts]
    for file in files:
        file.by_step()
    check_alike(files)
    files = ordered_by_time(files)
    in_same_units(files)
    first = files[0]
    combiner = MultiZarrToZarr(
        [file.refs for file in files],
        coo_map={first.along: f"data:{first.time}"},
        concat_dims=[first.along],
        identical_dims=first.fixed,
        remote_protocol="file",
        inline_threshold=0,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Concatenated coordinate .* contains less than")  # a single file is well
        refs = combiner.translate()["refs"]
    fsspec.get_filesystem_class("reference").clear_instance_cache()
    if first.along != first.time:
        name_time(refs, first)
    home = len(root) + 1
    return {key: [url_of(ref[0][home:]), *ref[1:]] if isinstance(ref, list) else ref for key, ref in refs.items()}


def name_time(refs: Refs, first: Part) -> None:
    """Says what the values along time are, where they come from a coordinate of another name than their dimension's."""
    about = json.loads(refs[f"{first.along}/.zattrs"]) | first.about[first.time]
    about["_ARRAY_DIMENSIONS"] = [first.along]
    refs[f"{first.along}/.zattrs"] = json.dumps(about)


def open_over(index: Path, raw: Path) -> Any:
    """The dataset that a reference file describes, with the data in the directory `raw`. Nothing is read yet."""
    import xarray

    load_eccodes()  # as xarray will, when it lists its engines
    options = {"remote_protocol": "file", "template_overrides": {"u": str(raw.absolute())}, "skip_instance_cache": True}
    return xarray.open_dataset(str(index), engine="kerchunk", storage_options=options)
