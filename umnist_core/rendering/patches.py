"""Render scenes with strokes: grey squares pasted on black, each hiding the earlier.

A square's pixels follow from its picture on the 28-px grid and its side alone
(`umnist_core.scenes.resize`), and any of its rows and columns can be had without the
rest. `paste` puts the squares that are met by some rows and columns of the canvas on
them, so a window equals the same crop of the whole; `mean_blocks_of_patches` does so in
pieces of the canvas and skips those without a square, so that its memory and time grow
with what is drawn and not with the canvas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.geometry import Box, canvas_box_from_level_box
from umnist_core.giving_up import go_on
from umnist_core.rendering.strokes import draw_patterns
from umnist_core.scenes.resize import resize_by_area
from umnist_core.scenes.scene import Scene, Strokes

MID_GREY = 128
"""The ground of the layer ``digits``."""

PIECE_PX = 512
"""Longest side of a piece of the canvas that is held while blocks are averaged."""

_FEW_ROWS = 12
"""Up to here adding rows one after another is faster than NumPy's sum over an axis."""

_NO_PICTURES = np.empty((0, GLYPH_PX, GLYPH_PX), np.uint8)


@dataclass(frozen=True)
class Patches:
    """Squares in the order of pasting.

    Attributes
    ----------
    pictures
        uint8 (N, 28, 28).
    which
        int64 (M,), the picture in each square.
    rows, cols
        int64 (M,), first pixel of each square, canvas frame.
    sides_px
        int64 (M,), side of each square.
    ground
        Grey where nothing is pasted.
    ink_only
        Whether black pixels leave what is under them.
    """

    pictures: NDArray[np.uint8]
    which: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    sides_px: NDArray[np.int64]
    ground: int
    ink_only: bool

    def meeting_rows(self, begin: int, end: int) -> Patches:
        """Return those that reach into some rows of the canvas."""
        met = (self.rows + self.sides_px > begin) & (self.rows < end)
        return replace(
            self,
            which=self.which[met],
            rows=self.rows[met],
            cols=self.cols[met],
            sides_px=self.sides_px[met],
        )


def find_patches(scene: Scene, strokes: Strokes, glyphs: GlyphSet, layer: str) -> Patches:
    """Return what is pasted in a layer: the strokes of the scene, then its digits."""
    patterns = draw_patterns(strokes) if layer in ("full", "background") else _NO_PICTURES
    digits = () if layer == "background" else scene.digits
    squares = [
        *((*patch, strokes.side_px) for patch in (strokes.patches if len(patterns) else ())),
        *(
            (len(patterns) + place, digit.row, digit.col, digit.side_px)
            for place, digit in enumerate(digits)
        ),
    ]
    which, rows, cols, sides_px = np.array(squares, np.int64).reshape(-1, 4).T
    images = glyphs.images[[digit.glyph for digit in digits]] if digits else _NO_PICTURES
    only = layer == "digits"
    pictures = np.concatenate([patterns, images])
    return Patches(pictures, which, rows, cols, sides_px, MID_GREY if only else 0, only)


