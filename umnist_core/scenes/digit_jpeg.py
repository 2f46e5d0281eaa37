"""The grey digits of a canvas, as they are or as they come out of a grey JPEG.

The JPEG is the last step of the released generator's digits.

That generator (transmuteAI/ultramnist, ``data_generation``) saves the canvas of grey digits as a
JPEG of quality 75, reads it again and only then cuts it by Otsu's threshold. Ringing and
quantisation push pixels near the threshold across it, so that cells of a middling grey break
into specks. The step belongs to what is in an image, because the threshold follows from it.

A grey JPEG is local to blocks of 8 x 8 px, which lie on the canvas's own grid. A block within one
cell of a digit decodes to one grey, and along a border between cells blocks repeat, so a digit of
any size has at most a few thousand different ones. They alone are coded, by OpenCV's codec, and
the digit is held on rows and columns that each stand for as many of the canvas as are alike. No
image is ever coded whole, and a canvas may be larger than a JPEG.

At the right and bottom edge of a canvas that is no multiple of 8 the codec repeats the last
column and row, and so do we. The way of the released generator to 8 bits (glyph / 255 in 32 bits,
times 255 in 64, cut off by Pillow) changes none of the 256 greys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box

BLOCK_PX = 8
"""Side of a block of JPEG (ITU-T T.81)."""

_MOSAIC_BLOCKS = 64
"""Blocks along a row of the picture in which they are coded."""

Greys = NDArray[np.uint8]
Places = NDArray[np.int64]


class PlacedGlyph(NamedTuple):
    """A glyph on the canvas.

    Attributes
    ----------
    pixels
        Its uint8 (cells, cells), as bytes, so that it can be compared and hashed.
    cells
        Pixels a side, each repeated ``side_px / cells`` times.
    row, col
        First pixel of its square, canvas frame.
    side_px
        Side of its square.
    """

    pixels: bytes
    cells: int
    row: int
    col: int
    side_px: int


@dataclass(frozen=True, eq=False)
class Written:
    """Greys on a grid of rows and columns of the canvas.

    Attributes
    ----------
    greys
        uint8 (R, C).
    rows, cols
        int64 (R + 1,) and (C + 1,), ascending: where each row and column begins on the canvas,
        and where the last one ends.
    """

    greys: Greys
    rows: Places
    cols: Places

    def histogram(self) -> NDArray[np.float64]:
        """Return how many canvas px have each grey; float64 (256,) of whole numbers."""
        heights, widths = np.diff(self.rows), np.diff(self.cols)
        single_rows, single_cols = heights == 1, widths == 1
        counts = np.zeros(256)
        wide = self.greys[:, ~single_cols]
        weights = heights[:, None] * widths[~single_cols]
        counts += np.bincount(wide.reshape(-1), weights.reshape(-1), minlength=256)
        narrow = self.greys[:, single_cols]
        tall = narrow[~single_rows]
        weights = np.broadcast_to(heights[~single_rows, None], tall.shape)
        counts += np.bincount(tall.reshape(-1), weights.reshape(-1), minlength=256)
        counts += np.bincount(narrow[single_rows].reshape(-1), minlength=256)
        return counts

    def count_above(self, threshold: int, canvas_box: Box) -> int:
        """Return how many canvas px in a box have a grey above a threshold."""
        heights = np.diff(np.clip(self.rows, canvas_box.row0, canvas_box.row1))
        widths = np.diff(np.clip(self.cols, canvas_box.col0, canvas_box.col1))
        return int(heights @ (self.greys > threshold).astype(np.int64) @ widths)

    @property
    def box(self) -> Box:
        """What the grid covers, canvas frame."""
        row0, row1 = self.rows[[0, -1]].tolist()
        col0, col1 = self.cols[[0, -1]].tolist()
        return Box(row0, col0, row1, col1)

    def window(self, canvas_box: Box) -> Greys:
        """Return the px of a box of the canvas, uint8 (height, width); 0 outside the grid."""
        rows = np.arange(canvas_box.row0, canvas_box.row1)
        cols = np.arange(canvas_box.col0, canvas_box.col1)
        row = np.searchsorted(self.rows, rows, side="right")
        col = np.searchsorted(self.cols, cols, side="right")
        padded = np.pad(self.greys, 1)  # places 0 and R + 1 are outside
        return padded[row[:, None], col]


@dataclass(frozen=True, eq=False)
class SharedBlock:
    """A block in which several digits have ink: coded together they are not what each is alone.

    Attributes
    ----------
    together
        What the codec makes of all of them.
    alone
        What it makes of each.
    """

    together: Written
    alone: tuple[Written, ...]


@dataclass(frozen=True, eq=False)
class WrittenDigits:
    """The digits of a canvas as the codec leaves them.

    Attributes
    ----------
    digits
        Each as it comes out alone, on the blocks that its ink meets; in the order given.
    shared
        Blocks in which that is not so. Digits have squares of their own, so these are few.
    """

    digits: tuple[Written, ...]
    shared: tuple[SharedBlock, ...]

    def histogram(self, height: int, width: int) -> NDArray[np.float64]:
        """Return how many px of the whole canvas have each grey; float64 (256,)."""
        counts = np.zeros(256)
        for one in self.digits:
            counts += one.histogram()
        for block in self.shared:
            counts += block.together.histogram()
            for one in block.alone:
                counts -= one.histogram()
        counts[0] += height * width - counts.sum()
        return counts


@lru_cache(maxsize=32)
def write_digits(
    placed: tuple[PlacedGlyph, ...], height: int, width: int, quality: int | None
) -> WrittenDigits:
    """Return the grey digits of a canvas, written as a grey JPEG and read again.

    Parameters
    ----------
    placed
        Digits whose squares do not overlap, on a black canvas.
    height, width
        Of the canvas, px.
    quality
        Of the JPEG, 1 to 100; None for digits that go through none.

    Returns
    -------
    WrittenDigits
        Equal, px for px, to the whole canvas written and read; read-only.
    """
    if quality is None:
        return WrittenDigits(tuple(_unwritten(glyph) for glyph in placed), ())
    plans = [_plan(glyph, height, width) for glyph in placed]
    blocks = [plan.varied_blocks() for plan in plans]
    shared = list(_iter_shared(plans, height, width))
    extra = [np.stack([block.together, *block.alone]) for block in shared]
    coded = iter(_code(blocks + extra, quality))
    flat = _flat_greys(quality)
    digits = tuple(plan.written(next(coded), flat) for plan in plans)
    return WrittenDigits(
        digits, tuple(block.written(next(coded), height, width) for block in shared)
    )


# -- the blocks of a digit --------------------------------------------------------


class _Axis(NamedTuple):
    """Blocks along one side of a digit; those that are alike and adjacent are one kind.

    Attributes
    ----------
    first_block
        Of the canvas.
    kind
        int64 (blocks,): the kind of each.
    cells
        int64 (kinds, 8): the glyph's cell under each px; ``count`` for none.
    is_flat
        bool (kinds,): whether all 8 px are of one cell.
    begins
        int64 (kinds + 1,): first px of each kind, canvas frame, and where the last one ends.
    """

    first_block: int
    kind: Places
    cells: Places
    is_flat: NDArray[np.bool_]
    begins: Places

    def places(self, canvas_px: int) -> tuple[Places, Places]:
        """Return which px of the kinds are told apart, and where on the canvas each begins.

        A kind that is flat along this axis has eight equal rows (or columns), in the file too:
        a cosine transform of equal rows is one row.
        """
        inner = np.arange(BLOCK_PX)
        begins = self.begins[:-1, None] + inner  # (kinds, 8)
        kept = (~self.is_flat[:, None] | (inner == 0)) & (begins < canvas_px)
        return np.flatnonzero(kept), np.append(begins[kept], min(self.begins[-1], canvas_px))


def _axis(start: int, repeat: int, inked: NDArray[np.bool_], canvas_px: int) -> _Axis:
    """Return the blocks that hold any of a side's cells with ink; ``start`` is that of cell 0."""
    count = len(inked)
    first_cell, last_cell = np.flatnonzero(inked)[[0, -1]] if inked.any() else (0, 0)
    first = (start + int(first_cell) * repeat) // BLOCK_PX
    last = (start + (int(last_cell) + 1) * repeat - 1) // BLOCK_PX
    begins = np.arange(first, last + 1) * BLOCK_PX

    def cells_at(px: Places) -> Places:
        cells = (np.minimum(px, canvas_px - 1) - start) // repeat
        return np.where((cells < 0) | (cells >= count), count, cells)

    # Cells ascend, so a block whose first and last px are of one cell is of that cell alone.
    low, high = cells_at(begins), cells_at(begins + (BLOCK_PX - 1))
    is_flat = low == high
    is_new = np.ones(len(begins), bool)
    is_new[1:] = ~(is_flat[1:] & is_flat[:-1]) | (low[1:] != low[:-1])
    distinct = begins[is_new]
    return _Axis(
        first,
        np.cumsum(is_new) - 1,
        cells_at(distinct[:, None] + np.arange(BLOCK_PX)),
        is_flat[is_new],
        np.append(distinct, begins[-1] + BLOCK_PX),
    )


