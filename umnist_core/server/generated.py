"""A generated image as the viewer takes it: its name, where its files are, its size and truth."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.pyramid import PyramidGrid
from umnist_core.rendering import pixel_pin
from umnist_core.scenes import get_preset

THUMBNAIL_PX = 512
"""Longest side of a small picture."""


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


def thumbnail_url(ref: AnyRef, glyphs: GlyphSet) -> str:
    """Return the address of a small picture: the largest level that is a single tile."""
    side = canvas_px(ref)
    grid = PyramidGrid(side, side, THUMBNAIL_PX)
    levels = range(grid.max_level, -1, -1)
    level = next(level for level in levels if grid.tile_counts(level) == (1, 1))
    address = scene_url(ref, glyphs, "dzi", tile=str(THUMBNAIL_PX))
    return address.replace("/scene.dzi?", f"/scene_files/{level}/0_0.png?")


def canvas_px(setting: AnyRef) -> int:
    """Return the side of the setting's images."""
    if isinstance(setting, DigitRef):
        return LARGE_SCALE_PX
    parameters = get_preset(setting.preset).with_overrides(dict(setting.overrides))
    return int(parameters.to_text()["canvas"])
