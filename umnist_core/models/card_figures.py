"""What the card of a checkpoint says of it, whatever wrote the card, as shares with intervals.

A card of one's own may hold anything; what is of no known form is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from umnist_core.models.card_values import as_mapping, as_number, as_rows, as_whole
from umnist_core.models.cards import Card
from umnist_core.scoring import wilson

PLAIN = "plain"
"""The variant of images as they are drawn."""

FEWEST = 10
"""Images, digits or answers that a share has to be of; one of fewer says nothing."""

BY_CHANCE = {
    "sum": 1 / 28,
    "majority": 0.109,
    "max": 0.274,
    "top": 0.1,
    "multi": 0.0,
    "digit": 0.1135,
    "needle": 0.5,
}
"""Task -> share of its likeliest answer: what somebody reaches who never looks. Sums are drawn
evenly; the others are those of the published logs, of MNIST's tests and of Needle MNIST."""


@dataclass(frozen=True)
class Share:
    """How many of what were right.

    Attributes
    ----------
    label
        What it is the share of, such as ``"28 px"``.
    share, low, high
        0 to 1, with the ends of the 95 % interval.
    count
        How many images or digits; 0 where the card does not say.
    """

    label: str
    share: float
    low: float | None = None
    high: float | None = None
    count: int = 0


@dataclass(frozen=True)
class Breakdown:
    """Shares under one title."""

    title: str
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class CardFigures:
    """What a card says of how good its checkpoint is.

    Attributes
    ----------
    accuracy
        Of each task.
    breakdowns
        The same by what an image or a digit is like.
    measured
        On what, in words; empty where the card does not say.
    """

    accuracy: tuple[Share, ...]
    breakdowns: tuple[Breakdown, ...]
    measured: str

    @property
    def telling(self) -> tuple[Breakdown, ...]:
        """Breakdowns without shares of few entries; one of a single kind says nothing new."""
        found = (
            replace(one, shares=tuple(s for s in one.shares if not 0 < s.count < FEWEST))
            for one in self.breakdowns
        )
        return tuple(one for one in found if len(one.shares) > 1)


def read_figures(figures: Mapping[str, Any]) -> CardFigures:
    """Read the figures of a card; what is of no known form is left out.

    Cards are written by hand, by the training loop (figures on its validation images) and by
    evaluation, each in a form of its own.
    """
    accuracy = tuple(chain(_by_hand(figures), _of_validation(figures), _of_evaluation(figures)))
    breakdowns = chain(_breakdowns_by_hand(figures), _breakdowns_of_evaluation(figures))
    return CardFigures(
        accuracy,
        tuple(breakdown for breakdown in breakdowns if breakdown.shares),
        _measured(figures, accuracy),
    )


def is_at_chance(card: Card) -> bool:
    """Return whether a checkpoint was measured, and is no better than its likeliest answer.

    It is none where one of its tasks is above what guessing reaches, its interval included, or
    where nobody knows what guessing reaches.
    """
    measured = [one for one in read_figures(card.figures).accuracy if one.low is not None]
    return bool(measured) and all(
        (one.low or 0.0) <= BY_CHANCE.get(one.label, -1.0) for one in measured
    )


def _by_hand(figures: Mapping[str, Any]) -> Iterator[Share]:
    found = as_mapping(figures.get("accuracy"))
    count = as_whole(figures.get("images"))
    tasks = [name for name, value in found.items() if as_number(value) is not None]
    for task in tasks:
        ends = found.get("interval")
        if isinstance(ends, dict):
            ends = ends.get(task)
        elif len(tasks) > 1:
            ends = None  # whose it is, the card does not say
        share = as_number(found[task]) or 0.0
        yield _with_ends(task, share, ends, count)


def _with_ends(label: str, share: float, ends: Any, count: int) -> Share:
    if isinstance(ends, list) and len(ends) == 2 and None not in (low_high := _pair(ends)):
        return Share(label, share, *low_high, count)
    if not count:
        return Share(label, share)
    return counted(label, round(share * count), count)


def _pair(ends: list[Any]) -> tuple[float | None, float | None]:
    return as_number(ends[0]), as_number(ends[1])


def _of_validation(figures: Mapping[str, Any]) -> Iterator[Share]:
    found = as_mapping(figures.get("validation"))
    images = as_whole(found.get("images"))
    for task, correct in as_mapping(found.get("correct")).items():
        if images:
            yield counted(task, as_whole(correct), images)


def _of_evaluation(figures: Mapping[str, Any]) -> Iterator[Share]:
    for task, tables in as_mapping(figures.get("tasks")).items():
        yield from _evaluated(task, as_mapping(tables).get("accuracy"), "correct", "images")


def _breakdowns_by_hand(figures: Mapping[str, Any]) -> Iterator[Breakdown]:
    for key, right, count, title in (
        ("by smallest digit", "right", "images", "Sums right, by the image's smallest digit"),
        ("digits by side", "read right", "digits", "Digits found and read right, by their side"),
    ):
        rows = as_mapping(figures.get(key)).items()
        shares = [
            counted(label, as_whole(as_mapping(row).get(right)), total)
            for label, row in rows
            if (total := as_whole(as_mapping(row).get(count)))
        ]
        yield Breakdown(title, tuple(shares))


