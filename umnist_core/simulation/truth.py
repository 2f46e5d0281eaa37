"""What simulated people are measured by: the digits of each image, from the researcher's side.

No route tells any of this. It comes from the store, for whoever runs the simulation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.service import StudyService


@dataclass(frozen=True, slots=True)
class DigitTruth:
    """A digit: its class, and the top left corner and side of its box, canvas px."""

    label: int
    row: float
    col: float
    side_px: float


@dataclass(frozen=True, slots=True)
class ImageTruth:
    """An image: the sum of its digits, the digits (none where only the sum is known), its size.

    Attributes
    ----------
    height, width
        Canvas, px.
    """

    label: int
    digits: tuple[DigitTruth, ...]
    height: int
    width: int


def read_images(service: StudyService, study: str) -> dict[str, ImageTruth]:
    """Return the truth of every image of a study, practice images too, by id.

    Raises
    ------
    NotFoundError
        If there is no such study.
    InvalidValueError
        If it is one without truth.
    StoreError
        If the store cannot be read.
    """
    state = service.state(study)
    if not state.spec.has_truth:
        raise InvalidValueError(
            f"Simulated people answer from the truth, which study {study} has none of; simulate a "
            "study with truth."
        )
    found = {}
    for name, text in service.log.read_truth(study).items():
        one = json.loads(text)
        found[name] = _image(one["label"], one["digits"] or (), state.sizes[name])
    for image in state.practice:
        found[image.id] = _image(image.label, image.digits, state.sizes[image.id])
    return found


def _image(label: int, digits: Any, size: tuple[int, int]) -> ImageTruth:
    return ImageTruth(label, tuple(_digit(one) for one in digits), *size)


def _digit(one: Mapping[str, Any]) -> DigitTruth:
    return DigitTruth(one["label"], one["row"], one["col"], one["side_px"])