@dataclass(frozen=True, eq=False)
class _BlockPlan:
    """A digit's blocks of every kind, before they are coded.

    Attributes
    ----------
    blocks
        uint8 (row kinds, 8, column kinds, 8).
    is_varied
        bool (row kinds, column kinds): whether a block has more than one grey.
    """

    rows: _Axis
    cols: _Axis
    blocks: Greys
    is_varied: NDArray[np.bool_]
    height: int
    width: int

    def varied_blocks(self) -> Greys:
        """Return the blocks that must be coded, uint8 (N, 8, 8)."""
        return self.blocks.swapaxes(1, 2)[self.is_varied]

    def block_at(self, row: int, col: int) -> Greys:
        """Return a block of the canvas, given by its number in either direction."""
        row_kind = self.rows.kind[row - self.rows.first_block]
        return self.blocks[row_kind, :, self.cols.kind[col - self.cols.first_block]]

    def span(self) -> tuple[int, int, int, int]:
        """Return first row and column of blocks, and those behind the last ones."""
        return (
            self.rows.first_block,
            self.cols.first_block,
            self.rows.first_block + len(self.rows.kind),
            self.cols.first_block + len(self.cols.kind),
        )

    def written(self, coded: Greys, flat: Greys) -> Written:
        """Put coded blocks in their places."""
        row_px, rows = self.rows.places(self.height)
        col_px, cols = self.cols.places(self.width)
        shape = self.blocks.shape
        picture = np.asarray(cv2.LUT(_flattened(self.blocks), flat), np.uint8)
        picture.reshape(shape).swapaxes(1, 2)[self.is_varied] = coded
        return _frozen(picture[row_px][:, col_px], rows, cols)


