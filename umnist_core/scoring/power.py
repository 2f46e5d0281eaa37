"""How many labels a study needs, and what difference it can find.

Two pools of equal size are compared, two-sided. The variance of each pool's accuracy is that of
independent answers times the design effect ``1 + (m - 1) ICC`` for people of ``m`` labels each,
and that of the difference is further multiplied by ``variance_ratio`` where both pools see the
same images (`compare.Difference` measures it). The normal approximation is used, so with fewer
than about 15 annotators a pool the true number is a little larger.

The variance is not pooled: with independent answers each pool needs

    (z(1 - alpha / 2) + z(power)) ** 2 * (p1 * (1 - p1) + p2 * (1 - p2)) / (p2 - p1) ** 2

labels, as for the interval of the difference, which takes the variance of each pool as it is.
The formula with a pooled variance (Fleiss, Levin and Paik, Statistical Methods for Rates and
Proportions, 2003, chapter 4, without continuity correction) gives 5,004 in place of 5,001 for
49.3 % against 52.1 %.

Sources: Chow, Shao and Wang, Sample Size Calculations in Clinical Research (2003), section 4.2,
two-sample test for equality; design effect: Kish, Survey Sampling (1965), section 5.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, sqrt

import pandas as pd
from scipy import special

from .clustering import design_effect
from .errors import ScoringInputError
from .intervals import LEVEL

POWER = 0.8
"""Share of studies that are to find the difference."""

DIFFERENCES = (0.02, 0.028, 0.05, 0.1, 0.15)
"""Differences that a table of needed labels is made for; 0.028 is the published one."""


@dataclass(frozen=True)
class Plan:
    """What a study is planned with.

    Attributes
    ----------
    unguided
        Accuracy in the unguided pool, above 0 and below 1.
    icc
        Intraclass correlation of answers of one person; below 0 counts as 0.
    labels_per_annotator
        1 or more.
    variance_ratio
        Variance of the difference over that with different images in each pool, above 0.
    level, power
        Of the test, each between 0 and 1.

    Raises
    ------
    ScoringInputError
        If a value is outside its range.
    """

    unguided: float
    icc: float = 0.0
    labels_per_annotator: float = 1.0
    variance_ratio: float = 1.0
    level: float = LEVEL
    power: float = POWER

    def __post_init__(self) -> None:
        for name in ("unguided", "level", "power"):
            if not 0 < getattr(self, name) < 1:
                raise ScoringInputError(
                    f"{name} is between 0 and 1, both excluded; got {getattr(self, name)}."
                )
        if not (self.labels_per_annotator >= 1 and self.variance_ratio > 0 and self.icc <= 1):
            raise ScoringInputError(
                "A plan has 1 or more labels for each annotator, a variance ratio above 0 and an "
                f"ICC of at most 1; got {self.labels_per_annotator}, {self.variance_ratio} and "
                f"{self.icc}."
            )

    @property
    def design_effect(self) -> float:
        """Factor by which clustering enlarges the variance of an accuracy, at least 1."""
        return design_effect(self.icc, self.labels_per_annotator)

    @property
    def _z(self) -> tuple[float, float]:
        return float(special.ndtri(0.5 + self.level / 2)), float(special.ndtri(self.power))


def labels_needed(plan: Plan, difference: float) -> float:
    """Return the labels in each pool with which ``difference`` is found as often as planned.

    Parameters
    ----------
    difference
        Guided minus unguided accuracy, not 0; with it the guided accuracy lies between 0 and 1.

    Returns
    -------
    float
        Not rounded; `annotators_needed` gives whole people.

    Raises
    ------
    ScoringInputError
        If there is no difference, or no such guided accuracy.
    """
    return sum(plan._z) ** 2 * _label_variance(plan, difference) / difference**2


def annotators_needed(plan: Plan, difference: float) -> int:
    """Return the annotators in each pool that `labels_needed` takes.

    Raises
    ------
    ScoringInputError
        As `labels_needed`.
    """
    return ceil(labels_needed(plan, difference) / plan.labels_per_annotator)


def power_of(plan: Plan, difference: float, labels: float) -> float:
    """Return the share of studies that find ``difference``, 0 to 1.

    A study finds it if its test rejects, be it in the wrong direction, as usual.

    Parameters
    ----------
    labels
        In each pool, above 0.

    Raises
    ------
    ScoringInputError
        As `labels_needed`, or without labels.
    """
    _check_labels(labels)
    shift = abs(difference) / sqrt(_label_variance(plan, difference) / labels)
    reach = plan._z[0]
    return float(special.ndtr(shift - reach) + special.ndtr(-shift - reach))


def half_width(plan: Plan, labels: float) -> float:
    """Return half the width of one pool's interval.

    Parameters
    ----------
    labels
        In the pool, above 0.

    Raises
    ------
    ScoringInputError
        Without labels.
    """
    _check_labels(labels)
    variance = plan.unguided * (1 - plan.unguided) * plan.design_effect
    return plan._z[0] * sqrt(variance / labels)


def detectable_difference(plan: Plan, labels: float) -> float:
    """Return the difference that ``labels`` in each pool find as often as planned.

    Both pools are given the variance of the unguided accuracy, which is right to about 1 % for
    accuracies between 0.3 and 0.7.

    Parameters
    ----------
    labels
        In each pool, above 0.

    Raises
    ------
    ScoringInputError
        Without labels.
    """
    _check_labels(labels)
    variance = 2 * plan.unguided * (1 - plan.unguided) * plan.design_effect * plan.variance_ratio
    return sum(plan._z) * sqrt(variance / labels)


def power_table(
    plan: Plan | None, labels: float, differences: Sequence[float] = DIFFERENCES
) -> pd.DataFrame:
    """Return what each difference takes, and how likely ``labels`` in each pool find it.

    Differences that would bring the guided accuracy to 1 or more are left out.

    Returns
    -------
    DataFrame
        ``difference``, ``labels_per_pool``, ``annotators_per_pool``, ``power_now`` (None without
        labels); no rows without a plan.
    """
    columns = ["difference", "labels_per_pool", "annotators_per_pool", "power_now"]
    rows: list[tuple[float, int, int, float | None]] = []
    if plan is not None:
        for difference in (each for each in differences if plan.unguided + each < 1):
            now = power_of(plan, difference, labels) if labels > 0 and isfinite(labels) else None
            needed = ceil(labels_needed(plan, difference))
            rows.append((difference, needed, annotators_needed(plan, difference), now))
    return pd.DataFrame(rows, columns=columns)


def _label_variance(plan: Plan, difference: float) -> float:
    """Return the variance of the difference with one label in each pool."""
    guided = plan.unguided + difference
    if difference == 0 or not 0 < guided < 1:
        raise ScoringInputError(
            "A difference is not 0, and unguided accuracy and difference add up to between 0 "
            f"and 1; got {plan.unguided} and {difference}."
        )
    single = plan.unguided * (1 - plan.unguided) + guided * (1 - guided)
    return single * plan.design_effect * plan.variance_ratio


def _check_labels(labels: float) -> None:
    if not labels > 0:
        raise ScoringInputError(f"Power needs a number of labels above 0; got {labels}.")
