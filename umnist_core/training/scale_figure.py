"""The figure of accuracy over scale, as SVG: a curve with its band for each kind of checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from umnist_core.scenes import number_text

WIDTH_PX, HEIGHT_PX = 720, 420
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 60, 170, 20, 50

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which people tell apart however they see colours."""

MARKS = ("0", "6 3", "2 3", "8 3 2 3", "12 4", "1 4")
"""Dashes of the curves, so that they differ without colours, too."""

_TICKS = (0.5, 1, 2, 4, 8)


def curve_figure(kinds: Sequence[dict[str, Any]], least: float = 0.0) -> str:
    """Return the figure of kinds of `umnist_core.training.scale_curve.kinds_of`.

    Parameters
    ----------
    kinds
        At most as many as there are colours.
    least
        Accuracy at the foot of the figure, 0 to below 1.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" '
        'font-family="sans-serif" font-size="13" role="img">',
        "<title>Accuracy over scale on MNIST Large Scale</title>",
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="#ffffff"/>',
        *_axes(least),
    ]
    for place, kind in enumerate(kinds):
        colour, dashes = COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)]
        parts += _curve(kind["curve"], colour, dashes, least)
        parts += _legend(place, kind, colour, dashes)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(scale: float) -> float:
    share = (math.log2(scale) - math.log2(_TICKS[0])) / math.log2(_TICKS[-1] / _TICKS[0])
    return LEFT_PX + share * (WIDTH_PX - LEFT_PX - RIGHT_PX)


def _y(accuracy: float, least: float) -> float:
    share = (max(least, accuracy) - least) / (1 - least)
    return HEIGHT_PX - BOTTOM_PX - share * (HEIGHT_PX - TOP_PX - BOTTOM_PX)


def _axes(least: float) -> list[str]:
    parts: list[str] = []
    foot, right = HEIGHT_PX - BOTTOM_PX, WIDTH_PX - RIGHT_PX
    for scale in _TICKS:
        x = _x(scale)
        parts += [
            f'<line x1="{x:.1f}" y1="{TOP_PX}" x2="{x:.1f}" y2="{foot}" stroke="#dddddd"/>',
            f'<text x="{x:.1f}" y="{foot + 18}" text-anchor="middle">{number_text(scale)}</text>',
        ]
    for step in range(6):
        accuracy = least + (1 - least) * step / 5
        y = _y(accuracy, least)
        parts += [
            f'<line x1="{LEFT_PX}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>',
            f'<text x="{LEFT_PX - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * accuracy:.0f} %'
            "</text>",
        ]
    middle = (LEFT_PX + right) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{foot + 40}" text-anchor="middle">scale of the test digits'
        "</text>"
    )
    return parts


def _curve(rows: Sequence[dict[str, Any]], colour: str, dashes: str, least: float) -> list[str]:
    line = " ".join(f"{_x(row['scale']):.1f},{_y(row['accuracy'], least):.1f}" for row in rows)
    upper = [f"{_x(row['scale']):.1f},{_y(row['high'], least):.1f}" for row in rows]
    lower = [f"{_x(row['scale']):.1f},{_y(row['low'], least):.1f}" for row in reversed(rows)]
    return [
        f'<polygon points="{" ".join([*upper, *lower])}" fill="{colour}" fill-opacity="0.2"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/>',
    ]


def _legend(place: int, kind: dict[str, Any], colour: str, dashes: str) -> list[str]:
    x, y = WIDTH_PX - RIGHT_PX + 14, TOP_PX + 14 + 38 * place
    told = f"trained at {kind['scale']}, {kind['runs']} run{'s' * (kind['runs'] != 1)}"
    return [
        f'<line x1="{x}" y1="{y - 4}" x2="{x + 24}" y2="{y - 4}" stroke="{colour}" '
        f'stroke-width="2" stroke-dasharray="{dashes}"/>',
        f'<text x="{x + 30}" y="{y}">{escape(kind["model"])}</text>',
        f'<text x="{x + 30}" y="{y + 15}" font-size="10" fill="#555555">{escape(told)}</text>',
    ]
