"""Items of a map, in an order that is the same when the workflow is executed again."""

from __future__ import annotations

from typing import Any, Iterable

from ..errors import refused


def in_order(over: Any, name: str) -> Iterable[Any]:
    """What a map goes over, one by one. Raises `WorkflowRefused` for what has no items, or none in an order."""
    if isinstance(over, (set, frozenset)):
        what, hint = "a set, which has no order", "Sort it: `sorted(...)`."
    elif isinstance(over, (str, bytes)) or not hasattr(over, "__iter__"):
        what, hint = f"a {type(over).__name__}", "Give it a list or what else has items, a directory, or a future of one."
    else:
        items: Iterable[Any] = over
        return items
    raise refused(f"{name} goes over a list or a directory, and not over {what}", hint, "ALM_MAP_OVER")
