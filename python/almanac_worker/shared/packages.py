"""Where the packages of the author's files begin: Python knows it by how a program was started, Almanac by the file."""

from __future__ import annotations

import importlib
import os
import sys


def root(folder: str) -> str:
    """The folder that the package is in whose files are here; the folder itself where it is none."""
    begin, packages = folder, []
    while os.path.isfile(os.path.join(begin, "__init__.py")):
        packages.append(os.path.basename(begin))
        begin = os.path.dirname(begin)
    return begin if all(name.isidentifier() for name in packages) else folder


def first_on(path: list[str], folder: str) -> None:
    """Has what lies in a folder found, and what its package is called."""
    begin = root(folder)
    path.insert(0, begin)
    if begin != folder:
        # modules of a package may be called as those of the library
        path.append(folder)


def import_package(file: str) -> str:
    """Imports the packages that a file is in; gives the name by which others import it, which relative imports need."""
    folder, leaf = os.path.split(os.path.splitext(file)[0])
    begin = root(folder)
    if begin == folder:
        return leaf
    package = os.path.relpath(folder, begin).replace(os.sep, ".")
    found = importlib.import_module(package)
    # another of that name may have been there before
    if not any(os.path.realpath(one) == os.path.realpath(folder) for one in getattr(found, "__path__", ())):
        return leaf
    return package if leaf == "__init__" else f"{package}.{leaf}"


def enter_package(name: str, module: object) -> None:
    """What Python's own import does last."""
    package, _, leaf = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], leaf, module)


def explain(error: BaseException, file: str) -> None:
    """Says what is to be done where Python only says what is missing."""
    if not isinstance(error, ImportError) or not isinstance(error.msg, str):
        return
    folder = os.path.dirname(file)
    if isinstance(error, ModuleNotFoundError):
        above = root(folder).split(os.sep)
        first = (error.name or "").partition(".")[0]
        if first not in above:
            return
        folder = os.sep.join(above[: len(above) - above[::-1].index(first)])
    elif not error.msg.endswith("no known parent package"):
        return
    error.msg += f": to be a package, {folder} needs an `__init__.py`, which may be empty"
