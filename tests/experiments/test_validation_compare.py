"""Comparing two sets: the tests, their correction, and how often they are wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.validation import LABELS, Measured, compare_measured
from umnist_core.experiments.validation.calibrate import count_false_alarms, count_found
from umnist_core.experiments.validation.compare import holm, smallest_found_effect


def measured(
    figures: dict[str, NDArray[np.float64]], labels: Sequence[int | None] | None = None
) -> Measured:
    """Return a set of images with these figures."""
    count = len(next(iter(figures.values())))
    return Measured(figures, tuple([None] * count if labels is None else labels), {}, count)


def test_holm_multiplies_by_the_tests_that_are_left() -> None:
    """Smallest first, never falling, at most 1, in the order that came in."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


def test_effects_are_those_of_the_textbook() -> None:
    """Disjoint sides are 1 apart, equal ones 0, and ties count for neither."""
    low, high = np.arange(12.0), np.arange(20.0, 32.0)
    apart = compare_measured(measured({"a": low}), measured({"a": high})).figures[0]
    assert (apart.finding.effect, apart.cliffs_delta) == (1, 1)
    assert apart.ours == (2.75, 5.5, 8.25)
    same = compare_measured(measured({"a": low}), measured({"a": low})).figures[0]
    assert (same.finding.effect, same.cliffs_delta, same.finding.p_value) == (0, 0, 1)
    tied = compare_measured(measured({"a": np.zeros(12)}), measured({"a": low})).figures[0]
    assert tied.cliffs_delta == pytest.approx(11 / 12)


def test_shifted_figure_is_found_and_named() -> None:
    """The others are left alone."""
    rng = np.random.default_rng(4)
    ours, theirs = ({name: rng.random(80) for name in "abcde"} for _ in range(2))
    theirs["d"] = theirs["d"] + 0.5
    assert compare_measured(measured(ours), measured(theirs)).differing == ("d",)


def test_labels_of_other_frequencies_are_found() -> None:
    """A preset whose sums are not balanced is told from one whose are."""
    rng = np.random.default_rng(5)
    balanced = [place % 28 for place in range(112)]
    heaped = np.clip(np.round(rng.normal(13, 5, 112)), 0, 27).astype(int).tolist()
    flat = {"a": np.zeros(112)}
    found = compare_measured(measured(flat, balanced), measured(flat, heaped))
    assert found.differing == (LABELS,)
    assert found.labels is not None
    assert sum(theirs for _, theirs in found.labels.counts.values()) == 112
    even = compare_measured(measured(flat, balanced), measured(flat, balanced[::-1]))
    assert even.differing == ()


def test_effect_of_labels_is_that_of_the_whole_table() -> None:
    """Cramer's V from chi-square, as SciPy computes it."""
    ours, theirs = [0] * 10 + [1] * 20 + [2] * 5, [0] * 12 + [1] * 8 + [3] * 6
    flat_ours, flat_theirs = {"a": np.zeros(35)}, {"a": np.zeros(26)}
    found = compare_measured(measured(flat_ours, ours), measured(flat_theirs, theirs)).labels
    assert found is not None
    table = np.array(list(found.counts.values()))
    expected = chi2_contingency(table, correction=False)
    assert found.finding.effect == pytest.approx(np.sqrt(expected.statistic / 61))
    assert found.finding.p_value == pytest.approx(expected.pvalue, abs=0.01)


def test_unknown_labels_are_not_compared() -> None:
    """Nor are a few; figures are."""
    figures = {"a": np.arange(30.0)}
    few = [1] * 5 + [None] * 25
    assert compare_measured(measured(figures, [1] * 30), measured(figures, few)).labels is None


def test_too_few_images_are_refused() -> None:
    """With the number that is needed."""
    with pytest.raises(InvalidValueError, match="found 9 of theirs"):
        compare_measured(measured({"a": np.zeros(20)}), measured({"a": np.zeros(9)}))


def test_false_alarms_are_at_most_one_in_twenty() -> None:
    """Over continuous, skewed and discrete figures that depend on each other, and labels."""
    rng = np.random.default_rng(6)
    base = rng.normal(size=240)
    figures = {
        "normal": base,
        "dependent": base + 0.3 * rng.normal(size=240),
        "skewed": np.exp(rng.normal(size=240)),
        "discrete": rng.poisson(1.0, 240).astype(float),
    }
    alarms = count_false_alarms(
        measured(figures, rng.integers(0, 28, 240).tolist()), 40, seed=7, cases=100
    )
    assert alarms.cases == 100
    assert alarms.any <= 5
    assert sum(alarms.alone.values()) > sum(alarms.by_name.values())
    assert max(alarms.alone.values()) <= 10


def test_difference_that_is_there_is_counted_as_found() -> None:
    """Every time, and under the name of the figure."""
    rng = np.random.default_rng(8)
    ours, theirs = ({"a": rng.normal(size=90), "b": rng.normal(size=90)} for _ in range(2))
    theirs["b"] += 3
    found = count_found(measured(ours), measured(theirs), 40, seed=9, cases=10)
    assert (found.any, found.by_name["b"]) == (10, 10)
    with pytest.raises(InvalidValueError, match="Expected 91 measured images"):
        count_found(measured(ours), measured(theirs), 91, seed=9, cases=1)


def test_smallest_found_effect_shrinks_with_images_and_grows_with_tests() -> None:
    """It is where the p-value of a single figure meets its share of the level."""
    assert smallest_found_effect(400, 400, 10) < smallest_found_effect(100, 100, 10)
    assert smallest_found_effect(100, 100, 10) > smallest_found_effect(100, 100, 1)
    assert smallest_found_effect(100, 100, 1) == pytest.approx(0.19, abs=0.01)
