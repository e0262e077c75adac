"""A function that the engine has entered, and what becomes of what it gives."""

from __future__ import annotations

import functools
from typing import Any, Callable, NamedTuple

from .._flow.workflows import Workflow
from .._model.futures import Future
from .._types.results import Returned, has_futures, of_value
from .scope import Scope


class Invocation(NamedTuple):
    scope: Scope
    function: Callable[..., Any]
    #: of a branch: what it gives, for who awaits it
    gives: Returned | None

    @property
    def workflow(self) -> Workflow[..., Any] | None:
        """That holds the result to its annotation."""
        owner = getattr(self.function, "__self__", None)
        return owner if isinstance(owner, Workflow) and owner.says else None

    def known_later(self, value: Any) -> Future[Any] | None:
        """What is to be known before the function has ended: what it returned, where that is a future or, if all of it is
        looked at, where futures are in it."""
        if self.gives is not None:
            self.gives.shape = of_value(value)
        if isinstance(value, Future):
            return value if value._scope.run == self.scope.run else None
        looked_at = self.workflow is not None
        return self.scope.ask("all", {"of": value}, "all") if looked_at and has_futures(value) else None

    def kept(self, value: Any) -> Any:
        """The result as its annotation says."""
        workflow = self.workflow
        if workflow is None:
            return value
        kept = workflow.checked(value)
        if self.gives is not None:
            self.gives.shape = of_value(kept)
        return kept


def place_of(function: Callable[..., Any]) -> tuple[str | None, int | None]:
    """Where a function of the author's is, for what goes wrong when it has ended."""
    while isinstance(function, functools.partial):
        function = function.func
    owner = getattr(function, "__self__", None)
    if isinstance(owner, Workflow):
        return owner.place
    code = getattr(function, "__code__", None)
    return (None, None) if code is None else (code.co_filename, code.co_firstlineno)
