"""Values of JSON that anybody may have written, or nothing in their place."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def as_rows(value: Any) -> list[Mapping[str, Any]]:
    """Return a list of JSON's objects; an empty one in the place of anything else."""
    return [as_mapping(row) for row in value] if isinstance(value, list) else []


def as_number(value: Any) -> float | None:
    """Return a finite number; None in the place of anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) else None


def as_whole(value: Any) -> int:
    """Return a whole number of 0 or more; 0 in the place of anything else."""
    number = as_number(value)
    return 0 if number is None or number < 0 else round(number)
