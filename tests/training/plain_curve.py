"""The figure of docs/training.md that shows how the shipped plain CNN learned, from its card.

As a program this draws it again: ``python -m tests.training.plain_curve``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.scoring.intervals import wilson
from umnist_core.training.scale_figure import Axis, Curve, CurvePoint, draw_curves

FIGURE = Path(__file__).resolve().parents[2] / "docs" / "plain-cnn-curve.svg"
NAME = "plain-cnn"


def load_history() -> list[dict[str, Any]]:
    """Return the points of the card: images seen, accuracy, and the lesson."""
    points: list[dict[str, Any]] = load_card(find_shipped_checkpoints()[NAME]).figures["history"]
    return points


def scored() -> int:
    """Return on how many scenes each point was measured."""
    number: int = load_card(find_shipped_checkpoints()[NAME]).data["recipe"]["curve_images"]
    return number


def figure() -> str:
    """Return the figure: a curve for each lesson, over the images seen so far."""
    history, images = load_history(), scored()
    seen = [one for one in history if one["images"]]
    lessons = list(dict.fromkeys(one["phase"] for one in seen))
    first = 2 ** math.floor(math.log2(min(one["images"] for one in seen) / 1000))
    last = 2 ** math.ceil(math.log2(max(one["images"] for one in seen) / 1000))
    ticks = tuple(
        2.0**power for power in range(round(math.log2(first)), round(math.log2(last)) + 1)
    )
    axis = Axis("Accuracy of the plain CNN over images seen", "thousand images seen", ticks)
    curves = [
        Curve(
            lesson.replace("-", " "),
            f"of {images} scenes",
            tuple(_point(one, images) for one in seen if one["phase"] == lesson),
        )
        for lesson in lessons
    ]
    return draw_curves(curves, axis)


def _point(point: dict[str, Any], images: int) -> CurvePoint:
    found = wilson(round(point["accuracy"] * images), images)
    return CurvePoint(point["images"] / 1000, point["accuracy"], found.low, found.high)


if __name__ == "__main__":
    FIGURE.write_text(figure())
