"""Makes the virtual environment of one task environment. Started by Almanac with the job as JSON on standard input.

Says what it does line by line; the last line is JSON: {"made": …} or {"failed": …}. The environment is there once its
marker is, so what a killed process left is made anew.

B1  one process makes an environment at a time: the lock is the kernel's and goes with the process
B2  the marker is written after everything else is on disk
B3  this process and what it started end when standard input closes: whoever asked is gone
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

#: of what pip or uv say, when they fail: so many lines, each so long
TAIL = 15
LINE = 500


class Failed(Exception):
    pass


def main() -> None:
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        say({"made": make(job)})
    except Failed as error:
        say({"failed": str(error)})
    except OSError as error:
        say({"failed": f"{error.filename}: {error.strerror}" if error.filename else str(error)})


def end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.killpg(0, signal.SIGKILL) if os.getpgid(0) == os.getpid() else os._exit(1)


def say(line: object) -> None:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)


def make(job: dict) -> bool:
    """True if it was made now, False if another process had made it meanwhile."""
    os.makedirs(os.path.dirname(job["directory"]), exist_ok=True)
    with open(job["directory"] + ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is making it: waiting for that")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(job["marker"]) and os.path.exists(python_of(job)):
            return False
        shutil.rmtree(job["directory"], ignore_errors=True)
        build(job)
        finish(job)
        return True


def python_of(job: dict) -> str:
    return os.path.join(job["directory"], "bin", "python")


def build(job: dict) -> None:
    started = time.monotonic()
    means = choose(job)
    say(f"making {job['name']} with {means}, Python {'.'.join(map(str, sys.version_info[:3]))}")
    directory = job["directory"]
    if means == "uv":
        run([job["uv"], "venv", "--quiet", "--python", sys.executable, directory], job)
        install = [job["uv"], "pip", "install", "--python", python_of(job), "--compile-bytecode"]
    elif means == "pip":
        run([sys.executable, "-I", "-m", "venv", "--without-pip", directory], job)
        install = [sys.executable, "-I", "-m", "pip", "--python", python_of(job), "install"]
    elif means == "venv":
        run([sys.executable, "-I", "-m", "venv", directory], job)
        install = [python_of(job), "-I", "-m", "pip", "install"]
    else:
        run([sys.executable, "-I", "-m", "venv", "--without-pip", directory], job)
        install = [python_of(job), os.path.join(fetch_pip(job), "pip"), "install"]
    requirements = os.path.join(directory, "almanac-requirements.txt")
    write(requirements, job["requirements"])
    arguments = ["-r", requirements]
    if job["constraints"]:
        constraints = os.path.join(directory, "almanac-constraints.txt")
        write(constraints, job["constraints"])
        arguments += ["-c", constraints]
    if means != "uv":
        arguments += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if job["requirements"]:
        run(install + arguments, job)
    say(f"made in {time.monotonic() - started:.1f} s")


def choose(job: dict) -> str:
    """uv where there is one; else the interpreter's own pip, or one from ensurepip, or one from the index."""
    allowed = job["means"]
    if "uv" in allowed and job["uv"]:
        return "uv"
    if "pip" in allowed and pip_version() >= (22, 3):
        return "pip"
    if "venv" in allowed and importlib.util.find_spec("ensurepip") is not None:
        return "venv"
    if "index" in allowed:
        return "index"
    raise Failed("there is neither uv nor pip nor venv on this machine")


def pip_version() -> tuple[int, ...]:
    try:
        import importlib.metadata

        return tuple(int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    except (ImportError, ValueError):  # PackageNotFoundError is an ImportError
        return (0,)


def run(command: list[str], job: dict) -> None:
    """Runs it, passing on what it says. Fails with its last lines."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=job["cwd"],
        env=env,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    tail: list[str] = []
    for line in process.stdout:
        line = line.rstrip()
        if line:
            say("  " + line)
            # pip lists all versions that there are
            tail = [*tail[1 - TAIL :], line if len(line) <= LINE else line[:LINE] + " …"]
    if process.wait() != 0:
        first = next((at for at, line in enumerate(tail) if line.lower().startswith("error")), 0)
        raise Failed("\n".join(tail[first:]) or f"{os.path.basename(command[0])} ended with {process.returncode}")


def fetch_pip(job: dict) -> str:
    """The newest pip of the index, checked by its digest: Debian's python3 alone has neither pip nor ensurepip."""
    import hashlib
    import http.client
    import urllib.parse
    import urllib.request

    index = (os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple").rstrip("/") + "/pip/"
    kinds = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    try:
        with urllib.request.urlopen(urllib.request.Request(index, headers={"Accept": kinds}), timeout=60) as answer:
            page = answer.read().decode()
        files = json.loads(page)["files"] if page.lstrip().startswith("{") else links(page)
        wheels = [file for file in files if file["filename"].endswith("-py3-none-any.whl") and not file.get("yanked")]
        newest = max(wheels, key=lambda file: release(file["filename"]))
        say(f"  fetching {newest['filename']}")
        with urllib.request.urlopen(urllib.parse.urljoin(index, newest["url"]), timeout=60) as answer:
            data = answer.read()
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise Failed(f"no pip here, and none from {urllib.parse.urlsplit(index).hostname}: {error}") from None
    if hashlib.sha256(data).hexdigest() != newest["hashes"]["sha256"]:
        raise Failed(f"{newest['filename']} from the index does not have the digest that the index says")
    path = os.path.join(job["directory"], newest["filename"])
    with open(path, "wb") as file:
        file.write(data)
    return path


def links(page: str) -> list[dict]:
    """The files of an index that answers in HTML, as mirrors do, in the words of one that answers in JSON."""
    from html.parser import HTMLParser

    files: list[dict] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            href = dict(attributes).get("href") if tag == "a" else None
            if href is None:
                return
            url, _, fragment = href.partition("#")
            digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
            yanked = "data-yanked" in dict(attributes)
            files.append(
                {"filename": url.rpartition("/")[2], "url": url, "yanked": yanked, "hashes": {"sha256": digest}}
            )

    Links().feed(page)
    return files


def release(filename: str) -> tuple[int, ...]:
    """Final releases by number; others before all of them."""
    parts = filename.split("-")[1].split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else (-1,)


def finish(job: dict) -> None:
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps(sorted({f\"{d.metadata['Name']}=={d.version}\" for d in m.distributions()})))"
    )
    listed = subprocess.run([python_of(job), "-I", "-c", code], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Failed(f"the interpreter of the environment does not run: {listed.stderr.strip()}")
    os.sync()
    marker = {**job["about"], "packages": json.loads(listed.stdout), "madeAt": int(time.time() * 1000)}
    write(job["marker"] + ".part", json.dumps(marker, indent=1))
    os.replace(job["marker"] + ".part", job["marker"])


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
