"""Functions that are tasks by `@task`: what it says of retries, outputs and memory is no code of theirs."""

from __future__ import annotations

import ast

from .trees import dotted

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def undecorate(tree: ast.Module) -> None:
    """Takes `@task` off the functions of a module, under whichever name it was imported or, with options, assigned."""
    names: set[str] = set()
    for statement in tree.body:
        names.update(_imported(statement), _assigned(statement, names))
    if not names:
        return
    for statement in tree.body:
        if isinstance(statement, _FUNCTIONS):
            statement.decorator_list = [one for one in statement.decorator_list if _called(one) not in names]


def _imported(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.ImportFrom) and statement.module == "almanac" and statement.level == 0:
        return [one.asname or one.name for one in statement.names if one.name == "task"]
    if isinstance(statement, ast.Import):
        return [f"{one.asname or one.name}.task" for one in statement.names if one.name == "almanac"]
    return []


def _assigned(statement: ast.stmt, names: set[str]) -> list[str]:
    """Names of what has options for many: `io = task(retries=3)`, or `functools.partial(task, retries=3)`."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return []
    made = statement.value
    of = made.args[0] if made.args and _called(made) in ("partial", "functools.partial") else made.func
    return [one.id for one in statement.targets if isinstance(one, ast.Name)] if dotted(of) in names else []


def _called(decorator: ast.expr) -> str | None:
    return dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
