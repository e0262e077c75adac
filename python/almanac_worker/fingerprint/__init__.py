"""What Python functions reach, as digests: the syntax trees of the function and of everything that it names.

As a program (`run`): JSON in (`{"project": …, "functions": [[file, name], …]}`), JSON out. Nothing is imported or
executed of the code that is looked at.

F1  comments, docstrings, layout, and definitions that are not reached do not count; where files lie does not count
F2  what may be reached but cannot be followed counts whole, with a warning that says so
F3  top-level statements that are no definitions, imports or assignments of names count in every module that is
    imported on the way: they are executed
F4  the same tree has the same digest in every Python from 3.10
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from .editable_installs import EditableInstalls
from .executed_statements import findings_on_import
from .reachability import Entity, World, closure
from .registries import Hooks

FORMAT = "almanac-python-1"


class Failure(Exception):
    """A function that cannot be looked at; `details` go to whoever asked."""

    def __init__(self, **details: Any) -> None:
        super().__init__(details.get("message"))
        self.details = details


class Fingerprint:
    """Digest of one function, by what it reaches."""

    def __init__(self, world: World, hooks: Hooks, file: str, function: str) -> None:
        self._world = world
        self._root = self._find(file, function)
        self._reached: set[Entity] = set()
        hooked = self._reach(hooks)
        self._seeds = [self._root, *hooked]
        self._docstrings = any("__doc__" in world.info(one).attributes for one in self._reached)
        executed = [one for one in self._reached if one.name == "^" and self._code(one)]
        # where modules lie, and the order in which they are imported, do not count
        self._numbers = self._number([self._root, *self._sorted(executed), *self._sorted(hooked)])

    def _find(self, file: str, function: str) -> Entity:
        name = function.split(".")[0]
        try:
            module = self._world.module(file)
        except OSError as error:
            raise Failure(kind="file", message=error.strerror or str(error)) from None
        broken = module.broken
        if broken is not None:
            raise Failure(kind="syntax", line=broken.lineno or 1, column=broken.offset or 1, message=broken.msg)
        if name not in module.bindings and not module.stars:
            raise Failure(kind="function", message=f"{file} has no {name}")
        return Entity(file, f"={name}")

    def _reach(self, hooks: Hooks) -> list[Entity]:
        """Fills `_reached`; gives the definitions that only a registry leads to."""
        hooked: list[Entity] = []
        while True:
            self._reached = closure(self._world, [self._root, *hooked], executed=True)
            subclasses = any("__subclasses__" in self._world.info(one).attributes for one in self._reached)
            modules = sorted({one.path for one in self._reached})
            more = [one for path in modules for one in hooks.called(path, self._reached, subclasses)]
            if not more:
                return hooked
            hooked += more

    def _code(self, entity: Entity) -> str:
        return self._world.code(entity, self._docstrings)

    def _sorted(self, entities: Iterable[Entity]) -> list[Entity]:
        return sorted(entities, key=lambda one: (self._code(one), one))

    def _number(self, seeds: list[Entity]) -> dict[Entity, int]:
        numbers: dict[Entity, int] = {}
        waiting = list(reversed(seeds))
        while waiting:
            entity = waiting.pop()
            if entity in numbers:
                continue
            numbers[entity] = len(numbers)
            edges = self._world.info(entity).edges
            for written in sorted(edges, reverse=True):
                local = [one for one in edges[written] if isinstance(one, Entity)]
                waiting += reversed(self._sorted(local))
        return numbers

    def _edges(self, entity: Entity) -> list[tuple[str, list[int | str]]]:
        edges = self._world.info(entity).edges
        result: list[tuple[str, list[int | str]]] = []
        for written in sorted(edges):
            local = sorted(self._numbers[one] for one in edges[written] if isinstance(one, Entity))
            result.append((written, [*local, *sorted(one for one in edges[written] if isinstance(one, str))]))
        return result

    def result(self) -> dict[str, Any]:
        content = [[self._code(entity), self._edges(entity)] for entity in self._numbers]
        infos = [self._world.info(entity) for entity in self._reached]
        paths = {one.path for one in self._reached}
        said_by = {path for info in infos for path in info.said_by if self._world.digest(path) is not None}
        return {
            "digest": _digest([FORMAT, content]),
            "parts": dict(sorted(self._parts().items())),
            "warnings": sorted({text for info in infos for text in info.warnings}),
            "findings": self._findings(),
            "files": {path: self._world.digests[path] for path in sorted(paths | said_by) if path in self._world.digests},
            "absent": sorted({path for info in infos for path in info.absent}),
        }

    def _findings(self) -> list[dict[str, Any]]:
        """What is executed on import takes from outside counts where it changes what is used."""
        own = closure(self._world, self._seeds, executed=False)
        found = [one for entity in own for one in self._world.info(entity).findings]
        for entity in self._reached:
            if entity.name == "^":
                found += findings_on_import(self._world, entity.path, own)
        return [json.loads(one) for one in sorted({json.dumps(one) for one in found})]

    def _parts(self) -> dict[str, str]:
        parts: dict[str, str] = {}
        for entity in self._numbers:
            name = {"^": "top level", "*": "everything"}.get(entity.name, entity.name)
            code = self._code(entity)
            if code:
                parts[f"{self._world.shown(entity.path)}:{name}"] = code
            for target in self._world.info(entity).outside():
                kind = target.split(":")[0]
                parts[target if kind == "import" else kind] = _digest(target)
        return parts


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def fingerprints(
    project: str, functions: Iterable[tuple[str, str]], sites: list[str] | None = None
) -> list[dict[str, Any]]:
    """`sites`: where packages are installed; if None, those of this interpreter."""
    editable = EditableInstalls(sites)
    worlds: dict[str, tuple[World, Hooks]] = {}
    results: list[dict[str, Any]] = []
    for file, function in functions:
        folder = os.path.dirname(file)
        if folder not in worlds:
            world = World(project, folder, editable)
            worlds[folder] = world, Hooks(world)
        try:
            results.append(Fingerprint(*worlds[folder], file, function).result())
        except Failure as failure:
            results.append({"failure": failure.details})
    return results


def main() -> None:
    if sys.version_info < (3, 10):
        json.dump({"version": list(sys.version_info[:3])}, sys.stdout)
        return
    # trees are as deep as expressions are nested
    sys.setrecursionlimit(20_000)
    request = json.load(sys.stdin)
    results = fingerprints(request["project"], [(file, name) for file, name in request["functions"]])
    json.dump({"version": list(sys.version_info[:3]), "results": results}, sys.stdout)


def run() -> None:
    import threading

    # as deep as the trees are
    threading.stack_size(256 << 20)
    runner = threading.Thread(target=main)
    runner.start()
    runner.join()
