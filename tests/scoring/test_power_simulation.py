"""Power by simulation: agrees with the formula, and with the statistics of the results."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from umnist_core.scoring import ScoringInputError, difference_intervals, power_of
from umnist_core.scoring.planning import Assumptions, Effort, plan_difference, plan_people
from umnist_core.scoring.power_simulation import (
    AnswerModel,
    StudyDesign,
    draw_studies,
    judge_studies,
    simulate_power,
)

SETTINGS = (
    (StudyDesign.of(33, 30), AnswerModel(0.493, 0.07, 0.02)),
    (StudyDesign.of(40, 25, times=5), AnswerModel(0.6, 0.1, 0.05)),
    (StudyDesign.of(60, 20), AnswerModel(0.5, -0.08, 0.05, image_sd=0.0)),
)


@pytest.mark.parametrize(("design", "model"), SETTINGS)
def test_simulated_power_is_that_of_the_formula(design: StudyDesign, model: AnswerModel) -> None:
    """Images answered once, five times, and all alike: within 3.5 standard errors and a point.

    The point is the formula's: it takes the normal distribution in place of Student's.
    """
    found = simulate_power(design, model, rng=np.random.default_rng(2), studies=2000)
    due = power_of(model.plan(design.images_each), model.difference, design.labels)
    assert 0.4 < due < 0.95
    assert found.power == pytest.approx(due, abs=3.5 * found.standard_error + 0.01)
    assert found.variance_ratio == pytest.approx(model.variance_ratio(design.images_each), abs=0.02)


def test_no_difference_is_found_as_often_as_the_level_says() -> None:
    """In 5 % of studies."""
    design, model = StudyDesign.of(20, 25), AnswerModel(0.5, 0.0, 0.05)
    found = simulate_power(design, model, rng=np.random.default_rng(1), studies=3000)
    assert found.power == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("again", [1, 3])
def test_all_studies_at_once_are_judged_as_each_by_the_results(again: int) -> None:
    """Interval and variance ratio of `difference_intervals`, study by study."""
    design, model = StudyDesign.of(9, 7, again), AnswerModel(0.5, 0.2, 0.1)
    deck, right = draw_studies(design, model, 40, np.random.default_rng(3))
    found, ratios = judge_studies(design, deck, right)
    people = np.broadcast_to(np.arange(18).reshape(2, 9, 1), deck.shape[1:])
    guided = people >= 9
    for study in range(40):
        _, paired, ratio = difference_intervals(
            right[study].ravel(), people.ravel(), deck[study].ravel(), guided.ravel()
        )
        assert found[study] == (paired.low > 0 or paired.high < 0)
        assert ratios[study] == pytest.approx(ratio)
    assert 0 < found.sum() < 40


def test_each_person_gets_different_images_and_pools_the_same() -> None:
    """Nobody an image twice; each image about as often as the others, in both pools."""
    design = StudyDesign.of(10, 6, times=3)
    deck, _ = draw_studies(design, AnswerModel(0.5), 5, np.random.default_rng(0))
    assert deck.shape == (5, 2, 10, 6)
    for study in deck:
        assert all(len(set(one)) == 6 for pool in study for one in pool.tolist())
        for pool in study:
            counts = np.bincount(pool.ravel(), minlength=design.images)
            assert counts.max() <= 4


@pytest.mark.parametrize("icc", [0.0, 0.02, 0.1])
def test_answer_model_has_the_accuracy_and_the_icc_it_was_given(icc: float) -> None:
    """Measured of a million answers."""
    model, rng = AnswerModel(0.493, 0.028, icc), np.random.default_rng(5)
    skill = model.person_sd * rng.standard_normal((4000, 1))
    for mean, due in zip(model.means, (0.493, 0.521), strict=True):
        chance = special.expit(mean + skill + model.image_sd * rng.standard_normal((4000, 250)))
        assert chance.mean() == pytest.approx(due, abs=0.008)
        between = chance.mean(axis=1).var() - chance.var(axis=1).mean() / 250
        assert between / (due * (1 - due)) == pytest.approx(icc, abs=0.006)


def test_plans_answer_both_questions_alike() -> None:
    """The people that a difference takes find it; cost and hours are those of all people."""
    rng = np.random.default_rng(0)
    assumed, effort = Assumptions(0.49, 0.03), Effort(2.0, 20.0, 15.0, 0.2)
    needed = plan_difference(30, assumed, effort, rng=rng, iccs=(0.0, 0.05), studies=0)
    assert [row.people for row in needed] == sorted(row.people for row in needed)
    for row in needed:
        assert row.power == pytest.approx(0.8, abs=0.01)
        (again,) = plan_people(row.people, 30, assumed, effort, rng=rng, iccs=(row.icc,), studies=0)
        assert again.power == row.power
        assert row.detectable == pytest.approx(0.03, rel=0.02)
        assert row.hours == pytest.approx(row.people * (20 + 30 * 2) / 60)
        assert row.cost == pytest.approx(row.hours * 15 * 1.2)


def test_impossible_studies_are_refused() -> None:
    """Each with what was expected."""
    with pytest.raises(ScoringInputError, match="2 people"):
        StudyDesign(1, 5, 5)
    with pytest.raises(ScoringInputError, match="as many images"):
        StudyDesign(5, 6, 5)
    for bad in ({"unguided": 1.0}, {"unguided": 0.9, "difference": 0.2}):
        with pytest.raises(ScoringInputError, match="between 0 and 1"):
            AnswerModel(**bad)
    with pytest.raises(ScoringInputError, match="ICC"):
        AnswerModel(0.5, icc=0.9)
    with pytest.raises(ScoringInputError, match="smaller one"):
        _ = AnswerModel(0.5, icc=0.7, image_sd=5.0).person_sd
    with pytest.raises(ScoringInputError, match="0 or more"):
        Effort(pay_an_hour=-1)
    rng = np.random.default_rng(0)
    with pytest.raises(ScoringInputError, match="at most 1,000,000"):
        plan_difference(30, Assumptions(0.5, 0.001), Effort(), rng=rng)
