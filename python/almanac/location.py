"""Where the engine is: the npm package `almanac`, beside this one, where pip took this one from, or on the path."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import sys
import sysconfig

from .errors import AlmanacError
from .version import HOME, VERSION

__all__ = ["engine", "surroundings", "main"]

#: says to a command that it was looked for: this package's own finds nothing but itself
_LOOKING = "ALMANAC_LOOKING"

#: what the engine runs on
_NODE = 24


def engine() -> list[str]:
    """The command that starts it. Raises `AlmanacError` that says in one line what is missing."""
    own = os.environ.get("ALMANAC_COMMAND")
    if own:
        # `/my tools/almanac`, or `node /path/to/almanac.cjs`
        return [own] if shutil.which(own) else shlex.split(own)
    homes = _homes()
    source = None
    command = _command_in(homes)
    if command is None and (source := _source()) is not None:
        homes.append(source)
        command = _command_in(homes)
    if command is not None:
        return command
    there = _on_path()
    if there is not None and _node(homes) is not None:
        return [there]
    where = source if source is not None and (source / "package.json").is_file() else "/path/to/almanac"
    raise _missing(
        "the engine of Almanac is",
        f"install Node 20 or newer and run `npm install --save-dev {where}` here, or name its command in ALMANAC_COMMAND",
    )


def main() -> None:
    """The command `almanac` that pip installs: the engine's own."""
    try:
        command = [*engine(), *sys.argv[1:]]
    except AlmanacError as error:
        sys.exit(str(error))
    # nothing of this process is left: signals and the terminal are the engine's
    os.execvpe(command[0], command, {**surroundings(), _LOOKING: "1"})


def surroundings() -> dict[str, str]:
    """Of the engine: workflows live in the Python that asks for them, whether its environment is activated or not."""
    env = {"ALMANAC_PYTHON": sys.executable, **os.environ} if sys.executable else dict(os.environ)
    env["ALMANAC_PACKAGE"] = f"{VERSION} {HOME}"
    if sys.executable:
        env["ALMANAC_PYTHON_COMMAND"] = f"{_python()} -m almanac"
    if "NO_COLOR" in env:
        # a notebook's kernel sets it whatever the user did; Node warns where both are there
        env.pop("FORCE_COLOR", None)
    return env


def _python() -> str:
    """This Python as a person types it: by its short name, where that is the same one."""
    names = (name for name in ("python", "python3") if shutil.which(name) == sys.executable)
    return next(names, shlex.quote(sys.executable))


def _missing(what: str, then: str) -> AlmanacError:
    said = what if what.endswith("built") else f"{what} missing"
    return AlmanacError(f"{said}: {then}", code="ALM_USAGE")


def _homes() -> list[pathlib.Path]:
    """Folders that may be the npm package: this one's, and installed ones from here upwards."""
    here = pathlib.Path.cwd()
    installed = [folder / "node_modules" / "almanac" for folder in (here, *here.parents)]
    return [pathlib.Path(__file__).resolve().parents[2], *installed]


def _command_in(homes: list[pathlib.Path]) -> list[str] | None:
    for home in homes:
        started = home / "bin" / "almanac.cjs"
        if not started.is_file():
            continue
        node = _node(homes)
        if node is None:
            raise _missing("Node is", "install Node 20 or newer")
        if not (home / "dist").is_dir():
            raise _missing(f"the engine in {home} is not built", f"run `npm ci` in {home}")
        return [node, str(started)]
    return None


def _node(homes: list[pathlib.Path]) -> str | None:
    # an older one would start the newer one as a process of its own, which outlives it when it is killed
    return _installed_node(homes, _NODE) or shutil.which("node") or _installed_node(homes)


def _source() -> pathlib.Path | None:
    """The checkout that `pip install PATH` was told of."""
    # these take longer to load than all of this package, which every process of Python loads
    import importlib.metadata
    import urllib.parse
    import urllib.request

    try:
        told = importlib.metadata.distribution("almanac").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None
    url = urllib.parse.urlsplit(json.loads(told)["url"] if told else "")
    if url.scheme != "file":
        return None
    told_of = pathlib.Path(urllib.request.url2pathname(url.path))
    return told_of if (told_of / "bin" / "almanac.cjs").is_file() else told_of.parent


def _installed_node(homes: list[pathlib.Path], least: int = 0) -> str | None:
    """The Node that came with it."""
    for home in homes:
        for folder in (home / "node_modules", home.parent):
            node = folder / ".bin" / "node"
            if os.access(node, os.X_OK) and (least == 0 or _version(folder / "node" / "package.json") >= least):
                return str(node)
    return None


def _version(package: pathlib.Path) -> int:
    try:
        return int(json.loads(package.read_text(encoding="utf-8"))["version"].partition(".")[0])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _on_path() -> str | None:
    if os.environ.get(_LOOKING):
        return None
    # what pip has installed is the command that asks
    ours = {os.path.realpath(folder) for folder in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))}
    folders = [one for one in os.get_exec_path() if os.path.realpath(one) not in ours]
    return shutil.which("almanac", path=os.pathsep.join(folders)) or _of_project()


def _of_project() -> str | None:
    """Where npm has put it for a project: in the nearest directory upwards that has it."""
    here = pathlib.Path.cwd()
    found = (folder / "node_modules" / ".bin" / "almanac" for folder in (here, *here.parents))
    return next((str(path) for path in found if path.is_file()), None)
