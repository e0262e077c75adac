"""The statements of a notebook's cell, each with its text."""

from __future__ import annotations

import ast
import io
import sys
from typing import Iterator

__all__ = ["first_line", "lines_of", "python_of", "statements"]

#: magics of a whole cell that execute it, in the names of the notebook
_EXECUTING = ("capture", "prun", "time")


def python_of(cell: str) -> str:
    """What a cell executes, line by line: of one that begins with `%%time` or its like what is below that."""
    tree = _parsed(cell)
    if tree is None or len(tree.body) != 1:
        return cell
    # as the kernel keeps it: get_ipython().run_cell_magic("time", "", "…")
    match tree.body[0]:
        case ast.Expr(
            ast.Call(ast.Attribute(attr="run_cell_magic"), [ast.Constant(magic), ast.Constant(), ast.Constant(str(below))])
        ) if magic in _EXECUTING:
            return f"\n{python_of(_transformed(below))}"
    return cell


def statements(cell: str) -> Iterator[tuple[ast.stmt, str]]:
    """None of a cell that is no Python."""
    cell = python_of(cell)
    tree = _parsed(cell)
    if tree is None:
        return
    lines = lines_of(cell)
    ends = [0, *(one.end_lineno or one.lineno for one in tree.body)]
    firsts = [*(first_line(one) for one in tree.body[1:]), len(lines) + 1]
    for statement, end_before, next_first in zip(tree.body, ends, firsts):
        first, end = first_line(statement), statement.end_lineno or statement.lineno
        is_alone = end_before < first and end < next_first
        yield statement, "".join(lines[first - 1 : end]) if is_alone else ast.unparse(statement)


def lines_of(text: str) -> list[str]:
    """As Python splits it, to which U+2028 is no end of a line."""
    return io.StringIO(text, newline=None).readlines()


def first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _transformed(text: str) -> str:
    """With other magics in it as the calls that they are."""
    if "IPython" not in sys.modules:
        return text
    from IPython import get_ipython  # type: ignore[import-not-found]

    shell = get_ipython()
    return text if shell is None else str(shell.transform_cell(text))
