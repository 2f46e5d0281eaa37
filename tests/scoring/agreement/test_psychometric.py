"""Psychometric functions: threshold and slope are recovered, and open ends are said."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.agreement import fit_psychometric, fit_psychometric_by_people

LEVELS = np.linspace(3.8, 8.0, 8)


def chances(threshold: float = 5.5, slope: float = 2.0, lapse: float = 0.03) -> np.ndarray:
    """Return the true shares at `LEVELS`, guessing one sum of 28."""
    return 1 / 28 + (1 - 1 / 28 - lapse) / (1 + np.exp(-slope * (LEVELS - threshold)))


def test_threshold_and_slope_are_recovered() -> None:
    """Intervals hold the truth in about 95 %, the mean estimate is near it."""
    rng = np.random.default_rng(0)
    held, found = np.zeros(2), []
    for _ in range(50):
        fit = fit_psychometric(LEVELS, rng.binomial(60, chances()), np.full(8, 60))
        held += [fit.threshold.low <= 5.5 <= fit.threshold.high]
        held[1] += (fit.slope.low <= 2 <= fit.slope.high) - (
            fit.threshold.low <= 5.5 <= fit.threshold.high
        )
        found.append((fit.threshold.estimate, fit.slope.estimate))
    assert (held >= 43).all()
    assert np.mean(found, axis=0) == pytest.approx([5.5, 2.0], abs=0.12)


def test_exact_shares_give_back_the_curve() -> None:
    """With many answers estimate and prediction are the truth."""
    total = np.full(8, 1_000_000)
    fit = fit_psychometric(LEVELS, chances() * total, total)
    assert fit.threshold.estimate == pytest.approx(5.5, abs=0.01)
    assert fit.slope.estimate == pytest.approx(2.0, abs=0.02)
    assert fit.lapse == pytest.approx(0.03, abs=0.003)
    assert fit.predict(LEVELS) == pytest.approx(chances(), abs=1e-3)


def test_curve_that_falls_is_the_mirror_of_one_that_rises() -> None:
    """More noise, fewer right answers; threshold and slope mean the same."""
    right = np.random.default_rng(1).binomial(60, chances())
    up = fit_psychometric(LEVELS, right, np.full(8, 60))
    down = fit_psychometric(-LEVELS, right, np.full(8, 60))
    assert not up.falls
    assert down.falls
    assert down.threshold.estimate == pytest.approx(-up.threshold.estimate, abs=1e-3)
    assert down.slope.estimate == pytest.approx(up.slope.estimate, rel=1e-3)


def test_guess_rate_can_be_fitted() -> None:
    """Where half is right without any evidence."""
    shares = 0.5 + 0.5 / (1 + np.exp(-3 * (LEVELS - 6)))
    total = np.full(8, 100_000)
    fit = fit_psychometric(LEVELS, shares * total, total, guess=None, lapse=0.0)
    assert fit.guess == pytest.approx(0.5, abs=0.01)
    assert fit.threshold.estimate == pytest.approx(6, abs=0.02)


def test_answers_that_are_all_right_leave_an_end_open_and_say_so() -> None:
    """The threshold is below all that was measured."""
    fit = fit_psychometric(LEVELS, np.full(8, 60), np.full(8, 60), falls=False)
    assert fit.threshold.low == -np.inf
    assert fit.to_dict()["threshold_low"] is None
    assert "open" in fit.note


def test_people_drawn_anew_give_wider_intervals_than_their_answers() -> None:
    """Where people have thresholds of their own."""
    rng = np.random.default_rng(2)
    x, right, people = [], [], []
    for person in range(10):
        for level, chance in zip(LEVELS, chances(5.5 + rng.normal(0, 1)), strict=True):
            x += [level] * 20
            right += (rng.random(20) < chance).tolist()
            people += [person] * 20
    fit = fit_psychometric_by_people(x, right, people, rng=rng, draws=100)
    levels, at = np.unique(x, return_inverse=True)
    plain = fit_psychometric(levels, np.bincount(at, right), np.bincount(at))
    assert fit.threshold.estimate == pytest.approx(plain.threshold.estimate, abs=1e-3)
    assert fit.threshold.low < plain.threshold.low < plain.threshold.high < fit.threshold.high


@pytest.mark.parametrize(
    ("x", "correct", "total"),
    [([1, 1], [1, 1], [2, 2]), ([1, 2], [3, 1], [2, 2]), ([1, 2], [0, 0], [0, 2]), ([], [], [])],
)
def test_what_are_no_counts_is_refused(
    x: list[float], correct: list[float], total: list[float]
) -> None:
    """In a sentence that says what a curve needs."""
    with pytest.raises(ScoringInputError, match="two values or more"):
        fit_psychometric(x, correct, total)
