"""A generated image as pages show it: where its files are, what the viewer takes, what is typed."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import ALL_PRESETS, AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.rendering import pixel_pin
from umnist_core.scenes import (
    get_preset,
)

FILTERS = {"area": "mean of the pixels under it", "nearest": "pixel at its middle"}
"""How coarser levels are made: the tile route's ``filter``, and its name for people."""

RANDOM_INDEX = 100_000
"""Random samples come from the first this many, so that their numbers stay readable."""


def stepped(number: int, step: str, high: int) -> int:
    """Return the number of the ``"next"``, the ``"previous"`` or a ``"random"`` sample."""
    drawn = random.randrange(min(RANDOM_INDEX, high + 1))
    steps = {"next": number + 1, "previous": number - 1, "random": drawn}
    return min(max(steps[step], 0), high)


def subject_of(ref: AnyRef) -> str:
    """Return what names a generated image to the viewer, whatever its parameters are set to."""
    return f"{ref.preset} {ref.seed} {ref.split} {ref.index}"


def scene_url(ref: AnyRef, glyphs: GlyphSet, suffix: str, **more: str) -> str:
    """Return the address of one of a generated image's files, ``dzi``, ``png``, ``json`` ..."""
    query = {**ref.to_query(), **more, "pin": pixel_pin(glyphs)}
    return f"/tiles/scene.{suffix}?{urlencode(query)}"


def digit_truth(ref: DigitRef) -> dict[str, Any]:
    """Return what is known of an image of MNIST Large Scale, as `scene_truth` of a scene."""
    side_px = min(ref.side_px, float(LARGE_SCALE_PX))
    first = (LARGE_SCALE_PX - side_px) / 2
    box = (first, first, side_px, side_px)
    whole = round(ref.side_px)
    return {
        "label": ref.label,
        "explained": "the digit",
        "digits": [{"id": 0, "label": ref.label, "box": box, "ink": box, "side": whole}],
        "shapes": [],
        "figures": [{"name": "Scale", "value": f"{ref.scale:.4g}"}],
    }


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


def canvas_px(setting: AnyRef) -> int:
    """Return the side of the setting's images."""
    if isinstance(setting, DigitRef):
        return LARGE_SCALE_PX
    parameters = get_preset(setting.preset).with_overrides(dict(setting.overrides))
    return int(parameters.to_text()["canvas"])
