"""What a run shows, as a notebook shows it."""

from __future__ import annotations

import base64
import json
import mimetypes
import os
from typing import Any, Mapping

from .markup import FAINT, FONT, folded, table, text

__all__ = ["Artifact", "image", "picture"]

#: rows of a table and bytes of an image that are shown
_ROWS = 50
_IMAGE = 8 << 20
#: what browsers draw
_DRAWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/bmp")


class Artifact:
    """Something that a run shows: a table, an image, a text, a link or a chart."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        self.name = name
        self.kind: str = body["kind"]
        self.body = dict(body)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown: dict[str, Any] = {"text/plain": repr(self), "text/html": self.html}
        if self.kind == "markdown":
            shown["text/markdown"] = str(self.body["text"])
            del shown["text/html"]
        elif self.kind == "plot":
            # JupyterLab would take HTML rather than this, which is the newest that it draws
            shown["application/vnd.vegalite.v5+json"] = self.body["spec"]
            del shown["text/html"]
        return shown

    @property
    def html(self) -> str:
        body = self.body
        if self.kind == "table":
            return _rows(body["rows"])
        if self.kind == "image":
            return image(body.get("path"), str(body.get("alt") or self.name))
        if self.kind == "link":
            url = str(body["url"])
            safe = url.startswith(("https://", "http://"))
            title = text(body.get("title") or url)
            return f'<a href="{text(url)}" rel="noreferrer">{title}</a>' if safe else title
        if self.kind == "plot":
            # the notebook draws it where it is shown by itself
            return folded("Vega-Lite", f"<pre>{text(json.dumps(body['spec'], indent=2))}</pre>")
        return f'<div style="white-space:pre-wrap;{FONT}">{text(body["text"])}</div>'


def _rows(rows: list[Mapping[str, Any]]) -> str:
    heads = list(dict.fromkeys(str(name) for row in rows[:_ROWS] for name in row))
    cells = [[text(row.get(name, "")) for name in heads] for row in rows[:_ROWS]]
    more = "" if len(rows) <= _ROWS else f'<div style="{FONT};{FAINT}">{_ROWS} of {len(rows)} rows</div>'
    return table(heads, cells) + more


def image(path: Any, alt: str) -> str:
    """An image, or where the file is."""
    if path is None or not os.path.isfile(path):
        return f'<span style="{FONT};{FAINT}">{text(alt)} is not there any more: show a file that a task gives</span>'
    return picture(path, alt) or f'<span style="{FONT}">{text(alt)}: <code>{text(path)}</code></span>'


def picture(path: Any, alt: str) -> str | None:
    """An image; None of a file that is none, or too large, or cannot be read (any more)."""
    try:
        kind = mimetypes.guess_type(str(path))[0] or _sniffed(path)
        if kind not in _DRAWN or os.path.getsize(path) > _IMAGE:
            return None
        with open(path, "rb") as file:
            data = base64.b64encode(file.read()).decode("ascii")
    except OSError:
        return None
    return f'<img alt="{text(alt)}" style="max-width:100%" src="data:{kind};base64,{data}">'


def _sniffed(path: Any) -> str | None:
    """Content in the store has no name to tell by."""
    with open(path, "rb") as file:
        head = file.read(256)
    if head.startswith(b"\x89PNG"):
        return "image/png"
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if head.startswith(b"GIF8"):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if b"<svg" in head else None
