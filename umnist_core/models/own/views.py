"""A place as our own models got it: a window of a level for the one, a patch for the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box
from umnist_core.models.own.edge_levels import level_count, read_bits
from umnist_core.models.own.edge_planes import TILE_PX
from umnist_core.models.views import DigitView, Ends, larger_side

if TYPE_CHECKING:
    from umnist_core.models.own.pyramid import ReadPatches
    from umnist_core.models.own.trust import Readable

LEAST_COVERED = 0.5
"""Intersection over union of a patch with a place that it was read of."""


def view_of_level(readable: Readable, canvas_box: Ends) -> DigitView:
    """Return the window of the level on which a digit of a place's size is looked for.

    It has `TILE_PX` a side, black and white, as edges are read off it.
    """
    source, (down, across) = readable.source, readable.scale
    row0, col0, row1, col1 = (
        one * scale for one, scale in zip(canvas_box, (down, across) * 2, strict=True)
    )
    side_px = max(row1 - row0, col1 - col0)
    level = min(
        max(0, math.floor(math.log2(max(side_px, 1) / GLYPH_PX))),
        level_count(source.height, source.width) - 1,
    )
    reduction = 1 << level
    middle = (row0 + row1) / 2 / reduction, (col0 + col1) / 2 / reduction
    corner = [round(one - TILE_PX / 2) for one in middle]
    bits = read_bits(source, Box.from_size(corner[0], corner[1], TILE_PX, TILE_PX), reduction)
    ends = [corner[0], corner[1], corner[0] + TILE_PX, corner[1] + TILE_PX]
    shown = [one * reduction / scale for one, scale in zip(ends, (down, across) * 2, strict=True)]
    words = f"a window of {TILE_PX} px" + (f" at 1/{reduction} of the size" if level else "")
    return DigitView(
        np.asarray(bits * 255, np.uint8),
        (shown[0], shown[1], shown[2], shown[3]),
        side_px / reduction,
        f"{words}, black and white",
    )


def view_of_patch(patches: ReadPatches, canvas_box: Ends) -> DigitView | None:
    """Return the patch that was read at a place; None where none was."""
    boxes = patches.boxes.astype(np.float64)
    sides = np.minimum(boxes[:, 2:], canvas_box[2:]) - np.maximum(boxes[:, :2], canvas_box[:2])
    common = np.maximum(sides, 0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    own = (canvas_box[2] - canvas_box[0]) * (canvas_box[3] - canvas_box[1])
    shares = common / np.maximum(areas + own - common, 1e-9)
    if not len(shares) or shares.max() < LEAST_COVERED:
        return None
    best = int(shares.argmax())
    row0, col0, row1, col1 = boxes[best].tolist()
    return DigitView(
        np.asarray(patches.glyphs[best, 1] * 255, np.uint8),
        (row0, col0, row1, col1),
        GLYPH_PX * larger_side(canvas_box) / (row1 - row0),
        f"a patch of {GLYPH_PX} cells, black and white",
    )
