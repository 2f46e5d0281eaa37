"""Two raters on the same images: McNemar's exact test, and the difference of their accuracies.

Only images on which one is right and the other wrong tell the two apart. McNemar, Psychometrika
12 (1947) 153-157; the exact test is the binomial one of those images. The interval is that of
Bonett and Price, Journal of Educational and Behavioral Statistics 37 (2012) 479-488, doi
10.3102/1076998611411915: Wald's with one image added to each of the two counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from ..errors import ScoringInputError
from ..intervals import LEVEL, Floats


@dataclass(frozen=True)
class PairedTest:
    """Answers of two raters to the same images.

    Attributes
    ----------
    images
        That both answered.
    both, first_only, second_only, neither
        Images that both, one, or none of them got right.
    difference, low, high
        The first's accuracy minus the second's, with its interval.
    p_value
        How often as uneven a split or a more uneven one comes by chance; two-sided and exact.
    """

    images: int
    both: int
    first_only: int
    second_only: int
    neither: int
    difference: float
    low: float
    high: float
    p_value: float


def compare_paired(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> PairedTest:
    """Compare two raters.

    Parameters
    ----------
    first, second
        (images,): 1 right, 0 wrong, NaN not asked; only images that both answered count.

    Raises
    ------
    ScoringInputError
        If they are not of the same images.
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape or one.ndim != 1:
        raise ScoringInputError(
            f"Expected marks of the same images, found {one.shape} and {two.shape}; pair them."
        )
    known = ~(np.isnan(one) | np.isnan(two))
    one, two = one[known] > 0, two[known] > 0
    images = len(one)
    only = int((one & ~two).sum()), int((two & ~one).sum())
    both, neither = int((one & two).sum()), int((~one & ~two).sum())
    if not images:
        return PairedTest(0, 0, 0, 0, 0, nan, nan, nan, nan)
    least = min(only)
    p_value = min(1.0, 2 * float(stats.binom.cdf(least, sum(only), 0.5))) if sum(only) else 1.0
    shares = [(count + 1) / (images + 2) for count in only]
    middle = shares[0] - shares[1]
    normal = float(special.ndtri(0.5 + level / 2))
    reach = normal * sqrt((sum(shares) - middle**2) / (images + 2))
    return PairedTest(
        images,
        both,
        *only,
        neither,
        (only[0] - only[1]) / images,
        max(-1.0, middle - reach),
        min(1.0, middle + reach),
        p_value,
    )


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation over images, with the interval of images drawn anew."""

    estimate: float
    low: float
    high: float
    images: int


def rank_correlation(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = LEVEL,
) -> RankCorrelation:
    """Return Spearman's correlation of two quantities of the same images.

    Parameters
    ----------
    first, second
        (images,); images without one of them are left out.
    rng, draws
        Draw the images.
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    known = ~(np.isnan(one) | np.isnan(two))
    one, two = one[known], two[known]
    images = len(one)
    if images < 4 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return RankCorrelation(nan, nan, nan, images)
    chosen = rng.integers(images, size=(draws, images))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = _pearson(_ranks(one[chosen]), _ranks(two[chosen]))
    found = found[~np.isnan(found)]
    tail = (1 - level) / 2
    low, high = np.quantile(found, (tail, 1 - tail))
    estimate = float(_pearson(_ranks(one[None]), _ranks(two[None]))[0])
    return RankCorrelation(estimate, float(low), float(high), images)


def _ranks(values: Floats) -> Floats:
    return np.asarray(stats.rankdata(values, axis=1), dtype=float)


def _pearson(one: Floats, two: Floats) -> Floats:
    one, two = one - one.mean(axis=1, keepdims=True), two - two.mean(axis=1, keepdims=True)
    spread = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    return np.asarray((one * two).sum(axis=1) / spread)


def time_scores(times: ArrayLike, people: ArrayLike) -> Floats:
    """Return how long each answer took beside the same person's others.

    The logarithm of the time, less the person's mean, over the person's standard deviation, so
    that a slow person does not make an image look hard.

    Parameters
    ----------
    times, people
        (n,): times above 0 in any unit, and who took them; NaN where one is not known.

    Returns
    -------
    ndarray
        float64 (n,); NaN for a person of one time, or of equal ones.
    """
    logs = np.log(np.where(np.asarray(times, dtype=float) > 0, times, np.nan))
    names = np.asarray(people, dtype=object)
    scores = np.full(len(logs), np.nan)
    for name in set(names.tolist()):
        own = (names == name) & ~np.isnan(logs)
        if own.sum() > 1 and np.ptp(logs[own]) > 0:
            scores[own] = (logs[own] - logs[own].mean()) / logs[own].std(ddof=1)
    return scores
