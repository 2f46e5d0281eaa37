"""Guided minus unguided: intervals and permutation."""

from __future__ import annotations

from itertools import combinations
from math import isnan, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.scoring.simulated import SimulatedStudy, simulate
from umnist_core.scoring import (
    ScoringInputError,
    compare_pools,
    difference_intervals,
    permutation_test,
)

SMALL = simulate(np.random.default_rng(5), 0.7, effect=1.0, labels=np.array([6, 6, 5]), images=17)
"""Three people a pool, and all 17 images in both."""


def _statistic(study: SimulatedStudy, guided: set[int]) -> float:
    """Return the difference over its standard error if ``guided`` people were guided, in loops."""
    rest = study.correct - study.correct.mean()
    in_guided = np.isin(study.annotators, list(guided))
    parts = np.where(in_guided, rest / in_guided.sum(), -rest / (~in_guided).sum())
    own: NDArray[np.float64] = np.array(
        [parts[study.annotators == person].sum() for person in range(6)]
    )
    plain = float((own**2).sum())
    variance = plain + sum(
        parts[i] * parts[j]
        for i in range(len(parts))
        for j in range(len(parts))
        if study.images[i] == study.images[j] and study.annotators[i] != study.annotators[j]
    )
    return float(parts.sum()) / sqrt(variance if variance > 0 else plain)


def test_unpaired_interval_is_welchs() -> None:
    """What SciPy gives for two times 33 means."""
    study = simulate(np.random.default_rng(0), 0.7)
    means = study.correct.reshape(66, 30).mean(axis=1)
    expected = stats.ttest_ind(means[33:], means[:33], equal_var=False)
    unpaired, _, _ = difference_intervals(*study.arrays, study.guided)
    ends = expected.confidence_interval(0.95)
    assert (unpaired.low, unpaired.high) == pytest.approx((ends.low, ends.high))
    assert unpaired.freedom == pytest.approx(expected.df)


def test_paired_difference_is_the_mean_of_the_images_differences() -> None:
    """All images in both pools: the estimate is the mean, over images, of guided minus unguided."""
    order = [np.argsort(SMALL.pool(guided).images) for guided in (True, False)]
    marks = [SMALL.pool(guided).correct[order[not guided]] for guided in (True, False)]
    _, paired, _ = difference_intervals(*SMALL.arrays, SMALL.guided)
    assert paired.estimate == pytest.approx(np.mean(marks[0].astype(int) - marks[1]))


def test_pairing_takes_out_how_hard_images_are() -> None:
    """If pools agree on every image, all variance that they share is gone."""
    study = simulate(np.random.default_rng(2), 0.4)
    unguided = study.pool(False)
    shuffled = np.random.default_rng(3).permutation(990)  # the same answers, by other people
    correct = np.concatenate([unguided.correct, unguided.correct[shuffled]])
    images = np.concatenate([unguided.images, unguided.images[shuffled]])
    _, paired, ratio = difference_intervals(correct, study.annotators, images, study.guided)
    assert paired.estimate == 0.0
    assert ratio < 0.5


def test_images_that_are_not_shared_leave_the_interval_as_it_is() -> None:
    """Nothing can be paired, and nothing is."""
    study = simulate(np.random.default_rng(4), 0.4)
    images = study.images + 1000 * study.guided
    unpaired, paired, ratio = difference_intervals(
        study.correct, study.annotators, images, study.guided
    )
    assert (paired.low, paired.high, ratio) == (unpaired.low, unpaired.high, 1.0)


def test_permutation_test_is_exact_for_few_annotators() -> None:
    """Six people have 20 assignments; p is the share of them as extreme, gone through in loops."""
    found = permutation_test(*SMALL.arrays, SMALL.guided, rng=np.random.default_rng(0))
    every = [_statistic(SMALL, set(guided)) for guided in combinations(range(6), 3)]
    observed = _statistic(SMALL, {3, 4, 5})
    assert found.exact
    assert found.assignments == 20
    assert found.statistic == pytest.approx(observed)
    assert found.p_value == pytest.approx(np.mean(np.abs(every) >= abs(observed) - 1e-9))
    assert "coarse" in found.note


def test_drawn_permutations_come_near_the_exact_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same small study, once gone through and once drawn."""
    exact = permutation_test(*SMALL.arrays, SMALL.guided, rng=np.random.default_rng(0))
    monkeypatch.setattr("umnist_core.scoring.compare.MOST_EXACT", 0)
    drawn = permutation_test(*SMALL.arrays, SMALL.guided, rng=np.random.default_rng(0))
    assert not drawn.exact
    assert drawn.assignments == 10_000
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.02)


def test_comparison_follows_from_its_seed() -> None:
    """The same generator gives the same p, another one another."""
    study = simulate(np.random.default_rng(6), 0.4)
    found = [
        compare_pools(
            *study.arrays, study.guided, rng=np.random.default_rng(seed), permutations=199
        ).test.p_value
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]


def test_large_difference_is_found_in_its_direction() -> None:
    """Guided people are much better: positive, an interval above 0, the least p there is."""
    study = simulate(np.random.default_rng(7), 0.4, effect=2.0)
    found = compare_pools(
        *study.arrays, study.guided, rng=np.random.default_rng(0), permutations=999
    )
    assert found.paired.low > 0.1
    assert found.test.statistic > 0
    assert found.test.p_value == 1 / 1000
    assert found.shared_images == len(set(study.pool(True).images) & set(study.pool(False).images))


def test_annotator_in_both_pools_is_refused() -> None:
    """People are what is permuted, so they cannot be divided."""
    with pytest.raises(ScoringInputError, match="one pool"):
        permutation_test([1, 0], ["a", "a"], [0, 1], [True, False], rng=np.random.default_rng(0))


def test_comparison_of_too_little_says_so() -> None:
    """One pool alone, one person a pool, all correct: no crash, no interval, a sentence."""
    rng = np.random.default_rng(0)
    alone = compare_pools([1, 0], ["a", "b"], [0, 1], [True, True], rng=rng)
    assert isnan(alone.paired.estimate)
    assert isnan(alone.test.p_value)
    assert "both pools" in alone.test.note
    two = compare_pools([1, 0], ["a", "b"], [0, 0], [True, False], rng=rng)
    assert two.paired.estimate == 1.0
    assert "two annotators" in two.paired.note
    right = compare_pools([1] * 4, [*"abcd"], [0, 1, 0, 1], [True, True, False, False], rng=rng)
    assert "do not differ" in right.paired.note
    assert right.test.p_value == 1.0
