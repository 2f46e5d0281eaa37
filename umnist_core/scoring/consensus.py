"""What several people's labels of one image come to, and how far they agree.

Sums are counted; boxes are matched across people first. Two people's boxes are of one digit if
they overlap enough (intersection over union, as in Pascal VOC); pairs are joined from the best
on, and nobody has two boxes in one cluster, so that the order of people changes nothing. What a
majority says is the label, and what no majority says is open, for somebody to settle.

Agreement is Krippendorff's alpha (`krippendorff`). docs/statistics.md has the formulas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from statistics import median

import numpy as np

from .errors import ScoringInputError
from .intervals import Floats
from .krippendorff import Alpha, krippendorff_alpha

LEAST_IOU = 0.5
"""Overlap from which two boxes are of one digit (Everingham et al., The Pascal Visual Object
Classes Challenge, IJCV 88, 2010)."""

NOT_DRAWN = -1
"""Value of somebody who labelled an image and has no box in a cluster of it."""

UNANIMOUS, MAJORITY, ADJUDICATED, OPEN = "unanimous", "majority", "adjudicated", "open"
PROVENANCES = (UNANIMOUS, MAJORITY, ADJUDICATED, OPEN)
"""Where a label is from: all said so; more than half did; somebody settled it; not yet known."""


@dataclass(frozen=True, order=True)
class MarkedBox:
    """A digit with its box, px from the upper left corner of the image.

    Attributes
    ----------
    label
        0 to 9.
    x, y, width, height
        x runs to the right, y down.
    """

    label: int
    x: float
    y: float
    width: float
    height: float

    def iou(self, other: MarkedBox) -> float:
        """Return the area that both share, over that which either has."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(across, 0.0) * max(down, 0.0)
        whole = self.width * self.height + other.width * other.height - shared
        return shared / whole if whole > 0 else 0.0


Cluster = Mapping[str, MarkedBox]
"""Person -> their box of one digit."""


def match_boxes(
    boxes: Mapping[str, Sequence[MarkedBox]], least_iou: float = LEAST_IOU
) -> list[Cluster]:
    """Return the boxes of one image as clusters, each of one digit.

    Parameters
    ----------
    boxes
        Person -> their boxes.
    least_iou
        Overlap from which two are joined, above 0.

    Returns
    -------
    list
        From top to bottom; of a cluster each person has at most one box.
    """
    if not least_iou > 0:
        raise ScoringInputError(f"Expected an overlap above 0, found {least_iou}; take 0.5.")
    own = [(person, box) for person in sorted(boxes) for box in sorted(boxes[person])]
    pairs = sorted(
        (-overlap, one, other)
        for one, other in combinations(range(len(own)), 2)
        if own[one][0] != own[other][0] and (overlap := own[one][1].iou(own[other][1])) >= least_iou
    )
    places = list(range(len(own)))
    clusters = {place: {person: box} for place, (person, box) in enumerate(own)}
    for _, one, other in pairs:
        first, second = places[one], places[other]
        if first == second or set(clusters[first]) & set(clusters[second]):
            continue
        clusters[first] |= clusters.pop(second)
        places = [first if place == second else place for place in places]
    return sorted(clusters.values(), key=_place)


def _place(cluster: Cluster) -> tuple[float, float, int]:
    box = _middle(cluster.values())
    return box.y, box.x, box.label


def _middle(boxes: Iterable[MarkedBox]) -> MarkedBox:
    """Return the box whose sides are the medians, with the label of the most."""
    kept = sorted(boxes)
    x0, y0 = median(one.x for one in kept), median(one.y for one in kept)
    x1, y1 = (
        median(one.x + one.width for one in kept),
        median(one.y + one.height for one in kept),
    )
    label = Counter(one.label for one in kept).most_common(1)[0][0]
    return MarkedBox(label, x0, y0, x1 - x0, y1 - y0)


# -- consensus --------------------------------------------------------------------


@dataclass(frozen=True)
class Consensus:
    """What people's labels of one image come to.

    Attributes
    ----------
    provenance
        `UNANIMOUS`, `MAJORITY` or `OPEN`.
    answer
        The sum; None where it is open.
    boxes
        Of the digits; None where sums alone were given. Of an open image those that a majority
        drew and named.
    people
        How many labelled it.
    dispute
        0 where all say the same, to 1: share of pairs of people who do not.
    """

    provenance: str
    answer: int | None
    boxes: tuple[MarkedBox, ...] | None
    people: int
    dispute: float


def sum_consensus(answers: Mapping[str, int]) -> Consensus:
    """Return what the sums of one image come to.

    Parameters
    ----------
    answers
        Person -> sum.
    """
    people = len(answers)
    if not people:
        return Consensus(OPEN, None, None, 0, 0.0)
    answer, most = Counter(answers.values()).most_common(1)[0]
    dispute = _dispute(list(answers.values()))
    if 2 * most <= people:
        return Consensus(OPEN, None, None, people, dispute)
    return Consensus(_said_by(most, people), answer, None, people, dispute)


