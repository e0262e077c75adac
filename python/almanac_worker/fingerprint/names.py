"""The names that code uses, as far as they are not its own: by the scopes that the language decides before it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .file_reads import read, text_of
from .trees import dotted


class Import(NamedTuple):
    """What an import binds a name to: a module, or an attribute of one. `level` as in `from ..a import b`."""

    module: str
    attribute: str | None
    level: int


class Reference(NamedTuple):
    """A name that some code uses, with the attributes that are taken of it: `a.b.c`."""

    root: str
    attributes: tuple[str, ...]
    #: bound by an import within a function
    imported: Import | None = None


class _Scope(NamedTuple):
    """Names of a function, a class or a comprehension, as the language decides them before it runs."""

    local: set[str]
    #: declared `global`
    outermost: set[str] = set()
    imports: dict[str, list[Import]] = {}
    is_class: bool = False


class Names(ast.NodeVisitor):
    """Collects the names of a statement that belong to its module, and what is said about imports in functions."""

    def __init__(self) -> None:
        #: with the line where each is first used
        self.references: dict[Reference, int] = {}
        #: imports within functions: they execute the module
        self.imports: set[Import] = set()
        #: imports whose name is computed
        self.unfollowed: list[int] = []
        self.attributes: set[str] = set()
        #: what gives all names of the module
        self.open: set[tuple[str, int]] = set()
        #: environment variables and files that are read by a name written in the code
        self.environment: set[tuple[str | None, int]] = set()
        self.opened: set[tuple[str | None, int]] = set()
        self._scopes: list[_Scope] = []

    # names

    def visit_Name(self, node: ast.Name) -> None:
        self._refer(node.id, (), node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain: list[str] = []
        at: ast.AST = node
        while isinstance(at, ast.Attribute):
            chain.append(at.attr)
            self.attributes.add(at.attr)
            if at.attr in ("__globals__", "f_globals"):
                self.open.add((at.attr, node.lineno))
            at = at.value
        if isinstance(at, ast.Name):
            attributes = tuple(reversed(chain))
            self._refer(at.id, attributes, node.lineno)
            if at.id == "os" and attributes[0] == "environ" and attributes[1:] != ("get",):
                self.environment.add((None, node.lineno))
        else:
            self.visit(at)

    def _refer(self, name: str, attributes: tuple[str, ...], line: int) -> None:
        for depth, scope in enumerate(reversed(self._scopes)):
            if name in scope.outermost:
                break
            # names of a class are not seen by the functions in it
            if name not in scope.local or (scope.is_class and depth > 0):
                continue
            for one in scope.imports.get(name, ()):
                self.references.setdefault(Reference(name, attributes, one), line)
            # in a class, a name may be the module's until it is set
            if not scope.is_class:
                return
        self.references.setdefault(Reference(name, attributes), line)

    # scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._scopes.append(_Scope(_type_parameters(node)))
        self._arguments(node.args, annotations=True)
        if node.returns is not None:
            self._annotation(node.returns)
        self._body(node.args, node.body, node.lineno)
        self._scopes.pop()

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._arguments(node.args, annotations=False)
        self._body(node.args, [node.body], node.lineno)

    def _arguments(self, args: ast.arguments, annotations: bool) -> None:
        for default in [*args.defaults, *args.kw_defaults]:
            if default is not None:
                self.visit(default)
        if annotations:
            for one in _all_arguments(args):
                if one.annotation is not None:
                    self._annotation(one.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        for part in [node.target, *([] if node.value is None else [node.value])]:
            self.visit(part)

    def _annotation(self, node: ast.expr) -> None:
        """What is annotated by a text (`"Window"`, `list["Window"]`) is made of what it says."""
        self.visit(node)
        for text in _texts(node):
            said = _parsed(text.value)
            if said is not None:
                self.visit(ast.fix_missing_locations(ast.copy_location(said, text)))

    def _body(self, args: ast.arguments, body: Iterable[ast.AST], line: int) -> None:
        body = list(body)
        bound = Bound()
        for statement in body:
            bound.visit(statement)
        local = bound.names | {one.arg for one in _all_arguments(args)}
        self._enter(_Scope(local - bound.outer, bound.outermost, bound.imports), bound, body, line)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._scopes.append(_Scope(_type_parameters(node)))
        for base in [*node.bases, *[keyword.value for keyword in node.keywords]]:
            self.visit(base)
        bound = Bound()
        for statement in node.body:
            bound.visit(statement)
        self._enter(
            _Scope(bound.names - bound.outer, bound.outermost, bound.imports, True), bound, node.body, node.lineno
        )
        self._scopes.pop()

    def _enter(self, scope: _Scope, bound: "Bound", body: Iterable[ast.AST], line: int) -> None:
        for imports in scope.imports.values():
            self.imports.update(imports)
        self.imports.update(bound.executed)
        for name in bound.outermost:
            self.references.setdefault(Reference(name, ()), line)
        self._scopes.append(scope)
        for statement in body:
            self.visit(statement)
        self._scopes.pop()

    def _comprehension(self, node: Any) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        bound = Bound()
        for generator in node.generators:
            bound.visit(generator.target)
        self._scopes.append(_Scope(bound.names))
        for condition in first.ifs:
            self.visit(condition)
        for generator in others:
            self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self._scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # what cannot be followed, and what is read from outside

    def visit_Call(self, node: ast.Call) -> None:
        self._look_at_call(node, dotted(node.func))
        self.generic_visit(node)

    def _look_at_call(self, node: ast.Call, callee: str) -> None:
        text = text_of(node.args[:1])
        if callee in ("importlib.import_module", "import_module", "__import__"):
            imported = _imported(node, text)
            if imported is None:
                self.unfollowed.append(node.lineno)
            else:
                self.imports.add(imported)
                self.references.setdefault(Reference(imported.module, (), imported), node.lineno)
        elif callee in ("locals", "vars") and not self._scopes and not node.args:
            self.open.add((callee, node.lineno))
        elif callee in ("os.getenv", "getenv", "os.environ.get", "environ.get"):
            self.environment.add((text, node.lineno))
        else:
            self.opened.update((path, node.lineno) for path in read(node, callee))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if dotted(node.value) in ("os.environ", "environ"):
            key = node.slice
            known = isinstance(key, ast.Constant) and isinstance(key.value, str)
            self.environment.add((key.value if known else None, node.lineno))  # type: ignore[attr-defined]
            self._refer(dotted(node.value).split(".")[0], (), node.lineno)
            self.visit(key)
            return
        self.generic_visit(node)


class Bound(ast.NodeVisitor):
    """Names that are bound in one scope, not in those within it."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        #: declared `global` or `nonlocal`, and `global` alone
        self.outer: set[str] = set()
        self.outermost: set[str] = set()
        self.imports: dict[str, list[Import]] = {}
        #: imports that bind none of these names, or all that there are: `import a.b` and `from a import *`
        self.executed: set[Import] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_FunctionDef(self, node: Any) -> None:
        self.names.add(node.name)
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if part is not None:
                self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)
        for part in [*node.decorator_list, *node.bases, *[keyword.value for keyword in node.keywords]]:
            self.visit(part)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in [*node.args.defaults, *node.args.kw_defaults]:
            if part is not None:
                self.visit(part)

    def _comprehension(self, node: Any) -> None:
        # its own names are its own, but `:=` in it binds outside
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                self.visit(part.target)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            module = alias.name if alias.asname else alias.name.split(".")[0]
            self._import(name, Import(module, None, 0))
            if module != alias.name:
                self.executed.add(Import(alias.name, None, 0))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            one = Import(node.module or "", alias.name, node.level)
            if alias.name == "*":
                self.executed.add(one)
            else:
                self._import(alias.asname or alias.name, one)

    def _import(self, name: str, one: Import) -> None:
        self.names.add(name)
        self.imports.setdefault(name, []).append(one)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._captured(node.name, node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._captured(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._captured(node.rest, node)

    def _captured(self, name: str | None, node: ast.AST) -> None:
        if name is not None:
            self.names.add(name)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.outer.update(node.names)
        self.outermost.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.outer.update(node.names)


def _texts(node: ast.expr) -> Iterator[ast.Constant]:
    """Texts of an annotation that stand for code."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ast.Subscript):
        of, inner = dotted(node.value).split(".")[-1], node.slice
        if of == "Annotated" and isinstance(inner, ast.Tuple):
            yield from _texts(inner.elts[0])
        elif of != "Literal":
            yield from _texts(inner)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for one in node.elts:
            yield from _texts(one)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
        yield from _texts(node.right)


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _all_arguments(args: ast.arguments) -> list[ast.arg]:
    starred = [one for one in (args.vararg, args.kwarg) if one is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *starred]


def _type_parameters(node: ast.AST) -> set[str]:
    return {one.name for one in getattr(node, "type_params", [])}


def _imported(node: ast.Call, text: str | None) -> Import | None:
    """What `import_module("a")`, or `import_module(".a", __package__)`, imports."""
    if text is None:
        return None
    level = len(text) - len(text.lstrip("."))
    packages = [*node.args[1:2], *[one.value for one in node.keywords if one.arg == "package"]]
    if level > 0 and not any(dotted(one) in ("__package__", "__name__") for one in packages):
        return None
    return Import(text[level:], None, level)
