"""Intervals agree with SciPy, with computation by hand, and with each other."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from scipy import stats

from tests.scoring.simulated import simulate
from umnist_core.scoring import (
    annotator_interval,
    crossed_interval,
    design_effect,
    measure_clustering,
    wilson,
)


@pytest.mark.parametrize(("correct", "labels"), [(0, 5), (5, 5), (1, 30), (493, 1000)])
def test_wilson_interval_agrees_with_scipy(correct: int, labels: int) -> None:
    """At both ends of the scale and between."""
    found = wilson(correct, labels)
    expected = stats.binomtest(correct, labels).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert "independent" in found.method


def test_annotator_interval_is_the_t_interval_of_means_if_all_labeled_as_many() -> None:
    """33 people of 30 labels: what SciPy gives for 33 numbers."""
    pool = simulate(np.random.default_rng(0), 0.7).pool(True)
    means = pool.correct.reshape(33, 30).mean(axis=1)
    expected = stats.t.interval(0.95, 32, means.mean(), stats.sem(means))
    found = annotator_interval(pool.correct, pool.annotators)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.freedom == 32


def test_annotator_interval_weighs_people_by_their_labels() -> None:
    """It centres on the share of all answers, and its variance is that of leaving each one out."""
    correct = np.array([1, 1, 0, 1, 0, 0, 0, 1, 1])
    people = np.array(["a", "a", "a", "a", "b", "b", "b", "c", "c"])
    left_out = [correct[people != person].mean() for person in "abc"]
    variance = 2 / 3 * sum((each - correct.mean()) ** 2 for each in left_out)
    found = annotator_interval(correct, people)
    assert found.estimate == pytest.approx(5 / 9)
    assert found.standard_error == pytest.approx(sqrt(variance))


def test_annotator_interval_stays_between_0_and_1() -> None:
    """Two people who differ much."""
    found = annotator_interval([1, 1, 0, 1], ["a", "a", "b", "b"])
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("correct", "people", "note"),
    [
        ([], [], "no answers"),
        ([True, False], ["a", "a"], "One annotator"),
        ([True, True], ["a", "b"], "same accuracy"),
        ([1, 1, 0, 1], [*"abab"], ""),
        ([1, 0, 0] * 3, [*"aaabbbccc"], "same accuracy"),
    ],
)
def test_interval_that_cannot_be_given_says_why(
    correct: list[int], people: list[str], note: str
) -> None:
    """No crash, no interval of no width, one sentence."""
    for found in (
        annotator_interval(correct, people),
        crossed_interval(correct, people, range(len(people))),
    ):
        assert note in found.note
        assert found.is_known is (note == "")


def test_crossed_interval_is_the_annotators_if_images_are_answered_once() -> None:
    """Nothing is shared, so nothing is added."""
    pool = simulate(np.random.default_rng(1), 0.4).pool(False)
    crossed, plain = crossed_interval(*pool.arrays), annotator_interval(*pool.arrays[:2])
    assert (crossed.low, crossed.high) == pytest.approx((plain.low, plain.high))


def test_crossed_interval_adds_what_answers_to_one_image_have_in_common() -> None:
    """Products of residuals of all pairs of people, by hand."""
    correct = np.array([1, 1, 0, 1, 1, 0, 0, 1])
    people, images = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 1, 2, 3, 0, 2, 4, 5])
    rest = correct - correct.mean()
    shared = 2 * (rest[0] * rest[4] + rest[2] * rest[5]) / 8**2
    plain = annotator_interval(correct, people).standard_error ** 2
    found = crossed_interval(correct, people, images).standard_error ** 2
    assert found == pytest.approx(plain + shared)


# -- clustering -------------------------------------------------------------------


def test_icc_agrees_with_an_analysis_of_variance_by_hand() -> None:
    """Three people of four labels; mean squares 1/3 and 1/4."""
    correct = [1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0]
    found = measure_clustering(correct, [*"aaaabbbbcccc"])
    f_test = stats.f_oneway(correct[:4], correct[4:8], correct[8:])
    assert found.icc == pytest.approx((f_test.statistic - 1) / (f_test.statistic + 3))
    assert found.icc == pytest.approx(1 / 13)
    low = f_test.statistic / stats.f.ppf(0.975, 2, 9)
    assert found.icc_low == pytest.approx((low - 1) / (low + 3))
    assert found.effective_labels == pytest.approx(12 / (1 + 3 / 13))


def test_icc_of_simulated_people_is_what_they_were_given() -> None:
    """400 studies: the mean estimate is the share of variance between people, within 3 %."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(400):
        chances = rng.beta(4.5, 4.5, 33)  # variance 1 / 40, so an ICC of 1 / 40 over 1 / 4
        people = np.repeat(np.arange(33), rng.integers(20, 41, 33))
        found.append(measure_clustering(rng.random(len(people)) < chances[people], people).icc)
    assert np.mean(found) == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize(("icc", "effective"), [(0, 1000), (0.02, 633), (0.05, 408), (0.1, 256)])
def test_design_effect_gives_effective_labels(icc: float, effective: int) -> None:
    """1,000 labels by people of 30 each; a correlation below 0 counts as 0."""
    assert round(1000 / design_effect(icc, 30)) == effective
    assert design_effect(-0.02, 30) == 1.0


def test_labels_per_annotator_weigh_people_by_their_labels() -> None:
    """People of 40, 10 and 10 labels: the mean label is one of 30."""
    found = measure_clustering([1, 0] * 30, ["a"] * 40 + ["b"] * 10 + ["c"] * 10)
    assert found.labels_per_annotator == 30


@pytest.mark.parametrize(
    ("correct", "people", "icc"),
    [([1, 1, 0, 0], [*"aabb"], 1.0), ([1, 1, 1, 1], [*"aabb"], None), ([1, 0], [*"ab"], None)],
)
def test_icc_of_extreme_answers_is_1_or_unknown(
    correct: list[int], people: list[str], icc: float | None
) -> None:
    """Each person always right or always wrong; all right; one label each."""
    found = measure_clustering(correct, people).icc
    assert isnan(found) if icc is None else found == icc
