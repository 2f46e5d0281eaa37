"""The published human baseline beside a study's own figures.

Source: the UltraMNIST paper (Gupta et al., arXiv 2206.12681), table of baselines: 49.3 %
unguided and 52.1 % guided, 1,000 labels each, by people who labeled 20 to 40 images each. How
the labels fall on people is not published, so its intervals can only assume that all answers
are independent, and are too narrow if they are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isnan, sqrt

from scipy import special

from .clustering import design_effect
from .intervals import LEVEL, Interval, t_interval, undefined, wilson
from .power import Plan, power_of

PUBLISHED = {"unguided": 0.493, "guided": 0.521}
"""Pool -> accuracy, 0 to 1."""

PUBLISHED_LABELS = 1000
"""In each pool."""

PUBLISHED_LABELS_PER_ANNOTATOR = 30
"""The middle of the 20 to 40 of the paper."""

INDEPENDENT = "normal, assumes independent answers"
OURS_MINUS_PUBLISHED = "normal; ours clustered by annotator, the published one as if independent"


@dataclass(frozen=True)
class TwoProportions:
    """Two shares of independent answers, compared.

    Attributes
    ----------
    difference
        Second minus first, with the normal interval of unequal variances.
    z, p_value
        Test with the pooled variance, two-sided.
    power
        Of a study of this size to find a difference as large as the observed one.
    """

    difference: Interval
    z: float
    p_value: float
    power: float


@dataclass(frozen=True)
class PublishedFigure:
    """One published accuracy, and ours beside it.

    Attributes
    ----------
    pool
        ``"unguided"`` or ``"guided"``.
    interval
        The published accuracy with Wilson's interval.
    if_clustered
        The same if its answers were as alike as ours; NaN ends without an ICC of ours.
    ours_minus_published
        The interval treats published answers as independent, which makes it too narrow.
    """

    pool: str
    interval: Interval
    if_clustered: Interval
    ours_minus_published: Interval


def compare_proportions(
    first: float, second: float, labels: int, level: float = LEVEL
) -> TwoProportions:
    """Return how two shares of independent answers differ.

    Parameters
    ----------
    first, second
        Above 0 and below 1.
    labels
        Behind each of them, 1 or more.

    Raises
    ------
    ScoringInputError
        If a share is 0 or 1, or both are the same.
    """
    power = power_of(Plan(first, level=level), second - first, labels)
    variance = (first * (1 - first) + second * (1 - second)) / labels
    middle = (first + second) / 2
    z = (second - first) / sqrt(2 * middle * (1 - middle) / labels)
    interval = t_interval(second - first, variance, inf, INDEPENDENT, level=level, lowest=-1.0)
    return TwoProportions(interval, z, 2 * float(special.ndtr(-abs(z))), power)


def published_comparison(level: float = LEVEL) -> TwoProportions:
    """Return guided minus unguided as published, on the assumption of independent answers."""
    return compare_proportions(
        PUBLISHED["unguided"], PUBLISHED["guided"], PUBLISHED_LABELS, level=level
    )


def beside_published(
    pool: str, ours: Interval, icc: float, level: float = LEVEL
) -> PublishedFigure:
    """Return the published accuracy of a pool beside ours.

    Parameters
    ----------
    pool
        ``"unguided"`` or ``"guided"``.
    ours
        Our accuracy in this pool, with its standard error between annotators.
    icc
        Our intraclass correlation; NaN if unknown.
    """
    share = PUBLISHED[pool]
    published = wilson(share * PUBLISHED_LABELS, PUBLISHED_LABELS, level)
    difference = ours.estimate - share
    if isnan(ours.standard_error):
        beside = undefined(difference, OURS_MINUS_PUBLISHED, ours.note)
    else:
        variance = ours.standard_error**2 + published.standard_error**2
        beside = t_interval(
            difference, variance, inf, OURS_MINUS_PUBLISHED, level=level, lowest=-1.0
        )
    return PublishedFigure(pool, published, _if_clustered(share, icc, level), beside)


def _if_clustered(share: float, icc: float, level: float) -> Interval:
    method = f"Wilson, with an ICC like ours and {PUBLISHED_LABELS_PER_ANNOTATOR} labels a person"
    if isnan(icc):
        return undefined(share, method, "No intraclass correlation could be measured here.")
    effective = PUBLISHED_LABELS / design_effect(icc, PUBLISHED_LABELS_PER_ANNOTATOR)
    return replace(wilson(share * effective, effective, level), method=method)
