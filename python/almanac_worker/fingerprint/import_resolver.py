"""Where imports lead: to the author's modules, or to what is installed."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from ..shared.packages import root
from .editable_installs import EditableInstalls
from .extension_modules import EXTENSION_SUFFIXES, compiled
from .modules import Module
from .names import Import


class Located(NamedTuple):
    """Local modules that an import executes, the last of them is meant; and the steps that are no modules."""

    paths: tuple[str, ...]
    rest: tuple[str, ...]
    absent: tuple[str, ...]
    #: there is a folder of its name without code: whether it is a package is told by what is taken of it
    is_bare: bool
    #: files of an environment that say where it lies
    said_by: tuple[str, ...] = ()


class ImportResolver:
    """Where tasks of one folder find local modules; each import is looked for once."""

    def __init__(self, project: str, folder: str, editable: EditableInstalls) -> None:
        self._editable = editable
        # beside the task's file, as the worker has it; or packages of the project that the environment links to
        self._roots = list(dict.fromkeys([root(folder), project, os.path.join(project, "src"), folder]))
        self._located: dict[tuple[str, ...], Located] = {}
        #: endings of modules that are machine code, by folder and name
        self._machine_code: dict[str, dict[str, str]] = {}

    def locate(self, module: Module, imported: Import, absent: set[str], taken: tuple[str, ...] = ()) -> Located:
        """`taken`: attributes, one of the other."""
        if imported.level > 0:
            base = module.folder
            for _ in range(imported.level - 1):
                base = os.path.dirname(base)
            roots = [base]
        else:
            first = imported.module.split(".")[0]
            roots = [] if first in sys.builtin_module_names else self._roots_of(module)
            if first in sys.stdlib_module_names:
                roots = self._roots[:1] if roots else []
        steps = tuple(imported.module.split(".")) if imported.module else ()
        key = (*roots, "", *steps)
        if key not in self._located:
            self._located[key] = self._locate(roots, steps, (), imported.level > 0)
        located = self._located[key]
        if located.is_bare and taken:
            located = self._locate(roots, steps, taken, imported.level > 0)
        if not located.paths and steps and imported.level == 0 and roots and steps[0] not in sys.stdlib_module_names:
            located = self._in_environment(located, steps, taken)
        absent.update(located.absent)
        return located

    def _in_environment(self, located: Located, steps: tuple[str, ...], taken: tuple[str, ...]) -> Located:
        for folder, files in self._editable.links(steps[0]):
            found = self._locate([folder], steps, (), False)
            if found.is_bare and taken:
                found = self._locate([folder], steps, taken, False)
            if found.paths:
                return found._replace(absent=(*located.absent, *found.absent), said_by=files)
        installed = self._editable.installed(steps[0])
        return located if installed is None else located._replace(said_by=(installed,))

    def _roots_of(self, module: Module) -> list[str]:
        """What lies where a module has added a folder, or was found in such a one, is found too."""
        own = [one.folder for one in module.added if one.folder is not None]
        return list(dict.fromkeys([*own, *self._roots, root(module.folder)]))

    def _locate(self, roots: list[str], steps: tuple[str, ...], taken: tuple[str, ...], relative: bool) -> Located:
        absent: set[str] = set()
        for root in roots:
            found = [_package(root) or root] if relative else []
            folder, rest = root, list(steps)
            while rest:
                path = self.submodule(folder, rest[0], (*rest[1:], *taken), absent)
                if path is None:
                    break
                found.append(path)
                rest.pop(0)
                if not _is_package(path):
                    break
                folder = path if os.path.isdir(path) else os.path.dirname(path)
            if found:
                return Located(tuple(found), tuple(rest), tuple(sorted(absent)), False)
        is_bare = any(os.path.isdir(os.path.join(root, steps[0])) for root in roots)
        return Located((), steps, tuple(sorted(absent)), is_bare)

    def submodule(self, folder: str, name: str, taken: tuple[str, ...], absent: set[str]) -> str | None:
        """`taken`: what is taken of it, modules first."""
        package = os.path.join(folder, name)
        ending = self._compiled(folder).get(name, EXTENSION_SUFFIXES[0])
        mine = ending if ending in EXTENSION_SUFFIXES else EXTENSION_SUFFIXES[0]
        # in the order in which Python looks
        for path in (os.path.join(package, "__init__.py"), package + mine, f"{package}.py"):
            if os.path.isfile(path):
                return path
            absent.add(path)
        if mine != ending:
            # the task's Python may be another than this one
            return package + ending
        # a folder of data may have the name of an installed package
        if not os.path.isdir(package):
            return None
        if any(one.endswith(".py") for one in os.listdir(package)):
            return package
        return package if taken and self.submodule(package, taken[0], taken[1:], absent) is not None else None

    def _compiled(self, folder: str) -> dict[str, str]:
        if folder not in self._machine_code:
            self._machine_code[folder] = compiled(folder)
        return self._machine_code[folder]


def _package(folder: str) -> str | None:
    path = os.path.join(folder, "__init__.py")
    return path if os.path.isfile(path) else None


def _is_package(path: str) -> bool:
    return os.path.basename(path) == "__init__.py" or os.path.isdir(path)
