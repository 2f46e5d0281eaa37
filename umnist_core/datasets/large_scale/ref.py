"""One image of MNIST Large Scale by name, drawn when it is asked for, as scenes are.

Its digits, scales and numbers are those by which whole sets are written, so the image is the one
that a file of the same seed holds. It is no scene: nothing of it can be drawn alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale.rescaling import (
    MAX_SCALE,
    MIDDLE,
    MIN_SCALE,
    SIGMA_PER_SCALE,
    SLOPE,
    Rescaling,
    as_grey,
    rescale_digits,
    soft_threshold,
)
from umnist_core.datasets.large_scale.sets import LARGE_SCALE, digits_of, draw_scale
from umnist_core.digits import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.scenes import PARAMETER_NAMES, PRESETS, Parameter, SceneRef, Span
from umnist_core.scenes.parameters import PlannerParameters
from umnist_core.scenes.ref import Overrides, read_number
from umnist_core.seeds import MAX_SEED, SPLITS
from umnist_core.shown import ShowsItself

TASK = "digit"
"""What is asked of an image: which digit it is."""

DIGIT_PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "scale": Parameter(
            "number",
            MIN_SCALE,
            MAX_SCALE,
            "x 28 px",
            "enlargement of the 28-px digit; of a range every doubling is equally likely",
        ),
        "smoothing": Parameter(
            "number",
            0.05,
            4,
            "px per scale",
            "standard deviation of the Gaussian after rescaling, in px of the image per scale",
            ranged=False,
        ),
        "slope": Parameter(
            "number", 0.001, 1, "", "steepness of the soft threshold, per intensity", ranged=False
        ),
        "middle": Parameter(
            "number",
            0,
            255,
            "of 255",
            "intensity that the soft threshold leaves in the middle between background and ink",
            ranged=False,
        ),
    }
)


_ONE = Span(1, 1)


@dataclass(frozen=True, slots=True)
class DigitParameters(PlannerParameters):
    """What an image of MNIST Large Scale is made by; see `DIGIT_PARAMETERS`."""

    table: ClassVar[Mapping[str, Parameter]] = DIGIT_PARAMETERS
    planner: ClassVar[str] = LARGE_SCALE
    test_digits: ClassVar[bool] = True

    scale: Span = _ONE
    smoothing: float = SIGMA_PER_SCALE
    slope: float = SLOPE
    middle: float = MIDDLE

    @property
    def rescaling(self) -> Rescaling:
        """All but the scale."""
        return Rescaling(self.smoothing, self.slope, self.middle)


_PLAIN = DigitParameters()

ALL_PRESETS: Mapping[str, PlannerParameters] = MappingProxyType({**PRESETS, LARGE_SCALE: _PLAIN})
"""The presets of scenes, and that of MNIST Large Scale."""

ALL_PARAMETER_NAMES = tuple(dict.fromkeys((*PARAMETER_NAMES, *DIGIT_PARAMETERS)))
"""Every parameter that one of `ALL_PRESETS` has."""


@dataclass(frozen=True, slots=True)
class DigitRef(ShowsItself):
    """Which image of MNIST Large Scale; equal where the images are. As `SceneRef`.

    Attributes
    ----------
    seed
        Of mixed scales.
    split
        ``train`` for MNIST's first 50,000 digits, ``test`` for its tests.
    index
        Of the digit in its split, in MNIST's order.
    overrides
        Parameters that differ from the published ones at scale 1, as (name, text) pairs.

    Raises
    ------
    InvalidValueError
        If there is no such split or digit, a parameter is not allowed, or a number is out of range.
    MissingFileError, DamagedFileError
        As `umnist_core.digits.load_glyphs`.
    """

    seed: int = 0
    split: str = SPLITS[0]
    index: int = 0
    overrides: tuple[tuple[str, str], ...] = ()

    preset: ClassVar[str] = LARGE_SCALE

    def __post_init__(self) -> None:
        given = dict(self.overrides)
        plain, text = _PLAIN.to_text(), _PLAIN.with_overrides(given).to_text()
        changed = sorted((name, text[name]) for name in given if text[name] != plain[name])
        object.__setattr__(self, "overrides", tuple(changed))
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidValueError(
                f"seed is a whole number from 0 to {MAX_SEED}; got {self.seed}."
            )
        if self.split not in SPLITS:
            raise InvalidValueError(f"split is one of {', '.join(SPLITS)}; got {self.split!r}.")
        # Every set has a first digit, so that no digits are loaded to name a setting.
        if self.index and not 0 <= self.index <= self.last_index:
            raise InvalidValueError(
                f"The split {self.split} of MNIST Large Scale has the digits 0 to "
                f"{self.last_index}; got index {self.index}; choose one of these."
            )

    @classmethod
    def of(cls, overrides: Overrides = (), **sample: Any) -> DigitRef:
        """Return the reference of overrides, a mapping or pairs; ``sample`` as `SceneRef.of`."""
        return cls(overrides=tuple(dict(overrides).items()), **sample)

    def at(self, index: int) -> Self:
        """Return the same at another index of its split."""
        return replace(self, index=index)

    @property
    def last_index(self) -> int:
        """Of the digits of its split."""
        return digits_of(self.split).count - 1

    @property
    def parameters(self) -> DigitParameters:
        """What it is made by."""
        return _PLAIN.with_overrides(dict(self.overrides))

    @property
    def label(self) -> int:
        """The digit, 0 to 9."""
        digits = digits_of(self.split)
        return int(digits.glyphs.labels[digits.first + self.index])

    @property
    def scale(self) -> float:
        """Of this image."""
        span, place = self.parameters.scale, digits_of(self.split).first + self.index
        return draw_scale(span.low, span.high, seed=self.seed, split=self.split, index=place)

    @property
    def side_px(self) -> float:
        """Of the digit's square."""
        return GLYPH_PX * self.scale

    @property
    def truth(self) -> dict[str, list[int]]:
        """The right answer, by the name of the task."""
        return {TASK: [self.label]}

    def draw_values(self) -> NDArray[np.float32]:
        """Return the image as files hold it, float32 (112, 112)."""
        digits = digits_of(self.split)
        place = digits.first + self.index
        glyph = digits.glyphs.images[place : place + 1]
        image: NDArray[np.float32]
        (image,) = rescale_digits(glyph, self.scale, self.parameters.rescaling)
        return image

    def draw(self) -> NDArray[np.uint8]:
        """Return the pixels, uint8 (112, 112): black and white are the published ends of values.

        So an image of another threshold shows how far it is from the published ones.
        """
        black, white = soft_threshold(np.array([0, 255], np.float32)).tolist()
        return as_grey(self.draw_values(), black, white)

    @property
    def described(self) -> str:
        """What a file says of the image that it shows."""
        glyphs = digits_of(self.split).glyphs
        notice = "; STAND-IN DIGITS, not MNIST" if glyphs.is_stand_in else ""
        changes = "".join(f", {name} {text}" for name, text in self.overrides)
        made = f"preset {self.preset}{changes}, seed {self.seed}, {self.split} {self.index}"
        return f"{made}; digits {glyphs.name} {glyphs.checksum[:12]}{notice}"

    # -- written and read -----------------------------------------------------------------

    def to_query(self) -> dict[str, str]:
        """Return the parameters of an address, as `SceneRef.to_query`."""
        sample = {"seed": str(self.seed), "split": self.split, "index": str(self.index)}
        return {"preset": self.preset, **sample, **dict(self.overrides)}

    def to_dict(self) -> dict[str, Any]:
        """Return the reference, ready for JSON; `any_ref` takes its entries."""
        return {
            "preset": self.preset,
            "seed": self.seed,
            "split": self.split,
            "index": self.index,
            "overrides": dict(self.overrides),
        }


