"""The parameters of the UltraMNIST planner and their allowed values.

Every parameter is a number, a range or a word, and has one text form that is the
same on the command line (``--set shape_pairs=1..3``), in a tile's URL
(``?shape_pairs=1..3``) and in a scene's provenance. A new parameter is a field of
`UltraMnistParameters` and an entry of `PARAMETERS`, nothing else. Another planner has
a subclass of `PlannerParameters` with a table of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.tasks import Tasks
from umnist_core.seeds import MAX_SEED
from umnist_core.shown import ShowsItself

MAX_LABEL = 27
"""Largest sum of an UltraMNIST image (paper, section "Data description")."""

Kind = Literal["whole", "factor", "number", "label", "word"]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of numbers, both ends included; a single number has equal ends."""

    low: float
    high: float

    def __str__(self) -> str:
        low, high = number_text(self.low), number_text(self.high)
        return low if low == high else f"{low}..{high}"

    @property
    def ints(self) -> tuple[int, int]:
        """Both ends as whole numbers."""
        return (int(self.low), int(self.high))


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter may be, for parsing, help texts and sliders."""

    kind: Kind
    low: float
    high: float
    unit: str
    meaning: str
    words: tuple[str, ...] = ()
    ranged: bool = True
    """Whether it may be a range, from which each image draws; else it is one number."""

    @property
    def allowed(self) -> str:
        """The allowed values, as a phrase for people."""
        numbers = f"{number_text(self.low)} to {number_text(self.high)}"
        if self.kind == "word":
            return f"one of {', '.join(self.words)}"
        if self.kind == "label":
            return f"{', '.join(self.words)} or a whole number from {numbers}"
        name = {"whole": "a whole number", "number": "a number", "factor": "0.5 or a whole number"}
        range_too = f", or a range such as {Span(self.low, self.high)}" if self.ranged else ""
        return f"{name[self.kind]} from {numbers}{range_too}"


NOISE_SEED = Parameter(
    "whole", 0, MAX_SEED, "", "seed of the noise alone; the sample's own when not set", ranged=False
)
"""The digits stay as they are when it changes, and the noise when the sample's seed does."""

PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "digits": Parameter("whole", 1, 9, "", "digits in an image"),
        "scale_distribution": Parameter(
            "word",
            0,
            0,
            "",
            "how a digit's factor is drawn; v-shaped makes both ends likeliest",
            ("v-shaped", "uniform", "fixed"),
        ),
        "factor": Parameter(
            "factor", 0.5, 9000, "x 28 px", "enlargement of the 28-px glyph; 0.5 is 14 px"
        ),
        "digit_order": Parameter(
            "word",
            0,
            0,
            "",
            "by-class places small classes first, so that large ones lean small",
            ("by-class", "shuffled"),
        ),
        "digit_jpeg": Parameter(
            "whole",
            0,
            100,
            "quality",
            "JPEG that the digits go through before they are cut to ink, which breaks some of "
            "their cells into specks; 0 for none",
            ranged=False,
        ),
        "circles": Parameter("whole", 0, 50, "", "filled circles that invert the ground"),
        "triangles": Parameter("whole", 0, 50, "", "filled triangles that invert the ground"),
        "shape_pairs": Parameter(
            "whole", 0, 50, "", "as many circles as triangles; overrides both when set"
        ),
        "checkerboard": Parameter(
            "whole", 0, 64, "cells a side", "cells of the ground before it is cropped; 0 is black"
        ),
        "rotation": Parameter("number", -180, 180, "degrees", "rotation of the checkerboard"),
        "shear": Parameter("number", -80, 80, "degrees", "horizontal shear of the checkerboard"),
        "zoom": Parameter("number", 0.1, 10, "", "enlargement of the checkerboard"),
        "canvas": Parameter("whole", 28, 200_000, "px", "side of the square image", ranged=False),
        "label": Parameter(
            "label",
            0,
            81,
            "",
            "balanced gives each sum once in 28 images, free draws the digits alone",
            ("balanced", "free"),
        ),
        "noise_seed": NOISE_SEED,
    }
)


