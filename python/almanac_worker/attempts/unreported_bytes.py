"""Bytes of results that were left here, and how many of them the host has heard of."""

from __future__ import annotations

#: so many that nothing begins that only adds some
_MANY = 32 << 20


class UnreportedBytes:
    """
    Owns both counts.

    N1  while they are many nothing begins that would only add some: a host that is late gives no consumers, and what
        nobody takes in would pile up
    """

    def __init__(self) -> None:
        self._left = 0
        self._heard = 0
        self._largest = 0

    @property
    def are_many(self) -> bool:
        return self._left - self._heard > max(_MANY, 4 * self._largest)

    def leave(self, size: int) -> None:
        """A result left so many here. Called by one thread at a time."""
        self._left += size
        self._largest = max(self._largest, size)

    def hear(self, left: int) -> None:
        """The host has heard of so many in all."""
        self._heard = left
