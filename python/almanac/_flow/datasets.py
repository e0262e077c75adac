"""Datasets: directories with versions, which runs read and publish to."""

from __future__ import annotations

from typing import Any

from .._model.caller import current
from .._model.futures import Future
from .._model.values import Dir

__all__ = ["Dataset", "dataset"]


class Dataset:
    """
    Directories with versions, kept from run to run; as a workflow reads them and publishes to them. docs/datasets.md

    ```python
    from almanac import Dir, dataset, workflow

    @workflow
    async def main():
        words = dataset("words")
        published = await words.publish(Dir.of(a="one", b="two"))
        return [published["version"], (await words.read()).entries]  # gives [1, 2]
    ```
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, version: int | None = None) -> Future[Dir]:
        """The directory of its newest version, or of the one named. A run sees the same version wherever it reads."""
        return self._ask("read", {"version": version})

    def publish(
        self, dir: Any, *, upon: str = "seen", incomplete: bool = False, key: str | None = None
    ) -> Future[Any]:
        """Makes a directory its next version: all of it at once, or not at all."""
        return self._ask("publish", {"dir": dir, "upon": upon, "incomplete": incomplete}, key)

    def _ask(self, operation: str, details: dict[str, Any], key: str | None = None) -> Future[Any]:
        scope = current(f"dataset({self.name!r})")
        return scope.ask(operation, {"name": self.name, **details}, self.name, key=key)


def dataset(name: str) -> Dataset:
    """
    A dataset by its name. Raises `AlmanacError` where it is used outside of workflows.

    ```python
    from almanac import Dir, dataset, workflow

    @workflow
    async def main():
        return (await dataset("grids").publish(Dir.of(a=1)))["version"]  # gives 1
    ```
    """
    return Dataset(name)
