"""Guided minus unguided: the difference, its interval, and a permutation test.

Both pools see the same images, so an image that is hard lowers both accuracies and tells nothing
of their difference. The difference of the pools' accuracies is paired by image here by taking
the covariance of answers to one image out of its variance. With one label for each image and
pool it *is* the mean of the images' differences.

What does not work, and looks as if it did: to subtract each image's mean over both pools from its
answers and compare annotators' means of what is left. Two answers to one image then have
opposite residuals, annotators of different pools are no longer independent, and a permutation
of them that takes them for it rejects a true null in 20 to 25 % of studies instead of 5 %
(33 annotators a pool, 30 labels each, the same 1,000 images). For the same reason a plain
permutation of unadjusted means is too careful (3 to 4 %). The statistic that is permuted is
therefore the difference over its own standard error, which is worked out anew for every
assignment from who then shares images with whom (Janssen 1997; Chung and Romano 2013).

Sources: Welch, Biometrika 34 (1947) 28-35. Variance with two crossed clusters: Cameron, Gelbach
and Miller (2011), doi 10.1198/jbes.2010.07136. Studentised permutation: Janssen, Statistics &
Probability Letters 36 (1997) 9-21; Chung and Romano, Annals of Statistics 41 (2013) 484-507, doi
10.1214/13-AOS1090. Counting the observed assignment among the drawn: Phipson and Smyth,
Statistical Applications in Genetics and Molecular Biology 9 (2010) 39.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ScoringInputError
from .intervals import (
    LEVEL,
    ROUNDING,
    Codes,
    Floats,
    Interval,
    annotator_variance,
    codes_of,
    shared_image_variance,
    t_interval,
    undefined,
)

WELCH = "Welch's t on per-annotator means"
PAIRED = "Welch's t, paired by image"

PERMUTATIONS = 9_999
"""Assignments that are drawn if there are too many to go through."""

MOST_EXACT = 20_000
"""Up to so many assignments are gone through one by one: 8 annotators a pool have 12,870."""

_TOO_FEW = "A difference needs two annotators or more in each pool."


@dataclass(frozen=True)
class PermutationTest:
    """How often chance alone would give so large a difference.

    Attributes
    ----------
    p_value
        Two-sided; NaN if a pool has no annotator.
    statistic
        Difference over its standard error, with the sign of guided minus unguided.
    assignments
        How many assignments of annotators to pools it was compared with, the observed included.
    exact
        Whether these were all that there are.
    note
        One sentence if there is something to be known, else empty.
    """

    p_value: float
    statistic: float
    assignments: int
    exact: bool
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """Guided minus unguided accuracy.

    Attributes
    ----------
    paired
        The interval to report: image difficulty, which both pools share, is taken out.
    unpaired
        The interval as if the pools had seen different images; too wide if they did not.
    variance_ratio
        Variance of the paired over that of the unpaired difference: below 1 is what the shared
        images gain. NaN if there is none.
    shared_images
        Images that were answered in both pools.
    test
        Permutation of pools over annotators.
    """

    paired: Interval
    unpaired: Interval
    variance_ratio: float
    shared_images: int
    test: PermutationTest


def compare_pools(
    correct: ArrayLike,
    annotators: ArrayLike,
    images: ArrayLike,
    guided: ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    level: float = LEVEL,
) -> Difference:
    """Return guided minus unguided accuracy with both intervals and the test.

    Parameters
    ----------
    correct, annotators, images, guided
        (n,) each: whether correct, who answered, about which image, and whether that person is
        in the guided pool.
    rng
        Draws the assignments, if there are too many to go through.
    permutations
        How many are drawn.

    Raises
    ------
    ScoringInputError
        If an annotator is in both pools.
    """
    marks, in_guided = np.asarray(correct, dtype=float), np.asarray(guided, dtype=bool)
    unpaired, paired, ratio = difference_intervals(marks, annotators, images, in_guided, level)
    pictures, count = codes_of(images)
    seen = [np.bincount(pictures[in_guided == pool], minlength=count) > 0 for pool in (False, True)]
    test = permutation_test(
        marks, annotators, images, in_guided, rng=rng, permutations=permutations
    )
    return Difference(paired, unpaired, ratio, int((seen[0] & seen[1]).sum()), test)


def difference_intervals(
    correct: ArrayLike,
    annotators: ArrayLike,
    images: ArrayLike,
    guided: ArrayLike,
    level: float = LEVEL,
) -> tuple[Interval, Interval, float]:
    """Return the unpaired and the paired interval, and the ratio of their variances.

    Both centre on the difference of the two shares of correct answers. The unpaired variance is
    the sum of the pools' variances between annotators, the paired one adds
    `shared_image_variance`; degrees of freedom are Welch's for the former in both.

    Parameters
    ----------
    correct, annotators, images, guided
        As in `compare_pools`.
    """
    marks, in_guided = np.asarray(correct, dtype=float), np.asarray(guided, dtype=bool)
    who = np.asarray(annotators)
    if not in_guided.any() or in_guided.all():
        return undefined(nan, WELCH, _TOO_FEW), undefined(nan, PAIRED, _TOO_FEW), nan
    pools = [in_guided, ~in_guided]
    shares = [float(marks[pool].mean()) for pool in pools]
    difference = shares[0] - shares[1]
    found = [annotator_variance(marks[pool], who[pool]) for pool in pools]
    if min(people for _, people in found) <= 1:
        blank = [undefined(difference, method, _TOO_FEW) for method in (WELCH, PAIRED)]
        return blank[0], blank[1], nan
    unpaired = sum(variance for variance, _ in found)
    if unpaired == 0:
        note = "Annotators of a pool do not differ, so no interval can be given."
        blank = [undefined(difference, method, note) for method in (WELCH, PAIRED)]
        return blank[0], blank[1], nan
    freedom = unpaired**2 / sum(variance**2 / (people - 1) for variance, people in found)
    parts = np.where(
        in_guided, (marks - shares[0]) / pools[0].sum(), (shares[1] - marks) / pools[1].sum()
    )
    paired, note = _paired(unpaired, shared_image_variance(parts, who, images))
    return (
        t_interval(difference, unpaired, freedom, WELCH, level=level, lowest=-1.0),
        t_interval(difference, paired, freedom, PAIRED, level=level, lowest=-1.0, note=note),
        paired / unpaired,
    )


def _paired(unpaired: float, shared: float) -> tuple[float, str]:
    """Return the paired variance; the unpaired one where so few labels leave nothing of it."""
    if unpaired + shared > 0:
        return unpaired + shared, ""
    return unpaired, "Too few labels to pair by image, so this is the unpaired interval."


# -- permutation ------------------------------------------------------------------


def permutation_test(
    correct: ArrayLike,
    annotators: ArrayLike,
    images: ArrayLike,
    guided: ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> PermutationTest:
    """Return how often reassigning the annotators to pools gives so large a difference.

    The condition is given to a person, so it is people that are exchanged between pools, each
    with all their answers, as many to each pool as there were. Null hypothesis: nobody would
    have answered otherwise in the other pool. Two-sided, on the difference over its standard
    error paired by image.

    Parameters
    ----------
    correct, annotators, images, guided, rng, permutations
        As in `compare_pools`. All assignments are gone through if there are no more than
        `MOST_EXACT`; nothing is drawn then.

    Raises
    ------
    ScoringInputError
        If an annotator is in both pools.
    """
    marks, in_guided = np.asarray(correct, dtype=float), np.asarray(guided, dtype=bool)
    codes, people = codes_of(annotators)
    labels = np.bincount(codes, minlength=people).astype(float)
    guided_labels = np.bincount(codes[in_guided], minlength=people)
    if np.any((guided_labels > 0) & (guided_labels < labels)):
        raise ScoringInputError("An annotator is in one pool; got one with labels in both.")
    assigned = guided_labels > 0
    if not 0 < assigned.sum() < people:
        return PermutationTest(nan, nan, 0, False, "A test needs annotators in both pools.")
    residuals = marks - marks.mean()
    sums = np.bincount(codes, residuals, minlength=people).astype(float)
    sums[np.abs(sums) < ROUNDING] = 0.0
    shared = _shared(residuals, codes, people, images)
    observed = float(_studentised(assigned[None], labels, sums, shared)[0])
    others, exact = _assignments(assigned, rng, permutations)
    found = np.concatenate(
        [
            _studentised(chunk, labels, sums, shared)
            for chunk in np.array_split(others, 1 + len(others) // 4096)
        ]
    )
    extreme = int((np.abs(found) >= abs(observed) * (1 - 1e-9)).sum())  # equal but for rounding
    missing = 0 if exact else 1  # the observed assignment is one of the exact ones
    total = len(found) + missing
    note = f"There are only {total} assignments, so p is coarse." if exact and total < 100 else ""
    return PermutationTest((extreme + missing) / total, observed, total, exact, note)


def _shared(residuals: Floats, codes: Codes, people: int, images: ArrayLike) -> Floats:
    """Return what each two annotators' answers to the same images have in common.

    Returns
    -------
    ndarray
        float64 (people, people): sums over images of products of residuals; the diagonal is 0.
    """
    pictures, count = codes_of(images)
    cells = np.bincount(codes * count + pictures, residuals, minlength=people * count)
    table: Floats = cells.astype(float).reshape(people, count)
    products: Floats = np.asarray(table @ table.T)
    np.fill_diagonal(products, 0.0)
    return products


def _studentised(
    assigned: NDArray[np.bool_], labels: Floats, sums: Floats, shared: Floats
) -> Floats:
    """Return each assignment's difference over its standard error.

    Parameters
    ----------
    assigned
        bool (assignments, people), True for guided.
    labels, sums
        (people,): number of labels, and sum of their residuals.
    shared
        float64 (people, people), of `_shared`.
    """
    in_guided = assigned @ labels  # (assignments,)
    in_unguided = labels.sum() - in_guided
    weights = np.where(assigned, 1 / in_guided[:, None], -1 / in_unguided[:, None])
    differences = weights @ sums
    unpaired = weights**2 @ sums**2
    paired = unpaired + ((weights @ shared) * weights).sum(axis=1)
    variances = np.where(paired > 0, paired, unpaired)
    # Everyone equally good: no difference, whoever is where.
    roots = np.sqrt(np.where(variances > 0, variances, 1.0))
    return np.asarray(np.where(variances > 0, differences / roots, 0.0))


def _assignments(
    assigned: NDArray[np.bool_], rng: np.random.Generator, permutations: int
) -> tuple[NDArray[np.bool_], bool]:
    """Return assignments with as many guided as observed, and whether they are all of them."""
    people, guided = len(assigned), int(assigned.sum())
    if comb(people, guided) > MOST_EXACT:
        drawn = np.argsort(rng.random((permutations, people)), axis=1) < guided
        return drawn, False
    chosen = np.array(list(combinations(range(people), guided)))
    every = np.zeros((len(chosen), people), dtype=bool)
    np.put_along_axis(every, chosen, True, axis=1)
    return every, True
