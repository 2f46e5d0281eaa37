"""Whether a replication found what the original study did.

Two questions, each with its own interval, since either alone misleads:

- *Is it consistent?* Whether the replication's estimate lies where the original lets one expect
  it, given the chance in both: the prediction interval of Patil, Peng and Leek, Perspectives on
  Psychological Science 11 (2016) 539-544, doi 10.1177/1745691616646366. Small studies are
  consistent with much.
- *Is it the same?* Whether the two differ by less than bounds that were set before: two one-sided
  tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987) 657-680,
  doi 10.1007/BF01068419), which is whether the interval of the difference at twice the level lies
  within them.

Differs from the former paper in the scale (a share of correct answers, not Fisher's z) and in
Student's t in place of the normal distribution, with Welch's degrees of freedom, since the unit is
the person and there are few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from .compare import difference_intervals
from .errors import ScoringInputError
from .intervals import LEVEL, annotator_interval
from .plain import plain_value
from .tables import LABEL, POOLS, check_labels

DIFFERENCE = "difference"

BOUNDS = 0.05
"""Least difference of two accuracies that matters, unless a study says otherwise.

Chosen, not measured: about the half-width that one pool of the paper's size has when people's
answers are a little alike (1,000 labels, 30 each, ICC 0.05), so less could not be told apart there.
"""

VERDICTS = ("replicated", "consistent", "differs", "differs_little", "unknown")
"""Consistent and the same; consistent, but too imprecise to be called the same; not consistent;
not consistent, but by less than the bounds; not enough answers."""


@dataclass(frozen=True)
class StudyFigure:
    """An accuracy of a pool, or guided minus unguided, as one of two studies has it.

    Attributes
    ----------
    name
        One of `POOLS`, or `DIFFERENCE`.
    estimate
        Share, 0 to 1, or difference of shares; NaN without answers.
    standard_error, freedom
        Over people, same unit; NaN where it is not known.
    low, high
        Its own interval at `LEVEL`.
    labels, annotators
        First answers that count, and who gave them.
    """

    name: str
    estimate: float
    standard_error: float
    freedom: float
    low: float
    high: float
    labels: int
    annotators: int

    @property
    def is_known(self) -> bool:
        """Whether it has an estimate and a standard error."""
        return isfinite(self.estimate) and isfinite(self.standard_error)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; what is not known, or infinite, is None."""
        plain: dict[str, Any] = plain_value(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StudyFigure:
        """Read what `to_dict` returned.

        Raises
        ------
        ScoringInputError
            If it is something else.
        """
        try:
            numbers = {
                name: nan if data[name] is None else float(data[name])
                for name in ("estimate", "standard_error", "freedom", "low", "high")
            }
            labels, annotators = int(data["labels"]), int(data["annotators"])
            if data["name"] not in (*POOLS, DIFFERENCE):
                raise ValueError(str(data["name"])[:40])
        except (KeyError, TypeError, ValueError) as error:
            raise ScoringInputError(
                "Expected an original's figure with name, estimate, standard_error, freedom, low, "
                f"high, labels and annotators; reading one failed with {error!r}."
            ) from error
        return cls(str(data["name"]), **numbers, labels=labels, annotators=annotators)


@dataclass(frozen=True)
class Compared:
    """One figure of the original and of the replication.

    Attributes
    ----------
    original, replication
        Of the same name.
    predicted_low, predicted_high
        Where the replication's estimate is expected at `LEVEL`; NaN where not known.
    difference
        Replication minus original.
    difference_low, difference_high
        Its interval at ``2 * LEVEL - 1``, that of two one-sided tests.
    bounds
        Least difference that matters, above 0.
    verdict
        One of `VERDICTS`.
    """

    original: StudyFigure
    replication: StudyFigure
    predicted_low: float
    predicted_high: float
    difference: float
    difference_low: float
    difference_high: float
    bounds: float
    verdict: str

    @property
    def expected(self) -> tuple[float, float]:
        """The ends of the prediction interval, as far as an estimate can reach them."""
        least = -1.0 if self.original.name == DIFFERENCE else 0.0
        return max(self.predicted_low, least), min(self.predicted_high, 1.0)

    @property
    def is_consistent(self) -> bool:
        """Whether the replication's estimate lies in the prediction interval."""
        return self.predicted_low <= self.replication.estimate <= self.predicted_high

    @property
    def is_equivalent(self) -> bool:
        """Whether the difference is shown to be smaller than the bounds."""
        return self.difference_low > -self.bounds and self.difference_high < self.bounds


def measure(labels: pd.DataFrame) -> tuple[StudyFigure, ...]:
    """Return the figures of a study that a replication is compared in.

    The unit is the person: a replication has the same images, so that what differs is who
    answered, and in which order they saw what.

    Parameters
    ----------
    labels
        As docs/statistics.md lists them.

    Returns
    -------
    tuple
        A figure for each pool that has answers, and `DIFFERENCE` where both have.

    Raises
    ------
    ScoringInputError
        As `tables.check_labels`.
    """
    whole = check_labels(labels)
    first = whole[whole["kind"] == LABEL]
    present = [pool for pool in POOLS if (first["pool"] == pool).any()]
    found = [_of_pool(pool, first[first["pool"] == pool]) for pool in present]
    return (*found, _of_difference(first)) if len(present) == len(POOLS) else tuple(found)


def _of_pool(pool: str, first: pd.DataFrame) -> StudyFigure:
    people = first["annotator"].to_numpy(object)
    one = annotator_interval(first["correct"].to_numpy(bool), people)
    error, freedom = one.standard_error, one.freedom
    return StudyFigure(
        pool, one.estimate, error, freedom, one.low, one.high, len(first), len(set(people))
    )


def _of_difference(first: pd.DataFrame) -> StudyFigure:
    people = first["annotator"].to_numpy(object)
    _, one, _ = difference_intervals(
        first["correct"].to_numpy(bool),
        people,
        first["stimulus"].to_numpy(object),
        first["pool"].to_numpy(object) == "guided",
    )
    error, freedom = one.standard_error, one.freedom
    return StudyFigure(
        DIFFERENCE, one.estimate, error, freedom, one.low, one.high, len(first), len(set(people))
    )


def compare_studies(
    original: tuple[StudyFigure, ...], replication: tuple[StudyFigure, ...], bounds: float = BOUNDS
) -> tuple[Compared, ...]:
    """Return each figure of the original beside that of the replication.

    Parameters
    ----------
    original, replication
        Of `measure`.
    bounds
        Least difference of accuracies that matters, above 0 and below 1.
    """
    found = {one.name: one for one in replication}
    none = StudyFigure("", nan, nan, nan, nan, nan, 0, 0)
    return tuple(compare_figures(one, found.get(one.name, none), bounds) for one in original)


def compare_figures(
    original: StudyFigure, replication: StudyFigure, bounds: float = BOUNDS, level: float = LEVEL
) -> Compared:
    """Return how one figure of the replication stands to that of the original.

    With standard errors ``a`` and ``b`` the prediction interval is ``original +- t sqrt(a^2 +
    b^2)``, and the difference's ``replication - original +- t' sqrt(a^2 + b^2)``, ``t`` at `level`
    and ``t'`` at ``2 * level - 1``, both with Welch's degrees of freedom.
    """
    difference = replication.estimate - original.estimate
    if not original.is_known or not replication.is_known:
        return Compared(original, replication, nan, nan, difference, nan, nan, bounds, "unknown")
    error = sqrt(original.standard_error**2 + replication.standard_error**2)
    freedom = _welch(original, replication)
    reach = _reach(level, freedom) * error
    narrow = _reach(2 * level - 1, freedom) * error
    ends = (original.estimate - reach, original.estimate + reach)
    within = (difference - narrow, difference + narrow)
    one = Compared(original, replication, *ends, difference, *within, bounds, "")
    return replace(one, verdict=_verdict(one))


def _verdict(one: Compared) -> str:
    if one.is_consistent:
        return "replicated" if one.is_equivalent else "consistent"
    return "differs_little" if one.is_equivalent else "differs"


def _welch(one: StudyFigure, other: StudyFigure) -> float:
    """Return the degrees of freedom of a difference (Welch, Biometrika 34 (1947) 28-35)."""
    parts = [(each.standard_error**2, each.freedom) for each in (one, other)]
    below = sum(part**2 / freedom for part, freedom in parts if isfinite(freedom))
    return float(sum(part for part, _ in parts) ** 2 / below) if below > 0 else np.inf


def _reach(level: float, freedom: float) -> float:
    quantile = 0.5 + level / 2
    return float(
        special.stdtrit(freedom, quantile) if isfinite(freedom) else special.ndtri(quantile)
    )


# -- in words ---------------------------------------------------------------------------


_NAMES = {
    "unguided": "Accuracy of unguided people",
    "guided": "Accuracy of guided people",
    DIFFERENCE: "Guided minus unguided",
}


def verdict_sentence(one: Compared) -> str:
    """Return what came out of one figure, in plain words."""
    name = _NAMES[one.original.name]
    if one.verdict == "unknown":
        return (
            f"{name}: not to be said yet; both studies need answers of at least two people who "
            "differ."
        )
    said = (
        f"{name}: {_figure(one.original)} in the original and {_figure(one.replication)} here. "
        f"{_expected(one)} was to be expected from the original, so this is "
        f"{'' if one.is_consistent else 'not '}consistent with it."
    )
    points = f"{100 * one.bounds:g} points"
    span = f"{_points(one.difference_low)} to {_points(one.difference_high)} points"
    if one.is_equivalent:
        return f"{said} The two differ by less than {points} ({span}), so they are equivalent."
    return f"{said} That they differ by less than {points} is not shown ({span})."


def overall_sentence(compared: tuple[Compared, ...]) -> str:
    """Return the verdict over all figures, as one sentence."""
    kinds = {one.verdict for one in compared}
    if not compared or "unknown" in kinds:
        return "There are too few answers for a verdict on every figure."
    if kinds == {"replicated"}:
        return "Replicated: every figure is consistent with the original and equivalent to it."
    if kinds <= {"replicated", "consistent"}:
        return (
            "Consistent: every figure is where the original lets one expect it; not all are "
            "measured well enough to be called equivalent."
        )
    if "differs" not in kinds:
        return "Some figures differ from the original, by less than what matters."
    return "Not replicated: at least one figure is not where the original lets one expect it."


def _figure(one: StudyFigure) -> str:
    if one.name == DIFFERENCE:
        return f"{_points(one.estimate)} points"
    return f"{100 * one.estimate:.1f} %"


def _expected(one: Compared) -> str:
    low, high = one.expected
    if one.original.name == DIFFERENCE:
        return f"{_points(low)} to {_points(high)} points"
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")
