"""From a scene to the places where its rows change colour.

Everything that is drawn is a region with straight or round edges. A canvas pixel
belongs to a region when its centre does, so along one row of pixels a region is a
set of spans, and an image is known once the columns are known at which each row
changes. Those columns are *crossings*; they come from whole-number arithmetic on
the scene alone, never on the window that is drawn, which is why a window equals the
same crop of the whole, and why pixels do not depend on the machine.

Crossings of one `Grid` are int64 keys ``row * grid.stride + column`` in the frame of
the grid, ``0 <= column <= grid.width``; a column equal to the width changes nothing
that is drawn. Every row holds an even number of them, so a row starts and ends in the
state that it has outside all regions. Keys may repeat (two changes undo each other)
and are in no order.

A new kind of shape yields `_Spans`; shapes are united before they invert the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.geometry import Box
from umnist_core.giving_up import go_on
from umnist_core.scenes.digit_jpeg import Places, WrittenDigits
from umnist_core.scenes.scene import SUBPIXELS, Checkerboard, Scene
from umnist_core.scenes.shapes import Circle, Polygon, Shape
from umnist_core.scenes.ultramnist import written_digits

Keys = NDArray[np.int64]

SLOPE_BITS = 20
"""Extra binary places of a slope, beyond those of `SUBPIXELS`: over the largest canvas
(2**18 rows) the error of a slope moves an edge by less than 2**-2 subpixels."""

UNIT = SUBPIXELS << SLOPE_BITS
"""Steps of the columns of edges to a canvas pixel."""


@dataclass(frozen=True)
class Grid:
    """The canvas rows and columns that are looked at.

    Attributes
    ----------
    rows
        int64 (height,), ascending canvas rows.
    col0, col_step, width
        Canvas columns ``col0 + i * col_step`` for ``0 <= i < width``.
    canvas_width
        Where the canvas ends; the last column looked at lies inside it even when
        ``col0 + (width - 1) * col_step`` does not.
    """

    rows: NDArray[np.int64]
    col0: int
    col_step: int
    width: int
    canvas_width: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def first_col(self) -> int:
        """The first canvas column that is looked at."""
        return min(self.col0, self.canvas_width - 1)

    @property
    def last_col(self) -> int:
        """The last canvas column that is looked at, or one left of the next that would be."""
        return min(self.canvas_width, self.col0 + self.width * self.col_step) - 1

    @property
    def canvas_cols(self) -> NDArray[np.int64]:
        """Each canvas column that is looked at, int64 (width,), ascending."""
        cols = self.col0 + np.arange(self.width, dtype=np.int64) * self.col_step
        return np.minimum(cols, self.canvas_width - 1)

    @cached_property
    def stride(self) -> int:
        """Keys per row: a multiple of 64 above the width, so that a row fills whole words."""
        return (self.width // 64 + 1) * 64

    def columns_from_canvas(self, canvas_cols: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for each canvas column, how many columns of the grid lie left of it."""
        cols = canvas_cols - self.col0
        if self.col_step > 1:
            cols = -(-cols // self.col_step)
            cols[canvas_cols >= self.canvas_width] = self.width
        return np.clip(cols, 0, self.width, out=cols)


def every_pixel_grid(window: Box, canvas: Box) -> Grid:
    """Return the grid of all pixels of a window of the canvas."""
    rows = np.arange(window.row0, window.row1, dtype=np.int64)
    return Grid(rows, window.col0, 1, window.width, canvas.width)


def nearest_grid(level_box: Box, reduction: int, canvas: Box) -> Grid:
    """Return the grid of the canvas pixels at the centres of a level's pixels."""
    rows = np.arange(level_box.row0, level_box.row1, dtype=np.int64) * reduction + reduction // 2
    np.minimum(rows, canvas.height - 1, out=rows)
    col0 = level_box.col0 * reduction + reduction // 2
    return Grid(rows, col0, reduction, level_box.width, canvas.width)


class Edges(NamedTuple):
    """Straight edges; between ``begin`` and ``end`` (canvas rows) each crosses every row once.

    ``x`` is the crossing at row ``begin`` and ``slope`` its change per row, in units of
    ``1 / UNIT`` px, measured from pixel centres: the first pixel right of a crossing is
    ``ceil(x / UNIT)``.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    x: NDArray[np.int64]
    slope: NDArray[np.int64]


class _Spans(NamedTuple):
    first: Keys
    end: Keys


def edges_between(row0: Keys, col0: Keys, row1: Keys, col1: Keys) -> Edges:
    """Return the edges between two sets of points, in 1/`SUBPIXELS` px, canvas frame."""
    down = row0 <= row1
    top, bottom = np.where(down, row0, row1), np.where(down, row1, row0)
    left, right = np.where(down, col0, col1), np.where(down, col1, col0)
    half = SUBPIXELS // 2
    begin, end = -((half - top) // SUBPIXELS), -((half - bottom) // SUBPIXELS)
    rise, run = np.maximum(bottom - top, 1), right - left
    whole, rest = np.divmod(run * (begin * SUBPIXELS + half - top), rise)
    x = ((left - half + whole) << SLOPE_BITS) + (rest << SLOPE_BITS) // rise
    # In parts, because run * UNIT would not fit 64 bits on the largest canvas.
    whole, rest = np.divmod(run * SUBPIXELS, rise)
    slope = (whole << SLOPE_BITS) + (rest << SLOPE_BITS) // rise
    return Edges(begin, end, x, slope)


def find_crossings(edges: Edges, grid: Grid) -> Keys:
    """Return the crossings of edges with the rows of a grid."""
    first = np.searchsorted(grid.rows, edges.begin)
    last = np.searchsorted(grid.rows, edges.end)
    keep = last > first
    begin, x, slope = edges.begin[keep], edges.x[keep], edges.slope[keep]
    first, last = first[keep], last[keep]
    # Edges that stay left or right of the grid differ from none only by the parity of
    # their number in a row: one crossing at the border stands for all of them.
    x_first = x + slope * (grid.rows[first] - begin)
    x_last = x + slope * (grid.rows[last - 1] - begin)
    left = np.maximum(x_first, x_last) <= grid.first_col * UNIT
    right = np.minimum(x_first, x_last) > grid.last_col * UNIT
    inside = ~(left | right)
    keys = [
        _border_keys(first[left], last[left], grid, 0),
        _border_keys(first[right], last[right], grid, grid.width),
    ]
    first, last = first[inside], last[inside]
    counts = last - first
    starts = np.cumsum(counts) - counts
    row = np.arange(counts.sum()) + np.repeat(first - starts, counts)
    # x at row r is x + slope * (r - begin); the part without r is taken out of the loop.
    at_zero = x[inside] - slope[inside] * begin[inside]
    cols = np.repeat(slope[inside], counts)
    cols *= grid.rows[row]
    cols += np.repeat(at_zero + (UNIT - 1), counts)
    cols >>= SLOPE_BITS + SUBPIXELS.bit_length() - 1
    keys.append(row * grid.stride + grid.columns_from_canvas(cols))
    return np.concatenate(keys)


def _border_keys(first: NDArray[np.int64], last: NDArray[np.int64], grid: Grid, col: int) -> Keys:
    changes = np.bincount(first, minlength=grid.height + 1)
    changes += np.bincount(last, minlength=grid.height + 1)
    odd = np.flatnonzero(np.cumsum(changes[:-1]) & 1)
    return odd * grid.stride + col


# -- the parts of a scene ----------------------------------------------------------


def find_digit_crossings(scene: Scene, glyphs: GlyphSet, grid: Grid) -> Keys:
    """Return the crossings of the ink of all digits."""
    return find_crossings(_ink_edges(written_digits(scene, glyphs), scene.ink_threshold), grid)


@lru_cache(maxsize=32)
def _ink_edges(written: WrittenDigits, threshold: int) -> Edges:
    """Return the vertical edges of all ink; its horizontal ones cross no row.

    Kept, because every tile of a scene asks for them.
    """
    pictures = [(one.greys > threshold, one.rows, one.cols) for one in written.digits]
    for block in written.shared:  # what is drawn of it must be together, and not each alone
        ink = block.together.greys > threshold
        for one in block.alone:
            ink = ink ^ (one.greys > threshold)
        pictures.append((ink, block.together.rows, block.together.cols))
    parts = [_picture_edges(*picture) for picture in pictures]
    if not parts:
        nothing = np.empty(0, np.int64)
        return Edges(nothing, nothing, nothing, nothing)
    return Edges(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _picture_edges(ink: NDArray[np.bool_], rows: Places, cols: Places) -> Edges:
    """Return the vertical edges of bool (R, C) whose rows and columns begin where they say."""
    padded = np.zeros((len(ink) + 2, ink.shape[1] + 2), bool)
    padded[1:-1, 1:-1] = ink
    # Column by column, so that runs of rows with an edge are found as pairs of changes.
    changes = np.ascontiguousarray((padded[:, 1:] != padded[:, :-1]).T)
    col, turn = np.nonzero(changes[:, 1:] != changes[:, :-1])
    begin, end = rows[turn[0::2]], rows[turn[1::2]]
    return Edges(begin, end, cols[col[0::2]] * UNIT, np.zeros(len(begin), np.int64))


def find_ground_crossings(scene: Scene, grid: Grid) -> Keys:
    """Return the crossings of the ground: the checkerboard, inverted by the union of shapes."""
    parts = [_unite([_shape_spans(shape, grid) for shape in scene.shapes])]
    if scene.checkerboard is not None:
        parts.append(find_crossings(checkerboard_edges(scene.checkerboard), grid))
    return np.concatenate(parts)


def checkerboard_edges(board: Checkerboard) -> Edges:
    """Return the edges between cells of different colour, and those against the black outside.

    The edge between two equal cells would cross every row twice at the same column, so
    leaving it out changes nothing.
    """
    size = board.size
    cells = np.zeros((size + 2, size + 2), np.uint8)
    bits = np.frombuffer("".join(board.cells).encode(), np.uint8).reshape(size, size)
    cells[1:-1, 1:-1] = bits - ord("0")
    down_i, down_j = np.nonzero(cells[1:-1, 1:] != cells[1:-1, :-1])  # corner (i, j) to (i + 1, j)
    right_i, right_j = np.nonzero(cells[1:, 1:-1] != cells[:-1, 1:-1])  # (i, j) to (i, j + 1)
    i0, j0 = np.concatenate([down_i, right_i]), np.concatenate([down_j, right_j])
    i1, j1 = np.concatenate([down_i + 1, right_i]), np.concatenate([down_j, right_j + 1])
    (row_down, col_down), (row_right, col_right) = board.step_down, board.step_right
    row, col = board.origin
    return edges_between(
        row + i0 * row_down + j0 * row_right,
        col + i0 * col_down + j0 * col_right,
        row + i1 * row_down + j1 * row_right,
        col + i1 * col_down + j1 * col_right,
    )


def _shape_spans(shape: Shape, grid: Grid) -> _Spans:
    go_on()
    if isinstance(shape, Circle):
        return _circle_spans(shape, grid)
    assert isinstance(shape, Polygon)
    return _polygon_spans(shape, grid)


def _circle_spans(circle: Circle, grid: Grid) -> _Spans:
    """Return the spans of the pixels whose centre is at most the radius from the centre.

    In half pixels, where centres are odd and everything is whole: |2c + 1 - 2 col| <= q.
    """
    first, last = np.searchsorted(
        grid.rows, [circle.row - circle.radius_px, circle.row + circle.radius_px]
    )
    rows = np.arange(first, last)
    rise = 2 * (grid.rows[first:last] - circle.row) + 1
    # The square root is exact enough to be floored: its argument is below 2**52.
    reach = np.sqrt(4.0 * circle.radius_px**2 - rise**2).astype(np.int64)
    begin = -((reach + 1 - 2 * circle.col) // 2)
    end = (2 * circle.col - 1 + reach) // 2 + 1
    row_keys = rows * grid.stride
    return _Spans(
        row_keys + grid.columns_from_canvas(begin), row_keys + grid.columns_from_canvas(end)
    )


def polygon_edges(polygon: Polygon) -> Edges:
    """Return the edges of a polygon, which is convex: two of them cross each of its rows."""
    corners = np.array(polygon.points, np.int64) * SUBPIXELS
    following = np.roll(corners, -1, axis=0)
    return edges_between(corners[:, 0], corners[:, 1], following[:, 0], following[:, 1])


def _polygon_spans(polygon: Polygon, grid: Grid) -> _Spans:
    # Two keys in each row: sorted, they are pairs.
    keys = np.sort(find_crossings(polygon_edges(polygon), grid))
    return _Spans(keys[0::2], keys[1::2])


def _unite(spans: list[_Spans]) -> Keys:
    """Return the crossings of the union of spans."""
    if not spans:
        return np.empty(0, np.int64)
    # Twice the key, plus one for an end: at the same column a span begins before one ends.
    firsts, ends = ([*column] for column in zip(*spans, strict=True))
    marks = np.concatenate([np.concatenate(firsts) * 2, np.concatenate(ends) * 2 + 1])
    marks.sort()
    is_end = marks & 1
    depth = np.cumsum(1 - 2 * is_end)
    kept: Keys = marks[depth == 1 - is_end] >> 1
    return kept