@dataclass(frozen=True, slots=True)
class PlannerParameters(ShowsItself):
    """What the parameters of every planner can do; a subclass adds fields, and a table of them.

    Attributes
    ----------
    table
        What each of its fields may be.
    planner
        Name of the planner, for a scene's provenance.
    asks
        The kind of tasks of its scenes; None where their sum is asked.
    test_digits
        Whether the digits of a test split are those of MNIST's test set.
    """

    table: ClassVar[Mapping[str, Parameter]]
    planner: ClassVar[str]
    asks: ClassVar[type[Tasks] | None] = None
    test_digits: ClassVar[bool] = False

    @property
    def noise_squares(self) -> int:
        """About how many squares of noise a scene has, which its plan grows with."""
        return 0

    def to_text(self) -> dict[str, str]:
        """Return every parameter that is set, in its text form."""
        values = {name: getattr(self, name) for name in self.table}
        return {name: _text(value) for name, value in values.items() if value is not None}

    def with_overrides(self, overrides: Mapping[str, str]) -> Self:
        """Return these parameters with some replaced.

        Parameters
        ----------
        overrides
            Name to text, for example ``{"shape_pairs": "3", "rotation": "-10..10"}``.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a value is not allowed; the message says what is.
        """
        values: dict[str, Any] = {
            name: parse_parameter(name, text, self.table) for name, text in overrides.items()
        }
        return replace(self, **values)


@dataclass(frozen=True, slots=True)
class UltraMnistParameters(PlannerParameters):
    """Everything that the planner draws from; see `PARAMETERS` for meanings and units."""

    table: ClassVar[Mapping[str, Parameter]] = PARAMETERS
    planner: ClassVar[str] = "ultramnist"

    digits: Span = Span(3, 5)
    scale_distribution: str = "v-shaped"
    factor: Span = Span(0.5, 75)
    digit_order: str = "by-class"
    digit_jpeg: int = 75
    circles: Span = Span(0, 4)
    triangles: Span = Span(0, 4)
    shape_pairs: Span | None = None
    checkerboard: Span = Span(12, 23)
    rotation: Span = Span(-45, 45)
    shear: Span = Span(-50, 50)
    zoom: Span = Span(0.8, 1.2)
    canvas: int = 4000
    label: str | int = "balanced"
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        if self.scale_distribution == "fixed" and self.factor.low != self.factor.high:
            raise InvalidValueError(
                "scale_distribution=fixed needs one factor, for example factor=3; "
                f"got {self.factor}."
            )
        if 28 * self.factor.low > self.canvas:
            raise InvalidValueError(
                f"The smallest digit of factor={self.factor} is {28 * self.factor.low:g} px and "
                f"does not fit in canvas={self.canvas} px; lower factor or enlarge canvas."
            )
        most = 9 * int(self.digits.high)
        if isinstance(self.label, int) and self.label > most:
            raise InvalidValueError(
                f"label={self.label} cannot be the sum of at most {self.digits.high:g} digits "
                f"(at most {most}); lower label or raise digits."
            )


def parse_parameter(
    name: str, text: str, table: Mapping[str, Parameter] = PARAMETERS
) -> Span | str | float:
    """Read one parameter from its text form.

    Parameters
    ----------
    name, text
        What is set to what.
    table
        The parameters that there are: those of a planner.

    Raises
    ------
    InvalidValueError
        If the name is unknown or the value is not allowed.
    """
    parameter = table.get(name)
    if parameter is None:
        raise InvalidValueError(
            f"There is no parameter {name!r:.60}; the parameters are {', '.join(table)}."
        )
    text = text.strip()
    if text in parameter.words:
        return text
    if parameter.kind == "word":
        raise _not_allowed(name, parameter, text)
    span = _parse_span(name, parameter, text)
    if parameter.ranged and parameter.kind != "label":
        return span
    if span.low != span.high:
        raise _not_allowed(name, parameter, text)
    return span.low if parameter.kind == "number" else int(span.low)


def number_text(value: float) -> str:
    """Return the shortest text that reads as the same number."""
    if float(value).is_integer():
        return str(int(value))
    text = f"{value:g}"
    return text if float(text) == value else repr(float(value))


def _text(value: Span | str | float) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def _parse_span(name: str, parameter: Parameter, text: str) -> Span:
    first, dots, second = text.partition("..")
    try:
        low, high = float(first), float(second if dots else first)
    except ValueError:
        raise _not_allowed(name, parameter, text) from None
    inside = parameter.low <= low <= high <= parameter.high  # False for NaN
    if not inside or not all(_is_allowed(parameter.kind, value) for value in (low, high)):
        raise _not_allowed(name, parameter, text)
    return Span(low, high)


def _is_allowed(kind: Kind, value: float) -> bool:
    if kind == "number":
        return math.isfinite(value)
    return value.is_integer() or (kind == "factor" and value == 0.5)


def _not_allowed(name: str, parameter: Parameter, text: str) -> InvalidValueError:
    return InvalidValueError(f"{name} is {parameter.allowed}; got {text!r:.60}.")
