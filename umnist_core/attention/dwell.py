"""How a model's attention compares with where people looked.

Similarity and linear correlation of two maps, as comparisons of saliency use them: Bylinskii,
Judd, Oliva, Torralba and Durand, "What do different evaluation metrics tell us about saliency
models?", TPAMI 41 (2019) 740-757 (SIM and CC, among its metrics for distributions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.maps import AttentionMap
from umnist_core.errors import InvalidValueError


@dataclass(frozen=True)
class Agreement:
    """How alike two maps are.

    Attributes
    ----------
    similarity
        Common mass of the two as shares of 1: 0 without a common cell, 1 for the same map.
    correlation
        Pearson's, of the cells, -1 to 1; NaN if one of the maps is even.
    """

    similarity: float
    correlation: float


def spread_on_grid(
    attention: AttentionMap,
    grid: tuple[int, int],
    task: str | None = None,
    head: int | None = None,
) -> NDArray[np.float64]:
    """Return the weight on each cell of a grid over the image, as shares of 1.

    The weight of a place is spread evenly over its box, as in `compare`.

    Parameters
    ----------
    attention
        The map.
    grid
        (rows, columns) of cells.
    task, head
        As of `AttentionMap.place_weights`.

    Returns
    -------
    ndarray
        float64 (rows, columns); all 0 where nothing was looked at.

    Raises
    ------
    InvalidValueError
        If there is no such task or head.
    """
    weights = attention.place_weights(task, head).astype(float)
    row0, col0, row1, col1 = attention.boxes.astype(float).T
    rows = _covered(row0, row1, attention.height, grid[0])  # (places, rows), shares of a box
    cols = _covered(col0, col1, attention.width, grid[1])  # (places, columns)
    spread: NDArray[np.float64] = np.einsum("n,nr,nc->rc", weights, rows, cols, optimize=True)
    total = spread.sum()
    return spread / total if total > 0 else spread


def _covered(
    starts: NDArray[np.float64], ends: NDArray[np.float64], length: int, cells: int
) -> NDArray[np.float64]:
    """Return which share of each box lies in each cell along one axis, (places, cells)."""
    edges = np.linspace(0.0, length, cells + 1)
    common = np.minimum(ends[:, None], edges[1:]) - np.maximum(starts[:, None], edges[:-1])
    shares: NDArray[np.float64] = np.maximum(common, 0) / np.maximum(ends - starts, 1e-9)[:, None]
    return shares


def compare_with_dwell(
    attention: AttentionMap,
    dwell: NDArray[np.float64],
    task: str | None = None,
    head: int | None = None,
) -> Agreement:
    """Compare attention with time on screen.

    Parameters
    ----------
    attention
        Of the model.
    dwell
        Of people: float (rows, columns), time on each cell of a grid over the image, 0 or more,
        in any unit.
    task, head
        As of `AttentionMap.place_weights`.

    Raises
    ------
    InvalidValueError
        If nobody looked, or there is no such task or head.
    """
    if dwell.ndim != 2 or not dwell.sum() > 0 or (dwell < 0).any():
        raise InvalidValueError(
            "Expected a grid of times with some time on it; found none; choose an image that "
            "somebody has looked at."
        )
    model = spread_on_grid(attention, (dwell.shape[0], dwell.shape[1]), task, head)
    return compare_grids(model, dwell / dwell.sum())


def compare_grids(first: NDArray[np.float64], second: NDArray[np.float64]) -> Agreement:
    """Compare two grids of one image, such as of two people.

    Parameters
    ----------
    first, second
        float64 (rows, columns), 0 or more, each as shares of 1.
    """
    is_even = bool(np.ptp(first) < 1e-15 or np.ptp(second) < 1e-15)
    correlation = np.nan if is_even else np.corrcoef(first.ravel(), second.ravel())[0, 1]
    return Agreement(float(np.minimum(first, second).sum()), float(correlation))
