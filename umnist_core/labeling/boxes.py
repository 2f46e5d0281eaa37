"""Boxes that people draw around digits: how they are sent, kept and tabulated.

A box is ``label`` (0 to 9), ``x``, ``y``, ``width`` and ``height`` in px of the image, x to the
right and y down from its upper left corner, to a tenth of a px. It lies within the image and is
at least a px wide and high. The sum of an answer with boxes is that of their labels; no box means
that there is no digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from umnist_core.errors import InvalidValueError

MOST_BOXES = 100
LEAST_SIDE_PX = 1.0

BOXED_SUM_MAX = 9 * MOST_BOXES
"""Largest sum of an answer with boxes: the sum is counted from them, so only their number bounds
it. 27 is a bound of UltraMNIST's labels, and a folder of other images need not keep to it."""

_SIDES = ("x", "y", "width", "height")

Box = Mapping[str, Any]

BOXES_SCHEMA: Mapping[str, Any] = {
    "type": ["array", "null"],
    "maxItems": MOST_BOXES,
    "items": {
        "type": "object",
        "required": ["label", *_SIDES],
        "properties": {
            "label": {"type": "integer", "minimum": 0, "maximum": 9},
            "x": {"type": "number", "minimum": 0},
            "y": {"type": "number", "minimum": 0},
            "width": {"type": "number", "minimum": LEAST_SIDE_PX},
            "height": {"type": "number", "minimum": LEAST_SIDE_PX},
        },
    },
}


def read_boxes(name: str, value: object) -> tuple[dict[str, Any], ...] | None:
    """Return boxes as they are kept, to a tenth of a px; None where none were sent.

    Parameters
    ----------
    name
        Of the field, for the sentence.
    value
        As it was sent.

    Raises
    ------
    InvalidValueError
        If they are no boxes, or too many.
    """
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > MOST_BOXES:
        raise InvalidValueError(f"{name} is a list of at most {MOST_BOXES} boxes; send it so.")
    return tuple(_read_box(number, one) for number, one in enumerate(value, 1))


def _read_box(number: int, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValueError(
            f"Box {number} is label, x, y, width and height; got {str(value)[:40]!r}."
        )
    label = value.get("label")
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label <= 9:
        raise InvalidValueError(
            f"The label of box {number} is a digit from 0 to 9; got {str(label)[:40]!r}."
        )
    sides = {side: round(_number(number, side, value.get(side)), 1) for side in _SIDES}
    if min(sides["width"], sides["height"]) < LEAST_SIDE_PX:
        raise InvalidValueError(
            f"Box {number} is at least {LEAST_SIDE_PX:g} px wide and high; got {sides['width']} by "
            f"{sides['height']}. Draw it larger, or delete it."
        )
    return {"label": label, **sides}


def _number(number: int, side: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValueError(f"{side} of box {number} is a number; got {str(value)[:40]!r}.")
    return float(value)


def sum_of_boxes(boxes: Sequence[Box]) -> int:
    """Return the sum of the labels."""
    return sum(labels_of(boxes))


def labels_of(boxes: Sequence[Box]) -> list[int]:
    """Return the labels, in the order in which the boxes were drawn."""
    return [int(one["label"]) for one in boxes]


def check_sum_of_boxes(answer: int, boxes: Sequence[Box]) -> None:
    """Refuse a sum that is not that of the boxes which come with it.

    Raises
    ------
    InvalidValueError
        If it is another.
    """
    if answer != sum_of_boxes(boxes):
        raise InvalidValueError(
            f"The answer is the sum of the boxes' labels, {sum_of_boxes(boxes)}; got {answer}. "
            "Reload the page and send it again."
        )


def check_within(boxes: Sequence[Box], size: tuple[int, int]) -> None:
    """Refuse boxes that reach out of their image.

    Parameters
    ----------
    boxes
        Of `read_boxes`.
    size
        Height and width of the image, px.

    Raises
    ------
    InvalidValueError
        If one does.
    """
    height, width = size
    for number, one in enumerate(boxes, 1):
        right, lower = (round(one[at] + one[by], 1) for at, by in (("x", "width"), ("y", "height")))
        if one["x"] < 0 or one["y"] < 0 or right > width or lower > height:
            raise InvalidValueError(
                f"Box {number} lies within its image of {width} by {height} px; got one from "
                f"{one['x']}, {one['y']} to {right}, {lower}. Draw it anew."
            )


def shape_of_box(one: Box) -> dict[str, float]:
    """Return the edges of a box as tables have them: rows down, columns to the right, px."""
    return {
        "row0": one["y"],
        "col0": one["x"],
        "row1": round(one["y"] + one["height"], 1),
        "col1": round(one["x"] + one["width"], 1),
    }
