"""Workflows of a notebook as a file: the functions of its cells and all that they name, as text, for the engine to import.

C1  what a name means is what it means now: the newest definition, and values of constants as they are
C2  nothing is executed that only shows or computes something: a value that cannot be written down is refused
"""

from __future__ import annotations

import ast
import contextlib
import datetime
import fcntl
import inspect
import math
import os
import pathlib
import re
import symtable
import sys
import textwrap
import tokenize
import types
from typing import Any, BinaryIO, Iterator, Mapping, Sequence

from .._model.wire import TO_A_FILE, encode
from ..errors import AlmanacError, noted
from .statements import first_line, lines_of, python_of, statements

__all__ = ["file_of", "in_cells", "path_of"]

_HEAD = "# Written by Almanac from the cells of a notebook, which `almanac resume` has no other way to read. Edit those.\n"
_LARGEST = 1 << 16
_FUTURE_ANNOTATIONS = 0x1000000


@contextlib.contextmanager
def file_of(function: Any, namespace: Mapping[str, Any]) -> Iterator[str]:
    """
    Writes the file of a workflow's function beside the notebook, and gives its path. Raises `AlmanacError`, also where
    somebody who has not left this yet wants another text there.
    """
    name: str = function.__name__
    text = (_HEAD + _Cells(namespace).text(name, function)).encode()
    path = path_of(function)
    with open(path, "ab+") as file:
        _lock(file, fcntl.LOCK_SH)
        # another may write between two locks
        while (there := _whole(file)) != text:
            if there and not there.startswith(_HEAD.encode()):
                raise _refused(
                    f"{path} is there, and was not written by Almanac", "Move it away, or give the workflow another name."
                )
            if not _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                raise _refused(
                    f"{path} is read by a run that goes on, of cells that are not these: of another notebook, or from before an edit",
                    "Wait until that run has ended, or give the workflow a name that no other notebook here uses.",
                )
            file.truncate(0)
            file.write(text)
            file.flush()
            _lock(file, fcntl.LOCK_SH)
        try:
            yield path
        finally:
            # a process that was forked meanwhile has the file too
            _lock(file, fcntl.LOCK_UN)


