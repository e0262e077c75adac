"""Syntax trees as text, the same in every Python: what makes no difference is left out."""

from __future__ import annotations

import ast
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


class Dumper:
    """Trees as text, without positions, comments, and (unless asked) docstrings."""

    def __init__(self, docstrings: bool) -> None:
        self._docstrings = docstrings

    def dump(self, node: ast.AST) -> str:
        out: list[str] = []
        self._node(node, out)
        return "".join(out)

    def _node(self, node: ast.AST, out: list[str]) -> None:
        if isinstance(node, ast.Constant):
            out.append(_constant(node.value))
            return
        out.append(type(node).__name__)
        out.append("(")
        for name in node._fields:
            value = getattr(node, name, None)
            # what a newer Python adds to its trees is empty where older code is concerned
            if value is None or value == [] or name in ("ctx", "type_comment", "kind", "type_ignores"):
                continue
            out.append(name)
            out.append("=")
            if name == "body" and not self._docstrings and isinstance(node, DEFINITIONS):
                value = without_docstring(value)
            elif name == "values" and isinstance(node, ast.JoinedStr):
                # between the parts of a format some versions have empty texts
                value = [one for one in value if not (isinstance(one, ast.Constant) and one.value == "")]
            self._value(value, out)
            out.append(",")
        out.append(")")

    def _value(self, value: Any, out: list[str]) -> None:
        if isinstance(value, ast.AST):
            self._node(value, out)
        elif isinstance(value, list):
            out.append("[")
            for item in value:
                self._value(item, out)
                out.append(",")
            out.append("]")
        else:
            out.append(ascii(value))


def _constant(value: Any) -> str:
    # the decimal form of a very long number is refused; which characters `repr` shows as they are differs between Pythons
    return hex(value) if type(value) is int else f"{type(value).__name__}:{value!a}"


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] if body and is_text(body[0]) else body


def is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def dotted(node: ast.AST) -> str:
    """`a.b` of a name and its attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