def _breakdowns_of_evaluation(figures: Mapping[str, Any]) -> Iterator[Breakdown]:
    for task, tables in as_mapping(figures.get("tasks")).items():
        rows = as_rows(as_mapping(tables).get("by_smallest_side_px"))
        shares = [_evaluated(_ends(row), row, "correct", "images") for row in rows]
        title = "Sums right" if task == "sum" else f"{task.capitalize()} right"
        yield Breakdown(f"{title}, by the image's smallest digit", tuple(chain(*shares)))
    rows = as_rows(as_mapping(figures.get("digits")).get("by_side_px"))
    shares = [_evaluated(_ends(row), row, "right", "digits") for row in rows]
    yield Breakdown("Digits found and read right, by their side", tuple(chain(*shares)))


def _evaluated(label: str, row: Any, right: str, count: str) -> Iterator[Share]:
    total = as_whole(as_mapping(row).get(count))
    if total:
        yield counted(label, as_whole(as_mapping(row).get(right)), total)


def _ends(row: Mapping[str, Any]) -> str:
    low, below = as_number(row.get("from")) or 0.0, as_number(row.get("below"))
    return f"{low:g} px and more" if below is None else f"{low:g} to {below:g} px"


def counted(label: str, right: int, count: int) -> Share:
    """Return a share of one or more, with Wilson's interval."""
    found = wilson(min(right, count), count)
    return Share(label, found.estimate, found.low, found.high, count)


def _measured(figures: Mapping[str, Any], accuracy: tuple[Share, ...]) -> str:
    if isinstance(said := figures.get("measured on"), str):
        return said
    if accuracy and figures.get("validation"):
        return "validation images of the run, on which the best epoch was chosen"
    data = as_mapping(figures.get("data"))
    if accuracy and "preset" in data:
        return f"preset {data['preset']}, seed {data.get('seed')}, split {data.get('split')}"
    return ""


@dataclass(frozen=True)
class Point:
    """Answers of about the same confidence; shares are 0 to 1.

    Attributes
    ----------
    answers
        How many.
    confidence
        Their mean confidence.
    accuracy, low, high
        Share of them that is right, and the ends of its 95 % interval.
    """

    answers: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class CardReliability:
    """Confidences against what came of the answers.

    Attributes
    ----------
    error, by_chance
        Expected calibration error, and what chance alone would give, 0 to 1.
    is_calibrated
        Whether the confidences were fitted, and are not the model's plain probabilities.
    points
        From the least confident answers to the most.
    """

    error: float
    by_chance: float | None
    is_calibrated: bool
    points: tuple[Point, ...]


@dataclass(frozen=True)
class VariantFigures:
    """What was measured on images of one kind.

    Attributes
    ----------
    title
        Of the kind.
    images
        How many.
    right
        Share of right answers to the first task; None where nothing is right or wrong.
    warned
        Share of images that were warned of; None of models that do not warn.
    kinds
        What was warned of most: kinds of doubts with how many images each.
    command
        That measures it again.
    """

    title: str
    images: int
    right: Share | None
    warned: Share | None
    kinds: tuple[tuple[str, int], ...]
    command: str


def find_reliability(card: Card) -> CardReliability | None:
    """Return the reliability that a card has: of its figures, else of images as drawn."""
    plain = as_mapping(as_mapping(card.measured.get(PLAIN)).get("summary"))
    for figures in (card.figures, plain):
        found = as_mapping(as_mapping(figures).get("calibration"))
        error = as_number(found.get("ece"))
        points = tuple(_points(found))
        if error is not None and points:
            by_chance = as_number(found.get("ece_by_chance"))
            return CardReliability(error, by_chance, found.get("is_calibrated") is True, points)
    return None


def _points(found: Mapping[str, Any]) -> Iterator[Point]:
    for row in as_rows(found.get("bins")):
        names = ("confidence", "accuracy", "low", "high")
        values = [as_number(row.get(name)) for name in names]
        known = [value for value in values if value is not None and 0 <= value <= 1]
        if len(known) == len(names) and as_whole(row.get("answers")) >= FEWEST:
            yield Point(as_whole(row.get("answers")), *known)


def read_measured(card: Card, titles: Mapping[str, str]) -> tuple[VariantFigures, ...]:
    """Return what was measured on images of other kinds.

    Parameters
    ----------
    titles
        Variant -> its title, in the order in which they come. Others come last, under the name
        that they were kept under.
    """
    names = list(titles)

    def order(name: str) -> tuple[int, str]:
        return (names.index(name) if name in names else len(names), name)

    rows = []
    for name in sorted(map(str, card.measured), key=order):
        kept = as_mapping(card.measured.get(name))
        summary = as_mapping(kept.get("summary"))
        command = kept.get("command")
        right, warned = _right(summary), _warned(summary)
        if (right or warned) and isinstance(command, str):
            title = titles.get(name, name)
            images = as_whole(summary.get("images"))
            kinds = tuple(_kinds(summary))
            rows.append(VariantFigures(title, images, right, warned, kinds, command))
    return tuple(rows)


def _right(summary: Mapping[str, Any]) -> Share | None:
    for task, tables in as_mapping(summary.get("tasks")).items():
        accuracy = as_mapping(as_mapping(tables).get("accuracy"))
        if images := as_whole(accuracy.get("images")):
            return counted(task, as_whole(accuracy.get("correct")), images)
    return None


def _warned(summary: Mapping[str, Any]) -> Share | None:
    warnings = as_mapping(summary.get("warnings"))
    images = as_whole(warnings.get("images"))
    if not images:
        return None
    return counted("", as_whole(as_mapping(warnings.get("any")).get("warned")), images)


def _kinds(summary: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    kinds = as_mapping(as_mapping(summary.get("warnings")).get("kinds"))
    counts = {str(kind): as_whole(as_mapping(row).get("warned")) for kind, row in kinds.items()}
    yield from sorted(((k, n) for k, n in counts.items() if n), key=lambda one: -one[1])