def box_consensus(
    boxes: Mapping[str, Sequence[MarkedBox]], least_iou: float = LEAST_IOU
) -> Consensus:
    """Return what the boxes of one image come to.

    A digit is there if more than half of the people drew it, and is what more than half of those
    say. One that half drew, or on whose name no majority agrees, leaves the image open.

    Parameters
    ----------
    boxes
        Person -> their boxes; nothing for somebody who saw no digit.
    """
    people = len(boxes)
    if not people:
        return Consensus(OPEN, None, None, 0, 0.0)
    found, is_open, least = [], False, people
    clusters = match_boxes(boxes, least_iou)
    for cluster in clusters:
        drawn = len(cluster)
        if 2 * drawn < people:
            least = min(least, people - drawn)
            continue
        middle = _middle(cluster.values())
        named = sum(box.label == middle.label for box in cluster.values())
        if 2 * drawn == people or 2 * named <= drawn:
            is_open = True
            continue
        found.append(middle)
        least = min(least, named)
    dispute = max((_dispute(_values(one, boxes)) for one in clusters), default=0.0)
    kept = tuple(found)
    if is_open:
        return Consensus(OPEN, None, kept, people, dispute)
    return Consensus(_said_by(least, people), sum(one.label for one in kept), kept, people, dispute)


def _said_by(most: int, people: int) -> str:
    return UNANIMOUS if most == people else MAJORITY


def _dispute(values: Sequence[Hashable]) -> float:
    pairs = list(combinations(values, 2))
    return sum(one != other for one, other in pairs) / len(pairs) if pairs else 0.0


def _values(cluster: Cluster, people: Iterable[str]) -> list[int]:
    return [cluster[one].label if one in cluster else NOT_DRAWN for one in people]


# -- agreement --------------------------------------------------------------------


@dataclass(frozen=True)
class PersonAgreement:
    """How often one person says what another says of the same.

    Attributes
    ----------
    person
        Who.
    images
        That they labelled and somebody else did, too.
    pairs, agreeing
        Their values beside each value of another person for the same unit, and those that are the
        same.
    """

    person: str
    images: int
    pairs: int
    agreeing: int

    @property
    def share(self) -> float:
        """Agreeing pairs over all; NaN without any."""
        return self.agreeing / self.pairs if self.pairs else nan


@dataclass(frozen=True)
class LabelAgreement:
    """How far people agree who label the same images.

    Attributes
    ----------
    alphas
        Of sums nominal and interval; of boxes nominal, over clusters.
    people
        Everybody beside the others.
    mean_iou
        Of each two boxes in one cluster; NaN for sums, and where nobody drew the same.
    """

    alphas: tuple[Alpha, ...]
    people: tuple[PersonAgreement, ...]
    mean_iou: float


def sum_agreement(
    answers: Mapping[str, Mapping[str, int]], *, rng: np.random.Generator, draws: int = 1000
) -> LabelAgreement:
    """Return how far people agree on sums.

    Parameters
    ----------
    answers
        Image -> person -> sum.
    rng, draws
        As of `krippendorff_alpha`.
    """
    units = [answers[image] for image in sorted(answers)]
    images = [frozenset(one) for one in units]
    return _agreement(units, images, ("nominal", "interval"), nan, rng=rng, draws=draws)


def box_agreement(
    boxes: Mapping[str, Mapping[str, Sequence[MarkedBox]]],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    least_iou: float = LEAST_IOU,
) -> LabelAgreement:
    """Return how far people agree on digits and where they are.

    A unit is a cluster of boxes; its value is the digit that somebody named, or `NOT_DRAWN`. What
    nobody drew is no unit, so alpha is of what somebody saw.

    Parameters
    ----------
    boxes
        Image -> person -> boxes.
    rng, draws, least_iou
        As of `krippendorff_alpha` and `match_boxes`.
    """
    units, overlaps = [], []
    for image in sorted(boxes):
        for cluster in match_boxes(boxes[image], least_iou):
            people = sorted(boxes[image])
            units.append(dict(zip(people, _values(cluster, people), strict=True)))
            overlaps += [one.iou(other) for one, other in combinations(cluster.values(), 2)]
    images = [frozenset(boxes[image]) for image in sorted(boxes)]
    mean = float(np.mean(overlaps)) if overlaps else nan
    return _agreement(units, images, ("nominal",), mean, rng=rng, draws=draws)


def _agreement(
    units: Sequence[Mapping[str, int]],
    images: Sequence[frozenset[str]],
    metrics: Sequence[str],
    mean_iou: float,
    *,
    rng: np.random.Generator,
    draws: int,
) -> LabelAgreement:
    names = sorted({one for people in images for one in people})
    table = _table(units, names)
    return LabelAgreement(
        tuple(krippendorff_alpha(table, one, rng=rng, draws=draws) for one in metrics),
        tuple(_person_agreement(one, units, images) for one in names),
        mean_iou,
    )


def _table(units: Sequence[Mapping[str, int]], names: Sequence[str]) -> Floats:
    """Return (people, units) values, NaN where somebody gave none."""
    rows = {name: place for place, name in enumerate(names)}
    table = np.full((len(names), len(units)), nan)
    for column, unit in enumerate(units):
        for person, value in unit.items():
            table[rows[person], column] = value
    return table


def _person_agreement(
    person: str, units: Sequence[Mapping[str, int]], images: Sequence[frozenset[str]]
) -> PersonAgreement:
    pairs = agreeing = 0
    for unit in units:
        if person in unit:
            pairs += len(unit) - 1
            agreeing += sum(value == unit[person] for value in unit.values()) - 1
    shared = sum(person in people and len(people) > 1 for people in images)
    return PersonAgreement(person, shared, pairs, agreeing)
