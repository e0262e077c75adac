"""What Python files import of each other, at the top and within functions: `imports.py FOLDER`, with their paths as JSON.

Says `[{"from": file, "to": file or the name that is not there, "isThere": …, "types": is it for types alone?}]`.
"""

from __future__ import annotations

import ast
import json
import pathlib
import sys
from typing import Iterator, Mapping

def main() -> None:
    root = pathlib.Path(sys.argv[1])
    modules = {named(pathlib.Path(path)): path for path in json.load(sys.stdin)}
    imports = [
        {"from": path, "to": modules.get(to, to), "isThere": to in modules, "types": types}
        for module, path in modules.items()
        for to, types in sorted(imported(module, path, ast.parse((root / path).read_bytes()), modules))
    ]
    print(json.dumps(imports))


def named(path: pathlib.Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(module: str, path: str, tree: ast.AST, modules: Mapping[str, str]) -> set[tuple[str, bool]]:
    """Modules of ours that it names, each with whether for types alone."""
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    ours = {name.partition(".")[0] for name in modules}
    found: set[tuple[str, bool]] = set()
    for node, types in statements(tree, False):
        if isinstance(node, ast.Import):
            found.update((one.name, types) for one in node.names if one.name.partition(".")[0] in ours)
            continue
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        home = ".".join([*above, *([node.module] if node.module else [])])
        if home.partition(".")[0] in ours:
            # `from . import hints` is a module, `from .hints import of` a name in one
            found.update((f"{home}.{one.name}" if f"{home}.{one.name}" in modules else home, types) for one in node.names)
    return {(to, types) for to, types in found if not (types and (to, False) in found)}


def statements(node: ast.AST, types: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, types
        elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from statements(ast.Module(child.body, []), True)
            yield from statements(ast.Module(child.orelse, []), types)
        else:
            yield from statements(child, types)


main()
