"""Where corners lie in a heap: places at which a digit may stand, without a net or a label.

A digit's staircase has 30 to 100 corners of both kinds within 20 cells; outlines of the
ground, of which long axis-parallel edges are left out, have few. On the finest level, where
nothing can be left out, straight outlines have corners of one kind only, and go on beyond any
digit: corners about a heap count against it. A plain 1 is straight as well, and is sought by
itself where the ground has few corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.own.edge_planes import TILE_PX, PackedLevels
from umnist_core.models.own.spots import (
    HALO_PX,
    IsKnown,
    Spot,
    is_same,
    iter_windows,
    nothing_known,
)
from umnist_core.models.progress import Steps


@dataclass(frozen=True)
class HeapKind:
    """How digits of a range of sizes are sought.

    Attributes
    ----------
    reach_px
        Level px a side in which corners count, a middling digit's; odd.
    surround_px
        Level px a side about it in which they count against it; odd, at most `HALO_PX` to
        each side.
    surround_weight
        Of a corner there, over one within.
    is_bar
        Whether corners of one kind are enough, and many of both speak against it.
    blur_px
        Standard deviation by which counts are smoothed, level px.
    step_px
        Of two heaps that are nearer, in level px, the larger one stays; odd.
    smallest_px, largest_px
        Sides of the digits, level px.
    """

    reach_px: int
    surround_px: int
    surround_weight: float
    is_bar: bool
    blur_px: float
    step_px: int
    smallest_px: float
    largest_px: float


OF_LEVEL = HeapKind(33, 65, 0.5, False, 3.0, 15, GLYPH_PX, 2 * GLYPH_PX - 4)
"""Digits that a reduced level is for. Among the 12 largest heaps were 508 of 513 digits."""

OF_BAR = HeapKind(43, 65, 1.0, True, 2.0, 15, GLYPH_PX, 2 * GLYPH_PX - 4)
"""A 1, and little else: as long as a digit of 59 level px, with 4 corners if it is upright and
some 30 of one kind if it is slanted. All 4 of 56 px and more that were not read at `OF_LEVEL`,
in 240 images, were among the 2 largest heaps."""

OF_28_PX = HeapKind(21, 41, 1.0, False, 2.0, 11, GLYPH_PX, GLYPH_PX)
"""Digits of 28 px, the only ones that the finest level is for. On canvases of 4000 px
with factor 1, 60 of 60 were among the 6 largest heaps."""

OF_14_PX = HeapKind(15, 33, 1.0, False, 1.5, 9, GLYPH_PX / 2, GLYPH_PX / 2)
"""Digits of 14 px, on the finest level. Among the 4 largest heaps were 29 of 29."""

BAR_CORNERS = 2
"""Of each kind that a bar has, which has four."""

FEWEST = 1.5
"""Corners of a heap, less those about it: of the four of a plain 1, specks may spoil two."""

INK_SHARE = 20 / 28
"""MNIST fits the longer side of its ink into 20 of 28 cells."""

HELD = 1024
"""Heaps of a kind that are held before all but the largest are dropped; none has a shape yet."""

BEYOND = 0.02
"""Share of a digit's corners that may lie outside its square, on each side."""


def find_heaps(
    packed: PackedLevels,
    level: int,
    most: int,
    most_small: int,
    most_bars: int,
    *,
    steps: Steps | None = None,
    is_known: IsKnown = nothing_known,
) -> list[Spot]:
    """Return the largest heaps of corners of a level; their score is a number of corners.

    Memory grows with the numbers asked for, not with the image.

    Parameters
    ----------
    packed
        The image.
    level
        Of its pyramid.
    most
        Heaps of digits that the level is for.
    most_small
        Heaps of digits of 14 px more, on the finest level alone.
    most_bars
        Heaps of bars more, on every other level.
    steps
        Those of `search_steps`.
    is_known
        Tiles of which it is true are left out.
    """
    if level == 0:
        wanted = {OF_28_PX: most, OF_14_PX: most_small}
    else:
        wanted = {OF_LEVEL: most, OF_BAR: most_bars}
    held: dict[HeapKind, list[_Peak]] = {kind: [] for kind in wanted}
    for windows in iter_windows(packed, level, steps, is_known):
        for tile, window in zip(windows.tiles, windows.edges, strict=True):
            corners = _Corners(window, tile, level)
            for kind, count in wanted.items():
                held[kind] += _tile_peaks(window, corners, kind)
                if len(held[kind]) > max(HELD, 8 * count):
                    held[kind] = _merge(held[kind], count)
    return [peak.spot for kind, count in wanted.items() for peak in _merge(held[kind], count)]


