"""kerchunk references of one file.

References are relative: each file is `{{u}}/name`, where the template `u` is "." in what is written, and whoever
opens them says where the data lie (`template_overrides={"u": DIRECTORY}`). So the same file gives the same bytes
wherever it is, and the references hold wherever it goes.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from forecast_grib import grib_messages, load_eccodes

COORDINATES = "forecast_reference_time latitude longitude"
INLINE = 300  # chunks of fewer bytes are put into the references themselves
BRACES = {"{": "{{o}}", "}": "{{c}}"}
Refs = dict[str, Any]


def url_of(name: str) -> str:
    """The relative address of a file in references.

    Braces are what templates are made of, and each reader of templates escapes them in its own way: they are templates
    themselves.
    """
    return "{{u}}/" + "".join(BRACES.get(letter, letter) for letter in name)


def dump(refs: Refs, to: Path) -> None:
    """Writes references, the same ones as the same bytes."""
    urls = {ref[0] for ref in refs.values() if isinstance(ref, list)}
    braces = {url[2]: brace for brace, url in BRACES.items() if any(url in other for other in urls)}
    content = {"version": 1, "templates": {"u": "."} | braces, "refs": refs}
    to.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def netcdf_references(file: Path) -> Refs:
    """References of a NetCDF file of either kind."""
    with file.open("rb") as stream:
        classic = stream.read(3) == b"CDF"
    if classic:
        from kerchunk.netCDF3 import NetCDF3ToZarr

        return relative(NetCDF3ToZarr(str(file), inline_threshold=INLINE).translate()["refs"], file.name)

    from kerchunk.hdf import SingleHdf5ToZarr

    # By default a variable that cannot be indexed is left out with a warning.
    with file.open("rb") as stream:
        scanner = SingleHdf5ToZarr(stream, url=url_of(file.name), inline_threshold=INLINE, error="raise")
        try:
            refs = scanner.translate()["refs"]
        finally:
            scanner.close()
    return with_honest_fill_values(refs, file)


def with_honest_fill_values(refs: Refs, file: Path) -> Refs:
    """Takes back fill values that stand for no missing value.

    kerchunk hands on what HDF5 fills unwritten chunks with, 0 for most, and xarray takes a fill value for the mark of a
    missing value: a true 0 would be read as missing. A variable without `_FillValue` keeps one only where it is
    another than the 0 that is read anyway, and chunks were never written.
    """
    import h5py

    with h5py.File(file, "r") as content:
        for key in [key for key in refs if key.endswith("/.zarray")]:
            name = key.removesuffix("/.zarray")
            about = json.loads(refs[key])
            if about["fill_value"] is None or "_FillValue" in content[name].attrs:
                continue
            chunks = math.prod(-(-n // size) for n, size in zip(about["shape"], about["chunks"]) if size)
            written = sum(other.startswith(f"{name}/") and "/.z" not in other[len(name) :] for other in refs)
            if not about["fill_value"] or written >= chunks:
                refs[key] = json.dumps(about | {"fill_value": None})
    return refs


def relative(refs: Refs, name: str) -> Refs:
    """References to a place, as ones to a name."""
    return {key: [url_of(name), *ref[1:]] if isinstance(ref, list) else ref for key, ref in refs.items()}


# ------------------------------------------------------------------------------------------------------ GRIB


def grib_references(file: Path) -> Refs:
    """References of a GRIB file: each variable over the validity times of its messages.

    kerchunk is given one message at a time: left to find them itself it takes the rest of a GRIB 1 file for its
    first message, and never returns from a file that ends in something other than a message.
    """
    eccodes = load_eccodes()
    stacks: dict[tuple, dict[int, tuple[Refs, int, int]]] = {}
    for offset, handle in grib_messages(file):
        message = eccodes.codes_get_message(handle)
        refs, name = scan_message(message)
        level = (eccodes.codes_get(handle, "typeOfLevel"), eccodes.codes_get(handle, "level"))
        member = eccodes.codes_get(handle, "number", int) if eccodes.codes_is_defined(handle, "number") else 0
        stack = stacks.setdefault((name, *level, member), {})
        time = inline_integer(refs, "valid_time")
        if time in stack:
            when = np.datetime64(time, "s")
            raise ValueError(f"{file.name} holds {name} at {level[0]} {level[1]} more than once for {when}")
        stack[time] = refs, offset, len(message)
    return stacked(file, stacks)


def scan_message(message: bytes) -> tuple[Refs, str]:
    """kerchunk's references of one message, and the name of its variable."""
    from kerchunk.grib2 import scan_grib

    url = "data:application/octet-stream;base64," + base64.b64encode(message).decode()
    refs = scan_grib(url, inline_threshold=INLINE)[0]["refs"]
    name = next(key.split("/")[0] for key, ref in refs.items() if key.endswith("/.zattrs") and "GRIB_paramId" in ref)
    return refs, name