def path_of(function: Any) -> str:
    return os.path.join(os.getcwd(), f"cells_{function.__name__}.py")


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _lock(file: BinaryIO, how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError:  # a file system that has no locks
        pass
    return True


def in_cells(traceback: str, file: str, cells: Sequence[str]) -> str:
    """A traceback that names the cells instead of the file that was written of them, as a notebook does."""
    try:
        with open(file, encoding="utf-8") as known:
            text = known.read()
        statements = ast.parse(text).body
    except (OSError, SyntaxError):
        return traceback
    if not text.startswith(_HEAD):
        return traceback
    lines = lines_of(text)
    executed = [python_of(cell) for cell in cells]

    def place(match: re.Match[str]) -> str:
        line = int(match["line"])
        for statement in statements:
            first = first_line(statement)
            if not first <= line <= (statement.end_lineno or first):
                continue
            source = "".join(lines[first - 1 : statement.end_lineno]).rstrip()
            for number in range(len(cells) - 1, -1, -1):
                at = f"\n{executed[number]}\n".find(f"\n{source}\n")
                if at >= 0:
                    return f"Cell In[{number}], line {executed[number].count(chr(10), 0, at) + 1 + line - first}"
        return match[0]

    names = "|".join(re.escape(one) for one in {file, os.path.realpath(file), os.path.basename(file)})
    return re.sub(rf'File "(?:{names})", line (?P<line>\d+)', place, traceback)


class _Cells:
    """The cells of one notebook, as far as they were executed."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        #: the statement that binds a name, where the newest that does is one that binds nothing else
        self._bound: dict[str, tuple[ast.stmt, str]] = {}
        for cell in namespace.get("In", ()):
            for statement, text in statements(cell):
                for name in _names_stored(statement):
                    self._bound.pop(name, None)
                for name in _names_bound(statement):
                    self._bound[name] = statement, text
        self._done: set[str] = set()
        self._imports: list[str] = []
        self._parts: list[str] = []

    def text(self, name: str, function: Any) -> str:
        self._add(name, "the workflow")
        future = "from __future__ import annotations\n" if function.__code__.co_flags & _FUTURE_ANNOTATIONS else ""
        imports = "".join(f"{line}\n" for line in dict.fromkeys(self._imports))
        return f"{future}{imports}\n\n" + "\n\n".join(f"{part.rstrip()}\n" for part in self._parts)

    def _add(self, name: str, by: str) -> None:
        if name in self._done or name not in self._namespace:
            return
        self._done.add(name)
        value = self._namespace[name]
        bound = self._bound.get(name)
        if bound is not None and isinstance(bound[0], (ast.Import, ast.ImportFrom)) and _still_gives(bound[0], name, value):
            self._imports.append(_one_import(bound[0], name))
        elif isinstance(value, types.ModuleType):
            self._imports.append(f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"))
        elif (source := self._definition(name, value)) is not None:
            self._write(source, name)
        elif (home := _importable(name, value)) is not None:
            self._imports.append(home)
        elif (literal := _literal(value, name)) is not None:
            self._imports += [f"import {one} as _{one}" for one in ("datetime", "pathlib") if f"_{one}." in literal]
            self._parts.append(f"{name} = {literal}")
        elif bound is not None and _is_made_of_nothing(value):
            self._write(bound[1], name)
        else:
            raise _refused(
                f"{by} uses {name}, a {type(value).__name__} that lives in this notebook alone",
                f"{'Give it to the workflow as an input' if _is_input(value) else TO_A_FILE}, or let a task make it.",
            )

    def _definition(self, name: str, value: Any) -> str | None:
        """The text of a function or class of the notebook."""
        inner = value
        while (wrapped := getattr(inner, "__wrapped__", None)) is not None:
            inner = wrapped
        if getattr(inner, "__module__", None) != self._namespace.get("__name__"):
            return None
        if isinstance(inner, types.FunctionType) and inner.__closure__:
            return self._decorated(name, inner)
        if isinstance(inner, types.FunctionType) and inner.__name__ != "<lambda>":
            own = inner.__name__
            text = _source(inner) or self._statement_of(own, (ast.FunctionDef, ast.AsyncFunctionDef))
        elif isinstance(inner, type):
            own = inner.__name__
            text = self._statement_of(own, (ast.ClassDef,)) or _source(inner)
        elif isinstance(inner, types.FunctionType) and name in self._bound:
            return self._bound[name][1]
        else:
            return None
        if text is None:
            raise _refused(f"the text of {name} is not known", "Define it in a cell, or in a file that the notebook imports.")
        if value is inner:
            return text if own == name else f"{text}\n{name} = {own}"
        # made of it, by decorators or by a call: `index = task(step)`
        made, statement = self._bound.get(name, (None, None))
        if own == name:
            return f"{text}\n{statement}" if isinstance(made, (ast.Assign, ast.AnnAssign)) else text
        if statement is None:
            raise _refused(f"how {name} was made of {own} is not known", f"Write `{name} = …` as a statement of its own in a cell.")
        return statement

    def _decorated(self, name: str, function: types.FunctionType) -> str:
        """Of a function with values of its own: where a decorator made it, that is in the statement."""
        statement, text = self._bound.get(name, (None, None))
        if text is not None and getattr(statement, "decorator_list", []):
            return text
        raise _refused(
            f"{name} is a function made by another one, and keeps values of that: {', '.join(function.__code__.co_freevars)}",
            "Define it in a cell by itself, and give it those as arguments.",
        )

    def _statement_of(self, name: str, kinds: tuple[type[ast.stmt], ...]) -> str | None:
        statement, text = self._bound.get(name, (None, None))
        return text if isinstance(statement, kinds) else None

    def _write(self, source: str, by: str) -> None:
        """What it names first."""
        for name in _names_used(source):
            if name != by:
                self._add(name, by)
        for module in _submodules(source, self._namespace):
            self._imports.append(f"import {module}")
        self._parts.append(source)


def _source(function: Any) -> str | None:
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return None
    # a notebook counts more characters as ends of lines than Python does: it may be of something else
    named = [getattr(statement, "name", None) for statement, _ in statements(text)]
    return text if named == [function.__name__] else None


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id
    elif type(statement).__name__ == "TypeAlias":
        yield statement.name.id  # type: ignore[attr-defined]


def _names_stored(statement: ast.stmt) -> Iterator[str]:
    """All names of the module that it binds, in whatever way."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        for name in (getattr(node, kind, None) for kind in ("name", "asname", "rest")):
            if isinstance(name, str):
                yield name.partition(".")[0]
        if isinstance(node, ast.comprehension):
            pending += [node.iter, *node.ifs]
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def _still_gives(statement: ast.Import | ast.ImportFrom, name: str, value: Any) -> bool:
    """Would an import give this value? One that was loaded anew since counts as what it was."""
    chosen = _chosen(statement, name)[-1]
    if isinstance(statement, ast.Import):
        return sys.modules.get(chosen.name if chosen.asname else name) is value
    submodule = sys.modules.get(f"{statement.module}.{chosen.name}")
    given = getattr(sys.modules.get(statement.module or ""), chosen.name, submodule)
    return given is value or (_home(given) is not None and _home(given) == _home(value))


def _home(value: Any) -> tuple[str, str] | None:
    module, own = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return (module, own) if isinstance(module, str) and isinstance(own, str) else None


def _one_import(statement: ast.Import | ast.ImportFrom, name: str) -> str:
    chosen = _chosen(statement, name)
    if isinstance(statement, ast.Import):
        return ast.unparse(ast.Import(names=chosen))
    return ast.unparse(ast.ImportFrom(module=statement.module, names=chosen, level=statement.level))


def _chosen(statement: ast.Import | ast.ImportFrom, name: str) -> list[ast.alias]:
    return [one for one in statement.names if (one.asname or one.name.partition(".")[0]) == name]


def _names_used(source: str) -> list[str]:
    """Names of the module that it reads, wherever in it."""
    found: list[str] = []
    pending = [symtable.symtable(source, "cells", "exec")]
    while pending:
        table = pending.pop()
        outermost = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (outermost or symbol.is_global()):
                found.append(symbol.get_name())
        pending += table.get_children()
    return sorted(set(found))


def _submodules(source: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    """`scipy.signal` where only `scipy` is a name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = namespace.get(node.value.id)
            if isinstance(owner, types.ModuleType) and owner.__name__ == node.value.id:
                whole = f"{owner.__name__}.{node.attr}"
                if whole in sys.modules:
                    yield whole


def _importable(name: str, value: Any) -> str | None:
    """How to import what another module defines."""
    module, own = _home(value) or ("__main__", "")
    if "." in own or module == "__main__":
        return None
    if getattr(sys.modules.get(module), own, None) is not value:
        return None
    return f"from {module} import {own}" + ("" if own == name else f" as {name}")


def _literal(value: Any, name: str) -> str | None:
    text = _text(value, 0)
    if text is not None and len(text) > _LARGEST:
        raise _refused(
            f"{name} is {len(text) >> 10} KiB of text", "Give it to the workflow as an input, or read it from a file in a task."
        )
    return text


def _text(value: Any, depth: int) -> str | None:
    """An expression that gives an equal value; None where there is none."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, pathlib.PurePath):
        return f"_pathlib.Path({str(value)!r})"
    if kind in (datetime.date, datetime.datetime, datetime.timedelta) and getattr(value, "tzinfo", None) is None:
        return f"_{value!r}"
    if depth > 20 or kind not in (list, tuple, dict, set, frozenset):
        return None
    if kind is dict:
        pairs = [(_text(key, depth + 1), _text(one, depth + 1)) for key, one in value.items()]
        return None if any(None in pair for pair in pairs) else "{" + ", ".join(f"{a}: {b}" for a, b in pairs) + "}"
    # a set has no order that lasts
    items = [_text(one, depth + 1) for one in value]
    if None in items:
        return None
    known = [one for one in items if one is not None]
    if kind in (set, frozenset):
        return f"{kind.__name__}([{', '.join(sorted(known))}])"
    if kind is tuple:
        return f"({', '.join(known)}{',' if len(known) == 1 else ''})"
    return f"[{', '.join(known)}]"


def _is_made_of_nothing(value: Any) -> bool:
    """Is the statement that made it a definition, rather than work?"""
    home = (type(value).__module__ or "").partition(".")[0]
    return home in ("almanac", "typing", "types", "re", "logging", "enum", "decimal", "fractions", "datetime", "zoneinfo")


def _is_input(value: Any) -> bool:
    try:
        encode(value, "it")
    except AlmanacError:
        return False
    return True


def _refused(message: str, hint: str) -> AlmanacError:
    return noted(AlmanacError(message, code="ALM_LOAD_FAILED", hint=hint), hint)
