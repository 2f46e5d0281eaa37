"""Edges and corners of stretches of a level, a pixel to a bit: `edge_levels`, eight at a time.

A stretch is read and packed once for all levels that seek their edges on the same base level,
and windows are spread out to numbers only where there is something to look at. What comes out
is what passing over every pixel finds, by test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.own.edge_levels import (
    go_on,
    inside_of,
    read_grey,
    run_length,
    sides_of,
)
from umnist_core.pyramid import TileSource

WINDOW_PX = 128
"""Level px a side of what the net of places sees at once."""

CELL_PX = 16
"""Level px a side in which corners are counted."""

STRETCH_PX = 4096
"""Px of the base level that are held at once: an image of the usual size is one stretch."""

EDGE_HALO_PX = 24
"""Px of the base level about a box that its runs and corners may need, in whole bytes."""

AROUND_PX = 288
"""Px of the base level about a stretch: 32 px of the level, of at most 8 each, and
`EDGE_HALO_PX`; with both sides in whole words."""

TILE_PX = 64
"""Level px a side that one window speaks of."""

_WORD_PX = 64

_STEP_PX = 512
"""Stretches end at multiples of this, so that those of several levels are the same."""

Words = NDArray[np.uint64]
"""uint64 (H, W / 64): 64 px each, the first in the lowest bit."""

_Move = Callable[[Words, int], Words]


@dataclass(frozen=True)
class EdgePlanes:
    """Long edges and corners of a box of a level.

    Attributes
    ----------
    packed
        uint8 (4, H, W / 8), 8 px of the base level to a byte, the first in the lowest bit: edges
        between rows, edges between columns, and corners of both kinds.
    ratio
        Px of the base level to a level px: 1, 2, 4 or 8.
    """

    packed: NDArray[np.uint8]
    ratio: int

    def cell_counts(self) -> NDArray[np.float32]:
        """Return how many level px with corners of each kind are in each 16 x 16 of them.

        Returns
        -------
        ndarray
            float32 (2, H / (16 ratio), W / (16 ratio)).
        """
        ratio, corners = self.ratio, self.packed[2:]
        _, rows, row_bytes = corners.shape
        joined = np.bitwise_or.reduce(
            corners.reshape(2, rows // ratio, ratio, row_bytes), axis=2
        )  # a level px has a corner where any of its px has
        step = 4
        while step:
            if step < ratio:
                joined |= joined >> np.uint8(step)
            step //= 2
        has_one = np.bitwise_count(joined & np.uint8(_FIRST_BITS[ratio]))
        high, wide = rows // ratio // CELL_PX, row_bytes // (2 * ratio)
        in_rows = np.add.reduce(
            has_one.reshape(2, high, CELL_PX, row_bytes), axis=2, dtype=np.uint8
        )  # at most 8 a byte of 16 rows
        cells = in_rows.reshape(2, high, wide, 2 * ratio)
        counts: NDArray[np.float32] = cells.sum(axis=3, dtype=np.float32)
        return counts

    def windows(self, corners: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """Return windows of `WINDOW_PX`.

        Parameters
        ----------
        corners
            First row and column of each, level px of the box, columns in multiples of 8.

        Returns
        -------
        ndarray
            float32 (B, 4, 128, 128), as `level_edges` has them.
        """
        ratio, side = self.ratio, WINDOW_PX * self.ratio
        held = np.empty((len(corners), 4, side, side // 8), np.uint8)
        for place, (row, col) in enumerate(corners):
            first = col * ratio // 8
            rows = slice(row * ratio, row * ratio + side)
            held[place] = self.packed[:, rows, first : first + side // 8]
        return _spread(held, ratio)

    def edges(self) -> NDArray[np.float32]:
        """Return the whole box, float32 (4, H / ratio, W / ratio), as `level_edges` has it."""
        shown: NDArray[np.float32] = _spread(self.packed[None], self.ratio)[0]
        return shown


_FIRST_BITS = {1: 0xFF, 2: 0x55, 4: 0x11, 8: 0x01}
"""Of a byte, the first bit of each level px."""


def _spread(packed: NDArray[np.uint8], ratio: int) -> NDArray[np.float32]:
    """Return numbers of (B, 4, H, W / 8) bits: (B, 4, H / ratio, W / ratio), all at most 1."""
    batch, planes, rows, row_bytes = packed.shape
    if ratio == 1:
        return np.unpackbits(packed, axis=-1, bitorder="little").astype(np.float32)
    fields = np.empty((batch, planes, rows, row_bytes, 8 // ratio), np.uint8)
    for place in range(8 // ratio):
        mask = np.uint8(((1 << ratio) - 1) << (place * ratio))
        np.bitwise_count(packed & mask, out=fields[..., place])
    whole = fields.reshape(batch, planes, rows // ratio, ratio, row_bytes * 8 // ratio)
    counts = np.add.reduce(whole, axis=3, dtype=np.uint8).astype(np.float32)
    counts[:, :2] /= ratio
    shown: NDArray[np.float32] = np.minimum(counts, 1.0, out=counts)
    return shown


def read_words(source: TileSource, level_box: Box, reduction: int) -> Words:
    """Read a box as words, 64 px of `edge_levels.read_bits` to each; its width is a multiple of 64.

    What is in the level is packed first and goes on outside of it in bytes, an eighth of the
    memory.
    """
    inside = inside_of(source, level_box, reduction)
    if inside.is_empty:
        return np.zeros((level_box.height, level_box.width // _WORD_PX), np.uint64)
    above, below, left, right = sides_of(inside, level_box)
    pixels = go_on(read_grey(source, inside, reduction), 0, 0, left % 8, right % 8)
    if reduction > 1 or not source.is_black_and_white:  # else each is 0 or 255
        pixels = pixels >> np.uint8(7)
    held = np.empty((level_box.height, level_box.width // 8), np.uint8)
    rows, cols = slice(above, len(held) - below), slice(left // 8, held.shape[1] - right // 8)
    held[rows, cols] = np.packbits(pixels, axis=1, bitorder="little")
    held[rows, : cols.start] = (held[rows, cols.start] & 1)[:, None] * np.uint8(0xFF)
    held[rows, cols.stop :] = (held[rows, cols.stop - 1] >> 7)[:, None] * np.uint8(0xFF)
    held[:above], held[rows.stop :] = held[above], held[rows.stop - 1]
    return _as_words(held)


def _as_words(packed: NDArray[np.uint8]) -> Words:
    words: Words = packed.view("<u8").astype(np.uint64, copy=False)
    return words


class EdgeWords:
    """Edges and corners of packed pixels; what lies at their border is not to be used.

    Levels that seek their edges on the same base level have them in common, and so are the first
    halvings of the runs that each keeps.

    Parameters
    ----------
    words
        Of `read_words`.
    """

    def __init__(self, words: Words) -> None:
        before = _earlier(words, 1)  # each pixel's left neighbour
        rows, cols = np.zeros_like(words), words ^ before
        np.bitwise_xor(words[1:], words[:-1], out=rows[1:])
        other_diagonal = words[:-1] ^ before[1:]
        odd = before[:-1] ^ words[1:] ^ other_diagonal
        self._kinds = [np.zeros_like(words), np.zeros_like(words)]
        np.bitwise_and(odd, other_diagonal, out=self._kinds[1][1:])
        np.bitwise_xor(odd, self._kinds[1][1:], out=self._kinds[0][1:])
        self._rows, self._cols = _Runs(rows, _later, _earlier), _Runs(cols, _up, _down)

    def planes(self, run_px: int) -> list[Words]:
        """Return edges between rows, edges between columns, and corners of both kinds.

        Parameters
        ----------
        run_px
            Px of the shortest run that counts, 1 to 8.
        """
        rows, cols = self._rows.at_least(run_px), self._cols.at_least(run_px)
        kinds = self._kinds
        if run_px > 1:
            turns = (rows | _earlier(rows, 1)) & (cols | _down(cols, 1))
            kinds = [kind & turns for kind in kinds]  # of runs of 1 px, all corners
        return [rows, cols, *kinds]


class _Runs:
    """The runs of some edges: an opening by a line, done by doubling, whose halves are kept."""

    def __init__(self, edges: Words, ahead: _Move, back: _Move) -> None:
        self._starts = {1: edges}
        self._ahead, self._back = ahead, back

    def at_least(self, run_px: int) -> Words:
        joined, done = self._starts_of(run_px), 1
        while done < run_px:
            step = min(done, run_px - done)
            joined = joined | self._back(joined, step)
            done += step
        return joined

    def _starts_of(self, run_px: int) -> Words:
        """Return where so long a run begins."""
        if run_px not in self._starts:
            half = 1 << (run_px - 1).bit_length() - 1  # the largest power of 2 below it
            joined = self._starts_of(half)
            self._starts[run_px] = joined & self._ahead(joined, run_px - half)
        return self._starts[run_px]


def _later(words: Words, px: int) -> Words:
    """Move each row's pixels ``px`` to the left, 1 to 63: each place has what came later."""
    moved = words >> np.uint64(px)
    moved[:, :-1] |= words[:, 1:] << np.uint64(64 - px)
    return moved


