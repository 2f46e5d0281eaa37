"""What somebody saw of an image: the views of a trace, as sharp as their screen showed them.

A model that is given this has the same viewing budget as the person: what was never on screen is
mid-grey, and what was is no finer than the finest view of it. A trace says what was on screen, not
where the eyes were, so it is an upper bound of what the person saw.
"""

from __future__ import annotations

from math import ceil, floor, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.pyramid.sources import ArraySource, TileSource
from umnist_core.scoring.looking import Views

UNSEEN_GREY = 128
"""Favours neither black nor white."""

LEAST_VIEW_MS = 100.0
"""Shorter views, as while an image moves, show nothing that could be read."""

_CLASSES_PER_DOUBLING = 4
"""Resolutions are rounded down to so many in each factor of 2; one picture is made of each."""


def seen_source(
    source: TileSource,
    views: Views,
    density: float = 1.0,
    least_ms: float = LEAST_VIEW_MS,
) -> ArraySource:
    """Return an image as somebody saw it.

    Parameters
    ----------
    source
        The image.
    views
        Of `umnist_core.scoring.looking.Views.from_parts`.
    density
        Px of the screen for each CSS px, above 0.
    least_ms
        Views that lasted less are left out.

    Returns
    -------
    ArraySource
        Of the image's size, `UNSEEN_GREY` where nothing was seen.

    Raises
    ------
    InvalidValueError
        If the density is not above 0.
    TooLargeError
        As of `TileSource.read_whole`.
    """
    if not density > 0:
        raise InvalidValueError(
            f"Expected screen px for each CSS px, above 0, found {density:g}; leave it out where "
            "it is not known."
        )
    whole = source.read_whole()
    seen = np.full_like(whole, UNSEEN_GREY)
    for coarseness, boxes in sorted(_boxes(views, whole.shape, density, least_ms).items())[::-1]:
        shown = _reduced(whole, 2.0 ** (coarseness / _CLASSES_PER_DOUBLING))
        for row0, col0, row1, col1 in boxes:
            seen[row0:row1, col0:col1] = shown[row0:row1, col0:col1]
    return ArraySource(seen)


_Ends = tuple[int, int, int, int]


def _boxes(
    views: Views, shape: tuple[int, ...], density: float, least_ms: float
) -> dict[int, set[_Ends]]:
    """Return the parts that were in view, by how coarse they were shown; 0 is as they are."""
    found: dict[int, set[_Ends]] = {}
    columns = (views.duration_ms, views.zoom, views.row0, views.col0, views.row1, views.col1)
    for duration, zoom, row0, col0, row1, col1 in zip(*columns, strict=True):
        ends = (
            max(0, floor(row0)),
            max(0, floor(col0)),
            min(shape[0], ceil(row1)),
            min(shape[1], ceil(col1)),
        )
        if duration >= least_ms and ends[0] < ends[2] and ends[1] < ends[3]:
            doublings = -log2(zoom * density)
            coarseness = max(0, ceil(_CLASSES_PER_DOUBLING * doublings - 1e-9))
            found.setdefault(coarseness, set()).add(ends)
    return found


def _reduced(whole: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return an image of the same size whose px are means over squares of ``factor`` px."""
    if factor == 1:
        return whole
    height, width = whole.shape[:2]
    small = (max(1, floor(width / factor)), max(1, floor(height / factor)))
    means = cv2.resize(whole, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
