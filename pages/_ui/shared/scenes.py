"""What is typed of a generated image, and how pages step through samples."""

from __future__ import annotations

import random

from umnist_core.datasets.large_scale.ref import ALL_PRESETS
from umnist_core.errors import InvalidValueError

FILTERS = {"area": "mean of the pixels under it", "nearest": "pixel at its middle"}
"""How coarser levels are made: the tile route's ``filter``, and its name for people."""

RANDOM_INDEX = 100_000
"""Random samples come from the first this many, so that their numbers stay readable."""


def stepped(number: int, step: str, high: int) -> int:
    """Return the number of the ``"next"``, the ``"previous"`` or a ``"random"`` sample."""
    drawn = random.randrange(min(RANDOM_INDEX, high + 1))
    steps = {"next": number + 1, "previous": number - 1, "random": drawn}
    return min(max(steps[step], 0), high)


def parse_overrides(text: str, preset: str) -> dict[str, str]:
    """Read ``shape_pairs=3 rotation=-10..10``.

    Raises
    ------
    InvalidValueError
        If a part is not NAME=VALUE, a name is unknown or a value is not allowed.
    """
    overrides = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidValueError(f"Expected NAME=VALUE such as shape_pairs=3, found {part!r}.")
        overrides[name] = value
    ALL_PRESETS[preset].with_overrides(overrides)
    return overrides
