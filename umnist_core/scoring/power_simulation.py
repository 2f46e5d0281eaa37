"""Power by simulation: many studies whose truth is known, each tested as the results are.

An answer is right with probability ``logistic(mean + skill + ease [+ effect if guided])``; skills
of people and eases of images are normal around 0. `AnswerModel` finds mean, spread of skills and
effect with which accuracy, ICC and difference are those that were asked for. Each person gets
different images; both pools see the same ones, each image as often as the others, as the
assignment of a real study does.

The test is that of `compare.difference_intervals`: a study finds the difference if the paired
interval leaves out 0. Here all studies are computed at once, with people of equally many labels;
`tests/scoring/test_power_simulation.py` holds both to the same figures.

Mixed models of answers by simulation: Arnold, Hogan, Colford and Hubbard, BMC Medical Research
Methodology 11 (2011) 94, doi 10.1186/1471-2288-11-94.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from .clustering import design_effect
from .errors import ScoringInputError
from .intervals import LEVEL, Floats
from .power import Plan

STUDIES = 1000
"""Simulated for each power; its standard error is then at most 1.6 points."""

IMAGE_SD = 1.5
"""Spread of the eases of images before anybody has answered, logits."""

_AT_ONCE = 2_000_000
"""Labels that are held in memory together."""

_WIDEST = 12.0
"""Logits, of the spread of skills: nearly everyone is always right or always wrong."""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class StudyDesign:
    """Who answers what.

    Attributes
    ----------
    people
        In each of the two pools, 2 or more.
    images_each
        Different images that a person answers, 1 or more.
    images
        Different images of the study, the same for both pools; ``images_each`` or more.

    Raises
    ------
    ScoringInputError
        If a number is outside its range.
    """

    people: int
    images_each: int
    images: int

    def __post_init__(self) -> None:
        if self.people < 2 or not 1 <= self.images_each <= self.images:
            raise ScoringInputError(
                "Expected 2 people or more in each pool, and as many images or more as a person "
                f"answers; found {self.people} people, {self.images} images and {self.images_each} "
                "for each person; change one of them."
            )

    @classmethod
    def of(cls, people: int, images_each: int, times: int = 1) -> StudyDesign:
        """Return the design in which each image is answered so often in each pool, or nearly."""
        return cls(
            people, images_each, max(images_each, ceil(people * images_each / max(1, times)))
        )

    @property
    def labels(self) -> int:
        """In each pool."""
        return self.people * self.images_each


@dataclass(frozen=True)
class AnswerModel:
    """How right answers come about, by what of them can be seen.

    Attributes
    ----------
    unguided
        Accuracy in the unguided pool, above 0 and below 1.
    difference
        Guided minus unguided; 0 where there is none.
    icc
        Intraclass correlation of one person's answers, 0 or more and below 1.
    image_sd
        Spread of the eases of images, logits, 0 or more.

    Raises
    ------
    ScoringInputError
        If a value is outside its range, or there is no such guided accuracy.
    """

    unguided: float
    difference: float = 0.0
    icc: float = 0.0
    image_sd: float = IMAGE_SD

    def __post_init__(self) -> None:
        if not (0 < self.unguided < 1 and 0 < self.unguided + self.difference < 1):
            raise ScoringInputError(
                "Expected accuracies between 0 and 1, both excluded; found "
                f"{self.unguided:g} and {self.unguided + self.difference:g}; change one."
            )
        if not (0 <= self.icc <= 0.8 and 0 <= self.image_sd <= 10):
            raise ScoringInputError(
                "Expected an ICC from 0 to 0.8 and a spread of images from 0 to 10 logits; found "
                f"{self.icc:g} and {self.image_sd:g}; change it."
            )

    @cached_property
    def person_sd(self) -> float:
        """Spread of skills, logits."""
        if self.icc == 0:
            return 0.0

        def missing(sd: float) -> float:
            return self._shared(sd, self.image_sd) - self.icc

        if missing(_WIDEST) < 0:
            raise ScoringInputError(
                f"Expected an ICC that can be with images that spread by {self.image_sd:g} logits, "
                f"found {self.icc:g}; give a smaller one."
            )
        return float(optimize.brentq(missing, 0, _WIDEST, xtol=1e-6))

    @cached_property
    def image_icc(self) -> float:
        """Share of the variance of single answers that lies between images."""
        return self._shared(self.image_sd, self.person_sd)

    @cached_property
    def means(self) -> tuple[float, float]:
        """Log odds of a mean person at a mean image, in both pools."""
        spread = float(np.hypot(self.person_sd, self.image_sd))
        return self._mean(self.unguided, spread), self._mean(
            self.unguided + self.difference, spread
        )

    def variance_ratio(self, images_each: float) -> float:
        """Return the variance of the difference over that with other images in each pool.

        With a covariance ``c`` of two answers to one image by two people, the shared images take
        ``2 c / labels`` off the variance, however often each is answered.
        """
        return 1 - self.image_icc / design_effect(self.icc, images_each)

    def plan(self, images_each: float, *, level: float = LEVEL, **more: float) -> Plan:
        """Return what the formulas of `power` are computed with."""
        ratio = self.variance_ratio(images_each)
        return Plan(self.unguided, self.icc, images_each, ratio, level, **more)

    def _mean(self, share: float, spread: float) -> float:
        def missing(mean: float) -> float:
            return float(_WEIGHTS @ special.expit(mean + spread * _NODES)) - share

        return float(optimize.brentq(missing, -200, 200, xtol=1e-9))

    def _shared(self, own_sd: float, other_sd: float) -> float:
        """Return the share of variance that one kind of spread makes, beside the other."""
        mean = self._mean(self.unguided, float(np.hypot(own_sd, other_sd)))
        logits = mean + own_sd * _NODES[:, None] + other_sd * _NODES[None, :]
        shares = special.expit(logits) @ _WEIGHTS
        variance = float(_WEIGHTS @ (shares - _WEIGHTS @ shares) ** 2)
        return variance / (self.unguided * (1 - self.unguided))


@dataclass(frozen=True)
class SimulatedPower:
    """How often simulated studies found the difference.

    Attributes
    ----------
    power
        Share of studies, 0 to 1.
    standard_error
        Of that share.
    variance_ratio
        Mean over the studies; see `compare.Difference`.
    studies
        How many there were.
    """

    power: float
    standard_error: float
    variance_ratio: float
    studies: int


def simulate_power(
    design: StudyDesign,
    model: AnswerModel,
    *,
    rng: np.random.Generator,
    studies: int = STUDIES,
    level: float = LEVEL,
) -> SimulatedPower:
    """Simulate studies and return how often they find the difference.

    Parameters
    ----------
    design, model
        Who answers what, and how.
    rng
        Draws people, images and answers.
    studies
        How many, 1 or more.
    level
        Of the test.
    """
    size = max(1, min(studies, _AT_ONCE // (2 * design.labels)))
    found, ratios = 0, 0.0
    for start in range(0, studies, size):
        count = min(size, studies - start)
        deck, right = draw_studies(design, model, count, rng)
        is_found, ratio = judge_studies(design, deck, right, level)
        found += int(is_found.sum())
        ratios += float(ratio.sum())
    power = found / studies
    # With a half added to both counts, so that 0 of 100 has an error too.
    smooth = (found + 0.5) / (studies + 1)
    return SimulatedPower(power, sqrt(smooth * (1 - smooth) / studies), ratios / studies, studies)


def draw_studies(
    design: StudyDesign, model: AnswerModel, studies: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return images and answers of simulated studies.

    Returns
    -------
    deck
        int64 (studies, 2, people, images_each): which image, 0 to ``images - 1``; unguided first.
    right
        bool of that shape.
    """
    people, each, images = design.people, design.images_each, design.images
    blocks = images // each  # people of different images
    rounds = ceil(people / blocks)
    order = np.broadcast_to(np.arange(images), (studies * 2 * rounds, images))
    # A round's images in another order: each person's are different ones, and chance says whose.
    dealt = rng.permuted(order, axis=1)[:, : blocks * each]
    deck = dealt.reshape(studies, 2, rounds * blocks, each)[:, :, :people]
    skill = model.person_sd * rng.standard_normal((studies, 2, people, 1))
    ease = model.image_sd * rng.standard_normal((studies, images))
    logits = skill + ease[np.arange(studies)[:, None, None, None], deck]
    logits += np.array(model.means)[:, None, None]
    return deck, rng.random(deck.shape) < special.expit(logits)


