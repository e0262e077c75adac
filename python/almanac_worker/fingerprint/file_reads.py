"""Files that code reads by a name that is written in it, as far as the names of functions tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .trees import dotted

#: of pandas, NumPy, xarray, Astropy and the like: they take the path first
_READERS = frozenset(
    "read_csv read_table read_fwf read_excel read_json read_parquet read_feather read_hdf read_pickle read_file "
    "loadtxt genfromtxt load fromfile memmap loadmat imread open_dataset open_dataarray open_mfdataset open_zarr "
    "load_dataset load_dataarray getdata getheader open open_text open_binary File Dataset Image run_path".split()
)
_OF_PATHS = frozenset({"read_text", "read_bytes", "open"})
_PROGRAMS = frozenset({"run", "call", "check_call", "check_output", "Popen", "system", "getoutput"})
_FILE = re.compile(r"[^\s:*?<>|]*\.\w{1,8}")
_SCRIPT = re.compile(r"[^\s:*?<>|]+\.(?:py|sh|bash|R|r|jl|pl|m|awk)")


def read(node: ast.Call, callee: str) -> Iterator[str | None]:
    """What a call reads; None where that is not written there."""
    owner, _, last = callee.rpartition(".")
    if callee in ("open", "io.open"):
        text = text_of(node.args[:1])
        if text is not None and not _writes(node, 1):
            yield text
    elif last == "spec_from_file_location" or owner.endswith("resources") or callee == "pkgutil.get_data":
        yield None
    elif owner in ("subprocess", "os") and last in _PROGRAMS:
        yield from _scripts(node.args[:1])
    elif last in _READERS:
        text = text_of(node.args[:1])
        if text is not None and _FILE.fullmatch(text) and not _writes(node, 1):
            yield text
    elif not callee and isinstance(node.func, ast.Attribute) and node.func.attr in _OF_PATHS:
        made = node.func.value
        if isinstance(made, ast.Call) and dotted(made.func).split(".")[-1] == "Path" and not _writes(node, 0):
            text = text_of(made.args[-1:])
            if text is not None:
                yield text


def text_of(arguments: list[ast.expr]) -> str | None:
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _scripts(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        words = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
        for one in words:
            text = text_of([one])
            # the words of a line for a shell
            yield from (word for word in (text or "").split() if _SCRIPT.fullmatch(word))


def _writes(node: ast.Call, at: int) -> bool:
    mode = node.args[at] if len(node.args) > at else None
    mode = next((one.value for one in node.keywords if one.arg == "mode"), mode)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and mode.value[:1] in ("w", "a", "x")
