"""What code reaches: names are followed through the author's modules, to what is installed."""

from __future__ import annotations

import ast
import builtins
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Union

from ..shared.packages import root
from .editable_installs import EditableInstalls
from .import_resolver import ImportResolver, Located
from .modules import Module
from .names import Import, Names, Reference
from .trees import Dumper, is_text

_BUILTINS = frozenset(dir(builtins))
#: names of builtins whose use makes every name of the module reachable
_OPEN = frozenset({"globals", "eval", "exec"})


class Entity(NamedTuple):
    """A name of a module, all of a module (`*`), what is executed when it is imported (`^`), or what it has under a
    name, wherever that comes from (`=name`)."""

    path: str
    name: str


#: another entity, or what is not local: `import:numpy.linalg`
Target = Union[Entity, str]


class Info:
    """An entity's code, and what it reaches at one step."""

    def __init__(self, statements: list[ast.stmt]) -> None:
        self.statements = statements
        #: by what is written in the code
        self.edges: dict[str, set[Target]] = {}
        #: modules that are imported on the way
        self.executes: set[str] = set()
        #: files that would change this if they came to be
        self.absent: set[str] = set()
        #: files of the environment that would change this if they went
        self.said_by: set[str] = set()
        self.warnings: set[str] = set()
        self.findings: list[dict[str, Any]] = []
        self.attributes: set[str] = set()
        #: counts as it is written: it could not be parsed, or is nested too deep
        self.raw: bytes | None = None

    def named(self) -> Iterator[Entity]:
        for targets in self.edges.values():
            for target in targets:
                if isinstance(target, Entity):
                    yield target

    def outside(self) -> Iterator[str]:
        for targets in self.edges.values():
            for target in targets:
                if isinstance(target, str):
                    yield target

    def targets(self) -> Iterator[Entity]:
        yield from self.named()
        for path in self.executes:
            yield Entity(path, "^")


class World:
    """The local modules that tasks of one folder may import, each read once."""

    def __init__(self, project: str, folder: str, editable: EditableInstalls) -> None:
        self._project = project
        self.resolver = ImportResolver(project, folder, editable)
        self._modules: dict[str, Module] = {}
        self._infos: dict[Entity, Info] = {}
        self._shown: dict[str, str] = {}
        self._codes: dict[tuple[Entity, bool], str] = {}
        #: by module, of each statement that is executed on import: what it may change, and what it takes from outside
        self.on_import: dict[str, list[tuple[frozenset[Entity], list[dict[str, Any]]]]] = {}
        #: digests of what was read, by path
        self.digests: dict[str, str] = {}

    def module(self, path: str) -> Module:
        known = self._modules.get(path)
        if known is None:
            source = b""
            if not os.path.isdir(path):
                with open(path, "rb") as file:
                    source = file.read()
                self.digests[path] = hashlib.sha256(source).hexdigest()
            known = self._modules[path] = Module(path, source)
        return known

    def digest(self, path: str) -> str | None:
        """Of a file that is no module of the author's."""
        if path not in self.digests:
            try:
                with open(path, "rb") as file:
                    self.digests[path] = hashlib.sha256(file.read()).hexdigest()
            except OSError:
                return None
        return self.digests[path]

    @staticmethod
    def packages(folder: str) -> tuple[list[str], str]:
        """What is executed of the packages that a file here is in, outermost first, and what would be one more."""
        begin, found = root(folder), []
        while folder != begin:
            found.append(os.path.join(folder, "__init__.py"))
            folder = os.path.dirname(folder)
        return found[::-1], os.path.join(folder, "__init__.py")

    def shown(self, path: str) -> str:
        known = self._shown.get(path)
        if known is None:
            short = os.path.relpath(path, self._project)
            known = self._shown[path] = path if short.startswith("..") else short
        return known

    def code(self, entity: Entity, docstrings: bool) -> str:
        """Digest of an entity's own code; empty where it has none."""
        known = self._codes.get((entity, docstrings))
        if known is None:
            info = self.info(entity)
            dump = Dumper(docstrings).dump
            texts = (
                [dump(one) for one in info.statements] if info.raw is None else [info.raw.decode("utf-8", "replace")]
            )
            known = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest() if texts else ""
            self._codes[entity, docstrings] = known
        return known

    def info(self, entity: Entity) -> Info:
        known = self._infos.get(entity)
        if known is None:
            module = self.module(entity.path)
            try:
                known = Reach(self, module).info(entity.name)
            except RecursionError:
                known = Info([])
                known.raw = module.source
                known.warnings.add(f"{self.shown(entity.path)} is nested too deep: all of it counts as it is written")
            self._infos[entity] = known
        return known


