"""How well a model finds digits: what it found beside what is there, and figures of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.models.base import FoundDigit
from umnist_core.scenes import Digit
from umnist_core.training.found import digits_right

Row = dict[str, Any]


def found_row(
    found: Sequence[FoundDigit],
    digits: Sequence[Digit] | None,
    boxes: Sequence[DrawnBox] | None,
) -> Row:
    """Return what was found in an image and what is there, as columns of its row.

    Parameters
    ----------
    found
        What the model says.
    digits
        Those of its scene, where they lie; None where there is none.
    boxes
        What people or tools drew in it; None where no annotation speaks of it.

    Returns
    -------
    dict
        ``found`` as `umnist predict` writes it, class, box and score of each; ``drawn``, class and
        box of each digit that is there; of scenes also ``sides_px`` and ``digits_right``.
    """
    row: Row = {"found": json.dumps([[*_ends_of(one), one.score] for one in found])}
    if digits is not None:
        squares = [
            [one.label, one.box.row0, one.box.col0, one.box.row1, one.box.col1] for one in digits
        ]
        row["drawn"] = json.dumps(squares)
        row["digits_right"] = " ".join(str(int(one)) for one in digits_right(digits, found))
    elif boxes is not None:
        row["drawn"] = json.dumps(
            [
                [int(one.name), one.y, one.x, one.y + one.height, one.x + one.width]
                for one in boxes
                if one.is_digit
            ]
        )
    return row


def _ends_of(one: FoundDigit) -> tuple[float, ...]:
    ends = (one.row, one.col, one.row + one.height_px, one.col + one.width_px)
    return one.label, *(round(end, 2) for end in ends)


def digits_summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return how many digits were found and read, in all and by their own size.

    Returns
    -------
    dict
        ``all`` and ``by_side_px`` of scenes, and ``average_precision`` of all images whose digits
        are known; empty where none are.
    """
    return {**_shares(rows), **_precision(rows)}


def _precision(rows: Sequence[Row]) -> dict[str, Any]:
    # SciPy, which training alone does without.
    from umnist_core.scoring.average_precision import BoxImage, ScoredBox, average_precision

    images = [
        BoxImage(
            [_marked(one) for one in json.loads(row["drawn"])],
            [ScoredBox(_marked(one), one[5]) for one in json.loads(row["found"])],
        )
        for row in rows
        if row.get("drawn") is not None
    ]
    if not any(image.truth for image in images):
        return {}
    found = average_precision(images)
    figures = {"mean": found.mean, "at_half": found.at_half}
    return {"average_precision": {**figures, "images": found.images, "digits": found.boxes}}


def _marked(one: Sequence[Any]) -> Any:
    from umnist_core.scoring.consensus import MarkedBox

    label, row0, col0, row1, col1 = one[:5]
    return MarkedBox(int(label), col0, row0, col1 - col0, row1 - row0)


def _shares(rows: Sequence[Row]) -> dict[str, Any]:
    from umnist_core.scoring import wilson
    from umnist_core.scoring.breakdown import SMALLEST_SIDE_EDGES_PX

    pairs = [
        (int(side), right == "1")
        for row in rows
        if "digits_right" in row
        for side, right in zip(row["sides_px"].split(), row["digits_right"].split(), strict=True)
    ]
    if not pairs:
        return {}

    def share(marks: Sequence[bool]) -> dict[str, Any]:
        found = wilson(sum(marks), len(marks))
        figures = {"share": found.estimate, "low": found.low, "high": found.high}
        return {"digits": len(marks), "right": sum(marks), **figures}

    return {
        "all": share([right for _, right in pairs]),
        "by_side_px": [
            {"from": low, "below": None if high == float("inf") else high, **share(marks)}
            for low, high in pairwise(SMALLEST_SIDE_EDGES_PX)
            if (marks := [right for side, right in pairs if low <= side < high])
        ],
    }
