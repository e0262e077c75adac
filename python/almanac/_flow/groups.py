"""Groups of the files of a directory, each of which is one call of a map."""

from __future__ import annotations

import re
from typing import Callable

__all__ = ["captured"]


def captured(pattern: str) -> Callable[[str], str | None]:
    """What the groups of an expression capture, joined by `-`; without groups all that it matches."""
    expression = re.compile(pattern)

    def group(path: str) -> str | None:
        match = expression.search(path)
        if match is None:
            return None
        return "-".join(part for part in match.groups() if part is not None) if match.groups() else match[0]

    return group
