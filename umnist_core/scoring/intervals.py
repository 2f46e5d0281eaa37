"""Intervals for a share of correct answers, when answers come in clusters.

A person gives 20 to 40 answers, and some people are better than others, so answers of one
person are alike: 1,000 labels by 33 people tell less than 1,000 labels by 1,000 people. The
interval to report is `annotator_interval`, whose unit is the person. `wilson` treats every
answer as independent and is too narrow for a study's accuracy; it stands beside it because
published figures have no other.

Everything here takes plain arrays with one entry for each label.

Sources: Wilson, JASA 22 (1927) 209-212. Student's t on cluster means, and why few clusters
need it: Cameron, Gelbach and Miller, Review of Economics and Statistics 90 (2008) 414-427,
doi 10.1162/rest.90.3.414. Delete-one-cluster jackknife: MacKinnon, Nielsen and Webb, arXiv
2406.00650. Two crossed clusters: Cameron, Gelbach and Miller, Journal of Business & Economic
Statistics 29 (2011) 238-249, doi 10.1198/jbes.2010.07136.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEVEL = 0.95
"""Share of studies whose interval is to hold the truth."""

ROUNDING = 1e-9
"""Sums of residuals below this, in labels, are 0 but for rounding."""

WILSON = "Wilson, assumes independent answers"
BY_ANNOTATOR = "t on per-annotator means"
CROSSED = "t, annotators and images crossed"

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Interval:
    """An estimate, how far the truth may lie from it, and how that was worked out.

    Attributes
    ----------
    estimate
        Share of correct answers, 0 to 1, or a difference of two, -1 to 1; NaN without answers.
    low, high
        Ends of the interval, same unit; NaN where none can be given, and `note` says why.
    standard_error
        Same unit; NaN where there is none.
    freedom
        Degrees of freedom of the t distribution; infinite for the normal one.
    method
        Name of the interval, for a legend.
    note
        One sentence if something is to be known before this interval is read, else empty.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    freedom: float
    method: str
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the interval has two ends."""
        return isfinite(self.low) and isfinite(self.high)


def undefined(estimate: float, method: str, note: str) -> Interval:
    """Return an estimate without an interval."""
    return Interval(estimate, nan, nan, nan, nan, method, note)


def t_interval(
    estimate: float,
    variance: float,
    freedom: float,
    method: str,
    *,
    level: float = LEVEL,
    lowest: float = 0.0,
    note: str = "",
) -> Interval:
    """Return ``estimate`` plus and minus Student's t times the root of ``variance``.

    Parameters
    ----------
    variance
        Of the estimate, 0 or more.
    freedom
        Above 0; infinite for the normal distribution.
    lowest
        Least possible value: 0 for a share, -1 for a difference. The greatest is 1. An end
        beyond them is moved to them.
    """
    error = sqrt(variance)
    normal = special.ndtri(0.5 + level / 2)
    reach = float(special.stdtrit(freedom, 0.5 + level / 2) if freedom < inf else normal) * error
    low, high = max(lowest, estimate - reach), min(1.0, estimate + reach)
    return Interval(estimate, low, high, error, freedom, method, note)


def wilson(correct: float, labels: float, level: float = LEVEL) -> Interval:
    """Return Wilson's interval for a share of independent answers.

    Assumes that answers are independent. Answers of one person are not, so for a study's
    accuracy it is too narrow: in simulated studies of 33 people with 30 labels each, 95 %
    intervals held the truth in 76 to 88 %.

    Parameters
    ----------
    correct, labels
        Correct answers, and all answers; not whole where they are effective numbers.

    Notes
    -----
    Wilson (1927): the rates p for which ``|correct / labels - p| <= z sqrt(p (1 - p) / labels)``.
    """
    if labels == 0:
        return undefined(nan, WILSON, "There are no answers yet.")
    share, z = correct / labels, float(special.ndtri(0.5 + level / 2))
    middle = (share + z**2 / (2 * labels)) / (1 + z**2 / labels)
    reach = z * sqrt(share * (1 - share) / labels + z**2 / (4 * labels**2)) / (1 + z**2 / labels)
    error = sqrt(share * (1 - share) / labels)
    # At the ends of the scale the interval begins there, but for rounding.
    low = 0.0 if correct == 0 else middle - reach
    high = 1.0 if correct == labels else middle + reach
    return Interval(share, low, high, error, inf, WILSON)


def codes_of(names: ArrayLike) -> tuple[Codes, int]:
    """Return each name's place among the different names, and how many of those there are.

    Parameters
    ----------
    names
        (n,), anything that can be sorted.
    """
    different, codes = np.unique(np.asarray(names), return_inverse=True)
    return codes.reshape(-1), len(different)


def annotator_variance(correct: ArrayLike, annotators: ArrayLike) -> tuple[float, int]:
    """Return the variance of the accuracy between sets of annotators, and how many there were.

    Delete-one-annotator jackknife: with ``m`` of the ``n`` labels, leaving out a person whose
    mean is ``d`` above the accuracy moves the accuracy by ``d m / (n - m)``. Where everyone
    gave as many labels, this is the variance of the annotators' means over their number.

    Returns
    -------
    variance
        NaN with fewer than two annotators.
    annotators
        Number of people.
    """
    marks = np.asarray(correct, dtype=float)
    codes, people = codes_of(annotators)
    if people <= 1:
        return nan, people
    counts = np.bincount(codes)
    above = np.bincount(codes, marks) - counts * marks.mean()  # in labels
    above[np.abs(above) < ROUNDING] = 0.0
    moved = above / (len(marks) - counts)
    return float((people - 1) / people * (moved**2).sum()), people


def annotator_interval(correct: ArrayLike, annotators: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the accuracy and the interval that holds when each person's answers are alike.

    Student's t with one less degree of freedom than there are annotators. With equal numbers of
    labels it is the t interval of the annotators' means. **Unequal numbers**: a person counts as
    much as they labeled, so the estimate stays the share of all answers that are correct, and
    the variance is the delete-one-annotator jackknife, which coincides with the former.

    The interval is for the accuracy of people like these on images like these, provided that
    each image was answered once. For people like these on *these very images* it is a little
    wide. Where images were answered several times, `crossed_interval` is the one for images
    like these.

    Parameters
    ----------
    correct
        (n,), bool or 0 and 1.
    annotators
        (n,), who answered.
    """
    marks = np.asarray(correct, dtype=float)
    if not marks.size:
        return undefined(nan, BY_ANNOTATOR, "There are no answers yet.")
    variance, people = annotator_variance(marks, annotators)
    return _of_people(float(marks.mean()), variance, people, BY_ANNOTATOR, level)


