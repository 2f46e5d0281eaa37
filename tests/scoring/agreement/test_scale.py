"""Ability and difficulty on one scale, and the mixed model of people and models: recovery."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.bench.recovery import KnownRules, simulate_marks
from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.agreement import Marks, fit_latent, fit_scale, mixed_model
from umnist_core.scoring.agreement.latent import _Fit


@pytest.mark.parametrize("two", [False, True])
def test_gradient_and_curvature_are_those_of_the_likelihood(two: bool) -> None:
    """By differences."""
    rules = KnownRules(people=4, images=20, asked=0.8)
    marks, _, _ = simulate_marks(rules, np.random.default_rng(0), discriminates=two)
    fit = _Fit(marks, two_parameters=two)
    theta = fit._start()
    step = 1e-5 * np.eye(len(theta))
    _, gradient = fit._value(theta, 0.5)
    slopes = [(fit._value(theta + d, 0.5)[0] - fit._value(theta - d, 0.5)[0]) / 2e-5 for d in step]
    assert gradient == pytest.approx(slopes, abs=1e-5)
    bends = [(fit._value(theta - d, 0.5)[1] - fit._value(theta + d, 0.5)[1]) / 2e-5 for d in step]
    assert fit._curvature(theta, 0.5) == pytest.approx(np.array(bends), abs=1e-4)


def test_rasch_scale_recovers_abilities_difficulties_and_spreads() -> None:
    """Intervals hold the truth as often as they say, estimates are without bias."""
    rules = KnownRules(people=20, images=120)
    inside: list[float] = []
    spreads, effects = [], []
    for seed in range(30):
        marks, abilities, difficulties = simulate_marks(rules, np.random.default_rng((3, seed)))
        scale = fit_scale(marks)
        truths = [*abilities, *difficulties]
        listed = [*scale.abilities, *scale.difficulties]
        inside += [one.low <= at <= one.high for one, at in zip(listed, truths, strict=True)]
        spreads.append((scale.fit.person_sd, scale.fit.image_sd))
        found = mixed_model(marks, scale.fit).effects[0]
        effects.append((found.low <= 0.7 <= found.high, found.log_odds))
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(spreads, axis=0) == pytest.approx([0.6, 1.5], abs=0.08)
    held, estimates = zip(*effects, strict=True)
    assert np.mean(held) >= 0.85
    assert np.mean(estimates) == pytest.approx(0.7, abs=0.12)


def test_difficulties_are_in_order_with_what_was_drawn() -> None:
    """Also where each person saw a third of the images."""
    rules = KnownRules(people=30, images=100, asked=0.35)
    marks, abilities, difficulties = simulate_marks(rules, np.random.default_rng(5))
    fit = fit_latent(marks)
    assert np.corrcoef(fit.difficulties, difficulties)[0, 1] > 0.8
    assert np.corrcoef(fit.abilities, abilities)[0, 1] > 0.8


def test_two_parameters_tell_images_that_part_raters_from_those_that_do_not() -> None:
    """Half of the images go by ability, the other half by a coin."""
    rng = np.random.default_rng(4)
    abilities = rng.normal(0, 1.5, 40)
    slopes = np.repeat([2.5, 0.0], 30)
    chance = 1 / (1 + np.exp(-slopes * abilities[:, None]))
    right = (rng.random(chance.shape) < chance).astype(float)
    names = tuple(f"p{at}" for at in range(40))
    marks = Marks(names, ("person",) * 40, tuple(map(str, range(60))), right)
    two = fit_latent(marks, two_parameters=True)
    assert two.discriminations[:30].mean() > 1.5 * two.discriminations[30:].mean()
    assert two.log_likelihood > fit_latent(marks).log_likelihood + 5


def test_a_model_that_is_always_right_has_a_finite_ability() -> None:
    """Above all people, with a wide interval."""
    marks, _, _ = simulate_marks(KnownRules(), np.random.default_rng(6))
    right = marks.right.copy()
    right[-1] = 1.0
    scale = fit_scale(Marks(marks.raters, marks.kinds, marks.images, right))
    model = scale.abilities[-1]
    assert max(one.estimate for one in scale.abilities[:-1]) < model.estimate < 15
    assert np.isfinite([model.low, model.high]).all()


def test_too_few_raters_or_images_are_refused() -> None:
    """In a sentence."""
    with pytest.raises(ScoringInputError, match="two raters or more"):
        fit_latent(Marks(("a",), ("person",), ("x", "y"), np.array([[1.0, 0.0]])))
