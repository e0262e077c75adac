"""What is known of a value that is not known yet: types, and those of its fields and items."""

from __future__ import annotations

from typing import Any

__all__ = ["Shape"]


class Shape:
    """What is known of a value that is not known yet: types, and those of its fields and items."""

    __slots__ = ()

    def given(self, value: Any) -> Any:
        return value

    def step(self, step: str | int) -> str | int:
        """By which what is kept has it: fields of a named tuple are items."""
        return step

    def field(self, step: str | int) -> Shape | None:
        return None

    def all(self) -> Shape | None:
        """Of its `.all()`."""
        return self
