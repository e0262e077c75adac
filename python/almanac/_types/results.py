"""What a workflow is given, as the types that tasks say they give. What does not fit is a `Misfit`."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Mapping, Sequence

from .._model.futures import Future
from .._model.shape import Shape
from ..errors import refused
from . import hints, structure
from .floats import floats

__all__ = [
    "Of", "Fields", "Outputs", "Items", "Each", "Returned", "of_type",
    "of_task", "as_returned", "of_value", "items", "has_futures",
]


_AS_IS = frozenset((str, int, bool, type(None)))


class Of(Shape):
    """A type that a function names."""

    __slots__ = ("hint",)

    def __init__(self, hint: Any) -> None:
        self.hint = hint

    def given(self, value: Any) -> Any:
        return hints.convert(value, self.hint, "it")

    def step(self, step: str | int) -> str | int:
        hint = structure.unless_none(self.hint)
        return hint._fields.index(step) if structure.is_named_tuple(hint) and step in hint._fields else step

    def field(self, step: str | int) -> Shape | None:
        return of_type(structure.field(self.hint, step))


class Floats(Of):
    """A type that is what it is, but for its floats."""

    __slots__ = ("make",)

    def __init__(self, hint: Any, make: Callable[[Any], Any]) -> None:
        super().__init__(hint)
        self.make = make

    def given(self, value: Any) -> Any:
        return self.make(value)


class Fields(Shape):
    """Values by name."""

    __slots__ = ("shapes",)

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes

    def given(self, value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {name: self.shapes[name].given(one) if name in self.shapes else one for name, one in value.items()}

    def field(self, step: str | int) -> Shape | None:
        return self.shapes.get(step) if isinstance(step, str) else None


class Outputs(Fields):
    """The outputs of a task: those that it declares, and no others."""

    __slots__ = ("task", "names")

    def __init__(self, task: str, outputs: Mapping[str, Any]) -> None:
        super().__init__({name: shape for name, hint in outputs.items() if (shape := of_type(hint)) is not None})
        self.task = task
        self.names = tuple(outputs)

    def given(self, value: Any) -> Any:
        return super().given(value) if self.shapes else value

    def field(self, step: str | int) -> Shape | None:
        if step not in self.names:
            raise refused(
                f"{self.task} has no output {step}: it has {', '.join(self.names)}",
                "Correct the name, or name it in `outputs`: what the function returns are those that are no files.",
                "ALM_FIELD_MISSING",
            )
        return super().field(step)


class Items(Shape):
    """A list of values, each of which is known by itself."""

    __slots__ = ("shapes",)

    def __init__(self, shapes: Sequence[Shape | None]) -> None:
        self.shapes = shapes

    def given(self, value: Any) -> Any:
        if type(value) is not list or len(value) != len(self.shapes):
            return value
        return [one if shape is None else shape.given(one) for one, shape in zip(value, self.shapes)]

    def field(self, step: str | int) -> Shape | None:
        return self.shapes[step] if isinstance(step, int) and -len(self.shapes) <= step < len(self.shapes) else None


class Each(Shape):
    """What a map over a directory gives: a directory of values that are alike, or several by name."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def step(self, step: str | int) -> str | int:
        return self.shape.step(step)

    def field(self, step: str | int) -> Shape | None:
        inner = self.shape.field(step)
        return None if inner is None else Each(inner)

    def all(self) -> Shape | None:
        return _Alike(self.shape)

    def keeping(self, keep: Callable[..., object]) -> Callable[..., object]:
        """A predicate that is given the values."""
        return lambda value, *path: keep(self.shape.given(value), *path)


class _Alike(Shape):
    __slots__ = ("shape",)

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def given(self, value: Any) -> Any:
        return [self.shape.given(one) for one in value] if type(value) is list else value

    def field(self, step: str | int) -> Shape | None:
        return self.shape if isinstance(step, int) else None


class Returned(Shape):
    """What a branch or a child gives: known when it has ended, and asked for after that."""

    __slots__ = ("shape", "_of", "_step")

    def __init__(self, of: Returned | None = None, step: str | int = "") -> None:
        self.shape: Shape | None = None
        self._of = of
        self._step = step

    def given(self, value: Any) -> Any:
        shape = self._found()
        return value if shape is None else shape.given(value)

    def field(self, step: str | int) -> Shape | None:
        return Returned(self, step)

    def _found(self) -> Shape | None:
        if self._of is None:
            return self.shape
        outer = self._of._found()
        return None if outer is None else outer.field(self._step)


def of_type(hint: Any) -> Shape | None:
    """What is known of a value of a type; None where it is what it is."""
    if hints.makes(hint):
        return Of(hint)
    make = floats(hint)
    return None if make is None else Floats(hint, make)


#: one for all of them: lists are long
_FLOAT = of_type(float)


def of_task(task: str, function: Callable[..., Any] | None, outputs: Mapping[str, Any]) -> Shape | None:
    """What a task gives; None where it is what it is."""
    if outputs:
        return Outputs(task, outputs)
    return None if function is None else of_type(hints.of(function).get("return"))


def as_returned(kept: Any, function: Callable[..., Any]) -> Any:
    """What a function gave and was kept, as its annotation says; as it is where it cannot be made into that again."""
    try:
        return hints.convert(kept, hints.of(function).get("return", Any), "it")
    except Exception:  # of the author's types, too: no reason to lose what a run gave
        return kept


def of_value(value: Any) -> Shape | None:
    """What is kept of a value that a function gave, as whoever awaits it is to have it."""
    if isinstance(value, Future):
        return value._shape
    if structure.is_named_tuple(type(value)):
        return of_type(type(value))
    if isinstance(value, (list, tuple)):
        return items(value)
    if isinstance(value, dict):
        known = {name: shape for name, one in value.items() if (shape := of_value(one)) is not None}
        return Fields(known) if known else None
    kind = type(value)
    return _FLOAT if kind is float else None if kind in _AS_IS else of_type(kind)


def has_futures(value: Any) -> bool:
    """Is anything in it not known yet?"""
    if isinstance(value, Future):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(has_futures, value))
    if isinstance(value, dict):
        return any(map(has_futures, value.values()))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(has_futures(getattr(value, field.name)) for field in dataclasses.fields(value))
    return False


def items(values: Sequence[Any]) -> Shape | None:
    """Of a list of futures and values."""
    shapes = [of_value(one) for one in values]
    return Items(shapes) if any(shape is not None for shape in shapes) else None
