"""How alike the answers of one person are, and what that costs.

Sources: the estimator from a one-way analysis of variance, with its correction for unequal
groups and its F interval: Donner, International Statistical Review 54 (1986) 67-82, doi
10.2307/1403259. Design effect: Kish, Survey Sampling (1965), section 5.4; for unequal groups
Eldridge, Ashby and Kerry, International Journal of Epidemiology 35 (2006) 1292-1300, doi
10.1093/ije/dyl129.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .intervals import LEVEL, codes_of


@dataclass(frozen=True)
class Clustering:
    """What answers of one person have in common.

    Attributes
    ----------
    annotators, labels
        How many there were.
    labels_per_annotator
        Mean number of labels of an annotator, where each *label* counts the same: the number
        that the design effect goes by. 0 without labels.
    icc
        Intraclass correlation: share of the variance of single answers that lies between
        people. 0: answers of one person are no more alike than those of two. The estimate can
        be a little below 0. NaN if it cannot be estimated.
    icc_low, icc_high
        Its interval, from the F distribution; approximate for answers that are right or wrong,
        and for unequal numbers of labels.
    design_effect
        Factor by which clustering enlarges the variance of the accuracy, at least 1.
    effective_labels
        Number of independent labels that would tell as much.
    """

    annotators: int
    labels: int
    labels_per_annotator: float
    icc: float
    icc_low: float
    icc_high: float
    design_effect: float
    effective_labels: float


def design_effect(icc: float, labels_per_annotator: float) -> float:
    """Return the factor by which clustering enlarges a variance, at least 1.

    Parameters
    ----------
    icc
        Intraclass correlation; below 0 it counts as 0, as planning with less variance than that
        of independent answers would trust to chance.
    labels_per_annotator
        At least 1.
    """
    return 1.0 + (labels_per_annotator - 1.0) * float(np.maximum(icc, 0.0))  # NaN stays NaN


def measure_clustering(
    correct: ArrayLike, annotators: ArrayLike, level: float = LEVEL
) -> Clustering:
    """Return how alike the answers of one person are.

    Parameters
    ----------
    correct
        (n,), bool or 0 and 1.
    annotators
        (n,), who answered.
    """
    marks = np.asarray(correct, dtype=float)
    codes, people = codes_of(annotators)
    counts = np.bincount(codes).astype(float)
    labels = len(marks)
    size = float((counts**2).sum() / labels) if labels else 0.0
    if people <= 1 or labels == people:
        return Clustering(people, labels, size, nan, nan, nan, nan, nan)
    means = np.bincount(codes, marks) / counts
    between = float((counts * (means - marks.mean()) ** 2).sum()) / (people - 1)
    within = float(((marks - means[codes]) ** 2).sum()) / (labels - people)
    group = (labels - size) / (people - 1)  # Donner's n0: the size of equal groups as telling
    icc, low, high = _icc(between, within, group, (people - 1, labels - people), level)
    effect = design_effect(icc, size)
    return Clustering(people, labels, size, icc, low, high, effect, labels / effect)


def _icc(
    between: float, within: float, group: float, freedom: tuple[int, int], level: float
) -> tuple[float, float, float]:
    """Return the correlation and its ends from the two mean squares."""
    if between == 0 and within == 0:  # everyone right, or everyone wrong
        return nan, nan, nan
    if within == 0:  # each person always right or always wrong
        return 1.0, 1.0, 1.0
    ratio = between / within
    bounds = [float(special.fdtri(*freedom, 0.5 + side * level / 2)) for side in (1, -1)]
    values = [(f - 1) / (f + group - 1) for f in (ratio, ratio / bounds[0], ratio / bounds[1])]
    return values[0], values[1], values[2]
