"""Resize a 28-px picture by area averaging, exactly and the same on every machine.

The released generators of Megapixel MNIST resize with OpenCV's INTER_AREA in floating
point and then cut the fraction off. Here the averages are quotients of whole numbers,
so a greyscale value depends neither on OpenCV's version nor on which part is asked for;
it differs from OpenCV's by at most 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX

_ONE_THREAD = 2**18
"""Products of numbers up to which OpenBLAS, NumPy's, multiplies matrices in one thread."""


@lru_cache(maxsize=16)
def _area_weights(side_px: int) -> NDArray[np.float32]:
    """Return how much of each old pixel lies in each new one, in whole units.

    With 28 new pixels to an old one's ``side_px`` units, new pixel i covers the units
    ``28 i`` to ``28 (i + 1)``.

    Returns
    -------
    ndarray
        float32 (side_px, 28), whole numbers; each row sums to 28.
    """
    new = np.arange(side_px)[:, None] * GLYPH_PX
    old = np.arange(GLYPH_PX) * side_px
    overlap = np.minimum(new + GLYPH_PX, old + side_px) - np.maximum(new, old)
    weights: NDArray[np.float32] = np.maximum(overlap, 0).astype(np.float32)
    weights.setflags(write=False)
    return weights


def resize_by_area(
    pixels: NDArray[np.uint8],
    side_px: int,
    rows: NDArray[np.int64] | slice = slice(None),
    cols: NDArray[np.int64] | slice = slice(None),
) -> NDArray[np.uint8]:
    """Return a picture at another size, or some rows and columns of it.

    Parameters
    ----------
    pixels
        uint8 (28, 28).
    side_px
        Side of the new picture, 1 or more.
    rows, cols
        Which of the new rows and columns are wanted, each 0 to ``side_px - 1``.

    Returns
    -------
    ndarray
        uint8 (wanted rows, wanted columns): the mean of the old picture over each new
        pixel, rounded down.
    """
    if side_px == GLYPH_PX:
        return pixels[rows][:, cols]
    weights = _area_weights(side_px)
    # Whole numbers below 2**24, which float32 holds and adds exactly in any order.
    right = pixels.astype(np.float32) @ weights[cols].T
    return _means(weights[rows], right)


def _means(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the means whose sums are ``left @ right``.

    Some rows at a time, which are too few for BLAS to share among threads: those wait for one
    another, which on a busy machine takes several times as long as the work of one.
    """
    means = np.empty((len(left), right.shape[1]), np.uint8)
    step = max(1, _ONE_THREAD // max(1, right.size))
    for first in range(0, len(left), step):
        sums = left[first : first + step] @ right
        means[first : first + step] = sums.astype(np.int32) // GLYPH_PX**2
    return means
