"""What an image's pixels tell of whether it is one that our models know; no model is needed.

UltraMNIST is black and white on 4000 x 4000 px, drawn or saved as JPEG. Some windows at full
resolution say whether an image is not: grey *areas* are those of a photograph, and grey *edges*
between black and white areas are what scaling by averaging or interpolation leaves. Windows lie
on a fixed grid and where a reduced view has most edges, so time and memory do not grow with the
image. Nearest-neighbour scaling leaves no grey and is not seen here.

Nothing was warned of in 300 images as released, as arrays and as JPEG of quality 95, 75 and
30; in 112 JPEG files of the original generator; in 360 images of other settings (digits alone,
50 pairs of shapes, 64 cells a side, 1000 px) as arrays and at quality 30. At quality 20 three
of 40 look scaled, at 10 all. Warned of were all of 420 images scaled to 500 to 8000 px by
area, linearly or cubically, some of them saved at quality 75 or 30 afterwards, and 112 files
of the original generator at 3900 and at 2000 px; 118 of 120 with digits alone, on black, at
2000 px, where every edge may lie on an even pixel; and all of 250 crops of 23 photographs and
scans, enlarged or reduced to sides of 256 to 4000 px, before and after quality 30. It takes 11
ms for 4000 x 4000 px on one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.base import Doubt
from umnist_core.pyramid import TileSource
from umnist_core.pyramid.levels import as_grey

USUAL_SIDE_PX = 4000
"""Of UltraMNIST's images."""

WINDOW_PX = 256
GRID = 3
"""Windows of the fixed grid, along each side."""

BUSY_WINDOWS = 6
"""Windows where most edges are."""

VIEW_PX = 512
"""Longest side of the reduced view that edges are looked for in."""

BLOCK_PX = 8
"""Of JPEG; windows begin at its multiples, so that what an edge leaves in its block stays there."""

HALF = 128
MIDDLE = (96, 160)
"""Grey values halfway between black and white: from, to below."""

GREY = (56, 200)
"""Grey values that are neither: from, to below."""

BLACK_MOST, WHITE_LEAST, EDGE_LEAST = 24, 231, 150
"""A block up to here is black, from here on white, and with so large a range it holds an edge."""

SCALED_MIDDLE = 0.05
"""Pixels of `MIDDLE` for each edge: at most 0.035 as released at quality 30, scaled 0.09 or
more."""

SCALED_GREY = 0.6
"""Pixels of `GREY` for each edge, for enlarged images: at most 0.25 as released, 0.99 or more at
twice the size."""

PHOTOGRAPH_BLOCKS = 0.25
"""Share of grey blocks: at most 0.0004 as released, 0.15 enlarged eight times, of photographs 0.33
or more."""

