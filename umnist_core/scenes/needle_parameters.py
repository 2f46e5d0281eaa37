"""The parameters of the Needle MNIST planner and their allowed values.

They have the same text form as those of `umnist_core.scenes.parameters`. A new
parameter is a field of `NeedleParameters` and an entry of `NEEDLE_PARAMETERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.parameters import NOISE_SEED, Parameter, PlannerParameters
from umnist_core.scenes.tasks import NeedleTasks, Tasks

NEEDLE_CLASS = 3
"""The digit that is looked for."""

CELL_PX = 64
"""The needle lies within one cell of a grid of such squares."""

PUBLISHED_DISTRACTORS: Mapping[int, int] = MappingProxyType(
    {64: 2, 128: 6, 256: 25, 512: 100, 1024: 400, 2048: 1600, 4096: 6400, 6144: 14_400}
)
"""Distractors of an image with a needle, by the side of its canvas in px."""

MAX_DISTRACTORS = 100_000

BY_AREA = "by-area"
_AREA_PX, _PER_AREA = 512**2, 100

NEEDLE_PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "canvas": Parameter(
            "whole", CELL_PX, 200_000, "px", "side of the square image", ranged=False
        ),
        "distractors": Parameter(
            "label",
            0,
            MAX_DISTRACTORS,
            "",
            "digits other than 3 in an image with a 3, and one more in an image without; by-area "
            "is 100 for 512 x 512 px, as published",
            (BY_AREA,),
        ),
        "label": Parameter(
            "label",
            0,
            1,
            "",
            "whether a 3 is there; balanced has one in every second image, free by a fair coin",
            ("balanced", "free"),
        ),
        "digits_from": Parameter(
            "word",
            0,
            0,
            "",
            "digits of the train split: validation is the first twelfth of them, training the "
            "rest; the test split has all of its own",
            ("training", "validation"),
        ),
        "noise_seed": NOISE_SEED,
    }
)


@dataclass(frozen=True, slots=True)
class NeedleParameters(PlannerParameters):
    """Everything that the planner draws from; see `NEEDLE_PARAMETERS`."""

    table: ClassVar[Mapping[str, Parameter]] = NEEDLE_PARAMETERS
    planner: ClassVar[str] = "needle"
    asks: ClassVar[type[Tasks] | None] = NeedleTasks
    test_digits: ClassVar[bool] = True

    canvas: int = 1024
    distractors: str | int = BY_AREA
    label: str | int = "balanced"
    digits_from: str = "training"
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        if self.noise_squares > MAX_DISTRACTORS:
            raise InvalidValueError(
                f"distractors={BY_AREA} in canvas={self.canvas} px are {self.noise_squares:,}, "
                f"more than {MAX_DISTRACTORS:,}; lower canvas or set distractors to a number."
            )

    @property
    def noise_squares(self) -> int:
        """Distractors of an image with a needle; one without has one more."""
        if isinstance(self.distractors, int):
            return self.distractors
        return (2 * _PER_AREA * self.canvas**2 + _AREA_PX) // (2 * _AREA_PX)
