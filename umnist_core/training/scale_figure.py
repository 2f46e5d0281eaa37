"""The figure of accuracy over scale, as SVG: a curve with its band for each kind of checkpoint.

Figures of accuracy over other sizes are drawn in the same way (`draw_curves`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from umnist_core.scenes import number_text

WIDTH_PX, HEIGHT_PX = 720, 420
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 60, 170, 20, 50

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which people tell apart however they see colours."""

MARKS = ("0", "6 3", "2 3", "8 3 2 3", "12 4", "1 4")
"""Dashes of the curves, so that they differ without colours, too."""


@dataclass(frozen=True)
class Axis:
    """What the curves of a figure run along, in doublings.

    Attributes
    ----------
    title
        Of the figure.
    label
        Below the axis.
    ticks
        In ascending order; the first and the last are the ends.
    """

    title: str
    label: str
    ticks: tuple[float, ...]


@dataclass(frozen=True)
class CurvePoint:
    """A place on an axis, and the accuracy there with its interval, 0 to 1."""

    place: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """What is drawn of a kind of checkpoint: its name, what is told of it, and its rows."""

    name: str
    told: str
    rows: tuple[CurvePoint, ...]


SCALES = Axis(
    "Accuracy over scale on MNIST Large Scale", "scale of the test digits", (0.5, 1, 2, 4, 8)
)


def curve_figure(kinds: Sequence[dict[str, Any]], least: float = 0.0) -> str:
    """Return the figure of kinds of `umnist_core.training.scale_curve.kinds_of`.

    Parameters
    ----------
    kinds
        At most as many as there are colours.
    least
        As of `draw_curves`.
    """
    curves = [
        Curve(
            kind["model"],
            f"trained at {kind['scale']}, {kind['runs']} run{'s' * (kind['runs'] != 1)}",
            tuple(
                CurvePoint(row["scale"], row["accuracy"], row["low"], row["high"])
                for row in kind["curve"]
            ),
        )
        for kind in kinds
    ]
    return draw_curves(curves, SCALES, least)


def draw_curves(curves: Sequence[Curve], axis: Axis, least: float = 0.0) -> str:
    """Return a figure.

    Parameters
    ----------
    curves
        At most as many as there are colours.
    axis
        What they run along.
    least
        Accuracy at the foot of the figure, 0 to below 1; what is less is drawn there.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" '
        'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(axis.title)}</title>",
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="#ffffff"/>',
        *_axes(axis, least),
    ]
    for place, curve in enumerate(curves):
        colour, dashes = COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)]
        parts += _curve(curve.rows, axis, colour, dashes, least)
        parts += _legend(place, curve, colour, dashes)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(place: float, axis: Axis) -> float:
    first, last = axis.ticks[0], axis.ticks[-1]
    share = (math.log2(place) - math.log2(first)) / math.log2(last / first)
    return LEFT_PX + share * (WIDTH_PX - LEFT_PX - RIGHT_PX)


def _y(accuracy: float, least: float) -> float:
    share = (max(least, accuracy) - least) / (1 - least)
    return HEIGHT_PX - BOTTOM_PX - share * (HEIGHT_PX - TOP_PX - BOTTOM_PX)


def _axes(axis: Axis, least: float) -> list[str]:
    parts: list[str] = []
    foot, right = HEIGHT_PX - BOTTOM_PX, WIDTH_PX - RIGHT_PX
    for tick in axis.ticks:
        x = _x(tick, axis)
        parts += [
            f'<line x1="{x:.1f}" y1="{TOP_PX}" x2="{x:.1f}" y2="{foot}" stroke="#dddddd"/>',
            f'<text x="{x:.1f}" y="{foot + 18}" text-anchor="middle">{number_text(tick)}</text>',
        ]
    steps = 5 if least == 0 else round(10 * (1 - least))  # of 20 or of 10 points
    for step in range(steps + 1):
        accuracy = least + (1 - least) * step / steps
        y = _y(accuracy, least)
        parts += [
            f'<line x1="{LEFT_PX}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>',
            f'<text x="{LEFT_PX - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * accuracy:.0f} %'
            "</text>",
        ]
    middle = (LEFT_PX + right) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{foot + 40}" text-anchor="middle">{escape(axis.label)}</text>'
    )
    return parts


def _curve(
    rows: Sequence[CurvePoint], axis: Axis, colour: str, dashes: str, least: float
) -> list[str]:
    def points(figures: Sequence[tuple[CurvePoint, float]]) -> str:
        return " ".join(
            f"{_x(row.place, axis):.1f},{_y(figure, least):.1f}" for row, figure in figures
        )

    line = points([(row, row.accuracy) for row in rows])
    upper = [(row, row.high) for row in rows]
    lower = [(row, row.low) for row in reversed(rows)]
    return [
        f'<polygon points="{points([*upper, *lower])}" fill="{colour}" fill-opacity="0.2"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/>',
    ]


def _legend(place: int, curve: Curve, colour: str, dashes: str) -> list[str]:
    x, y = WIDTH_PX - RIGHT_PX + 14, TOP_PX + 14 + 38 * place
    told = escape(curve.told)
    return [
        f'<line x1="{x}" y1="{y - 4}" x2="{x + 24}" y2="{y - 4}" stroke="{colour}" '
        f'stroke-width="2" stroke-dasharray="{dashes}"/>',
        f'<text x="{x + 30}" y="{y}">{escape(curve.name)}</text>',
        f'<text x="{x + 30}" y="{y + 15}" font-size="10" fill="#555555">{told}</text>',
    ]