def _earlier(words: Words, px: int) -> Words:
    moved = words << np.uint64(px)
    moved[:, 1:] |= words[:, :-1] >> np.uint64(64 - px)
    return moved


def _up(words: Words, px: int) -> Words:
    moved = np.zeros_like(words)
    moved[:-px] = words[px:]
    return moved


def _down(words: Words, px: int) -> Words:
    moved = np.zeros_like(words)
    moved[px:] = words[:-px]
    return moved


class PackedLevels:
    """The levels of an image, in bits; what was packed last is held, for the next level.

    Parameters
    ----------
    source
        The image.
    scale
        Px of it to a px of the image that somebody asked about, down and across.
    """

    def __init__(self, source: TileSource, scale: tuple[float, float] = (1.0, 1.0)) -> None:
        self.source, self.scale = source, scale
        self.height, self.width = source.height, source.width
        self._held: tuple[tuple[int, Box], EdgeWords] | None = None

    def stretches(self, level: int) -> Iterator[Box]:
        """Yield the parts of a level that are held at once, in level px.

        Their sides are multiples of 64 px, so the last ones may reach out of the level.
        """
        side = STRETCH_PX // run_length(level)[1]
        height, width = (reduced_size_px(n, 1 << level) for n in (self.height, self.width))
        for row in range(0, height, side):
            for col in range(0, width, side):
                rows = _up_to(min(side, height - row), TILE_PX)
                yield Box.from_size(row, col, rows, _up_to(min(side, width - col), TILE_PX))

    def planes(self, level: int, stretch: Box, halo_px: int) -> EdgePlanes:
        """Return the planes of a stretch and of what is about it.

        Parameters
        ----------
        level, stretch
            As of `stretches`.
        halo_px
            Level px about it, a multiple of 8 and at most 32.
        """
        base, ratio, run_px = run_length(level)
        row0, col0 = stretch.row0 * ratio, stretch.col0 * ratio
        sides = (reduced_size_px(side, 1 << base) for side in (self.height, self.width))
        rows, cols = (
            _up_to(min(STRETCH_PX, side - first), _STEP_PX)
            for side, first in zip(sides, (row0, col0), strict=True)
        )
        around = Box(
            row0 - AROUND_PX, col0 - AROUND_PX, row0 + rows + AROUND_PX, col0 + cols + AROUND_PX
        )
        first = AROUND_PX - halo_px * ratio
        size = (stretch.height + 2 * halo_px) * ratio, (stretch.width + 2 * halo_px) * ratio
        return _cut_planes(self._words(base, around), (ratio, run_px), first, size)

    def _words(self, base: int, box: Box) -> EdgeWords:
        if self._held is None or self._held[0] != (base, box):
            self._held = None  # before the next is there
            self._held = (base, box), EdgeWords(read_words(self.source, box, 1 << base))
        return self._held[1]