class _Corners:
    """The corners of a window, each in its place; made out when they are first asked for."""

    def __init__(self, window: NDArray[np.float32], tile: tuple[int, int], level: int) -> None:
        self._both = (window[2] + window[3]).astype(np.uint8)
        self.top, self.left = (first - HALO_PX for first in tile)
        self.reduction = 1 << level

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return row and column of each, and how many they are."""
        rows, cols = np.nonzero(self._both)
        return rows, cols, self._both[rows, cols].astype(np.float32)


class _Peak:
    """A heap in a window; its shape is made out for the few that may stay."""

    def __init__(
        self, score: float, place: tuple[int, int], corners: _Corners, kind: HeapKind
    ) -> None:
        self.score = score
        self._place, self._corners, self._kind = place, corners, kind

    @cached_property
    def spot(self) -> Spot:
        """The digit that may stand there."""
        kind, corners = self._kind, self._corners
        down, right, side = float(self._place[0]), float(self._place[1]), kind.smallest_px
        if side < kind.largest_px:
            down, right, side = _shape(*corners.places, (down, right))
            side = min(max(side, kind.smallest_px), kind.largest_px)
        scale = corners.reduction
        row, col = (corners.top + down) * scale, (corners.left + right) * scale
        return Spot(self.score, row, col, side * scale)


def _merge(peaks: list[_Peak], most: int) -> list[_Peak]:
    """Return the largest heaps, without those that mean the same digit as a larger one."""
    kept: list[_Peak] = []
    for peak in sorted(peaks, key=lambda one: -one.score):
        if len(kept) == most:
            break
        if not any(is_same(peak.spot, other.spot) for other in kept):
            kept.append(peak)
    return kept


def _tile_peaks(window: NDArray[np.float32], corners: _Corners, kind: HeapKind) -> list[_Peak]:
    heap = np.asarray(cv2.GaussianBlur(_heap(window[2:], kind), (0, 0), kind.blur_px))
    highest = cv2.dilate(heap, np.ones((kind.step_px, kind.step_px), np.uint8))
    inner = slice(HALO_PX, HALO_PX + TILE_PX)
    is_peak = (heap[inner, inner] == highest[inner, inner]) & (heap[inner, inner] >= FEWEST)
    places = (np.argwhere(is_peak) + HALO_PX).tolist()
    return [_Peak(float(heap[row, col]), (row, col), corners, kind) for row, col in places]


def _heap(corners: NDArray[np.float32], kind: HeapKind) -> NDArray[np.float32]:
    """Return how many corners (2, H, W) lie within reach, less those about it; (H, W)."""
    near = _count(corners, kind.reach_px)
    about = _count(corners, kind.surround_px).sum(axis=0) - near.sum(axis=0)
    rarer = near.min(axis=0)
    if kind.is_bar:
        inside = near.sum(axis=0) - 2 * np.maximum(rarer - BAR_CORNERS, 0)
    else:  # both kinds are needed: the rarer one tells
        inside = np.minimum(near.sum(axis=0), 5 * rarer)
    heap: NDArray[np.float32] = inside - np.float32(kind.surround_weight) * about
    return heap


def _count(corners: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    size, border = (side_px, side_px), cv2.BORDER_CONSTANT
    return np.stack(
        [cv2.boxFilter(one, -1, size, normalize=False, borderType=border) for one in corners]
    )


def _shape(
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    weights: NDArray[np.float32],
    centre: tuple[float, float],
) -> tuple[float, float, float]:
    """Return the centre of the corners about a place and the side of a digit that has them.

    Corners come row by row.
    """
    side = 1.4 * GLYPH_PX
    for _ in range(4):
        reach = 0.5 * side
        near = (abs(rows - centre[0]) < reach) & (abs(cols - centre[1]) < reach)
        if weights[near].sum() < 2:
            break
        top, bottom = _ends(rows[near])
        left, right = _ends(np.sort(cols[near]))
        before = centre, side
        centre = ((top + bottom) / 2, (left + right) / 2)
        side = max(bottom - top, right - left) / INK_SHARE
        side = min(max(side, GLYPH_PX / 2), 2.2 * GLYPH_PX)
        if before == (centre, side):
            break  # and so it would stay
    return *centre, side


def _ends(ordered: NDArray[np.int64]) -> tuple[int, int]:
    """Return the first and last of some places in order, without those far off."""
    beyond = int(BEYOND * len(ordered))
    return int(ordered[beyond]), int(ordered[-1 - beyond])
