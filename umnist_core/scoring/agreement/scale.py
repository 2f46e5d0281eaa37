"""What a fitted scale says: abilities, difficulties, and each model against people.

The difference of a model and people is that of the mixed model with crossed person and image: an
image is as much harder for the model as it is for people. Its interval is Student's t; the
variance that the spread of people adds has as many degrees of freedom as there are people less
one (Satterthwaite, Biometrics Bulletin 2 (1946) 110-114).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..intervals import LEVEL, Floats
from .latent import Latent, fit_latent
from .marks import MODEL, Marks

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class OnScale:
    """A rater's ability or an image's difficulty, logits, with its interval.

    Attributes
    ----------
    discrimination
        Of an image in the model with two parameters; 1 in Rasch's, and of raters.
    answers
        How many it rests on.
    """

    name: str
    estimate: float
    low: float
    high: float
    discrimination: float
    answers: int


@dataclass(frozen=True, eq=False)
class Scale:
    """Raters and images on one scale.

    Attributes
    ----------
    abilities
        In the order of the raters.
    difficulties
        In the order of the images.
    fit
        What they were read from.
    """

    abilities: tuple[OnScale, ...]
    difficulties: tuple[OnScale, ...]
    fit: Latent


@dataclass(frozen=True)
class ModelEffect:
    """A model against people on the same images.

    Attributes
    ----------
    log_odds, low, high
        The model's ability minus the mean person's, logits.
    odds_ratio
        Its exponential.
    p_value
        Two-sided, of no difference.
    """

    model: str
    log_odds: float
    low: float
    high: float
    odds_ratio: float
    p_value: float


@dataclass(frozen=True)
class MixedModel:
    """People against models, person and image crossed.

    Attributes
    ----------
    accuracy, low, high
        Of people like these on images like these, as the model has it.
    person_sd, image_sd
        Logits.
    effects
        Of each model.
    """

    accuracy: float
    low: float
    high: float
    person_sd: float
    image_sd: float
    effects: tuple[ModelEffect, ...]


def fit_scale(marks: Marks, *, two_parameters: bool = False, level: float = LEVEL) -> Scale:
    """Put raters and images on one scale; parameters and errors as of `fit_latent`."""
    fit = fit_latent(marks, two_parameters=two_parameters)
    normal = float(special.ndtri(0.5 + level / 2))
    ones = np.ones(len(marks.raters))
    by_rater, by_image = marks.asked.sum(axis=1), marks.asked.sum(axis=0)
    return Scale(
        _listed(marks.raters, fit.ability_mean, normal * fit.ability_sd, ones, by_rater),
        _listed(
            marks.images,
            fit.difficulties,
            normal * fit.difficulty_sd,
            fit.discriminations,
            by_image,
        ),
        fit,
    )


def _listed(
    names: Sequence[str],
    estimates: Floats,
    reaches: Floats,
    discriminations: Floats,
    answers: NDArray[np.float64],
) -> tuple[OnScale, ...]:
    columns = (column.tolist() for column in (estimates, reaches, discriminations, answers))
    return tuple(
        OnScale(name, at, at - reach, at + reach, slope, int(count))
        for name, at, reach, slope, count in zip(names, *columns, strict=True)
    )


def mixed_model(marks: Marks, fit: Latent, level: float = LEVEL) -> MixedModel:
    """Return each model against people.

    Parameters
    ----------
    marks
        Of two people or more, and any number of models.
    fit
        Of `fit_latent` of them, the Rasch model.
    level
        Of the intervals.
    """
    mean = len(marks.raters)
    people = int(marks.is_person.sum())
    effects = []
    for place, (name, kind) in enumerate(zip(marks.raters, marks.kinds, strict=True)):
        if kind != MODEL:
            continue
        weights = np.zeros(mean + 1)
        weights[[place, mean]] = 1.0, -1.0
        variance = float(weights @ fit.covariance @ weights)
        difference = float(fit.abilities[place]) - fit.mean
        freedom = _freedom(fit, people, variance)
        reach = float(special.stdtrit(freedom, 0.5 + level / 2)) * sqrt(variance)
        p_value = 2 * float(special.stdtr(freedom, -abs(difference) / sqrt(variance)))
        low, high = difference - reach, difference + reach
        effects.append(ModelEffect(name, difference, low, high, exp(difference), p_value))
    variance = float(fit.covariance[mean, mean])
    reach = float(special.stdtrit(_freedom(fit, people, variance), 0.5 + level / 2))
    spread = float(np.hypot(fit.person_sd, fit.image_sd))
    ends = (fit.mean + side * reach * sqrt(variance) for side in (0, -1, 1))
    shares = [float(_WEIGHTS @ special.expit(end + spread * _NODES)) for end in ends]
    return MixedModel(shares[0], shares[1], shares[2], fit.person_sd, fit.image_sd, tuple(effects))


def _freedom(fit: Latent, people: int, variance: float) -> float:
    of_people = fit.person_sd**2 / max(1, people)
    if people < 2 or of_people <= 0:
        return inf
    return max(people - 1.0, (people - 1) * (variance / of_people) ** 2)