class Reach:
    """Follows the names of one module's code, one step."""

    def __init__(self, world: World, module: Module) -> None:
        self._world = world
        self._module = module
        self._info = Info([])
        self._shown = world.shown(module.path)

    def info(self, name: str) -> Info:
        module, info = self._module, self._info
        if module.is_compiled:
            info.raw = self._world.digests[module.path].encode()
            info.warnings.add(f"{self._shown} is machine code: all of it counts")
            return info
        if module.broken is not None:
            info.raw = module.source
            info.warnings.add(
                f"{self._shown}:{module.broken.lineno} cannot be read: {module.broken.msg}; all of it counts"
            )
            return info
        if name.startswith("="):
            targets: set[Target] = set()
            self._name(module, name[1:], (), targets, set())
            info.edges[""] = targets
            packages, none = self._world.packages(module.folder)
            info.executes.update(packages)
            info.absent.add(none)
        elif name == "^":
            info.statements = [*module.futures, *module.statements] if module.statements else []
            for imported in module.imports:
                self._execute(imported)
        elif name == "*":
            info.statements = module.all
            self._from_elsewhere()
        else:
            own = [one.statement for one in module.bindings.get(name, []) if one.imported is None]
            info.statements = [*module.futures, *{id(one): one for one in own}.values()] if own else []
        info.executes.add(module.path)
        for statement in info.statements:
            self._follow(statement)
        if name == "^":
            for folder, line in module.added:
                if folder is None:
                    what = "adds to sys.path what is computed: modules there do not count"
                    info.warnings.add(f"{self._shown}:{line} {what}")
        return info

    def _from_elsewhere(self) -> None:
        """What a module that counts whole has under its names is not all written in it."""
        targets: set[Target] = set()
        for bindings in self._module.bindings.values():
            for one in bindings:
                if isinstance(one.statement, ast.ImportFrom) and one.imported is not None:
                    self._imported(self._module, one.imported, (), targets, set())
        for star in self._module.stars:
            self._star(self._module, star, targets)
        if targets:
            self._info.edges["from elsewhere"] = targets

    def info_of(self, code: ast.stmt | ast.expr) -> Info:
        self._follow(code)
        return self._info

    def _follow(self, code: ast.stmt | ast.expr) -> None:
        names = Names()
        names.visit(code)
        self._info.attributes |= names.attributes
        for imported in names.imports:
            self._execute(imported)
        for reference, line in names.references.items():
            self._refer(reference, line)
        for line in names.unfollowed:
            self._all_of_it(line, "imports a module whose name is computed, which does not count")
        for what, line in names.open:
            self._all_of_it(line, f"uses {what}")
        for name, line in names.environment:
            self._finding("env", name, line)
        for path, line in names.opened:
            self._finding("read", path, line)

    def _finding(self, kind: str, name: str | None, line: int) -> None:
        self._info.findings.append({"kind": kind, "name": name, "file": self._shown, "line": line})

    def _all_of_it(self, line: int, why: str) -> None:
        self._info.edges.setdefault("*", set()).add(Entity(self._module.path, "*"))
        self._info.warnings.add(f"{self._shown}:{line} {why}: all of {self._shown} counts")

    def _refer(self, reference: Reference, line: int) -> None:
        root, attributes, imported = reference
        bound = root in self._module.bindings
        if imported is None and not bound and root in _OPEN:
            self._all_of_it(line, f"uses {root}")
        if root == "sys" and attributes[:1] == ("modules",):
            self._all_of_it(line, "uses sys.modules")
        if root == "__file__" and not bound:
            self._finding("read", None, line)
        targets: set[Target] = set()
        if imported is not None:
            self._imported(self._module, imported, attributes, targets, set())
        else:
            self._name(self._module, root, attributes, targets, set())
        if targets:
            written = ".".join([root, *attributes]) + ("" if imported is None else f" {imported.module}")
            self._info.edges.setdefault(written, set()).update(targets)

    def _name(
        self, module: Module, name: str, attributes: tuple[str, ...], targets: set[Target], seen: set[Entity]
    ) -> None:
        entity = Entity(module.path, name)
        if entity in seen:
            return
        seen.add(entity)
        bindings = module.bindings.get(name, [])
        if any(one.imported is None for one in bindings):
            targets.add(entity)
        for one in bindings:
            if one.imported is not None:
                self._imported(module, one.imported, attributes, targets, seen)
        if name == "__doc__" and not bindings:
            targets.add(f"docstring:{_docstring(module)}")
        elif bindings or name not in _BUILTINS:
            for star in module.stars:
                starred = self._star(module, star, targets, name if bindings else None)
                if starred is not None:
                    self._name(starred, name, attributes, targets, seen)

    def _star(self, module: Module, star: Import, targets: set[Target], bound: str | None = None) -> Module | None:
        """`from a import *` may bind any name; one that is `bound` is looked for."""
        paths, rest, *_ = self._locate(module, star)
        if not paths or rest:
            if bound is None:
                targets.add(f"import:{star.module}.*")
            return None
        starred = self._world.module(paths[-1])
        if bound is not None and bound not in starred.bindings and not starred.stars:
            return None
        targets.add(Entity(starred.path, "*"))
        shown = self._world.shown(starred.path)
        self._info.warnings.add(f"{self._world.shown(module.path)} imports * of {shown}: all of {shown} counts")
        return starred

    def _imported(
        self, module: Module, imported: Import, attributes: tuple[str, ...], targets: set[Target], seen: set[Entity]
    ) -> None:
        chain = attributes if imported.attribute is None else (imported.attribute, *attributes)
        paths, rest, *_ = self._locate(module, imported, chain)
        if not paths:
            dots = "." * imported.level
            whole = imported.module if imported.attribute is None else f"{imported.module}.{imported.attribute}"
            targets.add(f"import:{dots}{whole}")
            return
        self._info.executes.update(paths)
        self._attribute(self._world.module(paths[-1]), (*rest, *chain), targets, seen)

    def _attribute(self, module: Module, chain: tuple[str, ...], targets: set[Target], seen: set[Entity]) -> None:
        if module.broken is not None or module.is_compiled:
            targets.add(Entity(module.path, "*"))
            return
        if chain and chain[0] in module.bindings:
            self._name(module, chain[0], chain[1:], targets, seen)
            if not module.is_package:
                return
        if chain and module.is_package:
            found = self._world.resolver.submodule(module.folder, chain[0], chain[1:], self._info.absent)
            if found is not None and found != module.path:
                self._info.executes.add(found)
                self._attribute(self._world.module(found), chain[1:], targets, seen)
                return
        if chain and chain[0] in module.bindings:
            return
        if chain and module.stars:
            self._name(module, chain[0], chain[1:], targets, seen)
            return
        if chain and chain[0] in ("__name__", "__file__", "__path__"):
            return
        targets.add(Entity(module.path, "*"))
        shown = self._world.shown(module.path)
        what = f"takes {chain[0]} of {shown}, which is not defined there" if chain else f"uses {shown} as a value"
        self._info.warnings.add(f"{self._shown} {what}: all of {shown} counts")

    def _locate(self, module: Module, imported: Import, taken: tuple[str, ...] = ()) -> Located:
        located = self._world.resolver.locate(module, imported, self._info.absent, taken)
        self._info.said_by.update(located.said_by)
        return located

    def _execute(self, imported: Import) -> None:
        attribute = imported.attribute
        paths = self._locate(self._module, imported, (attribute,) if attribute else ()).paths
        self._info.executes.update(paths)
        if not paths or attribute is None or attribute == "*":
            return
        last = self._world.module(paths[-1])
        if last.is_package and attribute not in last.bindings:
            found = self._world.resolver.submodule(last.folder, attribute, (), self._info.absent)
            if found is not None:
                self._info.executes.add(found)


def _docstring(module: Module) -> str:
    first = ast.parse(module.source).body[:1]
    return first[0].value.value if first and is_text(first[0]) else ""  # type: ignore[attr-defined]


def closure(world: World, seeds: Iterable[Entity], executed: bool) -> set[Entity]:
    """All that is reached by names, and (if so asked) by importing modules on the way."""
    reached = set(seeds)
    waiting = list(reached)
    while waiting:
        info = world.info(waiting.pop())
        for target in info.targets() if executed else info.named():
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
