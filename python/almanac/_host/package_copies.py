"""Other packages of this name, which programs and tasks may get where workflows get this one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from almanac_worker.shared import packages

from ..errors import refused
from ..version import HOME, VERSION

__all__ = ["differs", "refuse_hidden"]


def differs(path: Iterable[str], asking: str | None) -> str | None:
    """
    A line on a copy of another version: of the one in the program that asks, which `location.surroundings` tells of, or else
    of the one that is installed.
    """
    version, _, folder = asking.partition(" ") if asking else _installed(path)
    if version in ("", VERSION):
        return None
    return (
        f"! almanac in {folder} is {version}, and the engine is {VERSION}: workflows get the engine's own package, {HOME}. "
        "Install the same version of both."
    )


def _installed(path: Iterable[str]) -> tuple[str, str, str]:
    """Its version and folder, as `partition` gives them: empty where there is none but this one."""
    for entry in path:
        folder = os.path.join(entry, "almanac")
        if not os.path.isfile(os.path.join(folder, "__init__.py")):
            continue
        if os.path.realpath(folder) == os.path.realpath(HOME):
            break
        try:
            with open(os.path.join(folder, "version.py"), encoding="utf-8") as file:
                found = re.search(r'^VERSION = "(.+)"$', file.read(), re.MULTILINE)
        except OSError:
            found = None
        return (found[1] if found else "of another version"), " ", folder
    return "", "", ""


def refuse_hidden(file: str) -> None:
    """Raises `AlmanacError` (`ALM_LOAD_FAILED`) where tasks of a file would import something of the author's for this package."""
    folder = packages.root(os.path.dirname(file))
    for name in ("almanac.py", os.path.join("almanac", "__init__.py")):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.path.realpath(os.path.dirname(path)) != os.path.realpath(HOME):
            raise refused(f"{path} hides the package almanac from its tasks", "Give it another name.", "ALM_LOAD_FAILED")
