"""What functions take, whatever their annotations name."""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["signature", "written"]


def signature(function: Any) -> inspect.Signature:
    """
    Its annotations are not evaluated, as from Python 3.14 on they may name what is there for type checkers only, or is
    defined further down. Raises `ValueError` or `TypeError` for functions that do not say what they take.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(function, annotation_format=annotationlib.Format.STRING)
    return inspect.signature(function)


def written(signature: inspect.Signature) -> str:
    """As its author wrote it."""
    if sys.version_info >= (3, 14):
        return signature.format(quote_annotation_strings=False)
    return str(signature)
