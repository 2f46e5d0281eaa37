"""Whether the statistics of people and models find what is true: simulated studies of known rules.

In each study people and one model answer the same images by the rules that the figures assume:
abilities, difficulties and discriminations are drawn, a right answer has the probability that
follows, and a digit's size acts by a psychometric function. Each study is analysed as a real one;
what is counted is how often an interval holds the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from umnist_core.scoring import wilson
from umnist_core.scoring.agreement import (
    GUESS,
    MODEL,
    PERSON,
    ErrorConsistency,
    Marks,
    compare_paired,
    fit_psychometric,
    fit_scale,
    mixed_model,
)

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()

_LEVELS = np.linspace(3.8, 8.0, 8)
_ANSWERS_A_LEVEL = 60


@dataclass(frozen=True)
class KnownRules:
    """By what rules a simulated study is answered; abilities and difficulties in logits.

    Attributes
    ----------
    people, images
        How many of each.
    asked
        Share of the images that each person answers; the model answers all.
    person_mean, person_sd
        Of people's abilities.
    model_ability
        Of the model.
    image_sd
        Of difficulties around 0.
    discrimination_sd
        Of the logarithm of discriminations, in the studies of the scale with two parameters.
    threshold, slope, lapse
        Of the psychometric function of log2 px.
    """

    people: int = 12
    images: int = 150
    asked: float = 1.0
    person_mean: float = 0.2
    person_sd: float = 0.6
    model_ability: float = 0.9
    image_sd: float = 1.5
    discrimination_sd: float = 0.4
    threshold: float = 5.5
    slope: float = 2.0
    lapse: float = 0.03


@dataclass(frozen=True)
class RecoveryFigures:
    """How well the statistics find the truth.

    Attributes
    ----------
    runs, seed
        Studies, and what they were drawn from.
    coverage
        Figure -> share of its intervals that hold the truth, wanted: 0.95.
    coverage_low, coverage_high
        Where that share lies, Wilson's; of figures with several a study, by studies.
    bias
        Figure -> mean of estimate minus truth.
    spread
        Figure -> root mean square of that.
    """

    runs: int
    seed: int
    coverage: Mapping[str, float]
    coverage_low: Mapping[str, float]
    coverage_high: Mapping[str, float]
    bias: Mapping[str, float]
    spread: Mapping[str, float]


def bench_recovery(
    *,
    runs: int = 500,
    seed: int = 0,
    two_parameter_runs: int = 100,
    draws: int = 400,
    rules: KnownRules | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RecoveryFigures:
    """Simulate studies and analyse each.

    Parameters
    ----------
    runs
        Studies.
    seed
        Run ``n`` is drawn from ``(seed, n)``.
    two_parameter_runs
        As many of them also fit the scale with two parameters, which takes longer.
    draws
        Of each study's bootstrap.
    rules
        By which people and the model answer.
    progress
        Told of studies done, and of all.
    """
    known = rules or KnownRules()
    held: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    for run in range(runs):
        rng = np.random.default_rng((seed, run))
        found = [*_of_study(known, rng, draws), *_of_curve(known, rng)]
        if run < two_parameter_runs:
            found += _of_two_parameters(known, rng)
        for name, covered, error in found:
            held.setdefault(name, []).append(covered)
            errors.setdefault(name, []).append(error)
        if progress is not None:
            progress(run + 1, runs)
    shares = {name: wilson(sum(values), len(values)) for name, values in held.items()}
    return RecoveryFigures(
        runs,
        seed,
        {name: round(one.estimate, 4) for name, one in shares.items()},
        {name: round(one.low, 4) for name, one in shares.items()},
        {name: round(one.high, 4) for name, one in shares.items()},
        {name: round(float(np.mean(values)), 4) for name, values in errors.items()},
        {
            name: round(float(np.sqrt(np.mean(np.square(values)))), 4)
            for name, values in errors.items()
        },
    )


_Found = tuple[str, float, float]
"""Name of a figure, share of its intervals that hold the truth, mean error."""


def _held(name: str, low: float, high: float, estimate: float, truth: float) -> _Found:
    return name, float(low <= truth <= high), estimate - truth


def simulate_marks(
    rules: KnownRules, rng: np.random.Generator, *, discriminates: bool = False
) -> tuple[Marks, Floats, Floats]:
    """Return a study's marks, the raters' abilities and the images' difficulties.

    The model is the last rater.
    """
    people = rng.normal(rules.person_mean, rules.person_sd, rules.people)
    abilities = np.append(people, rules.model_ability)
    difficulties = rng.normal(0, rules.image_sd, rules.images)
    slopes = np.exp(rng.normal(0, rules.discrimination_sd, rules.images)) if discriminates else 1.0
    chance = special.expit(slopes * (abilities[:, None] - difficulties))
    right = (rng.random(chance.shape) < chance).astype(float)
    if rules.asked < 1:
        right[:-1][rng.random((rules.people, rules.images)) >= rules.asked] = np.nan
    names = (*(f"person-{number}" for number in range(rules.people)), "model")
    kinds = (*[PERSON] * rules.people, MODEL)
    marks = Marks(names, kinds, tuple(map(str, range(rules.images))), right)
    return marks, abilities, difficulties


def true_kappas(rules: KnownRules) -> tuple[float, float]:
    """Return kappa of two people, and of a person and the model, over all people and images."""
    people = rules.person_mean + rules.person_sd * _NODES
    by_image = _WEIGHTS @ special.expit(people[:, None] - rules.image_sd * _NODES)
    model = special.expit(rules.model_ability - rules.image_sd * _NODES)
    one, two = float(_WEIGHTS @ by_image), float(_WEIGHTS @ model)
    own = 2 * (float(_WEIGHTS @ by_image**2) - one**2) / (2 * one * (1 - one))
    other = 2 * (float(_WEIGHTS @ (by_image * model)) - one * two) / (one + two - 2 * one * two)
    return own, other


def _of_study(rules: KnownRules, rng: np.random.Generator, draws: int) -> Iterator[_Found]:
    marks, abilities, difficulties = simulate_marks(rules, rng)
    errors = ErrorConsistency(marks, rng=rng, draws=draws)
    own, other = true_kappas(rules)
    pooled = errors.group("person-person")
    yield _held("kappa of people", pooled.low, pooled.high, pooled.kappa, own)
    pooled = errors.group("person-model", rules.people)
    yield _held("kappa of people and model", pooled.low, pooled.high, pooled.kappa, other)
    yield _independent(rules, abilities, rng)
    scale = fit_scale(marks)
    for name, listed, true in (
        ("ability", scale.abilities, abilities),
        ("difficulty", scale.difficulties, difficulties),
    ):
        inside = [one.low <= at <= one.high for one, at in zip(listed, true, strict=True)]
        missed = [one.estimate - at for one, at in zip(listed, true, strict=True)]
        yield name, float(np.mean(inside)), float(np.mean(missed))
    mixed = mixed_model(marks, scale.fit)
    effect, true_effect = mixed.effects[0], rules.model_ability - rules.person_mean
    yield _held("effect of model", effect.low, effect.high, effect.log_odds, true_effect)
    spread = np.hypot(rules.person_sd, rules.image_sd)
    accuracy = float(_WEIGHTS @ special.expit(rules.person_mean + spread * _NODES))
    yield _held("accuracy of people", mixed.low, mixed.high, mixed.accuracy, accuracy)
    pair = compare_paired(marks.right[-1], marks.right[0])
    chances = [
        float(_WEIGHTS @ special.expit(abilities[at] - rules.image_sd * _NODES)) for at in (-1, 0)
    ]
    yield _held("paired difference", pair.low, pair.high, pair.difference, chances[0] - chances[1])


def _independent(rules: KnownRules, abilities: Floats, rng: np.random.Generator) -> _Found:
    """Return whether the null band holds the kappa of people whose errors are independent."""
    chance = np.repeat(special.expit(abilities[:-1])[:, None], rules.images, axis=1)
    right = (rng.random(chance.shape) < chance).astype(float)
    names = tuple(f"person-{number}" for number in range(rules.people))
    images = tuple(map(str, range(rules.images)))
    marks = Marks(names, (PERSON,) * rules.people, images, right)
    one = ErrorConsistency(marks, rng=rng, draws=200).group("person-person")
    return _held("null band", one.null_low, one.null_high, 0.0, one.kappa)


def _of_curve(rules: KnownRules, rng: np.random.Generator) -> Iterator[_Found]:
    core = special.expit(rules.slope * (_LEVELS - rules.threshold))
    chance = GUESS + (1 - GUESS - rules.lapse) * core
    asked = np.full(len(_LEVELS), _ANSWERS_A_LEVEL)
    fit = fit_psychometric(_LEVELS, rng.binomial(asked, chance), asked)
    for name, one, truth in (
        ("threshold", fit.threshold, rules.threshold),
        ("slope", fit.slope, rules.slope),
    ):
        yield _held(name, one.low, one.high, one.estimate, truth)


def _of_two_parameters(rules: KnownRules, rng: np.random.Generator) -> Iterator[_Found]:
    marks, abilities, _ = simulate_marks(rules, rng, discriminates=True)
    scale = fit_scale(marks, two_parameters=True)
    pairs = list(zip(scale.abilities, abilities, strict=True))
    inside = [one.low <= at <= one.high for one, at in pairs]
    missed = [one.estimate - at for one, at in pairs]
    yield "ability, two parameters", float(np.mean(inside)), float(np.mean(missed))
