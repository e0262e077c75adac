"""Attempts that the host asked back before this process had read them."""

from __future__ import annotations

from typing import Iterable


class Recalls:
    """
    How many copies of each attempt are on their way that must not be executed: what was asked back may be sent again, and
    asked back again, before any of it was read.
    """

    def __init__(self) -> None:
        self._copies: dict[int, int] = {}

    def add(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._copies[seq] = self._copies.get(seq, 0) + 1

    def take(self, seq: int) -> bool:
        """A copy was read: is it one of them?"""
        copies = self._copies.pop(seq, 0)
        if copies > 1:
            self._copies[seq] = copies - 1
        return copies > 0
