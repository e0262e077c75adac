"""Definitions that are reached by what is done with them when they are executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .modules import Module
from .reachability import Entity, Info, Reach, World, closure
from .trees import DEFINITIONS, FUNCTIONS, dotted


class Hooks:
    """Definitions that put themselves where others find them: by a decorator, or by being a subclass."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._closures: dict[Entity, set[Entity]] = {}
        #: what decorators and bases name, and which names may be changed by a call
        self._named: dict[ast.expr, Info] = {}
        self._states: dict[Entity, bool] = {}

    def called(self, path: str, reached: set[Entity], subclasses: bool) -> Iterator[Entity]:
        """Definitions of a module that is executed which may be reached through state that is reached."""
        module = self._world.module(path)
        for name, bindings in module.bindings.items():
            entity = Entity(path, name)
            if entity in reached:
                continue
            for binding in bindings:
                if binding.imported is None and self._hooked(module, binding.statement, reached, subclasses):
                    yield entity
                    break

    def _hooked(self, module: Module, statement: ast.stmt, reached: set[Entity], subclasses: bool) -> bool:
        if not isinstance(statement, DEFINITIONS):
            return False
        for decorator in statement.decorator_list:
            if self._registers(module, decorator, reached):
                return True
            if any(one in reached and self._is_state(one) for one in self._closure(module, decorator)):
                return True
        if not isinstance(statement, ast.ClassDef):
            return False
        for base in [*statement.bases, *[keyword.value for keyword in statement.keywords]]:
            for one in self._closure(module, base):
                if one in reached and (subclasses or self._tells_subclasses(one)):
                    return True
        return False

    def _registers(self, module: Module, decorator: ast.expr, reached: set[Entity]) -> bool:
        """Is it `shown.register`, of a function, or `register_accessor`, of a package, which anything may ask?"""
        written = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        before, _, last = written.rpartition(".")
        found = self._info(module, decorator)
        local = set(found.named())
        if last.startswith("register") and not local and any(True for _ in found.outside()):
            return True
        return before != "" and any(one in reached and one.name != last and self._is_decorated(one) for one in local)

    def _is_decorated(self, entity: Entity) -> bool:
        statements = self._world.info(entity).statements
        return any(isinstance(one, DEFINITIONS) and one.decorator_list for one in statements)

    def _closure(self, module: Module, expression: ast.expr) -> set[Entity]:
        found: set[Entity] = set()
        for entity in self._info(module, expression).named():
            if entity not in self._closures:
                self._closures[entity] = closure(self._world, [entity], executed=False)
            found |= self._closures[entity]
        return found

    def _info(self, module: Module, expression: ast.expr) -> Info:
        if expression not in self._named:
            self._named[expression] = Reach(self._world, module).info_of(expression)
        return self._named[expression]

    def _is_state(self, entity: Entity) -> bool:
        if entity not in self._states:
            self._states[entity] = self._may_change(entity)
        return self._states[entity]

    def _may_change(self, entity: Entity) -> bool:
        """May what it is be changed by a call?"""
        for statement in self._world.info(entity).statements:
            if isinstance(statement, ast.ClassDef):
                if any(isinstance(one, (ast.Assign, ast.AnnAssign)) and _is_state(one.value) for one in statement.body):
                    return True
            elif isinstance(statement, FUNCTIONS):
                if any(_is_state(one) for one in [*statement.args.defaults, *statement.args.kw_defaults]):
                    return True
                if any(dotted(one).startswith(f"{entity.name}.") for one in ast.walk(statement)):
                    return True
            elif _is_state(getattr(statement, "value", None)):
                return True
        return False

    def _tells_subclasses(self, entity: Entity) -> bool:
        for statement in self._world.info(entity).statements:
            if not isinstance(statement, ast.ClassDef):
                continue
            if any(keyword.arg == "metaclass" for keyword in statement.keywords):
                return True
            if any(dotted(base) == "type" for base in statement.bases):
                return True
            if any(isinstance(one, FUNCTIONS) and one.name == "__init_subclass__" for one in statement.body):
                return True
        return False


def _is_state(value: ast.expr | None) -> bool:
    if value is None or isinstance(value, (ast.Constant, ast.Name, ast.Lambda, ast.JoinedStr, ast.Compare)):
        return False
    if isinstance(value, ast.Tuple):
        return any(_is_state(one) for one in value.elts)
    if isinstance(value, (ast.UnaryOp, ast.BinOp, ast.BoolOp)):
        return any(_is_state(one) for one in ast.iter_child_nodes(value) if isinstance(one, ast.expr))
    if isinstance(value, ast.Call) and dotted(value.func).split(".")[-1] in ("getLogger", "compile", "TypeVar", "Path"):
        return False
    return True
