"""Modules of the author's that are machine code: made by Cython, pybind11, f2py or a compiler."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES


def compiled(folder: str) -> dict[str, str]:
    """How those in a folder end, by name: of several, for several Pythons, the one that this Python would load."""
    try:
        names = [one for one in os.listdir(folder) if one.endswith((".so", ".pyd"))]
    except OSError:
        return {}
    files = [one.partition(".") for one in names if os.path.isfile(os.path.join(folder, one))]
    endings = sorted(((f".{ending}", name) for name, _, ending in files), key=_rank, reverse=True)
    return {name: ending for ending, name in endings}


def _rank(found: tuple[str, str]) -> tuple[int, str]:
    ending, _ = found
    known = ending in EXTENSION_SUFFIXES
    return EXTENSION_SUFFIXES.index(ending) if known else len(EXTENSION_SUFFIXES), ending
