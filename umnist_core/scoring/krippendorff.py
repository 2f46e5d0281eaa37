"""Krippendorff's alpha: how far several people agree who label the same units, chance taken off.

1 is agreement throughout, 0 what chance gives, below 0 is less than that. Units that fewer than
two people labelled say nothing of agreement and are left out; a value that is missing is missing,
and no one is left out for it.

Krippendorff, Computing Krippendorff's Alpha-Reliability (University of Pennsylvania, 2011),
whose worked examples the tests repeat; Content Analysis (2004), chapter 11. The interval is the
percentile bootstrap over units (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13): units are drawn anew, each with all its values. It differs from Krippendorff's own
algorithm, which draws pairs of values as if they were independent of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from .errors import ScoringInputError
from .intervals import LEVEL, Floats

DRAWS = 1000
"""Of units, for the interval."""

_LEAST_UNITS = 3
"""With fewer, drawing units anew tells nothing of others."""


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha with its interval.

    Attributes
    ----------
    metric
        One of `METRICS`.
    estimate
        At most 1; NaN where it is not known, and `note` says why.
    low, high
        Ends of the interval; NaN where there is none.
    observed, expected
        Mean disagreement of two values of one unit, and of any two, in squared distances.
    units, people, values
        Units that two people or more labelled, people with a value there, and values there.
    note
        One sentence if something is to be known first, else empty.
    """

    metric: str
    estimate: float
    low: float
    high: float
    observed: float
    expected: float
    units: int
    people: int
    values: int
    note: str = ""


def _nominal(values: Floats, counts: Floats) -> Floats:
    return np.asarray(values[:, None] != values[None, :], dtype=float)


def _ordinal(values: Floats, counts: Floats) -> Floats:
    """Return squared distances of ranks: how many values lie between, both ends by half."""
    middles = np.cumsum(counts) - counts / 2
    return np.asarray((middles[:, None] - middles[None, :]) ** 2)


def _interval(values: Floats, counts: Floats) -> Floats:
    return np.asarray((values[:, None] - values[None, :]) ** 2)


def _ratio(values: Floats, counts: Floats) -> Floats:
    """Return squared differences as shares of the sum; two zeros have none."""
    sums = np.abs(values[:, None] + values[None, :])
    apart = np.abs(values[:, None] - values[None, :])
    return np.asarray(np.divide(apart, sums, out=np.zeros_like(apart), where=sums > 0) ** 2)


METRICS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "ratio": _ratio,
}
"""Name -> squared distance of each two different values, given with how often each occurs."""


def krippendorff_alpha(
    table: ArrayLike,
    metric: str = "nominal",
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Alpha:
    """Return alpha with its interval.

    Parameters
    ----------
    table
        (people, units) numbers, NaN where somebody gave none. For the nominal metric any numbers
        that stand for the values.
    metric
        One of `METRICS`.
    rng
        Draws units for the interval.
    draws
        How many times; 0 gives no interval.
    level
        Of the interval.

    Raises
    ------
    ScoringInputError
        If the table is not one, or the metric not known.
    """
    given = np.asarray(table, dtype=float)
    if given.ndim != 2 or np.isinf(given).any():
        raise ScoringInputError(
            f"Expected finite numbers of people by units, found a table of {given.shape}; put NaN "
            "where nothing was given."
        )
    if metric not in METRICS:
        raise ScoringInputError(
            f"Expected {', '.join(METRICS)} as metric, found {metric[:20]!r}; choose one."
        )
    known = ~np.isnan(given)
    pairable = known.sum(axis=0) >= 2
    given, known = given[:, pairable], known[:, pairable]
    values, codes = np.unique(given[known], return_inverse=True)
    units = int(pairable.sum())
    counts = np.zeros((units, len(values)))  # (units, values)
    np.add.at(counts, (np.nonzero(known)[1], codes), 1.0)
    sizes = units, int(known.any(axis=1).sum()), int(known.sum())
    observed, expected = _disagreements(counts, values, metric)
    if not expected > 0:
        why = (
            "All values are the same, so that agreement by chance cannot be told."
            if units
            else "No unit has values of two people."
        )
        return Alpha(metric, nan, nan, nan, observed, expected, *sizes, note=why)
    found = Alpha(metric, 1 - observed / expected, nan, nan, observed, expected, *sizes)
    if units < _LEAST_UNITS:
        return replace(found, note=f"An interval needs {_LEAST_UNITS} units or more.")
    if not draws:
        return found
    drawn = [_drawn(counts, values, metric, rng) for _ in range(draws)]
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    return replace(found, low=float(low), high=float(high))


def _disagreements(counts: Floats, values: Floats, metric: str) -> tuple[float, float]:
    """Return the observed and the expected disagreement; NaN without units.

    Parameters
    ----------
    counts
        float64 (units, values): how many people gave a unit which value; each unit has two or more.
    """
    if not len(counts):
        return nan, nan
    sizes = counts.sum(axis=1)
    totals = counts.sum(axis=0)
    distance = METRICS[metric](values, totals)
    whole = sizes.sum()
    within = ((counts @ distance) * counts).sum(axis=1)  # a value has no distance from itself
    observed = float((within / (sizes - 1)).sum() / whole)
    return observed, float(totals @ distance @ totals / (whole * (whole - 1)))


def _drawn(counts: Floats, values: Floats, metric: str, rng: np.random.Generator) -> float:
    """Return alpha of as many units, drawn anew."""
    units = rng.integers(len(counts), size=len(counts))
    observed, expected = _disagreements(counts[units], values, metric)
    # Where all drawn values are the same, everyone agrees.
    return 1 - observed / expected if expected > 0 else 1.0
