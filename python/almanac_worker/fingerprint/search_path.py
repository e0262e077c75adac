"""Folders that a module adds to `sys.path`, where what it imports may lie."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import NamedTuple

from .trees import dotted


class Added(NamedTuple):
    """A folder that is added; None where it is computed in a way that is not followed."""

    folder: str | None
    line: int


def added(tree: ast.Module, path: str) -> list[Added]:
    """What a module adds, in its order."""
    folders = _Folders(tree, path)
    return [Added(folders.of(one), one.lineno) for one in _added(tree)]


def _added(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = dotted(node.func)
            if callee in ("sys.path.insert", "sys.path.append", "site.addsitedir") and node.args:
                yield node.args[-1] if callee == "sys.path.insert" else node.args[0]
            elif callee == "sys.path.extend" and node.args:
                yield from _items(node.args[0])
        elif isinstance(node, ast.AugAssign) and dotted(node.target) == "sys.path":
            yield from _items(node.value)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                sliced = target.value if isinstance(target, ast.Subscript) else target
                if dotted(sliced) == "sys.path":
                    yield from _items(node.value)


def _items(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple)):
        for item in node.elts:
            yield from _items(item.value) if isinstance(item, ast.Starred) else (item,)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _items(node.left)
        yield from _items(node.right)
    elif dotted(node) != "sys.path":
        yield node


class _Folders:
    """What expressions say of a folder: texts, `os.path`, `pathlib`, `__file__`, and names of these."""

    def __init__(self, tree: ast.Module, path: str) -> None:
        self._path = path
        self._values = {
            target.id: one.value
            for one in tree.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }

    def of(self, node: ast.expr) -> str | None:
        said = self._value(node, 50)
        # a relative one is one of the project where the command was started, which is mostly where the file lies
        return None if said is None else os.path.normpath(os.path.join(os.path.dirname(self._path), said))

    def _value(self, node: ast.expr, deep: int) -> str | None:
        if deep == 0:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            if node.id == "__file__":
                return self._path
            return self._value(self._values[node.id], deep - 1) if node.id in self._values else None
        if isinstance(node, ast.BinOp):
            return self._joined([node.left, node.right], deep) if isinstance(node.op, ast.Div) else None
        if isinstance(node, ast.Attribute):
            before = self._value(node.value, deep - 1) if node.attr == "parent" else None
            return before and os.path.dirname(before)
        if isinstance(node, ast.Subscript):
            return self._above(node, deep)
        return self._called(node, deep) if isinstance(node, ast.Call) else None

    def _above(self, node: ast.Subscript, deep: int) -> str | None:
        """`path.parents[1]`"""
        of, number = node.value, node.slice
        if not (isinstance(of, ast.Attribute) and of.attr == "parents" and isinstance(number, ast.Constant)):
            return None
        found = self._value(of.value, deep - 1)
        for _ in range(number.value + 1 if isinstance(number.value, int) else 0):
            found = found and os.path.dirname(found)
        return found

    def _called(self, node: ast.Call, deep: int) -> str | None:
        callee = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        if callee in ("join", "joinpath", "Path", "PurePath"):
            before = [node.func.value] if callee == "joinpath" and isinstance(node.func, ast.Attribute) else []
            return self._joined([*before, *node.args], deep)
        if callee == "dirname" and node.args:
            return (found := self._value(node.args[0], deep - 1)) and os.path.dirname(found)
        if callee in ("str", "fspath", "abspath", "realpath", "normpath") and node.args:
            return self._value(node.args[0], deep - 1)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("resolve", "absolute", "as_posix"):
            return self._value(node.func.value, deep - 1)
        return None

    def _joined(self, parts: list[ast.expr], deep: int) -> str | None:
        values = [self._value(one, deep - 1) for one in parts]
        return None if not values or None in values else os.path.join(*[one for one in values if one is not None])