def stacked(file: Path, stacks: dict[tuple, dict[int, tuple[Refs, int, int]]]) -> Refs:
    """One set of references out of those of the messages."""
    first = next(iter(stacks.values()))
    times = sorted(first)
    refs, at, length = first[times[0]]
    about = json.loads(refs[".zattrs"])
    about.pop("coordinates", None)
    out = {".zgroup": refs[".zgroup"], ".zattrs": json.dumps(about)}
    out |= over_time("time", times, {"standard_name": "time"})
    starts = [inline_integer(first[time][0], "time") for time in times]
    out |= over_time("forecast_reference_time", starts, {"standard_name": "forecast_reference_time"})
    for key in refs:
        if key.startswith(("latitude/", "longitude/")):
            out[key] = [url_of(file.name), at, length] if isinstance(refs[key], list) else refs[key]
    grid = grid_of(refs)
    several = {name for name, *_ in stacks if sum(other == name for other, *_ in stacks) > 1}
    for (name, kind, level, member), stack in stacks.items():
        label = f"{name}_{kind}_{level}" + (f"_member{member}" if member else "") if name in several else name
        if sorted(stack) != times:
            raise ValueError(f"{file.name} holds {name} at times of its own: split the file with grib_copy")
        for step, time in enumerate(times):
            refs, at, length = stack[time]
            if grid_of(refs) != grid:
                raise ValueError(f"{file.name} holds {name} on a grid of its own: split the file with grib_copy")
            array = json.loads(refs[f"{name}/.zarray"])
            about = json.loads(refs[f"{name}/.zattrs"])
            array |= {"shape": [len(times), *array["shape"]], "chunks": [1, *array["chunks"]]}
            dims = ["time", *about["_ARRAY_DIMENSIONS"]]
            about |= {"_ARRAY_DIMENSIONS": dims, "GRIB_level": level, "coordinates": COORDINATES}
            out[f"{label}/.zarray"], out[f"{label}/.zattrs"] = json.dumps(array), json.dumps(about)
            zeros = ".".join("0" * (len(array["shape"]) - 1))
            out[f"{label}/{step}.{zeros}"] = [url_of(file.name), at, length]
    return out


def over_time(name: str, seconds: list[int], about: dict[str, Any]) -> Refs:
    values = base64.b64encode(np.array(seconds, "<i8").tobytes()).decode()
    array = {
        "shape": [len(seconds)],
        "chunks": [len(seconds)],
        "dtype": "<i8",
        "fill_value": None,
        "order": "C",
        "filters": None,
        "compressor": None,
        "zarr_format": 2,
    }
    about = about | {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    about["_ARRAY_DIMENSIONS"] = ["time"]
    return {f"{name}/.zarray": json.dumps(array), f"{name}/.zattrs": json.dumps(about), f"{name}/0": "base64:" + values}


def inline_integer(refs: Refs, name: str) -> int:
    text = refs[f"{name}/0"]
    raw = base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode("ascii")
    return int(np.frombuffer(raw, "<i8")[0])


def grid_of(refs: Refs) -> dict[str, Any]:
    about = next(json.loads(ref) for key, ref in refs.items() if key.endswith("/.zattrs") and "GRIB_paramId" in ref)
    sizes = ("GRIB_Nx", "GRIB_Ny", "GRIB_numberOfPoints")
    return {key: value for key, value in about.items() if "rid" in key or "Degrees" in key or key in sizes}
