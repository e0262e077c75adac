"""Commands of the engine that end by themselves, and what they say."""

from __future__ import annotations

import json
from typing import Any

from ..errors import AlmanacError, noted

__all__ = ["answered", "asked", "in_project", "not_started", "told_by"]

_HINT = "Name the engine's command in ALMANAC_COMMAND, or leave it empty."


def asked(arguments: list[str], near: str) -> list[dict[str, Any]]:
    """What a command that only looks says; nothing where it cannot."""
    try:
        return answered(arguments, near)
    except AlmanacError:
        return []


def answered(arguments: list[str], near: str | None = None, given: str = "") -> list[dict[str, Any]]:
    """What a command says, which is `given` that. Raises `AlmanacError` where it fails."""
    # these take longer to import than all else that a workflow needs, which asks nothing
    import subprocess

    from ..location import engine, surroundings

    command = [*engine(), *arguments, "--json"]
    try:
        done = subprocess.run(
            command, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=near, encoding="utf-8",
            env=surroundings(),
        )
    except OSError as error:
        raise not_started(command, error) from None
    # JSON has U+2028 and its like as they are, which are no ends of lines
    found = [told for line in done.stdout.split("\n") if (told := told_by(line)) is not None]
    for told in found:
        if told["kind"] == "error":
            hint = told.get("hint") or ""
            raise noted(AlmanacError(told["message"], code=told["code"], hint=hint), hint)
    if done.returncode != 0:
        how = f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
        said = done.stderr.strip() or f"`almanac {' '.join(arguments)}` {how}"
        raise AlmanacError(said, code="ALM_USAGE", hint="Try it in a terminal, and see what it prints.")
    return found


def in_project(arguments: list[str], project: str | None, given: str = "") -> list[dict[str, Any]]:
    """What a command says of a project: of that of the working directory, if none is named. Raises `AlmanacError`."""
    return answered([*arguments, *([] if project is None else ["--project", project])], given=given)


def not_started(command: list[str], error: OSError) -> AlmanacError:
    return AlmanacError(f"{command[0]} cannot be started: {error.strerror}", code="ALM_USAGE", hint=_HINT)


def told_by(line: str) -> dict[str, Any] | None:
    """What a line tells; None where it is something printed."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "kind" in told else None
