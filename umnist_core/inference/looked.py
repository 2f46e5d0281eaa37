"""Attention to a generated image against its truth, which is known to the pixel. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from umnist_core.attention import (
    AttentionMap,
    ChosenPlaces,
    Comparer,
    DigitMask,
    MapComparison,
    sort_chosen,
)
from umnist_core.digits import load_glyphs
from umnist_core.geometry import Box
from umnist_core.inference.prediction import Looked
from umnist_core.inference.requests import FileImage, ImageRef
from umnist_core.pyramid import TileSource
from umnist_core.rendering import digit_masks
from umnist_core.scenes import Scene

LOOKED_MAX_SIDE_PX = 4096
"""Scenes with a larger digit are not compared with: a mask takes 6 bytes for each of its px."""

_PEEK_PX = 64
"""Of a large place its middle is read first: noise is seldom only at its border."""


def truth_masks(scene: Scene | None, image: ImageRef) -> list[DigitMask] | None:
    """Return the true ink, where there is some that can be held; else None."""
    if scene is None or isinstance(image, FileImage) or image.layer == "background":
        return None
    largest = max((digit.side_px for digit in scene.digits), default=0)
    return digit_masks(scene, load_glyphs()) if 0 < largest <= LOOKED_MAX_SIDE_PX else None


def compare_tasks(
    attention: AttentionMap | None, masks: Sequence[DigitMask] | None
) -> Mapping[str, MapComparison] | None:
    """Return attention to each task against the true ink; None where either is not known."""
    if attention is None or masks is None:
        return None
    comparer = Comparer(attention, masks)
    return {task: comparer.compare(task) for task in attention.tasks}


def as_looked(
    attention: AttentionMap | None, compared: Mapping[str, MapComparison] | None
) -> Mapping[str, Looked] | None:
    """Return comparisons as predictions have them."""
    if attention is None or compared is None:
        return None
    looked = {}
    for task, found in compared.items():
        is_clear = found.pointing in (0.0, 1.0) and bool(attention.place_weights(task).any())
        pointing = found.pointing == 1.0 if is_clear else None
        looked[task] = Looked(found.ink, found.boxes, pointing, found.effective_places)
    return looked


def chosen_places(
    attention: AttentionMap | None,
    rounds: Sequence[Any],
    masks: Sequence[DigitMask] | None,
    source: TileSource,
) -> ChosenPlaces | None:
    """Return on what the places are that a model chose in rounds; None of models that do not."""
    if attention is None or masks is None or not rounds:
        return None
    return sort_chosen(attention, masks, lambda ends: _is_blank(source, ends))


def _is_blank(source: TileSource, ends: tuple[int, int, int, int]) -> bool:
    row0, col0, row1, col1 = ends
    row, col = (row0 + row1) // 2, (col0 + col1) // 2
    middle = Box(
        max(row0, row - _PEEK_PX // 2),
        max(col0, col - _PEEK_PX // 2),
        min(row1, row + _PEEK_PX // 2 + 1),
        min(col1, col + _PEEK_PX // 2 + 1),
    )
    whole = Box(row0, col0, row1, col1)
    return not any(np.ptp(source.read_region(one, 1)) for one in dict.fromkeys((middle, whole)))
