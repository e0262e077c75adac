"""Pieces of HTML that a notebook shows in any theme, and keeps where it trusts nobody: styles, no scripts, no SVG."""

from __future__ import annotations

import html
from typing import Any

__all__ = ["COLOURS", "FAINT", "FONT", "code", "colour", "folded", "state", "table", "text"]

#: of a lightness that can be read on white and on black: a notebook has either
COLOURS = {
    "succeeded": "#2e842e",
    "failed": "#da3636",
    "running": "#1976d2",
    "waiting": "#767676",
    "cancelled": "#c05600",
    "paused": "#c05600",
}
_CELL = "padding:2px 12px 2px 0;text-align:left"
FONT = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.45"
#: of whatever theme the notebook has
FAINT = "opacity:.65"


def text(value: Any) -> str:
    return html.escape(str(value))


def code(value: Any) -> str:
    return f"<code>{text(value)}</code>"


def colour(of: str) -> str:
    return COLOURS.get(of, COLOURS["waiting"])


def state(of: str) -> str:
    return f'<b style="color:{colour(of)}">{text(of)}</b>'


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML."""
    top = "".join(f'<th style="{_CELL};font-weight:600">{text(head)}</th>' for head in heads)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f'<table style="border-collapse:collapse;{FONT}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def folded(title: str, inner: str) -> str:
    return f'<details style="{FONT}"><summary>{text(title)}</summary>{inner}</details>'
