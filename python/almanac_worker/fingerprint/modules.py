"""One module of the author's: what its names are, and what it does when it is imported."""

from __future__ import annotations

import ast
import os
from typing import NamedTuple

from .decorators import undecorate
from .names import Bound, Import
from .search_path import Added, added
from .trees import DEFINITIONS, dotted, without_docstring

_TYPE_ALIAS = getattr(ast, "TypeAlias", ())


class Binding(NamedTuple):
    """One way in which a name of a module comes to be."""

    statement: ast.stmt
    #: the statement is an import of it
    imported: Import | None


class Module:
    """One local module: what its names are, and what it executes when it is imported."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        #: where its relative imports begin, and where its submodules are
        self.folder = path if os.path.isdir(path) else os.path.dirname(path)
        self.is_package = self.folder == path or os.path.basename(path) == "__init__.py"
        self.source = source
        self.bindings: dict[str, list[Binding]] = {}
        #: statements that are executed and are no definitions, imports or assignments of names
        self.statements: list[ast.stmt] = []
        #: `from __future__ import …`: they change what all of its code means
        self.futures: list[ast.stmt] = []
        #: all of it but the docstring
        self.all: list[ast.stmt] = []
        self.imports: set[Import] = set()
        self.stars: list[Import] = []
        #: to where modules are looked for
        self.added: list[Added] = []
        self.broken: SyntaxError | None = None
        self.is_compiled = path.endswith((".so", ".pyd"))
        if self.is_compiled:
            return
        try:
            tree = ast.parse(source, path)
        except SyntaxError as error:
            self.broken = error
            return
        except (ValueError, RecursionError, MemoryError) as error:
            self.broken = SyntaxError(str(error) or "it is nested too deep")
            return
        undecorate(tree)
        self.added = added(tree, path)
        self.all = without_docstring(tree.body)
        for statement in self.all:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self.futures.append(statement)
            self._add(statement)

    def _add(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.If) and _is_never_imported(statement.test):
            for one in statement.orelse:
                self._add(one)
            return
        bound = Bound()
        bound.visit(statement)
        self.imports.update(bound.executed, *bound.imports.values())
        self.stars.extend(one for one in bound.executed if one.attribute == "*")
        for name in bound.names | bound.outermost:
            imports: list[Import | None] = list(bound.imports.get(name, []))
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                imports.append(None)
            for imported in imports:
                self.bindings.setdefault(name, []).append(Binding(statement, imported))
        if _executes(statement):
            self.statements.append(statement)


def _is_never_imported(test: ast.expr) -> bool:
    """Of `if __name__ == "__main__"` and `if TYPE_CHECKING` the body is not executed."""
    if dotted(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"):
        return True
    compared = isinstance(test, ast.Compare) and dotted(test.left) == "__name__" and len(test.ops) == 1
    if compared and isinstance(test.ops[0], ast.Eq):  # type: ignore[attr-defined]
        right = test.comparators[0]  # type: ignore[attr-defined]
        return isinstance(right, ast.Constant) and right.value == "__main__"
    return False


def _executes(statement: ast.stmt) -> bool:
    if isinstance(statement, (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)) or isinstance(
        statement, _TYPE_ALIAS
    ):
        return False
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return not all(_is_name(target) for target in statement.targets)
    if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        return not _is_name(statement.target)
    return True


def _is_name(target: ast.expr) -> bool:
    """Setting an item or an attribute changes something that others may hold, by whatever name."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_is_name(one) for one in target.elts)
    return isinstance(target.value if isinstance(target, ast.Starred) else target, ast.Name)
