"""Documents that runs share and that outlive them: calibration state, cached metadata. See docs/context.md."""

from __future__ import annotations

import dataclasses
import types
from typing import Any, Generic, Literal, Mapping, TypeVar

from .._model.caller import current
from .._model.futures import Future
from .._model.wire import encode
from .._types import results, schemas
from ..errors import refused

__all__ = ["Document", "DocumentState", "context"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class DocumentState(Generic[T]):
    """
    A document as it is in a version, which counts from 1; 0 where nobody has written it yet.

    >>> from almanac import DocumentState
    >>> DocumentState({"gain": 2}, version=1).value
    {'gain': 2}
    """

    value: T
    version: int


class Document(Generic[T]):
    """
    A document that runs share: plain JSON with versions, kept in the journal. `run.context(name)` names one.

    ```python
    from dataclasses import dataclass

    from almanac import run, task, workflow

    @dataclass
    class Calibration:
        gain: float = 1.0

    calibration = run.context("calibration", schema=Calibration, initial=Calibration())

    @task(context={"calibration": calibration})
    def scale(n: float, calibration: Calibration) -> float:
        return n * calibration.gain

    @workflow
    async def main():
        before = await calibration.get()
        after = await calibration.patch({"gain": 3.0})
        return [before.value.gain, after.value.gain, after.version, await scale(2)]  # gives [1, 3, 1, 6]
    ```
    """

    def __init__(self, name: str, told: Mapping[str, Any], schema: Any) -> None:
        self.name = name
        self._told = dict(told)
        self._schema = schema

    def get(self, *, newest: bool = False, version: int | None = None) -> Future[DocumentState[T]]:
        """
        The document as this run sees it: as it was when the run first asked for it, with what the run itself wrote
        since. `newest`: as it is now, from here on; `version`: as it was then.
        """
        return self._ask("get", {"newest": newest, "version": version}, None)

    def put(
        self, value: Any, *, seen: int | Literal["newest"] | None = None, key: str | None = None
    ) -> Future[DocumentState[T]]:
        """
        Writes it anew. Refused (`ALM_CONTEXT_MOVED`) if another version came since the run last got or wrote it; `seen`
        names the version that it is made upon instead, or says `"newest"`: whatever is there by then.
        """
        return self._ask("put", {"value": value, "seen": seen}, key)

    def patch(
        self, fields: Any, *, seen: int | Literal["newest"] | None = None, key: str | None = None
    ) -> Future[DocumentState[T]]:
        """Merges fields into the newest version (`None` removes one). Others' fields stay as they are."""
        return self._ask("patch", {"value": fields, "seen": seen}, key)

    def described(self) -> dict[str, Any]:
        """What the engine is told of it."""
        return {"name": self.name, **self._told}

    def _ask(self, operation: str, details: Mapping[str, Any], key: str | None) -> Future[DocumentState[T]]:
        told = {"document": self.described(), **details}
        shape = results.Of(types.GenericAlias(DocumentState, (self._schema or Any,)))
        return current(f"run.context({self.name!r})").ask(operation, told, self.name, key=key, shape=shape)

    def __repr__(self) -> str:
        return f"<document {self.name}>"


def context(
    name: str,
    *,
    of: Literal["run", "workflow"] | Mapping[str, str] = "workflow",
    schema: Any = None,
    initial: Any = None,
) -> Document[Any]:
    """
    A document that runs share. Made outside of workflows too, so that tasks can declare it:
    `@task(context={"calibration": calibration})`. `of`: whose it is, the workflow's (if absent), the run's, or that of
    a project, which all workflows share (`{"project": "survey"}`); `schema`: the type that it must fit when it is
    written and when it is read; `initial`: what it is as long as nobody has written it.

    ```python
    from almanac import run, task, workflow

    gains = run.context("gains", schema=dict[str, float], initial={"LM": 1.0})

    @task(context={"gains": gains})
    def scale(n: float, gains: dict[str, float]) -> float:
        return n * gains["LM"]

    @workflow
    async def main():
        await gains.patch({"LM": 2.0})
        return await scale(3.0)  # gives 6
    ```
    """
    if of not in ("run", "workflow") and not (isinstance(of, Mapping) and set(of) == {"project"}):
        raise refused(
            f"option of of run.context({name!r}) is {of!r}",
            'Write "run", "workflow" or {"project": "name"}.',
            "ALM_OPTION_REFUSED",
        )
    told: dict[str, Any] = {"of": of if isinstance(of, str) else dict(of)}
    if schema is not None:
        told["schema"] = schemas.schema(schema)
    if initial is not None:
        told["initial"] = encode(initial, f"initial of run.context({name!r})")
    return Document(name, told, schema)
