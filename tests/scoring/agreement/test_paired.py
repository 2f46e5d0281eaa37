"""Two raters on the same images, and rank correlations over images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.agreement import compare_paired, rank_correlation, time_scores


def test_mcnemar_is_the_exact_binomial_test_of_discordant_images() -> None:
    """Against SciPy's, and images that one did not answer are left out."""
    first = np.array([1] * 10 + [0] * 3 + [1] * 5 + [0] * 4 + [np.nan])
    second = np.array([0] * 10 + [1] * 3 + [1] * 5 + [0] * 4 + [1])
    found = compare_paired(first, second)
    assert (found.first_only, found.second_only, found.both, found.neither) == (10, 3, 5, 4)
    assert found.images == 22
    assert found.p_value == pytest.approx(stats.binomtest(10, 13, 0.5).pvalue)
    assert found.difference == pytest.approx(7 / 22)
    assert found.low < found.difference < found.high


def test_raters_who_never_differ_have_a_p_value_of_1() -> None:
    """And an interval around 0."""
    found = compare_paired([1, 1, 0], [1, 1, 0])
    assert (found.p_value, found.difference) == (1.0, 0.0)
    assert found.low < 0 < found.high
    with pytest.raises(ScoringInputError, match="same images"):
        compare_paired([1, 0], [1])


def test_rank_correlation_is_spearmans() -> None:
    """With ties, and without images that lack a value."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 40).astype(float)
    second = first + rng.normal(0, 2, 40)
    found = rank_correlation([*first, np.nan], [*second, 1.0], rng=rng, draws=200)
    assert found.estimate == pytest.approx(stats.spearmanr(first, second).statistic)
    assert found.images == 40
    assert found.low < found.estimate < found.high
    assert np.isnan(rank_correlation([1, 1, 1, 1], [1, 2, 3, 4], rng=rng).estimate)


def test_a_slow_person_makes_no_image_look_hard() -> None:
    """Times are taken beside the same person's others."""
    quick, slow = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 40.0])
    scores = time_scores([*quick, *slow, np.nan], ["a"] * 3 + ["b"] * 3 + ["a"])
    assert scores[:3] == pytest.approx(scores[3:6])
    assert np.isnan(scores[6])
