"""From crossings to pixels.

Two ways that agree where they meet (a test proves it):

`fill_parity`
    one value per grid pixel; packed bits, 64 pixels to a word.
`mean_blocks`
    the mean over blocks of canvas pixels, from the crossings alone, so its cost does
    not grow with the area of the canvas.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from umnist_core.giving_up import go_on
from umnist_core.rendering.crossings import Grid, Keys

_BAND_WORDS = 32_768
"""Words per band (256 KiB): a band stays in the cache of one core while it is worked on."""


def fill_parity(keys: Keys, grid: Grid) -> NDArray[np.uint8]:
    """Return 255 where an odd number of crossings lies at or left of a pixel, else 0.

    Parameters
    ----------
    keys
        Crossings of ``grid``, in any order.

    Returns
    -------
    ndarray
        uint8 (grid.height, grid.width), values 0 and 255.
    """
    words = grid.stride // 64
    plane = np.zeros((grid.height, words), np.uint64)
    bits = np.left_shift(np.uint64(1), (keys & 63).astype(np.uint64))
    np.bitwise_xor.at(plane.reshape(-1), keys >> 6, bits)
    image = np.empty((grid.height, grid.width), np.uint8)
    rows = max(1, _BAND_WORDS // words)
    for row in range(0, grid.height, rows):
        go_on()
        band = _prefix_parity(plane[row : row + rows])
        packed = band.astype("<u8", copy=False).view(np.uint8)
        pixels = np.unpackbits(packed, axis=1, count=grid.width, bitorder="little")
        np.negative(pixels, out=image[row : row + rows])  # 1 becomes 255
    return image


def _prefix_parity(plane: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Replace each bit by the parity of the bits up to it, row by row, in place."""
    shifted = np.empty_like(plane)
    for shift in (1, 2, 4, 8, 16, 32):
        np.left_shift(plane, np.uint64(shift), out=shifted)
        plane ^= shifted
    # The last bit of a word is the word's parity; it flips all later words of the row.
    parity = np.right_shift(plane, np.uint64(63)).astype(np.uint8)
    carry = np.cumsum(parity[:, :-1], axis=1, dtype=np.uint8) & 1
    plane[:, 1:] ^= np.negative(carry.astype(np.uint64))
    return plane


def mean_blocks(
    keys: Keys, values: NDArray[np.int64], ground: int, grid: Grid, reduction: int
) -> NDArray[np.uint8]:
    """Return the mean of each ``reduction x reduction`` block, rounded half up.

    Parameters
    ----------
    keys
        Crossings of ``grid``, ascending. The grid holds every canvas pixel of its window,
        and its first row and column are multiples of ``reduction``.
    values
        int64, as many as keys: the value right of each crossing, 0 to 255. Behind the
        last crossing of a row it is ``ground``.
    ground
        Value left of the first crossing of a row.
    reduction
        Canvas pixels per block side; blocks at the right and bottom edge may be cut.

    Returns
    -------
    ndarray
        uint8 (ceil(grid.height / reduction), ceil(grid.width / reduction)).
    """
    height, width = -(-grid.height // reduction), -(-grid.width // reduction)
    row, col = np.divmod(keys, grid.stride)
    block = col // reduction
    jump = np.diff(values, prepend=ground)
    ends = np.minimum(np.arange(1, width + 2) * reduction, grid.width)
    # A change by ``jump`` at ``col`` counts in its own block from there on, and in every
    # later block of the row in full. Columns equal to the width fall into a spare block.
    place = (row // reduction) * (width + 1) + block
    size = height * (width + 1)
    partial = np.bincount(place, weights=jump * (ends[block] - col), minlength=size)
    full = np.bincount(place, weights=jump, minlength=size).reshape(height, width + 1)
    sums = partial.reshape(height, width + 1)[:, :width]
    block_widths = np.diff(ends[:width], prepend=0)
    sums[:, 1:] += np.cumsum(full, axis=1)[:, : width - 1] * block_widths[1:]
    block_heights = np.minimum(reduction, grid.height - np.arange(height) * reduction)
    area = block_heights[:, None] * block_widths
    # Doubles hold these whole numbers exactly (a sum is below 2**8 * reduction**2 < 2**53),
    # and a quotient that is not whole is too far from the next whole number to round to it.
    means: NDArray[np.uint8] = ((2 * (sums + ground * area) + area) / (2 * area)).astype(np.uint8)
    return means
