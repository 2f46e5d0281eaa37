"""Synthetic people: how often each is right about each image, and what they answer.

A person is right with a probability of logistic form: a mean of the pool, plus the person's
ability, less the image's difficulty. Abilities are drawn from a normal distribution, so
answers of one person are alike, as those of real people are; an image is the harder the
smaller its smallest digit. The mean is set so that a pool's expected share of right answers
is the one that was asked for, over all people and the images of the study. A wrong answer
has a reason, and the trace and the digits that come with it bear it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.simulation.traces import (
    Pane,
    View,
    is_on_screen,
    overview,
    response_json,
    response_time_ms,
    view_of_digit,
)
from umnist_core.simulation.truth import DigitTruth, ImageTruth

GUIDED = "guided"

RIGHT = "right"
MISSED = "missed"
MISREAD = "misread"
MISADDED = "misadded"
GUESSED = "guessed"
"""Why an answer is what it is; ``guessed`` where the digits of an image are not known."""

_LOOKALIKES = {0: 6, 1: 7, 2: 7, 3: 8, 4: 9, 5: 3, 6: 0, 7: 1, 8: 3, 9: 4}
_SLIPS = (-10, -2, -1, 1, 2, 10)

_EDGE_SD = 0.03
"""How far off people draw an edge, standard deviation as a share of the digit's side."""

# Nodes and weights for means over a normal distribution of abilities.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Crowd:
    """What people are like.

    Attributes
    ----------
    accuracy
        Expected share of right answers of the unguided pool, above 0 and below 1.
    guided_gain
        What the guided pool has more of it.
    annotator_sd, image_sd
        Standard deviations of ability and of difficulty, in logits, 0 or more.
    missed, misread
        Shares of the wrong answers in which a digit was not seen and in which one was taken for
        another; in the rest the sum is wrong.
    phones
        Share of people with a phone.
    """

    accuracy: float = 0.5
    guided_gain: float = 0.0
    annotator_sd: float = 0.4
    image_sd: float = 1.5
    missed: float = 0.6
    misread: float = 0.25
    phones: float = 0.2

    def __post_init__(self) -> None:
        for name, value in (
            ("accuracy", self.accuracy),
            ("accuracy of the guided pool", self.accuracy + self.guided_gain),
        ):
            if not 0.001 <= value <= 0.999:
                raise InvalidValueError(
                    f"The {name} is a share from 0.001 to 0.999; got {value:g}."
                )
        for name, value in (("annotator_sd", self.annotator_sd), ("image_sd", self.image_sd)):
            if not 0 <= value <= 10:
                raise InvalidValueError(f"{name} is from 0 to 10 logits; got {value:g}.")
        if min(self.missed, self.misread) < 0 or self.missed + self.misread > 1:
            raise InvalidValueError(
                "missed and misread are shares of the wrong answers, together at most 1; got "
                f"{self.missed:g} and {self.misread:g}."
            )

    def accuracy_in(self, pool: str) -> float:
        """Return the expected share of right answers of a pool."""
        return self.accuracy + (self.guided_gain if pool == GUIDED else 0.0)


class Skill:
    """How often people are right about the images of one study.

    Parameters
    ----------
    crowd
        What people are like.
    images
        Images of the study by id, with or without those for practice.
    """

    def __init__(self, crowd: Crowd, images: Mapping[str, ImageTruth]) -> None:
        self.crowd = crowd
        self._difficulties = _difficulties(images, crowd.image_sd)
        self._values = np.array(list(self._difficulties.values()) or [0.0])
        self._means = {pool: self._find_mean(pool) for pool in ("unguided", GUIDED)}

    def probability(self, ability: float, pool: str, image: str) -> float:
        """Return how often somebody is right about an image; ``ability`` in logits."""
        difficulty = self._difficulties.get(image, 0.0)
        return float(_logistic(np.array(self._means[pool] + ability - difficulty)))

    def icc(self, pool: str) -> float:
        """Return the intraclass correlation of right and wrong answers of one person."""
        shares = self._shares(self._means[pool])
        mean = float(_WEIGHTS @ shares)
        return float(_WEIGHTS @ (shares - mean) ** 2) / (mean * (1 - mean))

    def _shares(self, mean: float) -> NDArray[np.float64]:
        """Return the share of right answers of people at the nodes of the distribution."""
        abilities = _NODES * self.crowd.annotator_sd
        # (people, images): every person's probability for every image
        shares = _logistic(mean + abilities[:, None] - self._values[None, :])
        return np.asarray(shares.mean(axis=1), np.float64)

    def _find_mean(self, pool: str) -> float:
        wanted = self.crowd.accuracy_in(pool)
        low, high = -60.0, 60.0
        for _ in range(60):
            middle = (low + high) / 2
            if float(_WEIGHTS @ self._shares(middle)) < wanted:
                low = middle
            else:
                high = middle
        return (low + high) / 2


