"""Tasks: functions whose calls are remembered; commands and scripts are in `programs`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Generic, Iterable, Mapping, ParamSpec, Protocol, SupportsIndex, TypeVar, overload

from almanac_worker.shared.signatures import signature

from .._model.caller import current, found, outside
from .._model.futures import Future, FutureList
from .._model.shape import Shape
from .._model.values import Dir
from .._types import hints, paths, results
from .._types.floats import floats
from .._types.kinds import TAKE_FILES, no_file, output_of
from ..errors import refused
from .definition_sites import check_name, place
from .environment import Environment
from .groups import captured
from .items import in_order
from .modules import Named
from .options import checked, told
from .parameters import Parameters

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import FunctionOptions

__all__ = ["Task", "task"]

P = ParamSpec("P")
R = TypeVar("R")

#: variants that a task keeps, so that those made in a loop are one
_VARIANTS = 64


class Task(Generic[P, R]):
    """
    A function, command or script whose calls are remembered. In a workflow a call gives a future at once; anywhere
    else a decorated function is just the function.

    ```python
    from almanac import task, workflow

    @task
    def power(n: int, to: int = 2) -> int:
        return n**to

    @workflow
    async def main():
        squares = power.map([1, 2, 3])
        cubes = power.map([1, 2, 3], inputs={"to": 3})
        urgent = power.options(priority=10)(5)
        return [await squares.all(), await cubes.all(), await urgent]  # gives [[1, 4, 9], [1, 8, 27], 25]
    ```
    """

    def __init__(
        self,
        kind: str,
        function: Callable[P, R] | None,
        options: dict[str, Any],
        body: dict[str, Any],
        place: tuple[str, int],
    ) -> None:
        self.kind = kind
        self.name: str = options.get("name") or (function.__name__ if function is not None else kind)
        self._function = function
        self._options = options
        self._body = body
        self._place = place
        self._outputs: Mapping[str, Any] = options.get("outputs") or {}
        self._context: Mapping[str, Any] = options.get("context") or {}
        self._parameters = Parameters(self.name, function, options)
        self._shape: Shape | None | str = "unknown"
        self._variants: dict[str, Task[P, R]] = {}
        if function is not None:
            functools.update_wrapper(self, function)
        self._reduced: Any = function.__qualname__ if inspect.isfunction(function) else None

    # outside of workflows it gives the value itself, for which a checker takes a future too
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        scope = found()
        if scope is not None:
            return scope.task(self, self._parameters.bound(args, kwargs), None)
        if self._function is None:
            raise outside(self.name)
        return self._function(*args, **kwargs)  # type: ignore[return-value]

    def key(self, key: str) -> Callable[P, Future[R]]:
        """The same call under a key that tells it from its equals."""

        def call(*args: P.args, **kwargs: P.kwargs) -> Future[R]:
            return current(self.name).task(self, self._parameters.bound(args, kwargs), str(key))

        return call

    @overload
    def map(
        self,
        over: Future[Any] | Dir,
        *,
        inputs: Mapping[str, Any] | None = None,
        into: str | None = None,
        include: str | Iterable[str] | None = None,
        by: str | Callable[[str], str | None] | None = None,
    ) -> Future[Any]: ...
    @overload
    def map(
        self, over: Iterable[Any], *, inputs: Mapping[str, Any] | None = None, into: str | None = None
    ) -> FutureList[R]: ...
    def map(
        self,
        over: Any,
        *,
        inputs: Mapping[str, Any] | None = None,
        into: str | None = None,
        include: str | Iterable[str] | None = None,
        by: str | Callable[[str], str | None] | None = None,
    ) -> Any:
        """
        One call for each item of a list or a generator, or for each file of a directory; of a directory only changed files are
        executed. A dict in a list whose keys are parameters gives arguments by name, where the task is free to take
        several; else it is one value. `inputs` are the same for each; `into` names the parameter that gets the entry
        (the first that is a file, if absent); `include` are globs; `by` groups files: a regular expression, or a
        function of the path.
        """
        scope = current(f"{self.name}.map")
        if not isinstance(over, (Future, Dir)):
            items = in_order(over, f"{self.name}.map")
            return FutureList(scope, [scope.task(self, self._parameters.of_item(item, inputs or {}, into), None) for item in items])
        details: dict[str, Any] = {"over": over, "with": dict(inputs or {}), "as": into or self._parameters.entry()}
        if include is not None:
            details["include"] = [include] if isinstance(include, str) else list(include)
        group = captured(by) if isinstance(by, str) else by
        shape = None if self.shape is None else results.Each(self.shape)
        return scope.ask("map", details, self.name, task=self, function=group, shape=shape)

    def options(self, **overrides: Any) -> Task[P, R]:
        """The same task with other options."""
        checked(self.name, self.kind, overrides)
        variant = self._variants.get(which := repr(sorted(overrides.items())))
        if variant is not None:
            return variant
        options = {**self._options, **overrides}
        variant = Task(self.kind, self._function, options, self._body, self._place)
        variant._reduced = functools.partial(self.options, **overrides), ()
        if all(value is None or isinstance(value, (str, int, float)) for value in overrides.values()):
            if len(self._variants) >= _VARIANTS:
                self._variants.clear()
            self._variants[which] = variant
        return variant

    def definition(self) -> dict[str, Any]:
        """What the engine is told of it."""
        self.check()
        if inspect.isfunction(self._function):
            check_name(self._function, self.name, self._place[1])
        body = dict(self._body)
        folder = os.path.dirname(self._place[0])
        options = told(self.kind, self._options)
        env = self._options.get("env")
        if env is not None:
            known = isinstance(env, Environment)
            # beside the file that the task is in
            body["env"] = {"requirements": env.requirements if known else os.path.normpath(os.path.join(folder, env))}
            if known and env.python is not None:
                body["env"]["python"] = env.python
            if known and env.threads is not None:
                options.setdefault("threads", env.threads)
        if "reads" in options:
            options["reads"] = [os.path.normpath(os.path.join(folder, path)) for path in options["reads"]]
        if "cwd" in options:
            options["cwd"] = os.path.normpath(os.path.join(folder, options["cwd"]))
        return {
            "kind": self.kind,
            "name": self.name,
            "options": options,
            "context": {name: document.described() for name, document in self._context.items()},
            "inputs": self._parameters.declared(),
            "outputs": {name: output_of(hint) for name, hint in self._outputs.items()} if self._outputs else None,
            "file": self._place[0],
            "line": self._place[1],
            **body,
        }

    @property
    def shape(self) -> Shape | None:
        """What its calls give. Found when it is first called: then all that annotations name is defined."""
        if isinstance(self._shape, str):
            self._shape = results.of_task(self.name, self._function, self._outputs)
        return self._shape

    def in_worker(self) -> Callable[..., Any]:
        """The function as a worker calls it: what it names it gets: a dataclass, and not the dict that was kept."""
        assert self._function is not None
        function: Callable[..., Any] = self._function
        annotated = hints.of(function)
        made = {name: make for name, hint in annotated.items() if name != "return" and (make := _made(hint, name))}
        finds = self._parameters.finds()
        if not made and not finds:
            return function
        names = list(signature(function).parameters)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*map(given, names, args), **{name: given(name, value) for name, value in kwargs.items()})

        def given(name: str, value: Any) -> Any:
            if name in finds and (found := finds[name](name, value)) is not None:
                raise TypeError(f"{self.name}(): {no_file(*found)}. {TAKE_FILES}")
            try:
                return made[name](value) if name in made else value
            except hints.Misfit as error:
                raise TypeError(f"{self.name}(): {error}") from None

        return call

    def check(self) -> None:
        """Refuses what could not be kept whatever the function does. Raises `AlmanacError` (`ALM_RESULT_REFUSED`)."""
        if self._function is not None and not self._outputs:
            paths.refuse_returned(self.name, hints.of(self._function).get("return"), self._place)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is not None:
            raise refused(
                f"task {self.name} is a method", "Make it a function at the top level of a module.", "ALM_DEFINED_INSIDE"
            )
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """By where it is, as functions are: a process that a task starts finds it in its module."""
        return self._reduced or super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<task {self.name}>"


def _made(hint: Any, name: str) -> Callable[[Any], Any] | None:
    """What makes an argument of what was kept; None where it is that."""
    return (lambda value: hints.convert(value, hint, name, in_worker=True)) if hints.makes(hint) else floats(hint)


class _Decorator(Protocol):
    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


# with outputs a checker knows nothing of the parameters: some are not given by who calls it
@overload
def task(
    function: Callable[..., Any], /, *, outputs: Mapping[str, Any], **options: Unpack[FunctionOptions]
) -> Task[..., Any]: ...
@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /, **options: Unpack[FunctionOptions]) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /, **options: Unpack[FunctionOptions]) -> Task[P, R]: ...
@overload
def task(
    *, outputs: Mapping[str, Any], **options: Unpack[FunctionOptions]
) -> Callable[[Callable[..., Any]], Task[..., Any]]: ...
@overload
def task(**options: Unpack[FunctionOptions]) -> _Decorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """
    Makes a task of a function: in a workflow its calls run in warm Python processes, side by side, and are remembered.
    One that is `async` has an event loop of its own there.

    Parameters annotated `pathlib.Path` get a file or a directory to read; for each of `outputs` that is a `File` or
    a `Dir`, the parameter of that name gets the path to leave it at. What it returns are its other outputs: the one,
    or a dict by name.

    >>> from almanac import task
    >>> @task(retries=3, timeout="5m")
    ... def double(n: int) -> int:
    ...     return 2 * n
    >>> double(4)
    8
    """
    by = sys._getframe(1).f_code.co_filename
    if function is None:
        return lambda given: task_of(given, options, by)
    return task_of(function, options, by)


def task_of(function: Any, options: dict[str, Any], decorated_in: str) -> Task[..., Any]:
    if isinstance(function, Named):
        checked(function.__name__, "python", options)
        given = options if function.env is None else {"env": function.env, **options}
        return Task("python", function, given, {"function": function.__name__}, (function.file, function.line))
    if not inspect.isfunction(function):
        raise TypeError(f"@task goes on a function, not on {function!r}")
    name = function.__qualname__
    if function.__name__ == "<lambda>" or "." in name:
        raise refused(
            "a task cannot be a lambda"
            if function.__name__ == "<lambda>"
            else f"task {function.__name__} is defined inside a {'function' if '<' in name else 'class'}",
            "Define tasks at the top level of a module, where a fingerprint can see all that they use.",
            "ALM_DEFINED_INSIDE",
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"task {name} is a generator: return what it gives, as a list")
    checked(name, "python", options)
    return Task("python", function, options, {"function": name}, place(function, decorated_in))
