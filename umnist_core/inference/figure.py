"""A prediction as a figure: the image, where the model looked, and what it says. No torch.

One list of marks is drawn twice, so that PNG and SVG show the same: into the pixels, or as vectors
over the embedded picture, which a drawing program can then change.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.attention import AttentionMap
from umnist_core.attention.strongest import strongest_places
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.inference.picture import attention_picture, heat_colours
from umnist_core.pyramid import TileSource, encode_png

FIGURE_MAX_PX = 2000
"""Longer side of the picture at most; larger images are reduced by a power of two."""

OUTLINED = 8
"""Strongest places that are outlined, of models that do not say which digits they found."""

_LINES, _LEAST_WIDTH_PX = 3, 640
_INK, _PAPER, _GREEN = (24, 26, 30), (255, 255, 255), (64, 224, 176)
_BAR_STEPS = 96

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Rect:
    """A rectangle in px of the figure: filled, or an outline of a width."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour
    line_px: float = 0.0


@dataclass(frozen=True, slots=True)
class _Text:
    """A line of words: where its baseline begins, and its size in px."""

    x: float
    y: float
    size_px: float
    text: str
    colour: Colour = _INK


_Mark = _Rect | _Text


@dataclass(frozen=True)
class Figure:
    """What is drawn: a picture, and marks over it and below it.

    Attributes
    ----------
    pixels
        uint8 (H, W, 3), RGB: the image with the attention over it.
    height, width
        Of the whole figure, px.
    marks
        Boxes, words, scale and colours.
    """

    pixels: NDArray[np.uint8]
    height: int
    width: int
    marks: tuple[_Mark, ...]

    def to_png(self) -> bytes:
        """Return the figure as PNG."""
        canvas = np.full((self.height, self.width, 3), _PAPER, np.uint8)
        canvas[: self.pixels.shape[0], : self.pixels.shape[1]] = self.pixels
        for mark in self.marks:
            _draw(canvas, mark)
        return encode_png(canvas)

    def to_svg(self) -> bytes:
        """Return the figure as SVG: the picture is embedded, the marks are vectors."""
        rows, cols = self.pixels.shape[:2]
        picture = base64.b64encode(encode_png(self.pixels)).decode()
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif">',
            f'<rect width="{self.width}" height="{self.height}" fill="{_hex(_PAPER)}"/>',
            f'<image width="{cols}" height="{rows}" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{picture}"/>',
            *map(_vector, self.marks),
            "</svg>",
        ]
        return "\n".join(parts).encode()


def make_figure(
    source: TileSource,
    result: Mapping[str, Any],
    found: AttentionMap | None,
    title: str,
    *,
    task: str | None = None,
    head: int | None = None,
) -> Figure:
    """Return the figure of a prediction.

    Parameters
    ----------
    source
        The image.
    result
        The answer, as `umnist_core.inference.prediction.Prediction.to_dict` has it.
    found
        Where the model looked; None where there is nothing to show.
    title
        Of the model.
    task, head
        Which of the map's; the mean over them by default.

    Raises
    ------
    InvalidValueError
        If the map is of an image of another size, or has no such task or head.
    """
    reduction = 1
    while max(source.height, source.width) > FIGURE_MAX_PX * reduction:
        reduction *= 2
    pixels = _picture(source, found, reduction, task=task, head=head)
    rows, cols = pixels.shape[:2]
    width = max(cols, _LEAST_WIDTH_PX)
    unit = max(16.0, width / 60)  # of the words
    marks: list[_Mark] = []
    for box, words in _boxes(result, found, task, head):
        marks += _outline([px / reduction for px in box], words, unit)
    marks += _scale_bar(rows, cols, reduction, unit)
    marks += _caption(result, found, title, frame=(rows, width, unit), task=task, head=head)
    height = rows + round(unit * 1.7 * _LINES)
    return Figure(pixels, height, width, tuple(marks))


def _picture(
    source: TileSource,
    found: AttentionMap | None,
    reduction: int,
    *,
    task: str | None,
    head: int | None,
) -> NDArray[np.uint8]:
    if found is not None:
        most = FIGURE_MAX_PX
        return attention_picture(source, found, task=task, head=head, most_px=most)
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    pixels = source.read_region(Box(0, 0, rows, cols), reduction)
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _boxes(
    result: Mapping[str, Any], found: AttentionMap | None, task: str | None, head: int | None
) -> list[tuple[Sequence[float], str]]:
    """Return what is outlined, x, y, width and height in image px, each with its words."""
    if result.get("found"):
        return [(one["box"], f"{one['label']} {one['score']:.0%}") for one in result["found"]]
    if found is None:
        return []
    places = strongest_places(found, OUTLINED, task=task, head=head)
    return [(one["box"], f"{one['weight']:.2g}") for one in places if one["weight"] > 0]


