"""What a browser says of itself, taken for what it may be: anything at all."""

from __future__ import annotations

import re
from datetime import datetime

from umnist_core.labeling.times import text_of_time


def time_at(value: object) -> str | None:
    """Return a time in the form that all others have; None for what is none in ISO 8601."""
    is_time = isinstance(value, str) and re.fullmatch(
        r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)", value
    )
    try:
        return text_of_time(datetime.fromisoformat(str(value))) if is_time else None
    except (ValueError, OverflowError):
        return None


def number_at(values: object, place: int) -> float | None:
    """Return a number of a list; None where there is none that a device can have."""
    if not isinstance(values, list) or len(values) <= place:
        return None
    value = values[place]
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e6:
        return None
    return float(value)


def yes_or_no(value: object) -> str | None:
    """Return yes or no; None for anything else."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else None


def word(value: object) -> str | None:
    """Return a short word of letters and digits; None for anything else."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_]{1,20}", value) else None


def plain_text(value: object) -> str | None:
    """Return a text without signs at its front that a spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in value)
    return printable.lstrip(" =+-@")[:400] or None
