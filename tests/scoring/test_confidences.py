"""Confidences against what came of the answers: bins, the error, and what chance gives."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from umnist_core.scoring import reliability, wilson
from umnist_core.scoring.errors import ScoringInputError


def test_bins_hold_equally_many_answers_from_the_least_sure_to_the_most() -> None:
    """Whatever order they come in; each has its mean confidence, and Wilson's interval."""
    rng = np.random.default_rng(0)
    stated = rng.random(205)
    right = rng.random(205) < 0.5
    found = reliability(stated, right)
    assert [one.answers for one in found.bins] == [21] * 5 + [20] * 5
    least = np.argsort(stated)[:21]
    assert found.bins[0].confidence == pytest.approx(stated[least].mean())
    assert found.bins[0].accuracy == wilson(right[least].sum(), 21)
    means = [one.confidence for one in found.bins]
    assert means == sorted(means)


def test_error_is_the_mean_distance_of_confidence_and_accuracy() -> None:
    """By hand: 40 answers said 0.9 with 30 right, 40 said 0.6 with 32 right."""
    stated = [0.9] * 40 + [0.6] * 40
    right = [1] * 30 + [0] * 10 + [1] * 32 + [0] * 8
    found = reliability(stated, right, bins=2)
    assert found.error == pytest.approx((0.15 + 0.2) / 2)
    assert [one.confidence for one in found.bins] == pytest.approx([0.6, 0.9])


def test_right_confidences_have_no_more_error_than_chance_gives() -> None:
    """Averaged over many sets; and confidences that are too high have more."""
    rng = np.random.default_rng(1)
    errors, by_chance, bold = [], [], []
    for _ in range(60):
        stated = rng.uniform(0.5, 1, 200)
        right = rng.random(200) < stated
        found = reliability(stated, right)
        errors.append(found.error)
        by_chance.append(found.by_chance)
        bold.append(reliability(np.sqrt(stated), right).error)
    assert np.mean(errors) == pytest.approx(np.mean(by_chance), rel=0.1)
    assert np.mean(bold) > 1.5 * np.mean(by_chance)


def test_few_answers_share_fewer_bins() -> None:
    """A single one has one bin, and its interval says how little is known."""
    assert len(reliability([0.5] * 39, [1] * 39).bins) == 1
    assert len(reliability([0.5] * 40, [1] * 40).bins) == 2
    (only,) = reliability([0.7], [True]).bins
    assert (only.answers, only.confidence, only.accuracy) == (1, 0.7, wilson(1, 1))


def test_figures_pass_through_json() -> None:
    """With the names that cards and pages know."""
    told = json.loads(json.dumps(reliability([0.5] * 40, [1, 0] * 20).to_dict(), allow_nan=False))
    assert set(told) == {"answers", "ece", "ece_by_chance", "bins"}
    assert set(told["bins"][0]) == {"answers", "confidence", "accuracy", "low", "high"}


@pytest.mark.parametrize(
    ("stated", "right"),
    [([], []), ([1.5], [1]), ([-0.1], [1]), ([float("nan")], [1]), ([0.5, 0.5], [1])],
)
def test_what_is_no_confidence_is_refused(stated: Any, right: Any) -> None:
    """In a sentence."""
    with pytest.raises(ScoringInputError, match="confidences from 0 to 1"):
        reliability(stated, right)
