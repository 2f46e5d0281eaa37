"""The parameters of the Megapixel MNIST planner and their allowed values.

They have the same text form as those of `umnist_core.scenes.parameters`. A new
parameter is a field of `MegapixelParameters` and an entry of `MEGAPIXEL_PARAMETERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.parameters import NOISE_SEED, Parameter, PlannerParameters
from umnist_core.scenes.tasks import MegapixelTasks, Tasks

MEGAPIXEL_PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "canvas": Parameter("whole", 28, 200_000, "px", "side of the square image", ranged=False),
        "digits": Parameter(
            "whole", 1, 50, "", "digits in an image; more than half are alike", ranged=False
        ),
        "digit_size": Parameter(
            "whole", 7, 2800, "px", "side of a digit's square, resized from 28 px", ranged=False
        ),
        "label": Parameter(
            "label",
            0,
            9,
            "",
            "class of the digits that are alike; balanced gives each once in 10 images",
            ("balanced", "free"),
        ),
        "noise_kind": Parameter(
            "word", 0, 0, "", "a stroke is two straight lines or one curve", ("lines", "bezier")
        ),
        "noise_count": Parameter(
            "whole", 0, 10_000, "", "strokes in an image, and distinct patterns", ranged=False
        ),
        "noise_size": Parameter(
            "whole", 7, 2800, "px", "side of a stroke's square, resized from 28 px", ranged=False
        ),
        "control_points": Parameter(
            "label",
            2,
            8,
            "",
            "of a bezier curve; mixed draws 4, 6 or 8 with odds of 3, 5 and 1",
            ("mixed",),
        ),
        "thickness": Parameter(
            "number", 0.2, 6, "px of the 28-px grid", "thickness of a stroke", ranged=False
        ),
        "thickness_mode": Parameter(
            "word",
            0,
            0,
            "",
            "integer cuts the fraction off, as the released generator does; continuous draws it",
            ("integer", "continuous"),
        ),
        "noise_seed": NOISE_SEED,
    }
)


@dataclass(frozen=True, slots=True)
class MegapixelParameters(PlannerParameters):
    """Everything that the planner draws from; see `MEGAPIXEL_PARAMETERS`."""

    table: ClassVar[Mapping[str, Parameter]] = MEGAPIXEL_PARAMETERS
    planner: ClassVar[str] = "megapixel"
    asks: ClassVar[type[Tasks] | None] = MegapixelTasks
    test_digits: ClassVar[bool] = True

    canvas: int = 1500
    digits: int = 5
    digit_size: int = 28
    label: str | int = "free"
    noise_kind: str = "lines"
    noise_count: int = 50
    noise_size: int = 28
    control_points: str | int = "mixed"
    thickness: float = 1
    thickness_mode: str = "integer"
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        if self.digit_size > self.canvas:
            raise InvalidValueError(
                f"digit_size={self.digit_size} px does not fit in canvas={self.canvas} px; lower "
                "digit_size or enlarge canvas."
            )
        # Straight lines keep a margin of their own size, as in their released generator.
        margins = 2 if self.noise_kind == "lines" else 0
        needed = (margins + 1) * self.noise_size
        if self.noise_count and needed > self.canvas:
            raise InvalidValueError(
                f"noise_size={self.noise_size} px with noise_kind={self.noise_kind} needs a canvas "
                f"of {needed} px, found canvas={self.canvas}; lower noise_size or enlarge canvas."
            )

    @property
    def noise_squares(self) -> int:
        """How many strokes there are."""
        return self.noise_count
