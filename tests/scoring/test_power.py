"""Power, and the published figures: known tables come out."""

from __future__ import annotations

from math import ceil, inf, isnan

import numpy as np
import pytest
from scipy.stats import binom, norm

from tests.scoring.simulated import simulate, true_accuracy
from umnist_core.scoring import (
    Plan,
    ScoringInputError,
    annotator_interval,
    annotators_needed,
    beside_published,
    detectable_difference,
    difference_intervals,
    half_width,
    labels_needed,
    measure_clustering,
    power_of,
    power_table,
    published_comparison,
)


@pytest.mark.parametrize(
    ("icc", "width", "gap", "labels"),
    [(0, 3.1, 6.3, 5001), (0.02, 3.9, 7.9, 7902), (0.05, 4.9, 9.8, 12252), (0.1, 6.1, 12.4, 19503)],
)
def test_power_reproduces_the_known_table(
    icc: float, width: float, gap: float, labels: int
) -> None:
    """1,000 labels by people of 30: half-width, detectable gap, labels for 2.8 points."""
    plan = Plan(0.493, icc, 30)
    assert round(100 * half_width(plan, 1000), 1) == width
    assert round(100 * detectable_difference(plan, 1000), 1) == gap
    assert ceil(labels_needed(plan, 0.028)) == labels
    assert annotators_needed(plan, 0.028) == ceil(labels_needed(plan, 0.028) / 30)


def exact_power(first: float, second: float, labels: int) -> float:
    """Return how often two binomial pools differ by more than 1.96 standard errors, not pooled."""
    counts = [np.arange(*binom.ppf((1e-9, 1 - 1e-9), labels, share)) for share in (first, second)]
    one, other = counts[0][:, None] / labels, counts[1][None, :] / labels
    error = np.sqrt((one * (1 - one) + other * (1 - other)) / labels)
    found = np.abs(other - one) > norm.ppf(0.975) * error
    return float(binom.pmf(counts[0], labels, first) @ found @ binom.pmf(counts[1], labels, second))


def test_variance_is_not_pooled() -> None:
    """The formula that is cited, by SciPy's quantiles; the pooled one gives 3 labels more."""
    single = 0.493 * 0.507 + 0.521 * 0.479
    reach, rest = norm.ppf(0.975), norm.ppf(0.8)
    plain = (reach + rest) ** 2 * single / 0.028**2
    pooled = (reach * np.sqrt(2 * 0.507 * 0.493) + rest * np.sqrt(single)) ** 2 / 0.028**2
    assert labels_needed(Plan(0.493), 0.028) == pytest.approx(plain, rel=1e-12)
    assert (ceil(plain), ceil(pooled)) == (5001, 5004)


def test_needed_labels_are_those_of_the_books_example() -> None:
    """Chow, Shao and Wang, 4.2.4: 65 % against 85 % at 80 % power take 70 in each group."""
    assert ceil(labels_needed(Plan(0.65), 0.2)) == 70


def test_needed_labels_suffice_by_counting_all_outcomes() -> None:
    """The exact power of two binomial distributions; its steps are half a point high."""
    for labels in (1000, 5001):
        expected = power_of(Plan(0.493), 0.028, labels)
        assert exact_power(0.493, 0.521, labels) == pytest.approx(expected, abs=5e-3)


def test_needed_labels_have_the_power_that_was_asked_for() -> None:
    """80 %, with clustering and shared images too; with fewer labels, less."""
    for plan in (Plan(0.3), Plan(0.6, 0.05, 25, 0.8)):
        needed = labels_needed(plan, 0.05)
        assert power_of(plan, 0.05, needed) == pytest.approx(0.8, abs=1e-3)
        assert power_of(plan, 0.05, needed / 2) < 0.6


def test_power_is_what_simulated_studies_find() -> None:
    """The share of 1,500 studies whose paired interval leaves out 0, within 4 points."""
    rng, found, iccs, ratios = np.random.default_rng(8), [], [], []
    for _ in range(1500):
        study = simulate(rng, 0.4, effect=0.5)
        _, paired, ratio = difference_intervals(*study.arrays, study.guided)
        found.append(paired.low > 0 or paired.high < 0)
        iccs.append(measure_clustering(*study.pool(False).arrays[:2]).icc)
        ratios.append(ratio)
    plan = Plan(0.5, float(np.mean(iccs)), 30, float(np.mean(ratios)))
    expected = power_of(plan, true_accuracy(0.4, 0.5) - 0.5, 990)
    assert np.mean(found) == pytest.approx(expected, abs=0.04)


def test_power_table_leaves_out_what_cannot_be() -> None:
    """No accuracy above 1; without a plan no rows; without labels no power."""
    assert power_table(Plan(0.93), 100)["difference"].tolist() == [0.02, 0.028, 0.05]
    assert power_table(None, 100).empty
    assert power_table(Plan(0.5), 0)["power_now"].isna().all()


def test_impossible_plans_are_refused() -> None:
    """Each value outside its range, with what was expected."""
    for bad in ({"unguided": 1.0}, {"unguided": 0.5, "labels_per_annotator": 0.5}):
        with pytest.raises(ScoringInputError):
            Plan(**bad)
    for difference in (0.0, 0.6):
        with pytest.raises(ScoringInputError, match="difference"):
            labels_needed(Plan(0.5), difference)
    with pytest.raises(ScoringInputError, match="above 0"):
        half_width(Plan(0.5), 0)


# -- published --------------------------------------------------------------------


def test_published_gap_is_no_evidence() -> None:
    """Z 1.25, p 0.21, -1.6 to +7.2 points, power 24 %."""
    found = published_comparison()
    assert round(found.z, 2) == 1.25
    assert round(found.p_value, 2) == 0.21
    assert round(100 * found.difference.low, 1) == -1.6
    assert round(100 * found.difference.high, 1) == 7.2
    assert round(100 * found.power) == 24


@pytest.mark.parametrize(
    ("pool", "low", "high"), [("unguided", 46.2, 52.4), ("guided", 49.0, 55.2)]
)
def test_published_accuracies_have_wilson_intervals(pool: str, low: float, high: float) -> None:
    """1,000 labels each, as if independent; wider if answers were as alike as ours."""
    ours = annotator_interval([1, 1, 0, 1, 0, 0], [*"aaabbb"])
    found = beside_published(pool, ours, icc=0.05)
    assert round(100 * found.interval.low, 1) == low
    assert round(100 * found.interval.high, 1) == high
    assert found.if_clustered.low < found.interval.low < found.interval.high
    assert found.if_clustered.high > found.interval.high


def test_published_accuracy_stands_beside_ours() -> None:
    """The difference adds both variances; without an interval of ours it has none, and says so."""
    ours = annotator_interval([1, 1, 0, 1, 0, 0, 1, 1], [*"aaabbbcc"])
    found = beside_published("guided", ours, icc=float("nan")).ours_minus_published
    assert found.estimate == pytest.approx(ours.estimate - 0.521)
    assert found.standard_error**2 == pytest.approx(ours.standard_error**2 + 0.521 * 0.479 / 1000)
    assert found.freedom == inf
    one = beside_published("guided", annotator_interval([1, 0], [*"aa"]), icc=float("nan"))
    assert isnan(one.ours_minus_published.low)
    assert "One annotator" in one.ours_minus_published.note
    assert isnan(one.if_clustered.low)
