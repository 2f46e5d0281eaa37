"""The classes that refine one, so that a test sees which of them was forgotten in a list."""

from __future__ import annotations

from typing import Any


def subclasses_of(one: Any) -> set[Any]:
    """Return all classes that refine one, at any depth."""
    return {more for child in one.__subclasses__() for more in (child, *subclasses_of(child))}
