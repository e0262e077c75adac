"""docs/api/python.md from the sources of the package: every public name, its signature, and what its docstring says.

Run by `npm run docs`; with `--check` it fails where the page is not what the sources say, and where a public name or
method says nothing, or has no example.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = os.path.join(ROOT, "python", "almanac")
PAGE = os.path.join(ROOT, "docs", "api", "python.md")
HEAD = """# The Python package `almanac`

All public names. This page is made from the docstrings by `npm run docs`, and CI runs its examples;
[python-workflows.md](../python-workflows.md) says how they are used.
"""

#: for the engine's side of the package
OURS = {"described", "definition", "shape", "in_worker", "entered", "converted"}

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> int:
    problems: list[str] = []
    text = page(problems)
    if "--check" in sys.argv:
        with open(PAGE, encoding="utf-8") as file:
            if file.read() != text:
                problems.append("docs/api/python.md is not what the sources say: npm run docs")
    else:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
    for problem in problems:
        print(f"✗ {problem}")
    print(f"{len(exported())} public names, {len(problems)} problems")
    return 1 if problems else 0


def exported() -> list[tuple[str, str]]:
    """Public names, in order, each with its module."""
    with open(os.path.join(PACKAGE, "__init__.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = [
        (name.asname or name.name, node.module or "")
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]
    return sorted(found, key=lambda one: (one[0].lower(), one[0]))


def page(problems: list[str]) -> str:
    trees: dict[str, ast.Module] = {}
    parts = [HEAD]
    for name, module in exported():
        if module not in trees:
            trees[module] = parsed(module)
        parts.append(section(name, trees[module], problems))
    return "\n".join(parts)


def parsed(module: str) -> ast.Module:
    with open(os.path.join(PACKAGE, *module.split(".")) + ".py", encoding="utf-8") as file:
        return ast.parse(file.read())


def section(name: str, tree: ast.Module, problems: list[str]) -> str:
    nodes = named(tree.body, name)
    if not nodes:
        # `run = Runs()`: what it is an instance of
        made = next(
            node.value.func.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        )
        return of_class(name, named(tree.body, made)[-1], tree, problems, is_instance=True)
    if isinstance(nodes[-1], ast.ClassDef):
        return of_class(name, nodes[-1], tree, problems)
    return f"## `{name}`\n\n{signatures(nodes, name)}\n\n{said(nodes[-1], name, problems, needs_example=True)}\n"


def named(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Its definition, after its overloads."""
    return [node for node in body if isinstance(node, (*Function, ast.ClassDef)) and node.name == name]


def of_class(
    name: str, node: ast.stmt, tree: ast.Module, problems: list[str], is_instance: bool = False
) -> str:
    assert isinstance(node, ast.ClassDef)
    shown = any(has_example(ast.get_docstring(one) or "") for one in node.body if isinstance(one, Function))
    parts = [f"## `{name}`", said(node, name, problems, needs_example=not shown)]
    init = named(node.body, "__init__")
    # what only the engine makes is not made by authors
    if init and name in ("Environment",):
        parts.insert(1, signatures(init, name))
    seen: set[str] = set()
    for one in node.body:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call) and is_instance:
            target, inner = one.targets[0], one.value.args[0]
            assert isinstance(target, ast.Name) and isinstance(inner, ast.Name)
            nodes = named(tree.body, inner.id)
            parts += member(f"{name}.{target.id}", nodes, problems) if nodes else elsewhere(name, target.id, inner.id, problems)
        if not isinstance(one, Function) or one.name in seen or one.name in OURS:
            continue
        if one.name.startswith("_") and not (one.name == "__call__" and is_instance):
            continue
        seen.add(one.name)
        label = name if one.name == "__call__" else f"{name}.{one.name}"
        parts += member(label, named(node.body, one.name), problems)
    return "\n\n".join(parts) + "\n"


def elsewhere(name: str, attribute: str, function: str, problems: list[str]) -> list[str]:
    """A member that is a function of another module."""
    for module in ("clock", "documents", "notes", "workflows"):
        nodes = named(parsed(f"_flow.{module}").body, function)
        if nodes:
            return member(f"{name}.{attribute}", nodes, problems)
    raise LookupError(function)


def member(label: str, nodes: list[ast.stmt], problems: list[str]) -> list[str]:
    return [f"### `{label}`", signatures(nodes, label), said(nodes[-1], label, problems)]


def signatures(nodes: list[ast.stmt], label: str) -> str:
    overloads = nodes[:-1] or nodes
    return "```text\n" + "\n".join(signature(node, label) for node in overloads) + "\n```"


def signature(node: ast.stmt, label: str) -> str:
    assert isinstance(node, Function)
    if any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list):
        return f"{label}: {ast.unparse(node.returns) if node.returns else 'Any'}"
    arguments = node.args
    plain = arguments.posonlyargs or arguments.args
    if plain and plain[0].arg == "self":
        del plain[0]
    given = ast.unparse(arguments)
    if given.startswith("/, "):
        given = given[3:]
    text = f"{label}({given})"
    if node.returns is not None and node.name != "__init__":
        text += f" -> {ast.unparse(node.returns)}"
    return text


def said(node: ast.stmt, label: str, problems: list[str], needs_example: bool = False) -> str:
    assert isinstance(node, (*Function, ast.ClassDef))
    text = ast.get_docstring(node)
    if text is None:
        problems.append(f"{label} says nothing")
        return ""
    if needs_example and not has_example(text):
        problems.append(f"{label} has no example")
    return fenced(inspect.cleandoc(text))


def has_example(text: str) -> bool:
    return "```python" in text or ">>>" in text


def fenced(text: str) -> str:
    """Examples of `>>>` as blocks."""
    out: list[str] = []
    inside = False
    for line in text.split("\n"):
        if line.startswith(">>>") and not inside:
            out.append("```text")
            inside = True
        elif inside and line == "":
            out.append("```")
            inside = False
        out.append(line)
    return "\n".join([*out, "```"] if inside else out)


if __name__ == "__main__":
    sys.exit(main())
