"""How much of an image was looked at closely: area on screen at a legible zoom, and depth.

Nothing here needs to know what is in an image, so it may be looked at while a study runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .looking import LEAST_DWELL_MS, LEGIBLE_PX, Views

GRID = 64
"""Cells along each side of an image that area is counted in."""


def legible_zoom(smallest_px: float | None) -> float:
    """Return the zoom, CSS px for each canvas px, from which on a digit is legible.

    Parameters
    ----------
    smallest_px
        Side of the smallest digit that there may be, canvas px; None where nobody knows, for
        which a canvas px is taken to need a CSS px.
    """
    return 1.0 if smallest_px is None else LEGIBLE_PX / smallest_px


def seen_share(
    views: Views,
    image_size: tuple[float, float],
    zoom: float,
    least_ms: float = LEAST_DWELL_MS,
) -> float:
    """Return the share of an image's area that was on screen at a zoom or closer, for long enough.

    A cell of `GRID` x `GRID` was if its centre was in view at that zoom for the least time, all
    views together, as a digit there would count as looked at.

    Parameters
    ----------
    views
        Of a trace.
    image_size
        (rows, columns) of the image, px.
    zoom
        Least zoom, CSS px for each canvas px.
    least_ms
        Least time, ms.
    """
    close = views.zoom >= zoom
    rows = _inside(views.row0[close], views.row1[close], image_size[0])
    cols = _inside(views.col0[close], views.col1[close], image_size[1])
    dwell_ms = (rows * views.duration_ms[close][:, None]).T @ cols  # (GRID, GRID)
    return float((dwell_ms >= least_ms).mean())


def deepest_zoom(views: Views, least_ms: float = LEAST_DWELL_MS) -> float:
    """Return the closest zoom at which anything was on screen for the least time in total.

    0 where nothing was for so long.
    """
    order = np.argsort(-views.zoom)
    held_ms = np.cumsum(views.duration_ms[order])
    place = int(np.searchsorted(held_ms, least_ms))
    return float(views.zoom[order[place]]) if place < len(order) else 0.0


def whole_zoom(views: Views, image_size: tuple[float, float]) -> float:
    """Return the closest zoom at which the whole image fits into the pane, CSS px a canvas px.

    The greatest of all panes that there were: who turns a phone has two.
    """
    height, width = image_size
    rows, cols = (views.row1 - views.row0) / height, (views.col1 - views.col0) / width
    return float((views.zoom * np.minimum(rows, cols)).max())


def _inside(
    start_px: NDArray[np.float64], end_px: NDArray[np.float64], length_px: float
) -> NDArray[np.float64]:
    """Return whether each view holds the centre of each cell along an axis, (n, GRID)."""
    centres = (np.arange(GRID) + 0.5) * length_px / GRID
    held: NDArray[np.float64] = (
        (start_px[:, None] <= centres) & (centres < end_px[:, None])
    ).astype(float)
    return held