def _outline(box: Sequence[float], words: str, unit: float) -> list[_Mark]:
    x, y, width, height = box
    line = max(2.0, unit / 10)
    size = unit * 0.8
    top = y - size * 1.5 if y > size * 1.5 else y + height + line
    plate = _Rect(x - line, top, size * 0.62 * len(words) + size * 0.5, size * 1.35, _INK)
    return [
        _Rect(x - line, y - line, width + 2 * line, height + 2 * line, _INK, 2 * line),
        _Rect(x - line, y - line, width + 2 * line, height + 2 * line, _GREEN, line),
        plate,
        _Text(x - line + size * 0.25, top + size, size, words, _PAPER),
    ]


def _scale_bar(rows: int, cols: int, reduction: int, unit: float) -> list[_Mark]:
    length = _round_length(cols * reduction / 4)
    bar, margin = length / reduction, unit * 0.6
    y = rows - margin - unit * 0.4
    plate = _Rect(margin / 2, y - unit * 1.5, max(bar, unit * 4) + margin, unit * 2.2, _PAPER)
    words = _Text(margin, y - unit * 0.4, unit * 0.9, f"{length} px")
    return [plate, words, _Rect(margin, y, bar, max(2.0, unit / 6), _INK)]


def _round_length(most: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20 ... that is not more than ``most``."""
    power = 10 ** max(0, int(np.floor(np.log10(max(1.0, most)))))
    return int(power * max(one for one in (1, 2, 5) if one == 1 or one * power <= most))


def _caption(
    result: Mapping[str, Any],
    found: AttentionMap | None,
    title: str,
    *,
    frame: tuple[int, int, float],
    task: str | None,
    head: int | None,
) -> list[_Mark]:
    """Return what stands below the picture; ``frame`` is its rows, the width, and a word's px."""
    rows, width, unit = frame
    first = rows + unit * 1.4
    lines = [f"{title}: {'; '.join(_said(one) for one in result['tasks'])}"]
    confidence = result.get("confidence")
    if confidence is not None:
        kind = "calibrated" if result.get("is_calibrated") else "not calibrated"
        lines[0] += f" ({confidence:.1%} sure, {kind})"
    marks: list[_Mark] = [_Text(unit * 0.6, first, unit, lines[0])]
    if found is None:
        reason = str(result.get("no_attention") or "No attention.")
        return [*marks, _Text(unit * 0.6, first + unit * 1.7, unit * 0.85, reason)]
    of = "".join(f", {one}" for one in (task, None if head is None else f"head {head + 1}") if one)
    words = f"Attention: {found.kind}{of}"
    marks.append(_Text(unit * 0.6, first + unit * 1.7, unit * 0.85, words))
    largest = float(found.place_weights(task, head).max(initial=0))
    return [*marks, *_colour_bar(largest, first + unit * 2.4, width, unit)]


def _colour_bar(largest: float, y: float, width: int, unit: float) -> list[_Mark]:
    colours = heat_colours()
    x, length, height = unit * 1.8, min(width / 3, unit * 16), unit * 0.8
    step = length / _BAR_STEPS
    marks: list[_Mark] = [_Text(unit * 0.6, y + height, unit * 0.85, "0")]
    for place in range(_BAR_STEPS):
        red, green, blue, _ = colours[round((len(colours) - 1) * place / (_BAR_STEPS - 1))]
        colour = (round(float(red)), round(float(green)), round(float(blue)))
        marks.append(_Rect(x + place * step, y, step * 1.02, height, colour))
    end = _Text(x + length + unit * 0.5, y + height, unit * 0.85, f"{largest:.3g}")
    return [*marks, end]


def _said(task: Mapping[str, Any]) -> str:
    said = f"{task['name']} {' '.join(map(str, task['answer'])) or 'none'}"
    if task["truth"] is None:
        return said
    truth = " ".join(map(str, task["truth"]))
    return said + (", right" if task["is_right"] else f", wrong: it is {truth}")


def _draw(canvas: NDArray[np.uint8], mark: _Mark) -> None:
    if isinstance(mark, _Text):
        face = cv2.FONT_HERSHEY_SIMPLEX
        place, weight = (round(mark.x), round(mark.y)), max(1, round(mark.size_px / 14))
        words = mark.text.encode("ascii", "replace").decode()
        cv2.putText(canvas, words, place, face, mark.size_px / 30, mark.colour, weight, cv2.LINE_AA)
        return
    first = (round(mark.x), round(mark.y))
    last = (round(mark.x + mark.width) - 1, round(mark.y + mark.height) - 1)
    line = max(1, round(mark.line_px)) if mark.line_px else cv2.FILLED
    cv2.rectangle(canvas, first, last, mark.colour, line)


def _vector(mark: _Mark) -> str:
    if isinstance(mark, _Text):
        return (
            f'<text x="{mark.x:.2f}" y="{mark.y:.2f}" font-size="{mark.size_px:.2f}" '
            f'fill="{_hex(mark.colour)}">{escape(mark.text)}</text>'
        )
    paint = f'fill="{_hex(mark.colour)}"'
    if mark.line_px:
        paint = f'fill="none" stroke="{_hex(mark.colour)}" stroke-width="{mark.line_px:.2f}"'
    return (
        f'<rect x="{mark.x:.2f}" y="{mark.y:.2f}" width="{mark.width:.2f}" '
        f'height="{mark.height:.2f}" {paint}/>'
    )


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
