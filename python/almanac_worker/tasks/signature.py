"""From declared inputs and outputs to the arguments of a Python function, and from what it returns to values."""

from __future__ import annotations

from typing import Any

from ..shared.signatures import signature, written
from ..shared.values import Refused


class Mismatch(Exception):
    """The function does not take what the task gives."""


_NONE: list[Any] = []


class Signature:
    """What a function takes, found once."""

    def __init__(self, function: Any, name: str) -> None:
        self._name = name
        self._positional: list[str] = []
        self._named: set[str] = set()
        self._required: list[str] = []
        self._any = False
        try:
            self._signature = signature(function)
        except (ValueError, TypeError):  # some built in functions do not say what they take
            self._any = True
            self._text = f"{name}(…)"
            return
        self._text = f"{name}{written(self._signature)}"
        for parameter in self._signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                self._any = True
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                if parameter.kind is parameter.POSITIONAL_ONLY:
                    self._positional.append(parameter.name)
                self._named.add(parameter.name)
                if parameter.default is parameter.empty:
                    self._required.append(parameter.name)

    def bind(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments: all inputs, and the paths of the outputs."""
        if not outputs and not self._positional and inputs.keys() == self._named:
            return _NONE, inputs
        both = [name for name in outputs if name in inputs]
        if both:
            raise Mismatch(f"{_names(both)} {'is' if len(both) == 1 else 'are'} an input and an output")
        given = dict(inputs)
        for name, path in outputs.items():
            if self._any or name in self._named:
                given[name] = path
        unknown = [] if self._any else [name for name in inputs if name not in self._named]
        # what is to be left there would be missed only when all is computed
        pathless = [name for name in outputs if name not in given]
        missing = [name for name in self._required if name not in given]
        if unknown or missing or pathless:
            why = filter(None, (_unknown(unknown), _pathless(pathless), _missing(missing)))
            raise Mismatch("; ".join(why) + f"; it is {self._text}")
        positional = []
        for name in self._positional:
            if name not in given:
                break
            positional.append(given.pop(name))
        return positional, given


def _unknown(names: list[str]) -> str:
    return f"it has no parameter {_names(names)}" if names else ""


def _pathless(names: list[str]) -> str:
    return f"it has no parameter {_names(names)} for the path to leave that output at" if names else ""


def _missing(names: list[str]) -> str:
    if not names:
        return ""
    return f"its parameter{'s' if len(names) > 1 else ''} {_names(names)} {'are' if len(names) > 1 else 'is'} given nothing"


def _names(names: list[str]) -> str:
    return ", ".join(names)


def results(returned: Any, names: list[str] | None) -> dict[str, Any]:
    """Values by output name; `''` for the single unnamed one."""
    if names is None:
        return {"": returned}
    if not names:
        return {}
    if len(names) == 1:
        return {names[0]: returned}
    if not isinstance(returned, dict):
        kind = type(returned).__name__
        raise Refused((), f"it is a {kind}, and not a dict with the outputs {_names(names)}")
    missing = [name for name in names if name not in returned]
    if missing:
        raise Refused((), f"the dict has no {_names(missing)}")
    extra = [str(name) for name in returned if name not in names]
    if extra:
        raise Refused((), f"the dict has {_names(extra)}, which is no output")
    return {name: returned[name] for name in names}
