"""What a GRIB file says of itself, message by message."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forecast_files import BadFile, reading, short, summary


def load_eccodes() -> Any:
    """ecCodes, after pyproj: each brings a PROJ library, and loaded in the other order they crash the process.

    xarray loads it too, when it looks for engines to open a file with.
    """
    import pyproj  # noqa: F401, I001 - first
    import eccodes

    return eccodes


def grib_messages(file: Path) -> Iterator[tuple[int, Any]]:
    """Each message's offset and ecCodes handle, released when the next is asked for.

    Padding and bulletin headers between messages are passed over.
    """
    eccodes = load_eccodes()
    with file.open("rb") as stream:
        for number in itertools.count(1):
            with reading(file, f"message {number} is cut short or corrupted"):
                handle = eccodes.codes_grib_new_from_file(stream)
            if handle is None:
                return
            try:
                with reading(file, f"message {number} is corrupted"):
                    offset = int(eccodes.codes_get(handle, "offset"))
                    fields = fields_in(eccodes.codes_get_message(handle))
                if fields > 1:
                    raise BadFile(f"message {number} packs {fields} fields, of which only the first can be indexed")
                yield offset, handle
            finally:
                eccodes.codes_release(handle)


def fields_in(message: bytes) -> int:
    """How many fields a message holds: GRIB 2 may repeat its sections."""
    if message[7] != 2:
        return 1
    fields, at = 0, 16
    while at + 5 <= len(message) - 4:
        length, number = int.from_bytes(message[at : at + 4], "big"), message[at + 4]
        if length < 5:
            raise ValueError(f"section of {length} bytes")
        fields += number == 7
        at += length
    return fields


def describe_grib(file: Path) -> dict[str, Any]:
    """Reads every message; returns what `describe_netcdf` does, each message a step of its variable."""
    eccodes = load_eccodes()
    found: dict[str, dict[str, Any]] = {}
    times, cycles, boxes = [], [], {}
    edition = None
    for number, (_, handle) in enumerate(grib_messages(file)):
        with reading(file, f"message {number + 1} cannot be decoded"):
            get = functools.partial(eccodes.codes_get, handle)
            edition = get("edition")
            time = (*split(get("validityDate"), get("validityTime")), 0)
            cycles.append((*split(get("dataDate"), get("dataTime")), 0))
            eccodes.codes_set(handle, "missingValue", -1e30)
            values = eccodes.codes_get_values(handle)
            there = values[values != -1e30]
            grid = get("md5GridSection")
            if grid not in boxes:
                boxes[grid] = grib_bbox(handle, eccodes)
            names = {"name": get("shortName"), "standard_name": get("cfName"), "units": get("units")}
        times.append(time)
        old = found.setdefault(
            names["name"],
            {
                **names,
                "size": values.size,
                "least": math.inf,
                "greatest": -math.inf,
                "steps": 0,
                "missing": 0,
                "empty": [],
            },
        )
        if there.size:
            old["least"], old["greatest"] = min(old["least"], there.min()), max(old["greatest"], there.max())
        else:
            old["empty"].append(number)
        old["steps"] += 1
        old["missing"] += values.size - there.size
    if not times:
        raise BadFile("holds no GRIB message")
    variables = [
        {key: None if v[key] == "unknown" else v[key] for key in ("name", "standard_name", "units")}
        | {"name": v["name"]}
        | summary((v["steps"], v["size"]), v["least"], v["greatest"], v["missing"], v["empty"])
        for v in found.values()
    ]
    west, south, east, north = zip(*boxes.values())
    bbox = [min(west), min(south), max(east), max(north)]
    about = {"format": f"GRIB {edition}", "times": times, "middles": [], "cycles": cycles}
    return about | {"bbox": bbox, "variables": variables}


def split(date: int, time: int) -> tuple[int, ...]:
    return date // 10000, date // 100 % 100, date % 100, time // 100, time % 100


def grib_bbox(handle: Any, eccodes: Any) -> list[float]:
    """The area of a message's grid, which is refused where its increment disagrees with its size."""
    if eccodes.codes_get(handle, "gridType") == "regular_ll":
        for axis, ends in ("i", "longitude"), ("j", "latitude"):
            points = eccodes.codes_get(handle, f"N{axis}", int)
            step = eccodes.codes_get(handle, f"{axis}DirectionIncrementInDegrees", float)
            first, last = (
                eccodes.codes_get(handle, f"{ends}Of{end}GridPointInDegrees", float) for end in ("First", "Last")
            )
            width = abs(last - first) if ends == "latitude" else (last - first) % 360
            given = eccodes.codes_get(handle, f"{axis}DirectionIncrementGiven", int)
            if given and abs(width - (points - 1) * step) > step:
                raise BadFile(
                    f"its grid of {points} points over {width:g} degrees disagrees with its increment of {step:g}"
                )
    latitudes = eccodes.codes_get_array(handle, "latitudes")
    longitudes = eccodes.codes_get_array(handle, "longitudes")
    return [short(longitudes.min()), short(latitudes.min()), short(longitudes.max()), short(latitudes.max())]
