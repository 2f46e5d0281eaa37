"""The crossed logistic model: its likelihood, its slope, what it finds, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from tests.scoring.simulated import IMAGE_SD, SimulatedStudy, simulate
from umnist_core.scoring import ScoringInputError, fit_mixed_logistic
from umnist_core.scoring.agreement import Marks, fit_latent
from umnist_core.scoring.mixed_logistic import _Laplace

Floats = NDArray[np.float64]


def _crossed(seed: int, people: int = 20, each: int = 25, images: int = 100) -> SimulatedStudy:
    return simulate(
        np.random.default_rng(seed),
        0.6,
        effect=0.5,
        labels=np.full(people, each),
        images=images,
        times=-(-people * each // images),
    )


def _problem(study: SimulatedStudy) -> _Laplace:
    design = np.column_stack([np.ones(len(study.correct)), study.guided])
    marks = study.correct.astype(float)
    return _Laplace(marks, design, study.annotators, study.images, (True, True))


def _dense_laplace(study: SimulatedStudy, person_sd: float, image_sd: float, beta: Floats) -> float:
    """Return the log likelihood by plain matrices and Newton's steps, as it is written down."""
    people, images = int(study.annotators.max()) + 1, int(study.images.max()) + 1
    rows = np.arange(len(study.correct))
    z = np.zeros((len(rows), people + images))
    z[rows, study.annotators] = person_sd
    z[rows, people + study.images] = image_sd
    base = np.column_stack([np.ones(len(rows)), study.guided]) @ beta
    u = np.zeros(people + images)
    for _ in range(50):
        chance = special.expit(base + z @ u)
        bend = z.T @ (z * (chance * (1 - chance))[:, None]) + np.eye(len(u))
        u += np.linalg.solve(bend, z.T @ (study.correct - chance) - u)
    eta = base + z @ u
    value = (study.correct * eta - np.logaddexp(0, eta)).sum() - u @ u / 2
    return float(value - np.linalg.slogdet(bend)[1] / 2)


@pytest.mark.parametrize("images", [15, 90])
def test_likelihood_is_that_of_plain_matrices(images: int) -> None:
    """Whichever side is eliminated, and whatever the sign of a standard deviation."""
    study = _crossed(3, people=12, each=15, images=images)
    beta = np.array([0.3, -0.2])
    problem = _problem(study)
    first, second = (1.4, 0.5) if problem.is_swapped else (0.5, 1.4)
    found = problem.loss(np.array([-first, second, *beta]))[0]
    assert problem.is_swapped == (images == 15)
    assert -found == pytest.approx(_dense_laplace(study, 0.5, 1.4, beta), abs=1e-7)


def test_slope_is_that_of_differences() -> None:
    """Of both standard deviations and both fixed effects."""
    problem = _problem(_crossed(1))
    at = np.array([0.5, 0.9, 0.1, 0.2])
    steps = 1e-5 * np.eye(4)
    plain = [(problem.loss(at + h)[0] - problem.loss(at - h)[0]) / 2e-5 for h in steps]
    assert problem.loss(at)[1] == pytest.approx(plain, abs=1e-3)


def test_search_ends_at_a_maximum() -> None:
    """Every step away from what was found is less likely."""
    study = _crossed(2)
    found = fit_mixed_logistic(*study.arrays, {"guided": study.guided})
    assert found.is_converged
    beta = np.array([one.log_odds for one in found.effects])
    top = np.array([found.person_sd, found.image_sd, *beta])
    problem = _problem(study)
    assert -problem.loss(top)[0] == pytest.approx(found.log_likelihood, abs=1e-6)
    for step in np.vstack([np.eye(4), -np.eye(4)]) * 0.05:
        assert -problem.loss(top + step)[0] < found.log_likelihood


def test_truth_is_found_again() -> None:
    """Over 20 studies the intervals of the effect hold it, and the spreads are near theirs."""
    held, spreads = [], []
    for seed in range(20):
        study = _crossed(100 + seed)
        found = fit_mixed_logistic(*study.arrays, {"guided": study.guided})
        guided = found.effect("guided")
        assert guided is not None
        held.append(guided.low <= 0.5 <= guided.high)
        spreads.append((found.person_sd, found.image_sd))
    assert sum(held) >= 17
    assert np.mean(spreads, axis=0) == pytest.approx([0.6, IMAGE_SD], rel=0.15)


def test_images_answered_once_are_not_told_from_chance() -> None:
    """Their spread is left out, is NaN, and a sentence says so."""
    study = simulate(np.random.default_rng(0), 0.6).pool(guided=False)
    found = fit_mixed_logistic(*study.arrays)
    assert found.is_converged
    assert np.isnan(found.image_sd)
    assert found.person_sd > 0.2
    assert "answered once" in found.note


def test_no_spread_is_said_to_lie_at_the_boundary() -> None:
    """People and images that are all alike have a spread of 0, and effects keep intervals."""
    people, images = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    found = fit_mixed_logistic((people + images) % 2, people, images)
    assert found.is_converged
    assert found.person_sd == found.image_sd == 0
    assert "no spread of people and images" in found.note
    assert found.effects[0].log_odds == pytest.approx(0, abs=1e-6)
    assert found.effects[0].low < found.effects[0].high


@pytest.mark.parametrize(
    ("correct", "people", "guided", "told"),
    [
        ([], [], [], "no answers"),
        ([1, 0, 1], [0, 0, 0], [0, 1, 0], "two people"),
        ([1, 1, 1], [0, 1, 1], [0, 1, 0], "right and wrong"),
        ([1, 0, 1, 1], [0, 1, 2, 2], [0, 0, 1, 1], "each condition"),
        ([1, 0, 1], [0, 1, 1], [1, 1, 1], "differ"),
    ],
)
def test_too_little_has_no_model_and_a_sentence(
    correct: list[int], people: list[int], guided: list[int], told: str
) -> None:
    """Nothing is made up of answers that cannot tell."""
    found = fit_mixed_logistic(correct, people, list(range(len(correct))), {"guided": guided})
    assert not found.is_converged
    assert found.effects == ()
    assert told in found.note


def test_columns_that_do_not_fit_are_refused() -> None:
    """Another length, or no number."""
    for column in ([1.0], [0.0, np.nan]):
        with pytest.raises(ScoringInputError, match="finite numbers as 'guided'"):
            fit_mixed_logistic([1, 0], [0, 1], [0, 0], {"guided": column})


def test_agrees_with_the_scale_of_people_and_models() -> None:
    """Which integrates over images on a grid, with weak priors: spreads within a sixth."""
    study = _crossed(7, people=30).pool(guided=False)
    names = [str(one) for one in study.annotators], [str(one) for one in study.images]
    scale = fit_latent(Marks.of_rows(*names, study.correct))
    found = fit_mixed_logistic(*study.arrays)
    assert found.person_sd == pytest.approx(scale.person_sd, rel=0.17)
    assert found.image_sd == pytest.approx(scale.image_sd, rel=0.17)
    assert found.effects[0].log_odds == pytest.approx(scale.mean, abs=0.1)
