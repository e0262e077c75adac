"""What is held here, written to files for those who need it elsewhere."""

from __future__ import annotations

import os
from typing import Any

from ..shared.frames import Outbox
from .store import HeldStore

__all__ = ["Exports"]


class Exports:
    """Answers the host, whatever came of it. Each file has a place to spare."""

    def __init__(self, store: HeldStore, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def export(self, handle: int, segment: str, path: str, spare: str) -> None:
        for place in (path, spare):
            try:
                self._outbox.post(["exported", handle, segment, place, self._store.export(handle, place)])
                return
            except Exception as error:  # the host waits for an answer, whatever it was
                _remove(place)
                why = f"{type(error).__name__}: {error}"
        self._outbox.post(["exported", handle, segment, None, why])

    def persist(self, token: int, handle: int, path: str, spare: str, exported: Any = None) -> None:
        for place in (path, spare):
            try:
                self._store.persist(handle, place, exported)
                self._outbox.post(["persisted", token, place])
                return
            except Exception:  # pickling runs the author's code: whatever it raised, there is nothing to keep
                _remove(place)
        self._outbox.post(["persisted", token, None])


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
