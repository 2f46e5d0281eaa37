"""What a study takes and what it finds: people, hours, cost and power, over the ICC.

Two questions have an answer: what so many people with so many images each find, and how many
people tell one accuracy from another. How alike one person's answers are is not known
beforehand, so each answer is a curve over the ICC. The formula and the simulation of one point
are of the same answer model, with the same test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from .errors import ScoringInputError
from .power import POWER, annotators_needed, detectable_difference, power_of
from .power_simulation import IMAGE_SD, STUDIES, AnswerModel, StudyDesign, simulate_power
from .published import PUBLISHED

ICCS = (0.0, 0.02, 0.05, 0.1)
"""From answers that are no more alike than those of two people to clearly alike ones."""

MOST_LABELS = 1_000_000
"""In each pool; one simulated study of so many takes a few hundred MiB."""


@dataclass(frozen=True)
class Effort:
    """What one person's part takes.

    Attributes
    ----------
    minutes_an_image
        People need 1 to 2 minutes for an image; measure it in practice.
    minutes_besides
        For consent, instructions and practice, once for each person.
    pay_an_hour
        In any currency.
    fee
        What a recruiting site takes besides, as a share of the pay.

    Raises
    ------
    ScoringInputError
        If one is below 0 or no number.
    """

    minutes_an_image: float = 1.5
    minutes_besides: float = 10.0
    pay_an_hour: float = 12.0
    fee: float = 0.0

    def __post_init__(self) -> None:
        given = (self.minutes_an_image, self.minutes_besides, self.pay_an_hour, self.fee)
        if not all(isfinite(one) and one >= 0 for one in given):
            raise ScoringInputError(
                "Expected minutes, pay and fee of 0 or more, found "
                f"{', '.join(f'{one:g}' for one in given)}; change them."
            )

    def hours(self, people: int, images_each: int) -> float:
        """Return the hours of all people together."""
        return people * (self.minutes_besides + images_each * self.minutes_an_image) / 60

    def cost(self, people: int, images_each: int) -> float:
        """Return what all people together are paid, with the fee."""
        return self.hours(people, images_each) * self.pay_an_hour * (1 + self.fee)


@dataclass(frozen=True)
class PlannedStudy:
    """One point of the curve.

    Attributes
    ----------
    icc
        Intraclass correlation of one person's answers.
    people, labels
        In both pools together.
    images_each
        For each person.
    images
        Different ones of the study.
    hours, cost
        Of all people together.
    unguided, difference
        Accuracy of the unguided pool, and guided minus unguided.
    detectable
        Difference that is found with a power of 80 %.
    power
        With which the difference is found, by the formula.
    simulated, standard_error
        The same by simulation, with its error; NaN where nothing was simulated.
    studies
        Simulated ones.
    """

    icc: float
    people: int
    labels: int
    images_each: int
    images: int
    hours: float
    cost: float
    unguided: float
    difference: float
    detectable: float
    power: float
    simulated: float
    standard_error: float
    studies: int


@dataclass(frozen=True)
class Assumptions:
    """What a plan takes for granted, besides the ICC.

    Attributes
    ----------
    unguided
        Accuracy of the unguided pool, above 0 and below 1.
    difference
        Guided minus unguided, not 0.
    labels_an_image
        Wanted for each image and pool, 1 or more.
    image_sd
        Spread of the eases of images, logits.
    power
        Share of studies that are to find the difference.
    """

    unguided: float = PUBLISHED["unguided"]
    difference: float = PUBLISHED["guided"] - PUBLISHED["unguided"]
    labels_an_image: int = 1
    image_sd: float = IMAGE_SD
    power: float = POWER

    def model(self, icc: float) -> AnswerModel:
        """Return how answers come about with an ICC."""
        return AnswerModel(self.unguided, self.difference, icc, self.image_sd)


Progress = Callable[[int, int], None]
"""Takes how many points are done, and how many there are."""


def plan_people(
    people: int,
    images_each: int,
    assumed: Assumptions,
    effort: Effort,
    *,
    rng: np.random.Generator,
    iccs: Sequence[float] = ICCS,
    studies: int = STUDIES,
    progress: Progress | None = None,
) -> list[PlannedStudy]:
    """Return what so many people find, a row for each ICC.

    Parameters
    ----------
    people
        In both pools together; of an odd number one is left over.
    images_each
        For each person.
    assumed, effort
        Accuracies, and what a person's part takes.
    rng
        Draws the simulated studies.
    iccs
        The points of the curve.
    studies
        Simulated for each; 0 leaves the formula alone.
    progress
        Called after each row.

    Raises
    ------
    ScoringInputError
        If the numbers cannot be.
    """

    def planned(icc: float) -> PlannedStudy:
        return _planned(people // 2, images_each, assumed, effort, icc, rng=rng, studies=studies)

    return _rows(planned, iccs, progress)


def plan_difference(
    images_each: int,
    assumed: Assumptions,
    effort: Effort,
    *,
    rng: np.random.Generator,
    iccs: Sequence[float] = ICCS,
    studies: int = STUDIES,
    progress: Progress | None = None,
) -> list[PlannedStudy]:
    """Return how many people tell the two accuracies apart, a row for each ICC.

    Parameters and errors as of `plan_people`.
    """

    def planned(icc: float) -> PlannedStudy:
        plan = assumed.model(icc).plan(images_each, power=assumed.power)
        people = max(2, annotators_needed(plan, assumed.difference))
        return _planned(people, images_each, assumed, effort, icc, rng=rng, studies=studies)

    return _rows(planned, iccs, progress)


def _rows(
    planned: Callable[[float], PlannedStudy], iccs: Sequence[float], progress: Progress | None
) -> list[PlannedStudy]:
    rows = []
    for done, icc in enumerate(iccs, 1):
        rows.append(planned(icc))
        if progress is not None:
            progress(done, len(iccs))
    return rows


def _planned(
    people: int,
    images_each: int,
    assumed: Assumptions,
    effort: Effort,
    icc: float,
    *,
    rng: np.random.Generator,
    studies: int,
) -> PlannedStudy:
    """Return one row, of so many people in each pool."""
    if people * images_each > MOST_LABELS:
        raise ScoringInputError(
            f"Expected at most {MOST_LABELS:,} labels in each pool, found {people * images_each:,} "
            f"at an ICC of {icc:g}; plan a larger difference, or fewer people or images."
        )
    design = StudyDesign.of(people, images_each, assumed.labels_an_image)
    model = assumed.model(icc)
    plan = model.plan(images_each, power=assumed.power)
    found = simulate_power(design, model, rng=rng, studies=studies) if studies else None
    return PlannedStudy(
        icc=icc,
        people=2 * people,
        labels=2 * design.labels,
        images_each=images_each,
        images=design.images,
        hours=effort.hours(2 * people, images_each),
        cost=effort.cost(2 * people, images_each),
        unguided=assumed.unguided,
        difference=assumed.difference,
        detectable=detectable_difference(plan, design.labels),
        power=power_of(plan, assumed.difference, design.labels),
        simulated=found.power if found else nan,
        standard_error=found.standard_error if found else nan,
        studies=studies,
    )