AnyRef = SceneRef | DigitRef
"""An image that is drawn when it is asked for."""


def any_ref(preset: str, overrides: Overrides = (), **sample: Any) -> AnyRef:
    """Return the reference of a preset with overrides, of a scene or of MNIST Large Scale.

    Raises
    ------
    InvalidValueError
        As `SceneRef` and `DigitRef`.
    """
    if preset == LARGE_SCALE:
        return DigitRef.of(overrides, **sample)
    return SceneRef.of(preset, overrides, **sample)


def names_of(preset: str) -> tuple[str, ...]:
    """Return the parameters that an address of a preset may have."""
    return tuple(DIGIT_PARAMETERS) if preset == LARGE_SCALE else PARAMETER_NAMES


def any_ref_from_query(query: Mapping[str, str]) -> AnyRef:
    """Read the parameters of an address, as `SceneRef.from_query`.

    Raises
    ------
    InvalidValueError
        As `any_ref`, or if a number is none.
    """
    if query.get("preset") != LARGE_SCALE:
        return SceneRef.from_query(query)
    return DigitRef.of(
        {name: query[name] for name in DIGIT_PARAMETERS if name in query},
        seed=read_number("seed", query.get("seed", "0")),
        split=query.get("split", SPLITS[0]),
        index=read_number("index", query.get("index", "0")),
    )