def paste(patches: Patches, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Paste squares on some rows and columns of the canvas.

    Parameters
    ----------
    patches
        In the order of pasting.
    rows, cols
        int64, ascending: the rows and columns of the canvas that are looked at.

    Returns
    -------
    ndarray
        uint8 (len(rows), len(cols)).
    """
    image = np.full((len(rows), len(cols)), patches.ground, np.uint8)
    top, bottom = np.searchsorted(rows, [patches.rows, patches.rows + patches.sides_px])
    left, right = np.searchsorted(cols, [patches.cols, patches.cols + patches.sides_px])
    met = np.flatnonzero((top < bottom) & (left < right))
    squares = np.stack([patches.which, patches.rows, patches.cols, patches.sides_px])[:, met]
    spans = np.stack([top, bottom, left, right])[:, met]
    for (which, row, col, side_px), (row0, row1, col0, col1) in zip(
        squares.T.tolist(), spans.T.tolist(), strict=True
    ):
        go_on()
        pixels = patches.pictures[which]
        if not row1 - row0 == col1 - col0 == side_px == GLYPH_PX:
            pixels = resize_by_area(pixels, side_px, rows[row0:row1] - row, cols[col0:col1] - col)
        square = image[row0:row1, col0:col1]
        if patches.ink_only:
            np.copyto(square, pixels, where=pixels > 0)
        else:
            square[:] = pixels
    return image


# -- means ------------------------------------------------------------------------


class _Piece(NamedTuple):
    """Rows or columns of the canvas: one part of a block, or several whole blocks.

    Attributes
    ----------
    begin
        First of them, canvas frame.
    block
        Which block that is, counted from the first that is wanted.
    blocks, block_px
        How many blocks, and how long each.
    """

    begin: int
    block: int
    blocks: int
    block_px: int

    @property
    def end(self) -> int:
        """Behind its last row or column; behind the edge of the canvas nothing is pasted."""
        return self.begin + self.blocks * self.block_px

    @property
    def places(self) -> NDArray[np.int64]:
        """Its rows or columns."""
        return np.arange(self.begin, self.end, dtype=np.int64)


def mean_blocks_of_patches(
    patches: Patches, level_box: Box, reduction: int, canvas: Box
) -> NDArray[np.uint8]:
    """Return the mean of each block of the canvas, rounded half up.

    Parameters
    ----------
    patches
        In the order of pasting.
    level_box
        The blocks that are wanted, in the frame of the level.
    reduction
        Canvas pixels per block side; blocks at the right and bottom edge may be cut.

    Returns
    -------
    ndarray
        uint8 (level_box.height, level_box.width).
    """
    window = canvas_box_from_level_box(level_box, reduction, canvas)
    columns = list(_pieces(window.col0, window.col1, reduction))
    widths = np.minimum(reduction, window.col1 - np.arange(window.col0, window.col1, reduction))
    means = np.empty((level_box.height, level_box.width), np.uint8)
    for block, pieces in groupby(
        _pieces(window.row0, window.row1, reduction), key=attrgetter("block")
    ):
        parts = list(pieces)
        sums = _sum_blocks(patches, parts, columns, level_box.width)
        rest = window.row1 - window.row0 - reduction * np.arange(block, block + len(sums))
        area = np.minimum(reduction, rest)[:, None] * widths
        sums += patches.ground * area
        # Doubles hold these whole numbers exactly (a sum is below 2**8 * reduction**2 < 2**53),
        # and a quotient that is not whole is too far from the next whole number to round to it.
        means[block : block + len(sums)] = (2 * sums + area) / (2 * area)
    return means


def _sum_blocks(
    patches: Patches, parts: list[_Piece], columns: list[_Piece], width: int
) -> NDArray[np.int64]:
    """Return how far the sum of each block lies above that of the ground.

    Parameters
    ----------
    parts
        Pieces of rows that hold the same blocks.
    columns
        Pieces of columns.
    width
        Blocks along a row.

    Returns
    -------
    ndarray
        int64 (blocks of the parts, width).
    """
    sums = np.zeros((parts[0].blocks, width), np.int64)
    for rows in parts:
        inside = patches.meeting_rows(rows.begin, rows.end)
        for cols in _find_met(inside, columns):
            pixels = paste(inside, rows.places, cols.places)
            block_sums = _sum_down(_sum_down(pixels, rows.block_px).T, cols.block_px).T
            ground = patches.ground * rows.block_px * cols.block_px
            sums[:, cols.block : cols.block + cols.blocks] += block_sums.astype(np.int64) - ground
    return sums


def _pieces(begin: int, end: int, reduction: int) -> Iterator[_Piece]:
    """Cut rows or columns into pieces; ``begin`` is where a block begins."""
    if reduction <= PIECE_PX:
        blocks = -(-(end - begin) // reduction)
        most = PIECE_PX // reduction
        for block in range(0, blocks, most):
            count = min(most, blocks - block)
            yield _Piece(begin + block * reduction, block, count, reduction)
        return
    for block, first in enumerate(range(begin, end, reduction)):
        last = min(first + reduction, end)
        for part in range(first, last, PIECE_PX):
            yield _Piece(part, block, 1, min(PIECE_PX, last - part))


def _find_met(patches: Patches, columns: list[_Piece]) -> list[_Piece]:
    """Return the pieces of columns that squares reach into, and perhaps the last."""
    begins = np.array([piece.begin for piece in columns])
    first = np.searchsorted(begins, patches.cols, side="right") - 1
    behind = np.searchsorted(begins, patches.cols + patches.sides_px)
    changes = np.bincount(np.maximum(first, 0), minlength=len(columns) + 1)
    changes -= np.bincount(behind, minlength=len(columns) + 1)
    return [columns[place] for place in np.flatnonzero(np.cumsum(changes[:-1]))]


def _sum_down(values: NDArray[Any], height: int) -> NDArray[np.uint32]:
    """Return sums of ``height`` rows each; a piece has at most 2**18 px, so 32 bits hold them."""
    sums: NDArray[np.uint32]
    if height > _FEW_ROWS:
        sums = values.reshape(-1, height, values.shape[1]).sum(axis=1, dtype=np.uint32)
        return sums
    sums = values[::height].astype(np.uint32)
    for row in range(1, height):
        sums += values[row::height]
    return sums
