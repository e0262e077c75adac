"""Files read with care: what kind they are, and what goes wrong with them.

What is wrong with a file itself is a `BadFile` with a reason in plain words; any other exception is a mistake of ours,
or of the machine (no such file, no permission, no memory).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMATS = {b"CDF\x01": "NetCDF-3", b"CDF\x02": "NetCDF-3", b"CDF\x05": "CDF-5", b"\x89HDF": "NetCDF-4", b"GRIB": "GRIB"}


class BadFile(Exception):
    """Something is wrong with the file; the message says what, without saying where the file lies."""


@contextlib.contextmanager
def reading(file: Path, what: str) -> Iterator[None]:
    """Within it only a library's own calls on the file: what they raise is the file's fault."""
    try:
        yield
    except (BadFile, MemoryError):
        raise
    except Exception as error:
        text = " ".join(str(getattr(error, "strerror", None) or error).replace(str(file), file.name).split())
        raise BadFile(f"{what} ({text or type(error).__name__})") from error


def format_of(file: Path) -> str:
    """The format by the first bytes, or BadFile: empty, cut short, not a data file, or one that cannot be used."""
    with file.open("rb") as stream:
        head = stream.read(64)
    size = file.stat().st_size
    if size == 0:
        raise BadFile("is empty: 0 bytes")
    kind = FORMATS.get(head[:4])
    if kind is None:
        # A GRIB file may open with a bulletin's header or padding, an HDF5 file with a user's block.
        with file.open("rb") as stream:
            kind = "GRIB" if re.search(rb"GRIB...[\x01\x02]", stream.read(1024), re.DOTALL) else None
    if kind is None:
        raise BadFile(f"is neither NetCDF nor GRIB: it begins with {head[:8]!r}")
    if kind == "CDF-5":
        raise BadFile("is NetCDF of the kind CDF-5, which kerchunk cannot index: convert it with nccopy -k nc4")
    if kind == "NetCDF-4" and (end := hdf5_end(head)) > size:
        raise BadFile(f"is cut short: {size} of {end} bytes")
    return kind


def hdf5_end(head: bytes) -> int:
    """Where an HDF5 file ends by its own superblock, or 0 where that is not to be had."""
    if len(head) < 56 or head[:8] != b"\x89HDF\r\n\x1a\n":
        return 0
    version = head[8]
    offsets, at = (head[13], 40 + 4 * version) if version < 2 else (head[9], 28)
    return int.from_bytes(head[at : at + 8], "little") if offsets == 8 else 0


def digest(file: Path) -> str:
    """The SHA-256 of the file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def summary(shape: Any, least: float, greatest: float, missing: int, empty: list[int]) -> dict[str, Any]:
    ends = (None, None) if greatest < least else (short(least), short(greatest))
    return {"shape": [int(n) for n in shape], "min": ends[0], "max": ends[1], "missing": int(missing), "empty": empty}


def short(value: Any) -> float:
    """As many digits as single precision has; infinities as the greatest number, for JSON has none."""
    return float(f"{min(max(float(value), -1.7e308), 1.7e308):.7g}")
