"""What a module executes when it is imported, statement by statement, and what that takes from outside."""

from __future__ import annotations

from typing import Any

from .names import Bound
from .reachability import Entity, Reach, World, closure
from .trees import DEFINITIONS

__all__ = ["findings_on_import"]


def findings_on_import(world: World, path: str, own: set[Entity]) -> list[dict[str, Any]]:
    """
    Of the statements that change what `own` uses. One that changes nothing that is known here, but calls something, may
    change anything.
    """
    whole = {one.path for one in own if one.name == "*"}
    return [
        one
        for changed, found in _statements(world, path)
        if not changed or not own.isdisjoint(changed) or any(entity.path in whole for entity in changed)
        for one in found
    ]


def _statements(world: World, path: str) -> list[tuple[frozenset[Entity], list[dict[str, Any]]]]:
    """What each may change, where that can be known, and what it takes from outside, also by what it calls."""
    known = world.on_import.get(path)
    if known is None:
        known = world.on_import[path] = []
        module = world.module(path)
        for statement in module.statements:
            try:
                info = Reach(world, module).info_of(statement)
            except RecursionError:
                # nested too deep: all of the module counts as it is written
                continue
            bound = Bound()
            bound.visit(statement)
            seeds = {*info.named(), *(Entity(path, name) for name in bound.names | bound.outermost)}
            reached = closure(world, seeds, executed=False)
            found = [*info.findings, *(one for entity in reached for one in world.info(entity).findings)]
            if found:
                known.append((frozenset() if all(_is_definition(world, one) for one in reached) else frozenset(reached), found))
    return known


def _is_definition(world: World, entity: Entity) -> bool:
    bindings = world.module(entity.path).bindings.get(entity.name, [])
    return bool(bindings) and all(isinstance(one.statement, DEFINITIONS) for one in bindings)
