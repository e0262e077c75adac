"""The workflow function under way, as whatever is called in it finds it."""

from __future__ import annotations

import contextvars
import threading

from ..errors import AlmanacError, noted, refused
from .futures import Caller

__all__ = ["current", "found", "outside", "outside_of_workflows"]

#: set where the function is entered
under_way: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("almanac_scope", default=None)

#: refused in threads, whose exceptions nobody hears: the function that ends next has failed of the first
stray_calls: list[AlmanacError] = []
#: threads in which workflow functions run; None where this process hosts none
workflow_threads: set[int] | None = None


def found() -> Caller | None:
    """The function that runs now; None outside a workflow."""
    caller = under_way.get()
    if workflow_threads is not None and threading.get_ident() not in workflow_threads:
        error = refused(
            "a workflow used a task from a thread of its own",
            "Make calls in the workflow's function itself: they run side by side without threads.",
            "ALM_STUCK",
        )
        stray_calls.append(error)
        raise error
    return caller


_INSIDE = "Call it inside the function of a workflow."


def current(what: str, hint: str = _INSIDE) -> Caller:
    """The function that runs now. Raises `AlmanacError` outside a workflow."""
    caller = found()
    if caller is None:
        raise outside(what, hint)
    return caller


def outside(what: str, hint: str = _INSIDE) -> AlmanacError:
    return noted(AlmanacError(f"{what} was used outside a workflow", code="ALM_OUTSIDE", hint=hint), hint)


def outside_of_workflows(what: str) -> None:
    """Raises `AlmanacError` in one."""
    if found() is not None:
        hint = "Call it at the top level of the file: what it names is looked at before anything runs."
        raise refused(f"{what} was called in a workflow", hint, "ALM_DEFINED_INSIDE")
