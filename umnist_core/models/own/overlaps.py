"""Which of many readings stay where some lie on others; digits of a scene do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.own.finder_nets import MARGIN_CELLS

OVERLAP = 0.15
"""Of the smaller of two squares: above it, one lies on the other."""

SURE = 0.9
"""Chance from which a digit is beyond doubt."""

TWICE = 2.0
"""A speck's digit is at least so much larger than what the speck looks like."""

NEARLY = 1e-4
"""By which ratios of sides may be off, of which the boxes are in 32 bits."""

Boxes = NDArray[np.floating]
"""float (N, 4): row0, col0, row1, col1 of squares."""


def overlap_shares(boxes: Boxes) -> Boxes:
    """Return the common area of each two squares without their margins over the smaller one's.

    Parameters
    ----------
    boxes
        float (N, 4).

    Returns
    -------
    ndarray
        float (N, N).
    """
    margin = MARGIN_CELLS / GLYPH_PX * (boxes[:, 2:] - boxes[:, :2])
    first, last = boxes[:, :2] + margin, boxes[:, 2:] - margin  # (N, 2)
    sides = np.minimum(last[:, None], last) - np.maximum(first[:, None], first)  # (N, N, 2)
    areas = (last - first).prod(axis=1)
    common = np.maximum(sides, 0).prod(axis=2)
    shares: Boxes = common / np.minimum(areas[:, None], areas)
    return shares


def without_overlaps(
    boxes: Boxes,
    chances: Sequence[float] | NDArray[np.float64],
    places: Sequence[int] | None = None,
) -> list[int]:
    """Return the places of readings that do not lie on better ones, the best first.

    A digit beyond doubt is better than whatever at most half as large lies on it, however
    likely that looks: a speck may well look like a small digit.

    Parameters
    ----------
    boxes
        float (N, 4), their squares.
    chances
        Of each that a digit is there.
    places
        Those of them that are looked at; all where it is None.
    """
    places = range(len(boxes)) if places is None else places
    order = np.array(sorted(places, key=lambda one: -chances[one]), np.int64)
    own = boxes[order]
    lies_on = overlap_shares(own) > OVERLAP  # (n, n), by their order
    sides = own[:, 2] - own[:, 0]
    times = sides / sides[:, None] * (1 + NEARLY)  # how much larger the second one is
    is_sure = np.array([chances[one] >= SURE for one in order], bool)
    # Of readings about as large the best; then specks go; then whatever still overlaps.
    alike = lies_on & (times < TWICE) & (times > 1 / TWICE)
    best = _keep(alike, np.ones(len(order), bool))
    hidden = lies_on & (times >= TWICE) & (is_sure & best)
    kept = _keep(lies_on, best & ~hidden.any(axis=1))
    return [int(one) for one in order[kept]]


def _keep(lies_on: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep, the best first, each that is wanted and lies on none that is kept; bool (N,)."""
    kept = np.zeros(len(wanted), bool)
    for place in np.flatnonzero(wanted):
        kept[place] = not (lies_on[place] & kept).any()
    return kept
