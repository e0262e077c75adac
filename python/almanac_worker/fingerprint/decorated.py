"""Functions that are tasks by `@task`: what it says of retries, outputs and memory is no code of theirs."""

from __future__ import annotations

import ast

from .trees import dotted

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def undecorate(tree: ast.Module) -> None:
    """Takes `@task` off the functions of a module, under whichever name it was imported."""
    names = {name for statement in tree.body for name in _names(statement)}
    if not names:
        return
    for statement in tree.body:
        if isinstance(statement, _FUNCTIONS):
            statement.decorator_list = [one for one in statement.decorator_list if _called(one) not in names]


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.ImportFrom) and statement.module == "almanac" and statement.level == 0:
        return [one.asname or one.name for one in statement.names if one.name == "task"]
    if isinstance(statement, ast.Import):
        return [f"{one.asname or one.name}.task" for one in statement.names if one.name == "almanac"]
    return []


def _called(decorator: ast.expr) -> str | None:
    return dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