def judge_studies(
    design: StudyDesign, deck: NDArray[np.int64], right: NDArray[np.bool_], level: float = LEVEL
) -> tuple[NDArray[np.bool_], Floats]:
    """Return which studies' paired interval leaves out 0, and their variance ratios.

    Parameters
    ----------
    deck, right
        Of `draw_studies`.
    """
    studies, people = len(deck), design.people
    means = right.mean(axis=3)  # (studies, 2, people)
    shares = means.mean(axis=2, keepdims=True)
    variances = ((means - shares) ** 2).sum(axis=2) / (people * (people - 1))  # (studies, 2)
    unpaired = variances.sum(axis=1)
    sign = np.array([-1.0, 1.0])[:, None, None]
    parts = sign * (right - shares[..., None]) / design.labels
    places = np.arange(studies)[:, None, None, None] * design.images + deck
    sums = np.bincount(places.ravel(), parts.ravel(), minlength=studies * design.images)
    by_image = (sums.reshape(studies, design.images) ** 2).sum(axis=1)
    paired = unpaired + by_image - (parts**2).sum(axis=(1, 2, 3))
    paired = np.where(paired > 0, paired, unpaired)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = unpaired**2 / ((variances**2).sum(axis=1) / (people - 1))
        ratio = np.where(unpaired > 0, paired / unpaired, 1.0)
    freedom = np.where(unpaired > 0, freedom, 1.0)
    reach = special.stdtrit(freedom, 0.5 + level / 2) * np.sqrt(paired)
    gap = shares[:, 1, 0] - shares[:, 0, 0]
    return (np.abs(gap) > reach) & (unpaired > 0), ratio
