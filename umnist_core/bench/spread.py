"""What several measurements of one thing say: the middle, and how far they spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median and quartiles, in ms where nothing else is said."""

    median: float
    low: float
    high: float


def spread_of(values: Sequence[float], digits: int = 2) -> Spread:
    """Return median and quartiles of one value or more.

    Parameters
    ----------
    values
        What was measured.
    digits
        Behind the point.
    """
    several = [*values] * (2 if len(values) == 1 else 1)  # quartiles want two
    low, median, high = statistics.quantiles(several, n=4, method="inclusive")
    return Spread(round(median, digits), round(low, digits), round(high, digits))


def median_of(values: np.ndarray, digits: int = 3) -> float:
    """Return the median, rounded to so many digits behind the point."""
    return round(float(np.median(values)), digits)


def range_of(values: np.ndarray, digits: int = 3) -> tuple[float, float]:
    """Return the smallest and the largest, rounded as `median_of`."""
    return round(float(values.min()), digits), round(float(values.max()), digits)
