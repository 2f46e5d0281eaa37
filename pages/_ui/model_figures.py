"""The figures of a card, whatever wrote them, as shares with intervals; no widgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from typing import Any

from umnist_core.scoring import wilson


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
class Group:
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
    groups
        The same by what an image or a digit is like.
    measured
        On what, in words; empty where the card does not say.
    """

    accuracy: tuple[Share, ...]
    groups: tuple[Group, ...]
    measured: str


def read_figures(figures: Mapping[str, Any]) -> CardFigures:
    """Read the figures of a card; what is of no known form is left out.

    Cards are written by hand, by the training loop (figures on its validation images) and by
    evaluation, each in a form of its own.
    """
    accuracy = tuple(chain(_by_hand(figures), _of_validation(figures), _of_evaluation(figures)))
    groups = chain(_groups_by_hand(figures), _groups_of_evaluation(figures))
    return CardFigures(
        accuracy, tuple(group for group in groups if group.shares), _measured(figures, accuracy)
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


def _groups_by_hand(figures: Mapping[str, Any]) -> Iterator[Group]:
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
        yield Group(title, tuple(shares))


def _groups_of_evaluation(figures: Mapping[str, Any]) -> Iterator[Group]:
    for task, tables in as_mapping(figures.get("tasks")).items():
        rows = as_rows(as_mapping(tables).get("by_smallest_side_px"))
        shares = [_evaluated(_ends(row), row, "correct", "images") for row in rows]
        title = "Sums right" if task == "sum" else f"{task.capitalize()} right"
        yield Group(f"{title}, by the image's smallest digit", tuple(chain(*shares)))
    rows = as_rows(as_mapping(figures.get("digits")).get("by_side_px"))
    shares = [_evaluated(_ends(row), row, "right", "digits") for row in rows]
    yield Group("Digits found and read right, by their side", tuple(chain(*shares)))


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


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def as_rows(value: Any) -> list[Mapping[str, Any]]:
    """Return a list of JSON's objects; an empty one in the place of anything else."""
    return [as_mapping(row) for row in value] if isinstance(value, list) else []


def as_number(value: Any) -> float | None:
    """Return a finite number; None in the place of anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) else None


def as_whole(value: Any) -> int:
    """Return a whole number of 0 or more; 0 in the place of anything else."""
    number = as_number(value)
    return 0 if number is None or number < 0 else round(number)
