"""What a card says of single answers, of how the training went, and of what an answer costs.

As `card_figures`: a card of one's own may hold anything, and what is of no known form is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.models.card_figures import Share, read_figures
from umnist_core.models.card_values import as_mapping, as_number, as_rows, as_whole
from umnist_core.models.cards import Card

MOST_CLASSES = 64
"""Of a table of answers."""


@dataclass(frozen=True)
class SceneSet:
    """Scenes that anybody can draw again.

    Attributes
    ----------
    preset, overrides, seed, split
        As of their addresses.
    count
        How many, the first at ``first``.
    first
        Index of the first one.
    """

    preset: str
    overrides: Mapping[str, str]
    seed: int
    split: str
    count: int
    first: int = 0


@dataclass(frozen=True)
class Missed:
    """A scene whose answer was wrong; ``true`` and ``said`` are classes."""

    index: int
    true: int
    said: int


@dataclass(frozen=True)
class CardAnswers:
    """What was said of each truth.

    Attributes
    ----------
    task
        The first one.
    said
        Truth -> answer -> images.
    missed
        Scenes of `scenes` that were missed; the first ones where there are many.
    scenes
        What was answered; None if others cannot draw it again.
    command
        That measures it again; empty where the card does not say.
    """

    task: str
    said: Mapping[int, Mapping[int, int]]
    missed: tuple[Missed, ...]
    scenes: SceneSet | None
    command: str

    @property
    def images(self) -> int:
        """How many were answered."""
        return sum(sum(row.values()) for row in self.said.values())

    @property
    def wrong(self) -> int:
        """How many answers are not the truth."""
        return self.images - sum(row.get(true, 0) for true, row in self.said.items())


@dataclass(frozen=True)
class HistoryPoint:
    """What a training had reached after so many images; ``accuracy`` is 0 to 1."""

    images: int
    accuracy: float
    phase: str


@dataclass(frozen=True)
class Cost:
    """What an answer takes.

    Attributes
    ----------
    seconds
        For an image, with reading or drawing it.
    peak_bytes
        Of the process, or on the card; 0 if that was not measured.
    hardware
        That it was measured on.
    """

    seconds: float
    peak_bytes: int
    hardware: str


def find_answers(card: Card) -> CardAnswers | None:
    """Return the answers that a card has, those to scenes that anybody can draw first."""
    found = [
        answers
        for figures, command in _all_figures(card)
        if (answers := _answers(figures, command)) is not None
    ]
    return next((one for one in found if one.scenes is not None), next(iter(found), None))


def find_scenes(card: Card) -> SceneSet | None:
    """Return scenes that a checkpoint was measured on, those of its answers if it has some."""
    answers = find_answers(card)
    if answers is not None and answers.scenes is not None:
        return answers.scenes
    sets = (_scenes(figures) for figures, _ in _all_figures(card))
    return next((one for one in sets if one is not None), None)


def find_own_images(card: Card) -> tuple[Share, SceneSet, str] | None:
    """Return how good a checkpoint is on scenes as it learned from, drawn here.

    Its headline figure is left out: this is the one beside it, where that is on the images of the
    origin's own generator.

    Returns
    -------
    tuple
        The share, the scenes and the command that measures it again.
    """
    if _scenes(card.figures) is not None:
        return None
    for figures, command in _all_figures(card)[1:]:
        scenes = _scenes(figures)
        is_alike = scenes is not None and scenes.preset == card.data.get("preset")
        shares = read_figures(figures).accuracy
        if scenes is not None and is_alike and not scenes.overrides and shares:
            return shares[0], scenes, command
    return None


def find_history(card: Card) -> tuple[HistoryPoint, ...]:
    """Return how accuracy grew with the images that a training saw; empty without."""
    return tuple(sorted(_history(card.figures), key=lambda point: point.images))


def find_cost(card: Card) -> Cost | None:
    """Return what an answer takes; None where the card does not say."""
    for figures, _ in _all_figures(card):
        cost = as_mapping(figures.get("cost")) or {
            "seconds": figures.get("seconds_per_image"),
            "peak_bytes": figures.get("peak_bytes"),
            "hardware": card.hardware,
        }
        seconds = as_number(cost.get("seconds"))
        if seconds is not None and seconds > 0:
            hardware = cost.get("hardware")
            told = hardware if isinstance(hardware, str) else ""
            return Cost(seconds, as_whole(cost.get("peak_bytes")), told)
    return None


def _all_figures(card: Card) -> list[tuple[Mapping[str, Any], str]]:
    """Return the headline figures and those measured later, each with its command."""
    later = [as_mapping(kept) for kept in card.measured.values()]
    return [
        (as_mapping(card.figures), ""),
        *((as_mapping(one.get("summary")), _text(one.get("command"))) for one in later),
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _scenes(figures: Mapping[str, Any]) -> SceneSet | None:
    data = as_mapping(figures.get("data"))
    preset, split, seed = data.get("preset"), data.get("split"), data.get("seed")
    is_plain = "variant" not in data and "turns" not in data
    if not isinstance(preset, str) or not isinstance(split, str) or not is_plain:
        return None
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        return None
    overrides = {str(name): str(text) for name, text in as_mapping(data.get("overrides")).items()}
    count, first = as_whole(data.get("count")), as_whole(data.get("first"))
    return SceneSet(preset, overrides, seed, split, count, first)


def _answers(figures: Mapping[str, Any], command: str) -> CardAnswers | None:
    found = as_mapping(figures.get("answers"))
    task, said = found.get("task"), dict(_said(as_mapping(found.get("said"))))
    if not isinstance(task, str) or not said:
        return None
    scenes = _scenes(figures)
    missed = tuple(_missed(found)) if scenes is not None else ()
    return CardAnswers(task, said, missed, scenes, command or _text(found.get("command")))


def _said(table: Mapping[str, Any]) -> Iterator[tuple[int, dict[int, int]]]:
    for true, row in table.items():
        counts = {int(said): as_whole(n) for said, n in as_mapping(row).items() if _is_class(said)}
        if _is_class(true) and any(counts.values()):
            yield int(true), counts


def _is_class(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:6]) < MOST_CLASSES


def _missed(found: Mapping[str, Any]) -> Iterator[Missed]:
    for row in as_rows(found.get("missed")):
        values = [as_number(row.get(name)) for name in ("index", "true", "said")]
        known = [round(value) for value in values if value is not None and value >= 0]
        if len(known) == len(values):
            yield Missed(*known)


def _history(figures: Mapping[str, Any]) -> Iterator[HistoryPoint]:
    for row in as_rows(figures.get("history")):
        accuracy, images = as_number(row.get("accuracy")), as_number(row.get("images"))
        if accuracy is not None and images is not None and 0 <= accuracy <= 1 and images >= 0:
            phase = row.get("phase")
            yield HistoryPoint(round(images), accuracy, "" if phase is None else str(phase))
