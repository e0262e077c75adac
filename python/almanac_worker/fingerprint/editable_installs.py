"""
Packages that are installed as links to where they are edited (`pip install -e`): they are the author's own code. Read from
what the installers leave in `site-packages`; nothing of it is executed.
"""

from __future__ import annotations

import ast
import os
import sys
from typing import NamedTuple

#: ours are no code of tasks
_OURS = frozenset({"almanac", "almanac_task", "almanac_worker"})


class Link(NamedTuple):
    folder: str
    #: which say so
    files: tuple[str, ...]


class EditableInstalls:
    """What is linked to from folders of installed packages, looked for once."""

    def __init__(self, sites: list[str] | None = None) -> None:
        self._sites = sites
        #: for any name, and by first names
        self._any: list[Link] = []
        self._named: dict[str, list[Link]] = {}
        self._read = False

    def links(self, name: str) -> list[Link]:
        """Where a module of this first name may lie, if not beside its user."""
        if name in _OURS:
            return []
        self._read_all()
        return [*self._named.get(name, []), *self._any]

    def installed(self, name: str) -> str | None:
        """The file of an installed module, which goes when a link takes its place."""
        self._read_all()
        paths = (os.path.join(site, name, "__init__.py") for site in self._sites or [])
        return next((path for path in paths if os.path.isfile(path)), None)

    def _read_all(self) -> None:
        if self._read:
            return
        self._read = True
        if self._sites is None:
            self._sites = _sites()
        for site in self._sites:
            try:
                names = sorted(name for name in os.listdir(site) if name.endswith(".pth"))
            except OSError:
                continue
            for name in names:
                self._add(site, os.path.join(site, name))

    def _add(self, site: str, file: str) -> None:
        for line in _text(file).splitlines():
            if line.startswith(("import ", "import\t")):
                finder = os.path.join(site, f"{line.split(';')[0][7:].strip()}.py")
                for name, place in _mapping(_text(finder)).items():
                    *above, last = name.split(".")
                    root = os.path.dirname(place)
                    for _ in above:
                        root = os.path.dirname(root)
                    # of another name than its folder it cannot be followed
                    if os.path.splitext(os.path.basename(place))[0] == last:
                        self._named.setdefault(name.split(".")[0], []).append(Link(root, (file, finder)))
            elif line and not line.startswith("#"):
                folder = os.path.normpath(os.path.join(site, line.strip()))
                if os.path.isdir(folder) and not _is_installed(folder):
                    self._any.append(Link(folder, (file,)))


def _sites() -> list[str]:
    """Of this interpreter, which was started without them."""
    import site

    begin = os.path.dirname(os.path.dirname(os.path.abspath(sys.executable)))
    settings = _text(os.path.join(begin, "pyvenv.cfg")).lower().replace(" ", "")
    own = [begin] if settings else []
    if settings and "include-system-site-packages=true" not in settings:
        return site.getsitepackages(own)
    return [*site.getsitepackages([*own, sys.prefix, sys.exec_prefix]), site.getusersitepackages()]


def _mapping(text: str) -> dict[str, str]:
    """`MAPPING` of a finder that setuptools makes."""
    try:
        tree = ast.parse(text)
        for statement in tree.body:
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
            if any(isinstance(one, ast.Name) and one.id == "MAPPING" for one in targets):
                return dict(ast.literal_eval(statement.value))  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, TypeError, RecursionError):
        pass
    return {}


def _is_installed(folder: str) -> bool:
    return "site-packages" in folder or "dist-packages" in folder


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8-sig", errors="replace") as opened:
            return opened.read()
    except OSError:
        return ""
