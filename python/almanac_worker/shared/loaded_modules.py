"""Modules that are there because somebody imported them; nothing is imported here."""

from __future__ import annotations

import sys
from typing import Any


def imported(name: str) -> Any:
    """The module, once it is whole: while another thread imports it, `sys.modules` has it half made."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) else module