def _flattened(blocks: Greys) -> Greys:
    """Return blocks (R, 8, C, 8) as the picture (8 R, 8 C) that they are."""
    return blocks.reshape(blocks.shape[0] * BLOCK_PX, blocks.shape[2] * BLOCK_PX)


def _plan(glyph: PlacedGlyph, height: int, width: int) -> _BlockPlan:
    count, repeat = glyph.cells, glyph.side_px // glyph.cells
    cells = np.zeros((count + 1, count + 1), np.uint8)
    cells[:count, :count] = np.frombuffer(glyph.pixels, np.uint8).reshape(count, count)
    rows = _axis(glyph.row, repeat, np.any(cells[:count], axis=1), height)
    cols = _axis(glyph.col, repeat, np.any(cells[:, :count], axis=0), width)
    picture = cells[rows.cells.reshape(-1)][:, cols.cells.reshape(-1)]
    blocks = picture.reshape(len(rows.cells), BLOCK_PX, len(cols.cells), BLOCK_PX)
    is_varied = (blocks != blocks[:, :1, :, :1]).any(axis=(1, 3))
    return _BlockPlan(rows, cols, blocks, is_varied, height, width)


def _unwritten(glyph: PlacedGlyph) -> Written:
    count = glyph.cells
    pixels = np.frombuffer(glyph.pixels, np.uint8).reshape(count, count)
    lines = np.arange(count + 1, dtype=np.int64) * (glyph.side_px // count)
    return _frozen(pixels, glyph.row + lines, glyph.col + lines)


def _frozen(greys: Greys, rows: Places, cols: Places) -> Written:
    for array in (greys, rows, cols):
        array.setflags(write=False)
    return Written(greys, rows, cols)


# -- blocks of several digits -----------------------------------------------------


class _Shared(NamedTuple):
    row: int
    col: int
    together: Greys
    alone: tuple[Greys, ...]

    def written(self, coded: Greys, height: int, width: int) -> SharedBlock:
        """Return the block; ``coded`` has what is together first, then each alone."""
        inner = np.arange(BLOCK_PX + 1)
        rows = np.minimum(self.row * BLOCK_PX + inner, height)
        cols = np.minimum(self.col * BLOCK_PX + inner, width)
        together, *alone = (_frozen(one, rows, cols) for one in coded)
        return SharedBlock(together, tuple(alone))


def _iter_shared(plans: Sequence[_BlockPlan], height: int, width: int) -> Iterator[_Shared]:
    """Yield the blocks in which more than one digit has ink."""
    digits_at: dict[tuple[int, int], set[int]] = defaultdict(set)
    for place, plan in enumerate(plans):
        for other in range(place):
            for block in _common_blocks(plan.span(), plans[other].span()):
                digits_at[block] |= {place, other}
    for (row, col), digits in sorted(digits_at.items()):
        alone = tuple(plans[place].block_at(row, col) for place in sorted(digits))
        inked = tuple(block for block in alone if block.any())
        if len(inked) > 1:
            yield _Shared(row, col, np.maximum.reduce(inked), inked)


def _common_blocks(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> Iterator[tuple[int, int]]:
    row0, col0 = max(one[0], other[0]), max(one[1], other[1])
    row1, col1 = min(one[2], other[2]), min(one[3], other[3])
    yield from ((row, col) for row in range(row0, row1) for col in range(col0, col1))


# -- the codec --------------------------------------------------------------------


def _code(parts: Sequence[Greys], quality: int) -> list[Greys]:
    """Write and read blocks, each part uint8 (N, 8, 8), in one picture."""
    if not parts:
        return []
    ends = np.cumsum([len(part) for part in parts])
    return np.split(code_blocks(np.concatenate(parts), quality), ends[:-1])


def code_blocks(blocks: Greys, quality: int) -> Greys:
    """Write blocks as a grey JPEG and read them again.

    Parameters
    ----------
    blocks
        uint8 (N, 8, 8); a block's result does not depend on the others.
    quality
        1 to 100.

    Returns
    -------
    ndarray
        uint8 (N, 8, 8).
    """
    count = len(blocks)
    if count == 0:
        return blocks
    across = min(count, _MOSAIC_BLOCKS)
    down = -(-count // across)
    mosaic = np.zeros((down * across, BLOCK_PX, BLOCK_PX), np.uint8)
    mosaic[:count] = blocks
    tiled = mosaic.reshape(down, across, BLOCK_PX, BLOCK_PX).swapaxes(1, 2)
    picture = np.ascontiguousarray(tiled).reshape(down * BLOCK_PX, across * BLOCK_PX)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    back = read.reshape(down, BLOCK_PX, across, BLOCK_PX).swapaxes(1, 2)
    return back.reshape(-1, BLOCK_PX, BLOCK_PX)[:count]


@lru_cache(maxsize=8)
def _flat_greys(quality: int) -> Greys:
    """Return what the codec makes of a block of each grey, uint8 (256,)."""
    flat = np.arange(256, dtype=np.uint8)[:, None, None]
    coded = code_blocks(np.broadcast_to(flat, (256, BLOCK_PX, BLOCK_PX)), quality)
    return coded[:, 0, 0]
