"""Where corners lie in a heap: places at which a digit may stand, without a net or a label.

A digit's staircase has 30 to 100 corners of both kinds within 20 cells; outlines of the
ground, of which long axis-parallel edges are left out, have few. On the finest level, where
nothing can be left out, straight outlines have corners of one kind only.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.progress import Steps
from umnist_core.models.spots import HALO_PX, TILE_PX, Spot, iter_windows, merge_spots
from umnist_core.pyramid import TileSource

REACH_PX = 33
"""Level px a side in which corners are counted, a middling digit's."""

STEP_PX = 15
"""Of two heaps that are nearer, in level px, the larger one stays."""

FEWEST = 3.0
"""Corners of a heap."""

INK_SHARE = 20 / 28
"""MNIST fits the longer side of its ink into 20 of 28 cells."""


def find_heaps(source: TileSource, level: int, most: int, steps: Steps | None = None) -> list[Spot]:
    """Return the largest heaps of corners of a level; their score is a number of corners.

    Memory grows with ``most``, not with the image. ``steps`` are those of `block_steps`.
    """
    held: list[Spot] = []
    for row, col, window in iter_windows(source, level, steps):
        held += _tile_heaps(window, row, col, level)
        if len(held) > 8 * most:
            held = merge_spots(held, most)
    return merge_spots(held, most)


def _tile_heaps(window: NDArray[np.float32], row: int, col: int, level: int) -> list[Spot]:
    size = (REACH_PX, REACH_PX)
    counts = [
        np.asarray(cv2.boxFilter(kind, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT))
        for kind in window[2:]
    ]
    # Both kinds are needed: the rarer one tells.
    heap = np.minimum(counts[0] + counts[1], 5 * np.minimum(counts[0], counts[1]))
    heap = np.asarray(cv2.GaussianBlur(heap, (0, 0), 3.0))
    highest = cv2.dilate(heap, np.ones((STEP_PX, STEP_PX), np.uint8))
    inner = slice(HALO_PX, HALO_PX + TILE_PX)
    is_peak = (heap == highest) & (heap >= FEWEST)
    found = []
    reduction = 1 << level
    for down, right in np.argwhere(is_peak[inner, inner]) + HALO_PX:
        centre_row, centre_col, side = _shape(window[2] + window[3], int(down), int(right))
        if level == 0 and side < 0.75 * GLYPH_PX:
            side = GLYPH_PX / 2
        else:
            side = min(max(side, GLYPH_PX), 2 * GLYPH_PX - 4)
        score = float(heap[down, right])
        top, left = row - HALO_PX + centre_row, col - HALO_PX + centre_col
        found.append(Spot(score, top * reduction, left * reduction, side * reduction))
    return found


def _shape(corners: NDArray[np.float32], row: int, col: int) -> tuple[float, float, float]:
    """Return the centre of the corners about a place and the side of a digit that has them."""
    centre = (float(row), float(col))
    side = 1.4 * GLYPH_PX
    rows, cols = np.nonzero(corners)
    weights = corners[rows, cols]
    for _ in range(4):
        reach = 0.5 * side
        near = (abs(rows - centre[0]) < reach) & (abs(cols - centre[1]) < reach)
        if weights[near].sum() < 2:
            break
        low, high = np.percentile([rows[near], cols[near]], [2, 98], axis=1)
        centre = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
        side = min(max(float((high - low).max()) / INK_SHARE, GLYPH_PX / 2), 2.2 * GLYPH_PX)
    return centre[0], centre[1], side