LEAST_PX = 6
"""Fewer grey pixels than this are no evidence."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class GreyValues:
    """How grey the windows of an image are.

    Attributes
    ----------
    edges
        Pairs of neighbours, one darker than half and the other not.
    middle, grey
        Pixels within `MIDDLE` and within `GREY`.
    blocks, grey_blocks
        Blocks of `BLOCK_PX`, and those that are neither black nor white nor hold an edge.
    """

    edges: int = 0
    middle: int = 0
    grey: int = 0
    blocks: int = 0
    grey_blocks: int = 0

    def __add__(self, other: GreyValues) -> GreyValues:
        return GreyValues(
            self.edges + other.edges,
            self.middle + other.middle,
            self.grey + other.grey,
            self.blocks + other.blocks,
            self.grey_blocks + other.grey_blocks,
        )

    @property
    def is_photograph(self) -> bool:
        """Whether whole areas are grey."""
        return self.grey_blocks > PHOTOGRAPH_BLOCKS * self.blocks

    @property
    def is_scaled(self) -> bool:
        """Whether edges are grey and areas are not."""
        if self.is_photograph:
            return False
        is_middle = self.middle > max(LEAST_PX, SCALED_MIDDLE * self.edges)
        return is_middle or self.grey > max(LEAST_PX, SCALED_GREY * self.edges)


def image_doubts(source: TileSource, usual_side_px: int = USUAL_SIDE_PX) -> tuple[Doubt, ...]:
    """Return in what an image differs from those that a model of UltraMNIST knows.

    Parameters
    ----------
    source
        The image, of any size.
    usual_side_px
        Side of the images that the model learned from.

    Returns
    -------
    tuple
        Of the kinds ``"canvas"``, which alone is no fault, ``"photograph"`` and ``"rescaled"``.
    """
    canvas = tuple(_canvas_doubts(source, usual_side_px))
    if source.is_black_and_white:  # nothing of it is grey, so nothing need be read
        return canvas
    return (*canvas, *_grey_doubts(read_grey_values(source)))


def _canvas_doubts(source: TileSource, usual_side_px: int) -> Iterator[Doubt]:
    if (source.height, source.width) != (usual_side_px, usual_side_px):
        yield Doubt(
            "canvas",
            f"Expected {usual_side_px} x {usual_side_px} px, as in training; found "
            f"{source.width} x {source.height} px.",
        )


def _grey_doubts(found: GreyValues) -> Iterator[Doubt]:
    if found.is_photograph:
        share = 100 * found.grey_blocks / found.blocks
        yield Doubt(
            "photograph",
            f"Expected black and white alone; found grey areas ({share:.0f} % of what was looked "
            "at), as in a photograph.",
        )
    if found.is_scaled:
        yield Doubt(
            "rescaled",
            "Expected sharp edges between black and white; found grey ones, as scaling an image "
            "or strong compression leaves them.",
        )


def read_grey_values(source: TileSource) -> GreyValues:
    """Read the windows of an image and say how grey they are."""
    found = GreyValues()
    for box in sorted(set(_grid_windows(source)) | set(_busy_windows(source)), key=_corner):
        found += grey_values(_read_grey(source, box, 1))
    return found


def grey_values(window: Pixels) -> GreyValues:
    """Say how grey a window is.

    Parameters
    ----------
    window
        uint8 (H, W), from a corner that is a multiple of `BLOCK_PX` in its image.
    """
    is_light = window >= HALF
    edges = int(np.count_nonzero(is_light[1:] != is_light[:-1]))
    edges += int(np.count_nonzero(is_light[:, 1:] != is_light[:, :-1]))
    rows, cols = (side // BLOCK_PX for side in window.shape)
    blocks = window[: rows * BLOCK_PX, : cols * BLOCK_PX].reshape(rows, BLOCK_PX, cols, BLOCK_PX)
    low, high = blocks.min(axis=(1, 3), initial=255), blocks.max(axis=(1, 3), initial=0)
    is_grey = (high > BLACK_MOST) & (low < WHITE_LEAST) & (high < low.astype(int) + EDGE_LEAST)
    return GreyValues(
        edges=edges,
        middle=_count_within(window, MIDDLE),
        grey=_count_within(window, GREY),
        blocks=rows * cols,
        grey_blocks=int(np.count_nonzero(is_grey)),
    )


def _count_within(window: Pixels, ends: tuple[int, int]) -> int:
    low, below = ends
    # Below ``low`` the difference wraps around to more than any span.
    return int(np.count_nonzero(window - np.uint8(low) < below - low))


def _corner(box: Box) -> tuple[int, int]:
    return box.row0, box.col0


def _grid_windows(source: TileSource) -> Iterator[Box]:
    for row in np.linspace(0, max(0, source.height - WINDOW_PX), GRID):
        for col in np.linspace(0, max(0, source.width - WINDOW_PX), GRID):
            yield _window_at(source, int(row), int(col))


def _busy_windows(source: TileSource) -> Iterator[Box]:
    """Yield the windows with most edges in a reduced view, none within another."""
    reduction = 1
    while max(source.height, source.width) > VIEW_PX * reduction:
        reduction *= 2
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    view = _read_grey(source, Box(0, 0, rows, cols), reduction)
    # Not grey values: a view may be one of the nearest pixels, where edges have none.
    edges = cv2.morphologyEx(view, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    reach = max(1, WINDOW_PX // reduction)
    sums = cv2.boxFilter(edges, cv2.CV_32F, (reach, reach), borderType=cv2.BORDER_CONSTANT)
    for _ in range(BUSY_WINDOWS):
        row, col = divmod(int(sums.argmax()), cols)
        if sums[row, col] <= 0:
            return
        near = np.s_[max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1]
        sums[near] = 0
        middle = WINDOW_PX // 2
        yield _window_at(source, row * reduction - middle, col * reduction - middle)


def _window_at(source: TileSource, row: int, col: int) -> Box:
    """Return a window near a corner, within the image; it begins at a multiple of a block."""
    row = max(0, min(row, source.height - WINDOW_PX)) // BLOCK_PX * BLOCK_PX
    col = max(0, min(col, source.width - WINDOW_PX)) // BLOCK_PX * BLOCK_PX
    height, width = min(WINDOW_PX, source.height - row), min(WINDOW_PX, source.width - col)
    return Box.from_size(row, col, height, width)


def _read_grey(source: TileSource, level_box: Box, reduction: int) -> Pixels:
    return as_grey(source.read_region(level_box, reduction))
