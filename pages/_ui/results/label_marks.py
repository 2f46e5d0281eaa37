"""Each person's boxes over an image, in a colour and dash of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from umnist_core.labeling.labels import ImageLabel
from umnist_core.scoring.consensus import MarkedBox

STYLES = 6
"""Colours and dashes that there are; the next person has the first again, with another letter."""


def letters_of(labels: Sequence[ImageLabel]) -> dict[str, str]:
    """Return a letter for each person of a study, the same over every image."""
    people = sorted({person for one in labels for person in one.said})
    return {
        person: ascii_uppercase[place % 26] + (str(place // 26) if place >= 26 else "")
        for place, person in enumerate(people)
    }


def marks_of(
    image: ImageLabel, letters: Mapping[str, str], draft: Sequence[MarkedBox] | None = None
) -> list[dict[str, Any]]:
    """Return the boxes that people drew, and those that are being written, for the viewer."""
    drawn: list[tuple[MarkedBox, int | None, str]] = [
        (box, place % STYLES, letters[person])
        for place, (person, said) in enumerate(image.said.items())
        for box in said.boxes or ()
    ]
    drawn += [(box, None, "new") for box in draft or ()]
    return _marks(drawn)


def label_marks(image: ImageLabel) -> list[dict[str, Any]]:
    """Return the boxes of an image's label, for the viewer."""
    return _marks([(box, None, "label") for box in image.boxes or ()])


def _marks(drawn: Sequence[tuple[MarkedBox, int | None, str]]) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "label": box.label,
            "box": [box.x, box.y, box.width, box.height],
            "side": max(box.width, box.height),
            "words": words,
            **({} if style is None else {"by": style}),
        }
        for number, (box, style, words) in enumerate(drawn)
    ]
