"""What pixels show of digits, by passing over every one: what `edge_planes` has to give."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.models.own.edge_levels import Bits, col_edges, long_runs, row_edges


def corner_kinds(bits: Bits) -> tuple[Bits, Bits]:
    """Return the vertices where an outline turns, of both kinds.

    Of the four pixels about such a vertex one differs from the other three. A straight or
    gently curved outline has corners of one kind only, those of its slope; a digit has both.

    Returns
    -------
    tuple of ndarray
        uint8 (H, W) twice; entry (r, c) is the vertex at the upper left of pixel (r, c). The
        odd pixel is the upper left or lower right one in the first, else in the second.
    """
    first, second = np.zeros_like(bits), np.zeros_like(bits)
    other_diagonal = bits[:-1, 1:] ^ bits[1:, :-1]
    odd = bits[:-1, :-1] ^ bits[1:, 1:] ^ other_diagonal
    np.bitwise_and(odd, other_diagonal, out=second[1:, 1:])
    np.bitwise_xor(odd, second[1:, 1:], out=first[1:, 1:])
    return first, second


def _vertices(between_rows: Bits, between_cols: Bits) -> Bits:
    """Return the vertices that edges of both directions touch."""
    beside, over = between_rows.copy(), between_cols.copy()
    beside[:, 1:] |= between_rows[:, :-1]
    over[1:] |= between_cols[:-1]
    return beside & over


def dense_edges(bits: Bits, ratio: int, run_px: int, halo: int) -> NDArray[np.float32]:
    """Return what pixels show of digits, by passing over every one: what `level_edges` gives.

    Parameters
    ----------
    bits
        uint8 (H, W) of 0 and 1 with ``halo`` px around what is asked for.
    ratio, run_px
        Px to a level px, and of the shortest run that counts.

    Returns
    -------
    ndarray
        float32 (4, (H - 2 halo) / ratio, (W - 2 halo) / ratio), up to eight bits of rounding.
    """
    rows = long_runs(row_edges(bits), run_px, along_rows=True)
    cols = long_runs(col_edges(bits), run_px, along_rows=False)
    turns = _vertices(rows, cols)
    first, second = (kind & turns for kind in corner_kinds(bits))
    counts = np.stack(
        [_sum_blocks(plane[halo:-halo, halo:-halo], ratio) for plane in (rows, cols, first, second)]
    )
    counts[:2] /= ratio
    shown: NDArray[np.float32] = np.minimum(counts, 1.0)
    return shown


def _sum_blocks(plane: Bits, ratio: int) -> NDArray[np.float32]:
    if ratio == 1:
        return plane.astype(np.float32)
    size = (plane.shape[1] // ratio, plane.shape[0] // ratio)
    means = cv2.resize(plane * np.uint8(252), size, interpolation=cv2.INTER_AREA)
    return means.astype(np.float32) * np.float32(ratio**2 / 252)
