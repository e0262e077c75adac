"""The author's modules in this process: how they are loaded, and whether their files are still what was loaded.

A process serves the files of one directory, which is first on its path, so modules of the same name in two
directories never meet. Owns the stamps of all local files that were read as code.

S1  code comes from sources alone: a compiled file next to them may be of an older text with the same time
S2  a file that changed after it was loaded is noticed before the next task begins; this process is then of no more use
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import time
from importlib.machinery import ExtensionFileLoader, PathFinder, SourceFileLoader
from typing import Any

from .shared import packages

_STDLIB = os.path.dirname(os.path.abspath(os.__file__))
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

#: file systems tell times apart only so well: younger files are compared by content
_RACY_NS = 2_000_000_000


class NotFound(Exception):
    """The file or the function of a task is not there."""


class LoadFailed(Exception):
    """The author's module raised while it was imported; the cause is what it raised."""


class _Stamp:
    __slots__ = ("stat", "content", "racy")

    def __init__(self, stat: os.stat_result | None, content: int) -> None:
        self.stat = _signature(stat)
        self.content = content
        self.racy = stat is None or stat.st_ctime_ns > time.time_ns() - _RACY_NS


def _signature(stat: os.stat_result | None) -> tuple[int, ...] | None:
    return None if stat is None else (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


class Sources:
    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._stamps: dict[str, _Stamp] = {}
        self._modules: dict[str, Any] = {}
        self._loaded_at: int | None = None
        self._loading = threading.RLock()
        #: how often code was read
        self.count = 0

    def install(self) -> None:
        packages.first_on(sys.path, self._directory)
        place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(place, _Finder(self))  # type: ignore[arg-type]
        # what is compiled here would be written next to the author's files
        sys.dont_write_bytecode = True

    def function(self, file: str, name: str) -> Any:
        module = self._module(file)
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
            if found is None:
                raise NotFound(f"{file} has no {name}{_close_to(name, module)}")
        if not callable(found):
            raise NotFound(f"{name} of {file} is no function but a {type(found).__name__}")
        return found

    def reads(self, path: str) -> None:
        """A file that the code reads by itself, perhaps while it was imported."""
        if path in self._stamps:
            return
        self.count += 1
        try:
            before, content = _read(path)
        except OSError:
            before, content = None, 0
        self._stamps[path] = stamp = _Stamp(before, content)
        if before is not None and self._loaded_at is not None and before.st_ctime_ns >= self._loaded_at:
            stamp.content = ~content  # it changed when the module was there already: of no use
            stamp.stat = None

    def stale(self) -> str | None:
        """A file that is no longer what was loaded, if there is one."""
        # a copy: a thread may load another module meanwhile
        for path, stamp in self._stamps.copy().items():
            try:
                now = os.stat(path)
            except OSError:
                now = None
            if stamp.racy or _signature(now) != stamp.stat:
                try:
                    before, content = _read(path)
                except OSError:
                    before, content = None, 0
                if content != stamp.content:
                    return path
                self._stamps[path] = _Stamp(before, content)
        return None

    def is_local(self, path: str) -> bool:
        """Is it the author's own, not installed and not ours?"""
        if not os.path.isabs(path) or path.startswith(_OURS + os.sep):
            return False
        if "site-packages" in path or "dist-packages" in path:
            return False
        return not path.startswith(_STDLIB + os.sep)

    def read_code(self, path: str) -> bytes:
        self.count += 1
        before = os.stat(path)
        with open(path, "rb") as file:
            data = file.read()
        if self.is_local(path):
            self._stamps[path] = _Stamp(before, hash(data))
        return data

    def _module(self, file: str) -> Any:
        with self._loading:
            module = self._modules.get(file)
            if module is None:
                module = self._modules[file] = self._load(file)
            return module

    def _load(self, file: str) -> Any:
        if not os.path.isfile(file):
            raise NotFound(f"{file} does not exist")
        importlib.invalidate_caches()
        if self._loaded_at is None:
            self._loaded_at = time.time_ns()
        try:
            name = packages.import_package(file)
        except Exception as error:
            raise LoadFailed from error
        there = sys.modules.get(name)
        if there is not None:
            # a sibling has imported it; or the file has the name of another module, which keeps it
            if getattr(there, "__file__", None) == file:
                return there
            name = f"almanac_task_{name.rpartition('.')[2]}"
        spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file, self))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            sys.modules.pop(name, None)
            packages.explain(error, file)
            if isinstance(error, Exception):
                raise LoadFailed from error
            raise
        packages.enter_package(name, module)
        return module


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, sources: Sources) -> None:
        super().__init__(name, path)
        self._sources = sources

    def path_stats(self, path: str) -> Any:
        raise OSError("code is compiled from its source")

    def get_data(self, path: str) -> bytes:
        return self._sources.read_code(path)


class _Finder:
    """Finds as usual, and has local modules loaded by `_Loader`; notes those that are machine code."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = PathFinder.find_spec(name, path, target)
        origin = None if spec is None else spec.origin
        if spec is not None and origin is not None and self._sources.is_local(origin):
            if type(spec.loader) is SourceFileLoader:
                spec.loader = _Loader(spec.name, origin, self._sources)
            elif type(spec.loader) is ExtensionFileLoader:
                # it is loaded by its path
                self._sources.read_code(origin)
        return spec


def _read(path: str) -> tuple[os.stat_result, int]:
    before = os.stat(path)
    with open(path, "rb") as file:
        return before, hash(file.read())


def _close_to(name: str, module: Any) -> str:
    import difflib

    names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else ""