def crossed_interval(
    correct: ArrayLike, annotators: ArrayLike, images: ArrayLike, level: float = LEVEL
) -> Interval:
    """Return the accuracy and the interval for people and for images like these.

    Images that were answered several times are a second kind of cluster: a hard image is hard
    for everyone. Variances between annotators and between images are added and that of single
    answers, which is in both, taken off (Cameron, Gelbach and Miller 2011). If each image was
    answered once the two last are the same, and this is `annotator_interval`.

    Parameters
    ----------
    correct, annotators, images
        (n,) each: whether correct, who answered, about which image.
    """
    marks = np.asarray(correct, dtype=float)
    if not marks.size:
        return undefined(nan, CROSSED, "There are no answers yet.")
    variance, people = annotator_variance(marks, annotators)
    shared = shared_image_variance((marks - marks.mean()) / len(marks), annotators, images)
    return _of_people(float(marks.mean()), max(variance, variance + shared), people, CROSSED, level)


def shared_image_variance(parts: Floats, annotators: ArrayLike, images: ArrayLike) -> float:
    """Return what is added to a variance because people answered the same images.

    Parameters
    ----------
    parts
        float64 (n,), how far each label moved the estimate from its expectation.

    Returns
    -------
    float
        Sum, over all pairs of labels of one image by two people, of the product of their
        parts; each pair twice. Negative if the two stand on opposite sides of a comparison.
    """
    people, _ = codes_of(annotators)
    pictures, count = codes_of(images)
    cells, _ = codes_of(people * count + pictures)  # one person's answers to one image
    by_image, by_cell = np.bincount(pictures, parts), np.bincount(cells, parts)
    return float((by_image**2).sum() - (by_cell**2).sum())


def _of_people(
    estimate: float, variance: float, people: int, method: str, level: float
) -> Interval:
    if people <= 1:
        return undefined(estimate, method, "One annotator says nothing of how people differ.")
    if variance == 0:
        note = "All annotators have the same accuracy, so this interval is undefined; see Wilson's."
        return undefined(estimate, method, note)
    return t_interval(estimate, variance, people - 1, method, level=level)
