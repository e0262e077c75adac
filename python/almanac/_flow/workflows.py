"""Workflows: functions that call tasks, executed from their start each time a run goes on."""

from __future__ import annotations

import functools
import inspect
import os
import re
import reprlib
import sys
from typing import Any, Awaitable, Callable, Coroutine, Generic, Iterable, Mapping, ParamSpec, Sequence, TypeVar, overload

from almanac_worker.shared.signatures import signature

from .._model.caller import current, found, outside
from .._model.futures import Future, FutureList
from .._types import hints, paths, results, schemas, structure
from ..errors import AlmanacError, refused
from .definition_sites import place
from .items import in_order

__all__ = ["Workflow", "workflow", "map", "gather", "settled", "stage"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
U = TypeVar("U")

_NAME = re.compile(r"\w[\w.-]{0,127}")


class Workflow(Generic[P, R]):
    """
    A workflow. Called in another one it is a child; `almanac run FILE` or `almanac.run(workflow, …)` runs it. `function`
    is what was decorated.

    ```python
    from almanac import gather, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def twice(n: int):
        return await double(double(n))

    @workflow
    async def main():
        return await gather(twice(1), twice.key("again")(1))  # gives [4, 4]
    ```
    """

    def __init__(
        self, function: Callable[P, Any], name: str, place: tuple[str, int], limits: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        #: that its tasks name, where the project's `almanac.config.ts` does not have them
        self.limits = dict(limits or {})
        self.function = function
        self.place = place
        functools.update_wrapper(self, function)
        parameters = signature(function).parameters.values()
        odd = next((p.name for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)), None)
        if odd is not None:
            raise TypeError(f"workflow {name} takes {odd} not by name: give its inputs names, as they are kept by name")
        self.parameters = list(parameters)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        return self._child(None, args, kwargs)

    def key(self, key: str) -> Callable[P, Future[R]]:
        """The same child under a key that tells it from others of its name."""

        def call(*args: P.args, **kwargs: P.kwargs) -> Future[R]:
            return self._child(str(key), args, kwargs)

        return call

    def _child(self, key: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        scope = found()
        try:
            inputs = signature(self.function).bind(*args, **kwargs).arguments
        except TypeError as error:
            takes = ", ".join(parameter.name for parameter in self.parameters)
            raise TypeError(f"workflow {self.name}({takes}): {error}") from None
        if scope is None:
            given = "".join(f", {name}={reprlib.repr(value)}" for name, value in inputs.items())
            run = f"almanac.run({self.function.__name__}{given})"
            raise outside(f"workflow {self.name}", f"Run it: `{run}` gives a run with its `output`; call it in a workflow.")
        caller = sys._getframe(2)
        at = (os.path.abspath(caller.f_code.co_filename), caller.f_lineno)
        return scope.child(self.name, dict(inputs), key, self.entered, limits=self.limits, at=at)

    def entered(self, **inputs: Any) -> Any:
        """The function on inputs as they were kept."""
        return self.function(**self.converted(inputs))  # type: ignore[call-arg]

    def converted(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs as the parameters' annotations say. Raises `AlmanacError` with what does not fit."""
        known = {p.name for p in self.parameters}
        problems = [f"there is no input {name}" for name in inputs if name not in known]
        annotated = hints.of(self.function)
        for parameter in self.parameters:
            if parameter.name in inputs:
                continue
            if parameter.default is parameter.empty:
                problems.append(f"input {parameter.name} is missing")
            elif _is_path(parameter, annotated):
                problems.append(f"input {parameter.name} is missing: a path that is a default is looked up for a run of its own only")
        given: dict[str, Any] = {}
        for name, value in inputs.items():
            if name not in known:
                continue
            try:
                given[name] = hints.convert(value, annotated.get(name, Any), name)
            except hints.Misfit as error:
                problems.append(str(error))
        if problems:
            raise AlmanacError(
                f"The input of {self.name} does not fit its schema: {'; '.join(problems)}.",
                code="ALM_SCHEMA",
                hint="Correct the value or the schema.",
            )
        return given

    @property
    def says(self) -> bool:
        """Does its annotation say what it returns?"""
        return structure.says(hints.of(self.function).get("return", Any))

    def checked(self, value: Any) -> Any:
        """What it returned, as its annotation says. Raises `AlmanacError` where it is something else."""
        try:
            return hints.convert(value, hints.of(self.function)["return"], "it")
        except hints.Misfit as error:
            raise AlmanacError(
                f"The result of {self.name} is not what its annotation says: {str(error).removeprefix('it: ')}.",
                code="ALM_SCHEMA",
                hint="Return what the annotation says, or correct it.",
            ) from None

    def definition(self) -> dict[str, Any]:
        """What the engine is told of it."""
        annotated = hints.of(self.function)
        descriptions = hints.descriptions(self.function)
        inputs: dict[str, dict[str, Any]] = {}
        for parameter in self.parameters:
            schema = schemas.schema(annotated.get(parameter.name, Any))
            has_default = parameter.default is not parameter.empty
            told = inputs[parameter.name] = {"schema": schema, "required": not has_default}
            if parameter.name in descriptions:
                told["description"] = descriptions[parameter.name]
            if has_default and _is_path(parameter, annotated):
                told["default"] = paths.as_texts(parameter.default, os.path.dirname(self.place[0]))
            elif has_default and isinstance(parameter.default, (str, int, float)):
                told["default"] = parameter.default
        file, line = self.place
        about = self.function.__doc__ or self.function.__globals__.get("__doc__")
        named = {"name": self.name, "about": about and inspect.cleandoc(about), "inputs": inputs}
        return {**named, "limits": self.limits, "file": file, "line": line}

    def __reduce__(self) -> str:
        """By where it is, as functions are."""
        return self.function.__qualname__

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"


def _is_path(parameter: inspect.Parameter, annotated: Mapping[str, Any]) -> bool:
    """Does its default name a file, or several?"""
    return bool(parameter.default) and paths.finder(annotated.get(parameter.name, Any)) is not None


@overload
def workflow(function: Callable[P, Coroutine[Any, Any, R]], /) -> Workflow[P, R]: ...
@overload
def workflow(function: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(
    *, name: str | None = None, limits: Mapping[str, Any] | None = None
) -> Callable[[Callable[P, Any]], Workflow[P, Any]]: ...
def workflow(function: Any = None, /, *, name: str | None = None, limits: Mapping[str, Any] | None = None) -> Any:
    """
    Makes a workflow of a function, async or plain, that calls tasks. It is executed from its start each time the run
    goes on; what its calls gave is remembered. Await only futures of Almanac in it, and timers of asyncio. `limits` are
    those that only it knows: `{"licence": 2, "api": {"rate": "20/s"}}`; see docs/limits.md. Annotations are the schema of its inputs:
    `AlmanacError` (`ALM_SCHEMA`, `ALM_INPUT_INVALID`) says what does not fit, before anything runs.

    ```python
    from typing import Annotated

    from almanac import task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow(name="doubled", limits={"licence": 2})
    async def main(n: Annotated[int, "what is doubled"] = 4):
        '''What `almanac run flow.py --help` says.'''
        return await double.options(limits=["licence"])(n)  # gives 8
    ```
    """
    by = sys._getframe(1).f_code.co_filename
    if function is None:
        return lambda given: _workflow(given, name, limits, by)
    return _workflow(function, name, limits, by)


def _workflow(
    function: Any, name: str | None, limits: Mapping[str, Any] | None, decorated_in: str
) -> Workflow[..., Any]:
    if not inspect.isfunction(function):
        raise TypeError(f"@workflow goes on a function, not on {function!r}")
    inside = function.__qualname__
    if function.__name__ == "<lambda>" or "." in inside or found() is not None:
        raise refused(
            "a workflow cannot be a lambda"
            if function.__name__ == "<lambda>"
            else f"workflow {function.__name__} is defined inside a {'class' if '.' in inside and '<' not in inside else 'function'}",
            "Define workflows at the top level of a module.",
            "ALM_DEFINED_INSIDE",
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"workflow {function.__name__} is a generator: return what it gives")
    own = function.__name__ if name is None else name
    if not _NAME.fullmatch(own):
        raise refused(f"{own!r} cannot be the name of a workflow", 'Use letters, digits, "-", "_" and ".".', "ALM_NAME_REFUSED")
    return Workflow(function, own, place(function, decorated_in), limits)


def all(of: Any) -> Future[Any]:
    """
    One future of many: of a list or a dict of futures and values, nested as you like; fails with the first failure once
    all have ended. Written `almanac.all`, as `all` is Python's own.

    ```python
    import almanac
    from almanac import task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main():
        return await almanac.all({"one": double(1), "more": [double(2), 5]})  # gives {"one": 2, "more": [4, 5]}
    ```
    """
    return current("all").ask("all", {"of": of}, "all", shape=results.of_value(of))


@overload
def gather(*of: Future[T]) -> Future[list[T]]: ...
@overload
def gather(*of: Any) -> Future[list[Any]]: ...
def gather(*of: Any) -> Future[Any]:
    """
    All of some futures and values, in order; fails with the first failure once all have ended.

    ```python
    from almanac import gather, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    async def main():
        return await gather(double(1), 3, double(4))  # gives [2, 3, 8]
    ```
    """
    return current("gather").ask("all", {"of": list(of)}, "gather", shape=results.items(of))


def settled(futures: Sequence[Future[Any]]) -> Future[list[dict[str, Any]]]:
    """
    How each of a list of futures ended, in order: `{"ok": True, "value": …}` or `{"ok": False, "error": {"code": …,
    "message": …}}`. It never fails.

    ```python
    from almanac import settled, task, workflow

    @task
    def invert(n: float) -> float:
        return 1 / n

    @workflow
    async def main():
        good, bad = await settled([invert(2), invert(0)])
        return [good["value"], bad["error"]["code"]]  # gives [0.5, "ALM_TASK_FAILED"]
    ```
    """
    if isinstance(futures, Future):
        raise refused("settled takes a list of futures, and this is one", "Ask a map how it ended by its own: `calls.settled()`.")
    return current("settled").ask("settled", {"of": list(futures)}, "settled")


# what may be awaited goes first: a coroutine is also just a value
@overload
def map(
    function: Callable[[T], Awaitable[U]],
    items: Iterable[T],
    *,
    key: Callable[[T], str] | None = None,
    name: str = "map",
) -> FutureList[U]: ...
@overload
def map(
    function: Callable[[T], U], items: Iterable[T], *, key: Callable[[T], str] | None = None, name: str = "map"
) -> FutureList[U]: ...
def map(
    function: Callable[[T], Any], items: Iterable[T], *, key: Callable[[T], str] | None = None, name: str = "map"
) -> FutureList[Any]:
    """
    Runs a function of several steps for each item, side by side: each in a branch of its own, told apart by its
    place, or by `key` where items may come and go. Raises `WorkflowRefused` (`ALM_KEY_NEEDED`) where two have the same.

    ```python
    from almanac import map, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    async def steps(n: int) -> int:
        doubled = await double(n)
        return doubled if doubled > 4 else await double(doubled)

    @workflow
    async def main():
        return await map(steps, [1, 2, 3], key=str).all()  # gives [4, 8, 6]
    ```
    """
    scope = current("map")
    seen: set[str] = set()
    futures = []
    for index, item in enumerate(in_order(items, "map")):
        own = str(index) if key is None else str(key(item))
        if own in seen:
            raise refused(f"two items of a map have the key {own!r}", "Give each a key of its own.", "ALM_KEY_NEEDED")
        seen.add(own)
        futures.append(scope.child(name, None, own, functools.partial(function, item)))
    return FutureList(scope, futures)


@overload
def stage(name: str, function: Callable[[], Awaitable[U]]) -> Future[U]: ...
@overload
def stage(name: str, function: Callable[[], U]) -> Future[U]: ...
def stage(name: str, function: Callable[[], Any]) -> Future[Any]:
    """
    A named part of the workflow, at which graph and timeline fold.

    ```python
    from almanac import stage, task, workflow

    @task
    def double(n: int) -> int:
        return 2 * n

    async def prepare():
        return [await double(n) for n in range(3)]

    @workflow
    async def main():
        return await stage("prepare", prepare)  # gives [0, 2, 4]
    ```
    """
    return current("stage").child(name, None, None, function)
