"""What a task that runs alone finds around it: variables of the environment, and the working directory."""

from __future__ import annotations

import operator
import os
from typing import Any

from ..shared import process
from .task import Order, Task

#: variables that most attempts have alike
_SHARED = b"ALMANAC_EVENTS", b"ALMANAC_RUN", b"ALMANAC_ATTEMPT", b"ALMANAC_LOGICAL_TIME", b"ALMANAC_SCRATCH"
_shared_of = operator.itemgetter(*_SHARED)
#: is in no environment
_UNSET = object()


class TaskEnvironment:
    """`ALMANAC_*` and the working directory of the one task that runs.

    Other variables stay as tasks leave them: modules set some when they are imported, once, and rely on them ever after.
    Works on the bytes behind `os.environ`: going through its mapping for every task costs more than everything else
    about a short one.
    """

    def __init__(self, events: str) -> None:
        # by descriptor: the way there need not be walked
        self._base = os.open(os.getcwd(), os.O_RDONLY | os.O_DIRECTORY)
        self._variables: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
        self._events = os.fsencode(events)
        #: what the variables below were made of, and what they are to be
        self._order: Order | None = None
        self._shared: tuple[bytes, ...] = ()
        # of every attempt its own
        self._call = process.Variable(b"ALMANAC_CALL")
        self._key = process.Variable(b"ALMANAC_IDEMPOTENCY_KEY")
        self._last_call: Any = _UNSET
        self._last_key: Any = _UNSET

    def enter(self, task: Task) -> None:
        variables = self._variables
        order = task.order
        if order is not self._order:
            self._order = order
            texts = str(order.attempt).encode(), order.logical.encode(), os.fsencode(order.scratch)
            self._shared = self._events, order.run, *texts
        # these are what they were, unless a task has set them
        try:
            is_set = _shared_of(variables) == self._shared
        except KeyError:
            is_set = False
        if not is_set:
            self._set_shared()
        have = variables.get
        call = b"%d" % task.call
        self._call.set(call, have(b"ALMANAC_CALL") is not self._last_call)
        variables[b"ALMANAC_CALL"] = self._last_call = call
        key = task.idempotency.encode()
        self._key.set(key, have(b"ALMANAC_IDEMPOTENCY_KEY") is not self._last_key)
        variables[b"ALMANAC_IDEMPOTENCY_KEY"] = self._last_key = key
        if order.scratch:
            os.chdir(order.scratch)

    def _set_shared(self) -> None:
        for name, value in zip(_SHARED, self._shared):
            if self._variables.get(name) != value:
                self._variables[name] = value
                os.putenv(name, value)

    def leave(self) -> None:
        os.fchdir(self._base)
