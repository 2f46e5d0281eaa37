"""The parameters of the planner of reduced UltraMNIST and their allowed values.

They have the same text form and, but for ``largest_sum``, the same meaning as those of
`umnist_core.scenes.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.parameters import (
    PARAMETERS,
    Parameter,
    PlannerParameters,
    Span,
    UltraMnistParameters,
)

_DIGITS, _FACTOR = Span(3, 5), Span(0.5, 9)
_SHARED = ("digits", "scale_distribution", "factor", "digit_order", "canvas")

REDUCED_PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        **{name: PARAMETERS[name] for name in _SHARED},
        "largest_sum": Parameter(
            "whole", 0, 81, "", "sums of the digits are 0 to this one", ranged=False
        ),
        "label": replace(
            PARAMETERS["label"],
            meaning="balanced gives each sum up to largest_sum once in as many images",
            words=("balanced",),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class ReducedParameters(PlannerParameters):
    """Everything that the planner draws from; see `REDUCED_PARAMETERS`."""

    table: ClassVar[Mapping[str, Parameter]] = REDUCED_PARAMETERS
    planner: ClassVar[str] = "reduced"

    digits: Span = _DIGITS
    scale_distribution: str = "v-shaped"
    factor: Span = _FACTOR
    digit_order: str = "by-class"
    canvas: int = 512
    largest_sum: int = 9
    label: str | int = "balanced"

    def __post_init__(self) -> None:
        most = 9 * int(self.digits.high)
        if self.largest_sum > most:
            raise InvalidValueError(
                f"largest_sum={self.largest_sum} cannot be the sum of at most "
                f"{self.digits.high:g} digits (at most {most}); lower largest_sum or raise digits."
            )
        self.as_ultramnist(0)
        if isinstance(self.label, int) and self.label > self.largest_sum:
            raise InvalidValueError(
                f"label={self.label} is more than largest_sum={self.largest_sum}; lower label or "
                "raise largest_sum."
            )

    def as_ultramnist(self, label: int) -> UltraMnistParameters:
        """Return the parameters of UltraMNIST with whose digits one sum is drawn."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return UltraMnistParameters(**shared, label=label)
