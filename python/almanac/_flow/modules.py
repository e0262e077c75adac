"""Functions of files that are not imported here: their packages are in another environment."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any, Callable

from ..errors import AlmanacError

if TYPE_CHECKING:
    from .environment import Environment

__all__ = ["Module", "Named", "module", "read_files"]

#: all that were read instead of imported: a workflow is made of them too
read_files: set[str] = set()

_PATHS = ("Path", "pathlib.Path", "'Path'", "'pathlib.Path'")


class Named:
    """A function of a file that is read, and imported only where it is called outside of workflows."""

    def __init__(self, file: str, env: str | Environment | None, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.file = file
        self.line = node.lineno
        self.env = env
        self.__name__ = self.__qualname__ = node.name
        self.__doc__ = ast.get_docstring(node)
        self.__signature__ = _signature(node.args)
        self.__annotations__ = {
            name: parameter.annotation
            for name, parameter in self.__signature__.parameters.items()
            if parameter.annotation is not parameter.empty
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(_imported(self.file), self.__name__)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.__name__} of {self.file}>"


class Module:
    """
    A file of plain functions: each is an attribute, for `task` to make a task of. See `module`.

    >>> import almanac, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "steps.py"
    >>> _ = path.write_text("import numpy\\ndef scale(n, by=2): return n * by")
    >>> steps = almanac.module(path)
    >>> dir(steps), almanac.task(steps.scale)
    (['scale'], <task scale>)
    """

    def __init__(self, file: str, env: str | Environment | None) -> None:
        try:
            with open(file, "rb") as source:
                tree = ast.parse(source.read(), file)
        except FileNotFoundError:
            raise AlmanacError(
                f"there is no file {file}", code="ALM_LOAD_FAILED", hint="Paths are relative to the file that names them."
            ) from None
        read_files.add(os.path.realpath(file))
        self._file = file
        self._functions = {
            node.name: Named(file, env, node)
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }

    def __getattr__(self, name: str) -> Callable[..., Any]:
        known = self._functions.get(name) if "_functions" in self.__dict__ else None
        if known is None:
            raise AttributeError(f"{os.path.basename(self.__dict__.get('_file', ''))} has no function {name}")
        return known

    def __dir__(self) -> list[str]:
        return sorted(self._functions)

    def __repr__(self) -> str:
        return f"<functions of {self._file}>"


def module(file: str | os.PathLike[str], *, env: str | Environment | None = None) -> Module:
    """
    The functions of a file, relative to the one that says so, without importing it: what it needs may be in another
    environment (`env`, as of `@task`) than the workflow's own. Raises `AlmanacError` (`ALM_LOAD_FAILED`) where there is
    no such file, `SyntaxError` where it is not Python.

    ```python
    from pathlib import Path

    from almanac import module, task, workflow

    # stands for a file of yours
    Path(__file__).with_name("double_steps.py").write_text("def double(n): return 2 * n")
    steps = module("double_steps.py")
    double = task(steps.double, timeout="10m")

    @workflow
    async def main():
        return await double(4)  # gives 8
    ```
    """
    folder = os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))
    path = os.path.normpath(os.path.join(folder, os.fspath(file)))
    return Module(path, os.path.normpath(os.path.join(folder, env)) if isinstance(env, str) else env)


def _signature(args: ast.arguments) -> inspect.Signature:
    kinds = inspect.Parameter
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(args.defaults)), *args.defaults]
    found = [_parameter(arg, default, kinds.POSITIONAL_OR_KEYWORD) for arg, default in zip(plain, defaults)]
    if args.vararg is not None:
        found.append(kinds(args.vararg.arg, kinds.VAR_POSITIONAL))
    found += [_parameter(arg, default, kinds.KEYWORD_ONLY) for arg, default in zip(args.kwonlyargs, args.kw_defaults)]
    if args.kwarg is not None:
        found.append(kinds(args.kwarg.arg, kinds.VAR_KEYWORD))
    return inspect.Signature(found)


def _parameter(arg: ast.arg, default: ast.expr | None, kind: Any) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    is_path = arg.annotation is not None and ast.unparse(arg.annotation) in _PATHS
    # what the default is, the function itself knows
    return inspect.Parameter(
        arg.arg, kind, default=empty if default is None else ..., annotation=pathlib.Path if is_path else empty
    )


def _imported(file: str) -> Any:
    name = os.path.splitext(os.path.basename(file))[0]
    known = sys.modules.get(name)
    if known is not None and os.path.realpath(getattr(known, "__file__", None) or "") == os.path.realpath(file):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    folder = os.path.dirname(file)
    if folder not in sys.path:
        sys.path.append(folder)
    spec.loader.exec_module(made)
    return made
