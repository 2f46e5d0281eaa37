"""What a level of the pyramid shows of digits: long axis-parallel edges, and where they turn.

Digits are enlarged by repeating pixels, so a digit of factor k has edges along rows and
columns alone, each a whole number of k px long, while checkerboards, triangles and circles
meet rows and columns in steps of one px. An edge is where two neighbouring pixels differ,
so inverting the image changes nothing: edges of an XOR are the XOR of the edges.

Level l sees digits of 28 to 55 level px, that is of factor 2**l to 2**(l + 1) - 1 (and those
of 14 px on level 0). It keeps the edges that run straight for at least 2**l px. To bound
time and memory these are sought at most `BASE_DOUBLINGS` levels below.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.pyramid import TileSource

CHANNELS = 4
"""Edges between rows, edges between columns, and corners of both kinds."""

BASE_DOUBLINGS = 3
"""An edge of level l is sought at level l - 3, where it is 8 px long or more."""

SLACK_PX = 1
"""On a reduced level an edge may lose a pixel at its ends."""

Bits = NDArray[np.uint8]
"""Array of 0 and 1."""


def level_count(height: int, width: int) -> int:
    """Return how many levels an image has on which a digit of 28 px or more may stand."""
    return max(1, (min(height, width) // GLYPH_PX).bit_length())


class BitSquare:
    """A box of a level in bits, which are made of its pixels where they are asked for.

    Parameters
    ----------
    pixels
        uint8 (H, W).
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, where: Any) -> Bits:
        bits: Bits = self._pixels[where] >> np.uint8(7)
        return bits


def read_bits(source: TileSource, level_box: Box, reduction: int) -> Bits:
    """Read a box that may reach out of the level; the pixels at its border go on outside.

    Returns
    -------
    ndarray
        uint8 (level_box.height, level_box.width), 1 where the mean of the channels is
        128 or more.
    """
    return read_square(source, level_box, reduction)[:]


def read_square(source: TileSource, level_box: Box, reduction: int) -> BitSquare:
    """Read a box as `read_bits` does, of which only parts may be looked at."""
    inside = inside_of(source, level_box, reduction)
    if inside.is_empty:
        return BitSquare(np.zeros((level_box.height, level_box.width), np.uint8))
    return BitSquare(go_on(read_grey(source, inside, reduction), *sides_of(inside, level_box)))


def inside_of(source: TileSource, level_box: Box, reduction: int) -> Box:
    """Return what of a box lies in the level."""
    sides = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    return level_box.intersection(Box(0, 0, *sides))


def read_grey(source: TileSource, inside: Box, reduction: int) -> NDArray[np.uint8]:
    """Read a box of a level, uint8 (H, W): the mean of the channels."""
    pixels = source.read_region(inside, reduction)
    return pixels if pixels.ndim == 2 else pixels.mean(axis=2).astype(np.uint8)


def sides_of(inside: Box, level_box: Box) -> tuple[int, int, int, int]:
    """Return how far a box goes on above, below, left and right of what is in it."""
    return (
        inside.row0 - level_box.row0,
        level_box.row1 - inside.row1,
        inside.col0 - level_box.col0,
        level_box.col1 - inside.col1,
    )


def go_on(
    pixels: NDArray[np.uint8], above: int, below: int, left: int, right: int
) -> NDArray[np.uint8]:
    """Repeat the pixels at the border."""
    if not (above or below or left or right):
        return pixels
    around = (above, below, left, right)
    return np.asarray(cv2.copyMakeBorder(pixels, *around, cv2.BORDER_REPLICATE), np.uint8)


def row_edges(bits: Bits) -> Bits:
    """Return where a pixel differs from the one above it; uint8 (H, W), row 0 is all 0."""
    edges = np.zeros_like(bits)
    np.bitwise_xor(bits[1:], bits[:-1], out=edges[1:])
    return edges


def col_edges(bits: Bits) -> Bits:
    """Return where a pixel differs from the one to its left; uint8 (H, W), column 0 is all 0."""
    edges = np.zeros_like(bits)
    np.bitwise_xor(bits[:, 1:], bits[:, :-1], out=edges[:, 1:])
    return edges


def long_runs(edges: Bits, length_px: int, *, along_rows: bool) -> Bits:
    """Keep of edges the straight runs of at least ``length_px``.

    An opening by a line, done by doubling: as quick as reading the array a few times.
    """
    if length_px <= 1:
        return edges
    axis = 1 if along_rows else 0
    starts = _double(edges, length_px, np.bitwise_and, axis, ahead=True)
    return _double(starts, length_px, np.bitwise_or, axis, ahead=False)


def _double(bits: Bits, length: int, join: Any, axis: int, *, ahead: bool) -> Bits:
    """Join each entry with the ``length - 1`` after it (0 beyond the end), or before it."""
    joined, done = bits, 1
    while done < length:
        step = min(done, length - done, bits.shape[axis])
        later = (slice(step, None),) if axis == 0 else (slice(None), slice(step, None))
        earlier = (slice(-step),) if axis == 0 else (slice(None), slice(-step))
        moved = np.zeros_like(joined)
        if ahead:
            moved[earlier] = joined[later]
        else:
            moved[later] = joined[earlier]
        joined = join(joined, moved)
        done += step
    return joined


def run_length(level: int) -> tuple[int, int, int]:
    """Return the base level of a level, px of it to a level px, and px of its shortest run."""
    doublings = min(level, BASE_DOUBLINGS)
    ratio = 1 << doublings
    base = level - doublings
    return base, ratio, ratio if base == 0 else ratio - SLACK_PX


def is_dense_level(level: int) -> bool:
    """Return whether edges of 1 px count on a level: then outlines of any slant have corners."""
    return run_length(level)[2] == 1
