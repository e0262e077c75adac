"""What messages of the host say once for many attempts."""

from __future__ import annotations

from typing import Any

from ..tasks.task import Function, Order


class Orders:
    """Owns the functions and runs that the host has named by numbers."""

    def __init__(self, log_limit: int) -> None:
        self._log_limit = log_limit
        self._functions: dict[int, Function] = {}
        self._runs: dict[int, bytes] = {}
        #: of the last message, as it said it
        self._alike: list[Any] = []
        self._order: Order | None = None

    def learn_function(self, number: int, function: Function) -> None:
        self._functions[number] = function

    def learn_run(self, number: int, run: str) -> None:
        self._runs[number] = run.encode()

    def of(self, alike: list[Any]) -> Order:
        """The same for messages that follow each other, as those of a chain of steps do: so that less is set for each."""
        known = self._order
        if known is None or self._alike != alike:
            function, run, *rest = alike
            self._alike = alike
            self._order = known = Order(self._functions[function], self._runs[run], self._log_limit, *rest)
        return known