def level_edges(source: TileSource, level: int, level_box: Box) -> NDArray[np.float32]:
    """Return what a box of a level shows of digits.

    Parameters
    ----------
    source
        The image.
    level
        0 or more; its reduction is 2**level.
    level_box
        In the frame of the level, its width a multiple of 8; it may reach out of it.

    Returns
    -------
    ndarray
        float32 (4, level_box.height, level_box.width): px of long edges between rows and
        between columns over the side of a level px, and corners of such edges of both kinds,
        all at most 1.
    """
    return box_planes(source, level, level_box).edges()


def box_planes(source: TileSource, level: int, level_box: Box) -> EdgePlanes:
    """Return the planes of a box; arguments as of `level_edges`."""
    base, ratio, run_px = run_length(level)
    ends = (level_box.row0, level_box.col0, level_box.row1, level_box.col1)
    row0, col0, row1, col1 = (end * ratio for end in ends)
    cols = _up_to(col1 - col0 + 2 * EDGE_HALO_PX, _WORD_PX)
    box = Box.from_size(
        row0 - EDGE_HALO_PX, col0 - EDGE_HALO_PX, row1 - row0 + 2 * EDGE_HALO_PX, cols
    )
    words = EdgeWords(read_words(source, box, 1 << base))
    return _cut_planes(words, (ratio, run_px), EDGE_HALO_PX, (row1 - row0, col1 - col0))


def _cut_planes(
    words: EdgeWords, lengths: tuple[int, int], first_px: int, size: tuple[int, int]
) -> EdgePlanes:
    """Return the planes of packed pixels, from a row and column on."""
    ratio, run_px = lengths
    rows = slice(first_px, first_px + size[0])
    cols = slice(first_px // 8, (first_px + size[1]) // 8)
    planes = [_bytes(one)[rows, cols] for one in words.planes(run_px)]
    return EdgePlanes(np.stack(planes), ratio)


def _bytes(words: Words) -> NDArray[np.uint8]:
    return words.astype("<u8", copy=False).view(np.uint8)


def _up_to(size_px: int, step_px: int) -> int:
    return -(-size_px // step_px) * step_px
