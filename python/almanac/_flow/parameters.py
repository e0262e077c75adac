"""What a task is called with: arguments by name, of a call's own and of the items of a map."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from almanac_worker.shared.signatures import signature

from .._types import hints, paths, structure
from .._types.kinds import KEPT, TAKE_FILES, kind_of, no_file
from ..errors import refused

__all__ = ["Parameters"]


class Parameters:
    """Of one task, but for those that are given an output's path or a document: of its function, or what a program says."""

    def __init__(self, task: str, function: Callable[..., Any] | None, options: Mapping[str, Any]) -> None:
        self._task = task
        self._function = function
        self._inputs: Mapping[str, Any] = options.get("inputs") or {}
        self._outputs: Mapping[str, Any] = options.get("outputs") or {}
        context: Mapping[str, Any] = options.get("context") or {}
        self._names = list(self._inputs) if function is None else _names(function, {*self._outputs, *context})
        # what annotations name may be defined further down: they are looked at when the task is first called
        self._finds: dict[str, paths.Find] | None = None
        self._defaults: frozenset[str] | None = None

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call. Raises `TypeError` as Python does, and `AlmanacError` for a text where a file is meant."""
        names = self._names
        if len(args) == len(names) and not kwargs:
            return self._checked(dict(zip(names, args)))
        if len(args) > len(names):
            takes = f"{len(names)} argument{'' if len(names) == 1 else 's'} ({', '.join(names)})" if names else "no arguments"
            raise TypeError(f"{self._task}() takes {takes}, and {len(args)} {'was' if len(args) == 1 else 'were'} given")
        given = dict(zip(names, args))
        for name, value in kwargs.items():
            if name in given:
                raise TypeError(f"{self._task}() got two values for {name!r}")
            if name not in names:
                raise TypeError(f"{self._task}() has no parameter {name!r}; it has {', '.join(names) or 'none'}")
            given[name] = value
        missing = [name for name in names if name not in given and name not in self._with_default()]
        if missing:
            raise TypeError(f"{self._task}() is missing {', '.join(missing)}")
        return self._checked(given)

    def of_item(self, item: Any, inputs: Mapping[str, Any], into: str | None) -> dict[str, Any]:
        """The arguments of the call for an item of a list; `inputs` and `into` are those of the map."""
        free = [name for name in self._names if name not in inputs]
        if isinstance(item, Mapping) and into is None and self._spreads(item, free):
            return self.bound((), {**inputs, **item})
        name = into or next(iter(free), None)
        if name is None:
            raise TypeError(f"{self._task} has no parameter for the items of the list")
        return self.bound((), {**inputs, name: item})

    def entry(self) -> str | None:
        """The one that gets an entry of a directory: the first that is a file or directory, else the first."""
        hinted = self._hinted()
        kinds = self.declared() or {name: kind_of(structure.unless_none(hinted.get(name))) for name in self._names}
        return next((name for name, kind in kinds.items() if kind in KEPT), next(iter(kinds), None))

    def declared(self) -> dict[str, str] | None:
        """What the engine is told of them: kinds of a program's inputs. None for functions, which say that themselves."""
        return {name: kind_of(hint) for name, hint in self._inputs.items()} if self._function is None else None

    def finds(self) -> dict[str, paths.Find]:
        """Of those that get files or directories, what finds in a value what is none."""
        if self._finds is None:
            self._finds = paths.finders(self._hinted(), ("return", *self._outputs))
        return self._finds

    def _checked(self, given: dict[str, Any]) -> dict[str, Any]:
        """A path that is passed as a text would be that text, whatever is in the file."""
        for name, find in self.finds().items():
            if name in given and (found := find(name, given[name])) is not None:
                raise refused(f"{self._task}: {no_file(*found)}", TAKE_FILES)
        return given

    def _spreads(self, item: Mapping[str, Any], free: list[str]) -> bool:
        """Are these arguments by name? Of a task that is free to take just one, a dict is that one, whatever its keys."""
        return len(free) > 1 and len(item) > 0 and set(item) <= set(self._names)

    def _hinted(self) -> Mapping[str, Any]:
        return self._inputs if self._function is None else hints.of(self._function)

    def _with_default(self) -> frozenset[str]:
        if self._defaults is None:
            parameters = signature(self._function).parameters.values() if self._function else ()
            self._defaults = frozenset(one.name for one in parameters if one.default is not one.empty)
        return self._defaults


def _names(function: Callable[..., Any], given: set[str]) -> list[str]:
    parameters = signature(function).parameters.values()
    odd = next((one.name for one in parameters if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)), None)
    if odd is not None:
        raise TypeError(f"task {function.__name__} takes *{odd}, and arguments are kept by name: call it in a function that names them")
    return [one.name for one in parameters if one.name not in given]
