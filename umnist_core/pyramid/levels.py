"""Coarser levels of an array, exact.

The rule is that of `umnist_core.rendering.render`. Area: a level pixel is the mean of
its block of canvas pixels, cut at the right and bottom edges, rounded half up. Sums are
halved, never rounded means, so no error grows from level to level. Nearest: it is the
canvas pixel at the centre of its block.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box
from umnist_core.giving_up import go_on


def as_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance, uint8 (H, W), of pixels (H, W, 3); grey ones are their own."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def area_levels(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the image and every coarser level of it.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, C), H and W 1 or more.

    Returns
    -------
    list of ndarray
        uint8; item k has ``2**k`` canvas px per level px, and the last is of one pixel.
    """
    levels = [image]
    sums: NDArray[Any] = image
    row_counts = np.ones(image.shape[0], np.uint64)
    col_counts = np.ones(image.shape[1], np.uint64)
    while max(levels[-1].shape[:2]) > 1:
        go_on()
        doublings = len(levels)
        # A block of 2**k px a side sums to less than 2**(8 + 2k), and 16 bits hold k <= 4.
        dtype = np.uint16 if doublings <= 4 else np.uint64
        sums = _add_pairs(_add_pairs(sums, 0, dtype), 1, dtype)
        row_counts = _add_pairs(row_counts, 0, np.uint64)
        col_counts = _add_pairs(col_counts, 0, np.uint64)
        levels.append(_means(sums, row_counts, col_counts, doublings))
    return levels


def black_and_white_level(image: NDArray[np.uint8], reduction: int) -> NDArray[np.uint8]:
    """Return one area level of an image of 0 and 255 alone, several times faster.

    OpenCV rounds halves to even, and the rule is to round them up. Here both are the same:
    of a block with a power of two of pixels, half can only be left over when half of them
    are white, and 127.5 becomes 128 either way.

    Parameters
    ----------
    image
        uint8 (H, W) of 0 and 255, both sides multiples of ``reduction``.
    reduction
        Canvas px per level px, a power of two.
    """
    size = (image.shape[1] // reduction, image.shape[0] // reduction)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def read_nearest(image: NDArray[np.uint8], level_box: Box, reduction: int) -> NDArray[np.uint8]:
    """Return a box of a level whose pixels are the canvas pixels at the blocks' centres.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, C).
    level_box
        Box in the frame of the level; must lie inside it.
    reduction
        Canvas px per level px, 1 or more.
    """
    first_row, first_col, last_row, last_col = (
        edge * reduction + reduction // 2
        for edge in (level_box.row0, level_box.col0, level_box.row1 - 1, level_box.col1 - 1)
    )
    if last_row < image.shape[0] and last_col < image.shape[1]:
        # As below, without a list of places: several times as fast.
        return np.ascontiguousarray(
            image[first_row : last_row + 1 : reduction, first_col : last_col + 1 : reduction]
        )
    rows, cols = (
        np.minimum(np.arange(first, last) * reduction + reduction // 2, size - 1)
        for first, last, size in (
            (level_box.row0, level_box.row1, image.shape[0]),
            (level_box.col0, level_box.col1, image.shape[1]),
        )
    )
    pixels: NDArray[np.uint8] = image[rows[:, None], cols]
    return pixels


def _add_pairs(
    values: NDArray[Any], axis: int, dtype: type[np.unsignedinteger[Any]]
) -> NDArray[Any]:
    """Add each odd row (or column) to the even one before it; the last even one may be alone."""
    before = (slice(None),) * axis
    even, odd = values[(*before, slice(0, None, 2))], values[(*before, slice(1, None, 2))]
    if even.shape == odd.shape:
        both: NDArray[Any] = np.add(even, odd, dtype=dtype)
        return both
    sums: NDArray[Any] = even.astype(dtype)
    sums[(*before, slice(0, odd.shape[axis]))] += odd
    return sums


def _means(
    sums: NDArray[Any],
    row_counts: NDArray[np.uint64],
    col_counts: NDArray[np.uint64],
    doublings: int,
) -> NDArray[np.uint8]:
    """Divide block sums by the number of canvas pixels in each block, rounding half up."""
    shift = 2 * doublings
    half = sums.dtype.type(1 << (shift - 1))
    means: NDArray[np.uint8] = ((sums + half) >> sums.dtype.type(shift)).astype(np.uint8)
    # Only the last row and column of blocks can be cut, and need a division of their own.
    for edge in (np.s_[-1:, :], np.s_[:, -1:]):
        counts = row_counts[edge[0], None] * col_counts[edge[1]]
        counts = counts.reshape(counts.shape + (1,) * (sums.ndim - 2))
        means[edge] = (2 * sums[edge].astype(np.uint64) + counts) // (2 * counts)
    return means