@dataclass(frozen=True)
class Person:
    """Somebody who takes part.

    Attributes
    ----------
    number
        Which of the people.
    ability
        Logits above the mean of people.
    pane
        What the images are shown in.
    seed
        Of everything that this person does.
    """

    number: int
    ability: float
    pane: Pane
    seed: int

    def rng(self, *parts: int) -> np.random.Generator:
        """Return the generator of one thing that this person does."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence((self.seed, self.number, *parts)))
        )


def draw_people(count: int, crowd: Crowd, seed: int) -> list[Person]:
    """Draw people; the first ones are the same however many are drawn."""
    people = []
    for number in range(count):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number))))
        ability = float(rng.normal()) * crowd.annotator_sd
        pane = Pane(390, 560, 3.0, is_touch=True) if rng.random() < crowd.phones else Pane()
        people.append(Person(number, ability, pane, seed))
    return people


@dataclass(frozen=True)
class Reply:
    """What somebody answers, and why.

    Attributes
    ----------
    answer
        0 to 27.
    digits
        Those that were seen, in any order; None where they are not known.
    boxes
        Around the digits that were seen, as the page sends them, each with the label that was
        read; their sum need not be ``answer``, which a person added up.
    reason
        ``right``, ``missed``, ``misread``, ``misadded`` or ``guessed``.
    confidence
        0 to 100.
    views
        What was looked at, in order.
    response
        ``response`` of the interface.
    """

    answer: int
    digits: tuple[int, ...] | None
    reason: str
    confidence: int
    views: tuple[View, ...]
    response: dict[str, Any]
    boxes: tuple[dict[str, Any], ...] = ()


def reply_to(
    person: Person,
    image: ImageTruth,
    probability: float,
    crowd: Crowd,
    *,
    rng: np.random.Generator,
) -> Reply:
    """Return what a person answers to an image.

    Parameters
    ----------
    probability
        Of being right.
    rng
        Decides everything that is left to chance.
    """
    is_right = rng.random() < probability
    visited, digits, answer, reason = _decide(person, image, crowd, is_right=is_right, rng=rng)
    views = [overview(image, person.pane)]
    views += [view_of_digit(one, image, person.pane) for one in visited]
    total_ms = response_time_ms(len(image.digits), rng=rng)
    doubt = rng.normal(0, 12)
    return Reply(
        answer=answer,
        digits=digits,
        reason=reason,
        confidence=int(np.clip(round(100 * probability + doubt), 0, 100)),
        views=tuple(views),
        response=response_json(views, total_ms, person.pane, rng=rng),
        boxes=_boxes(visited, digits or (), image, rng),
    )


def _boxes(
    seen: list[DigitTruth], labels: tuple[int, ...], image: ImageTruth, rng: np.random.Generator
) -> tuple[dict[str, Any], ...]:
    """Return boxes drawn around digits, each edge off by a few hundredths of the side."""
    boxes = []
    for one, label in zip(seen, labels, strict=False):
        off = rng.normal(0, _EDGE_SD * one.side_px, 4)
        left, right = np.clip((one.col + off[0], one.col + one.side_px + off[1]), 0, image.width)
        top, lower = np.clip((one.row + off[2], one.row + one.side_px + off[3]), 0, image.height)
        x, y = float(np.floor(left)), float(np.floor(top))
        width, height = max(1.0, float(np.floor(right)) - x), max(1.0, float(np.floor(lower)) - y)
        boxes.append({"label": label, "x": x, "y": y, "width": width, "height": height})
    return tuple(boxes)


_Decision = tuple[list[DigitTruth], tuple[int, ...] | None, int, str]


def _decide(
    person: Person,
    image: ImageTruth,
    crowd: Crowd,
    *,
    is_right: bool,
    rng: np.random.Generator,
) -> _Decision:
    """Return the digits looked at, those reported, the answer and its reason."""
    digits = [image.digits[index] for index in rng.permutation(len(image.digits))]
    labels = tuple(one.label for one in digits)
    if is_right:
        return digits, labels or None, image.label, RIGHT
    if not digits:
        return [], None, _slip(image.label, rng), GUESSED
    chance = rng.random()
    if chance < crowd.missed and (unseen := _find_missable(digits, image, person.pane)):
        seen = [one for one in digits if one is not unseen]
        return seen, tuple(one.label for one in seen), image.label - unseen.label, MISSED
    if chance < crowd.missed + crowd.misread:
        return digits, *_misread(labels, image.label, rng), MISREAD
    return digits, labels, _slip(image.label, rng), MISADDED


def _find_missable(digits: list[DigitTruth], image: ImageTruth, pane: Pane) -> DigitTruth | None:
    """Return the smallest digit that can be overlooked: its sum matters, and no view shows it."""
    for one in sorted(digits, key=lambda digit: digit.side_px):
        views = [overview(image, pane)]
        views += [view_of_digit(other, image, pane) for other in digits if other is not one]
        if one.label and not any(is_on_screen(view, one, pane) for view in views):
            return one
    return None


def _misread(
    labels: tuple[int, ...], label: int, rng: np.random.Generator
) -> tuple[tuple[int, ...], int]:
    """Take one digit for another that looks like it; the sum must stay one that can be given."""
    for place in rng.permutation(len(labels)):
        other = _LOOKALIKES[labels[place]]
        answer = label - labels[place] + other
        if 0 <= answer <= SUM_MAX:
            return (*labels[:place], other, *labels[place + 1 :]), answer
    return labels, _slip(label, rng)


def _slip(label: int, rng: np.random.Generator) -> int:
    """Return a sum that is nearly right."""
    answers = [label + slip for slip in _SLIPS if 0 <= label + slip <= SUM_MAX]
    return int(rng.choice(answers))


def _difficulties(images: Mapping[str, ImageTruth], sd: float) -> dict[str, float]:
    """Return image -> logits; mean 0 and the wanted deviation over the images of a study."""
    smallest = {
        name: min((digit.side_px for digit in image.digits), default=1.0)
        for name, image in images.items()
    }
    values = -np.log(np.array(list(smallest.values()) or [1.0]))
    spread = float(values.std())
    if spread == 0:
        return dict.fromkeys(smallest, 0.0)
    scaled = (values - values.mean()) / spread * sd
    return {name: float(value) for name, value in zip(smallest, scaled, strict=True)}


def _logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))
