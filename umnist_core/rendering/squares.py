"""Scenes that are grey squares on one ground: any box of any level, from their places alone.

What the pixels of a square do to those under it is each kind's own (`Squares.draw`): they hide them
(`umnist_core.rendering.patches`) or are added to them (`umnist_core.rendering.added`). Here is what
they have in common: `mean_blocks_of_squares` draws pieces of the canvas and skips those without a
square, so that its memory and time grow with what is drawn and not with the canvas.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box, canvas_box_from_level_box

MID_GREY = 128
"""The ground of the layer ``digits``."""

PIECE_PX = 512
"""Longest side of a piece of the canvas that is held while blocks are averaged."""

_FEW_ROWS = 12
"""Up to here adding rows one after another is faster than NumPy's sum over an axis."""


@dataclass(frozen=True)
class Squares(ABC):
    """Squares in the order of drawing.

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
        Grey where there is none.
    """

    pictures: NDArray[np.uint8]
    which: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    sides_px: NDArray[np.int64]
    ground: int

    @abstractmethod
    def draw(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Draw some rows and columns of the canvas.

        Parameters
        ----------
        rows, cols
            int64, ascending: the rows and columns of the canvas that are looked at.

        Returns
        -------
        ndarray
            uint8 (len(rows), len(cols)).
        """

    def chosen(self, squares: NDArray[Any]) -> Self:
        """Return some of them, by a mask or by their places."""
        return replace(
            self,
            which=self.which[squares],
            rows=self.rows[squares],
            cols=self.cols[squares],
            sides_px=self.sides_px[squares],
        )

    def meeting_rows(self, begin: int, end: int) -> Self:
        """Return those that reach into some rows of the canvas."""
        return self.chosen((self.rows + self.sides_px > begin) & (self.rows < end))

    def iter_met(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Iterator[Met]:
        """Yield those that reach into some rows and columns of the canvas."""
        top, bottom = np.searchsorted(rows, [self.rows, self.rows + self.sides_px])
        left, right = np.searchsorted(cols, [self.cols, self.cols + self.sides_px])
        met = np.flatnonzero((top < bottom) & (left < right))
        squares = np.stack([self.which, self.rows, self.cols, self.sides_px])[:, met]
        spans = np.stack([top, bottom, left, right])[:, met]
        for place, (which, row, col, side_px), (row0, row1, col0, col1) in zip(
            met.tolist(), squares.T.tolist(), spans.T.tolist(), strict=True
        ):
            yield Met(which, row, col, side_px, place, slice(row0, row1), slice(col0, col1))


class Met(NamedTuple):
    """A square that some rows and columns of the canvas meet.

    Attributes
    ----------
    which, row, col, side_px
        Its picture, its first pixel and its side.
    place
        Which of the squares it is.
    rows, cols
        Which of those rows and columns lie in it.
    """

    which: int
    row: int
    col: int
    side_px: int
    place: int
    rows: slice
    cols: slice


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
        """Behind its last row or column; behind the edge of the canvas there is no square."""
        return self.begin + self.blocks * self.block_px

    @property
    def places(self) -> NDArray[np.int64]:
        """Its rows or columns."""
        return np.arange(self.begin, self.end, dtype=np.int64)


def mean_blocks_of_squares(
    squares: Squares, level_box: Box, reduction: int, canvas: Box
) -> NDArray[np.uint8]:
    """Return the mean of each block of the canvas, rounded half up.

    Parameters
    ----------
    squares
        In the order of drawing.
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
        sums = _sum_blocks(squares, parts, columns, level_box.width)
        rest = window.row1 - window.row0 - reduction * np.arange(block, block + len(sums))
        area = np.minimum(reduction, rest)[:, None] * widths
        sums += squares.ground * area
        # Doubles hold these whole numbers exactly (a sum is below 2**8 * reduction**2 < 2**53),
        # and a quotient that is not whole is too far from the next whole number to round to it.
        means[block : block + len(sums)] = (2 * sums + area) / (2 * area)
    return means


def _sum_blocks(
    squares: Squares, parts: list[_Piece], columns: list[_Piece], width: int
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
        inside = squares.meeting_rows(rows.begin, rows.end)
        for cols in _find_met(inside, columns):
            pixels = inside.draw(rows.places, cols.places)
            block_sums = _sum_down(_sum_down(pixels, rows.block_px).T, cols.block_px).T
            ground = squares.ground * rows.block_px * cols.block_px
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


def _find_met(squares: Squares, columns: list[_Piece]) -> list[_Piece]:
    """Return the pieces of columns that squares reach into, and perhaps the last."""
    begins = np.array([piece.begin for piece in columns])
    first = np.searchsorted(begins, squares.cols, side="right") - 1
    behind = np.searchsorted(begins, squares.cols + squares.sides_px)
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
