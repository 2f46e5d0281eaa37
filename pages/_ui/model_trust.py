"""How far a card's checkpoint can be trusted: its confidences, and images that it does not know.

What a card says is read here, and its chart made; nothing here draws a page. A card of one's own
may hold anything, and what is of no known form is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages._ui.model_figures import Share, as_mapping, as_number, as_rows, as_whole, counted
from pages._ui.results_look import Look, error_bars, lay_out
from umnist_core.models.cards import Card

PLAIN = "plain"

VARIANT_TITLES = {
    PLAIN: "As drawn",
    "as-jpeg": "JPEG, quality 75",
    "quality-30": "JPEG, quality 30",
    "rescaled-3900": "Scaled to 3,900 px",
    "rescaled-2000": "Scaled to 2,000 px",
    "turned-90": "Turned by 90°",
    "turned-180": "Turned by 180°",
    "turned-270": "Turned by 270°",
    "shifted": "Moved by one px",
    "inverted": "Inverted",
    "no-digits": "No digits",
    "photographs": "Photographs",
}
"""Variants of `umnist evaluate` for people; others have the name that they were kept under."""

CHART_PX = 250
LEAST_SPAN = 6.0
"""Of the axes, in points: what lies closer together is drawn no larger."""


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
class Measured:
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
        if len(known) == len(names) and as_whole(row.get("answers")):
            yield Point(as_whole(row.get("answers")), *known)


def read_measured(card: Card) -> tuple[Measured, ...]:
    """Return what was measured on images of other kinds, in the order of `VARIANT_TITLES`."""
    names = list(VARIANT_TITLES)

    def order(name: str) -> tuple[int, str]:
        return (names.index(name) if name in names else len(names), name)

    rows = []
    for name in sorted(map(str, card.measured), key=order):
        kept = as_mapping(card.measured.get(name))
        summary = as_mapping(kept.get("summary"))
        command = kept.get("command")
        right, warned = _right(summary), _warned(summary)
        if (right or warned) and isinstance(command, str):
            title = VARIANT_TITLES.get(name, name)
            images = as_whole(summary.get("images"))
            kinds = tuple(_kinds(summary))
            rows.append(Measured(title, images, right, warned, kinds, command))
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


def reliability_figure(found: CardReliability, look: Look) -> Any:
    """Draw how often answers are right against how sure the model was of them."""
    shares = [(p.confidence, p.accuracy, p.low, p.high, p.answers) for p in found.points]
    confidence, accuracy, low, high, answers = (
        np.array(column) for column in zip(*shares, strict=True)
    )
    start = _axis_start(100 * min(confidence.min(), low.min()))
    ends = [start, 101]
    figure = go.Figure(
        go.Scatter(
            x=ends,
            y=ends,
            mode="lines",
            hoverinfo="skip",
            line={"color": look.quiet, "width": 1, "dash": "dot"},
        )
    )
    figure.add_trace(
        go.Scatter(
            x=100 * confidence,
            y=100 * accuracy,
            error_y={
                **error_bars(100 * accuracy, 100 * low, 100 * high, 1.5),
                "color": look.pools[1],
            },
            mode="markers",
            marker={"color": look.pools[1], "size": 8},
            customdata=np.stack([answers, 100 * low, 100 * high], axis=1),
            hovertemplate="%{x:.1f} % sure, %{y:.1f} % right (%{customdata[1]:.1f} to "
            "%{customdata[2]:.1f}), %{customdata[0]} answers<extra></extra>",
        )
    )
    lay_out(figure, look, height=CHART_PX)
    figure.update_xaxes(title={"text": "Mean confidence (%)"}, range=ends)
    figure.update_yaxes(title={"text": "Right (%)"}, range=ends)
    return figure


def _axis_start(lowest: float) -> float:
    """Return where axes begin that end at 100 %: a little below the lowest value."""
    span = max(LEAST_SPAN, 1.08 * (100 - lowest))
    return max(-2.0, 100 - span)


def reliability_words(found: CardReliability) -> str:
    """Return what the chart says, in words."""
    total = sum(point.answers for point in found.points)
    each = round(total / len(found.points))
    chance = ""
    if found.by_chance is not None:
        chance = f" ({100 * found.by_chance:.1f} % by chance, were all confidences right)"
    said = (
        f"Expected calibration error {100 * found.error:.1f} %{chance}, {total:,} images, about "
        f"{each:,} to a point, with 95 % intervals."
    )
    if found.is_calibrated:
        return said
    return f"{said} The confidences are the model's own probabilities; they were not calibrated."
