"""Adaptive studies: each person's next size of digits follows from their answers so far.

All digits of an image are of one size, which is its level. The levels stand in the study's
settings, each has as many images as every other, and which image of a level somebody gets is drawn
as in any other study. What is asked for next is a function of the log and of the images' sums
(`umnist_core.labeling.assignment`), so that it can be followed from an export.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from umnist_core.digits import GLYPH_PX
from umnist_core.errors import InvalidValueError

QUEST_PLUS = "quest_plus"
STAIRCASE = "staircase"
METHODS = (QUEST_PLUS, STAIRCASE)

DEFAULT_LEVELS_PX = (14, 28, 56, 84, 112, 140, 168, 196, 224, 280, 336)
"""All sizes that the generator has up to 224 px, and two more. From 84 px on they lie so close that
40 answers tell a threshold to a tenth (docs/statistics.md); below there are no others between."""

USUAL_IMAGES, USUAL_PEOPLE = 40, 20
"""Images of each person and people of each pool, where nobody says otherwise."""

DOWN_MAX = 4
TRACKS_MAX = 2


@dataclass(frozen=True)
class Adaptive:
    """How sizes are chosen in a study that measures each person's threshold.

    Attributes
    ----------
    method
        One of `METHODS`.
    levels_px
        Sides of the digits that can be shown, ascending: 14 or multiples of 28; 2 to 40 of them.
    down
        Of a staircase: right answers in a row after which digits get smaller, 1 to 4. With 1, 2
        and 3 it settles where 50, 71 and 79 % are right.
    tracks
        2: sizes are chosen one image ahead. A staircase is then two that take turns, and QUEST+
        leaves out the answer just before. 1: from every answer, so the next image is fetched only
        when that is there.
    guess, lapse
        Share of right answers to what nobody can see, and of wrong ones to what everybody can.
    """

    method: str = QUEST_PLUS
    levels_px: tuple[int, ...] = DEFAULT_LEVELS_PX
    down: int = 1
    tracks: int = 2
    guess: float = 1 / 28
    lapse: float = 0.02

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidValueError(
                f"The method is {' or '.join(METHODS)}; got {str(self.method)[:40]!r}."
            )
        _check_levels(self.levels_px)
        for name, most in (("down", DOWN_MAX), ("tracks", TRACKS_MAX)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise InvalidValueError(
                    f"{name} is a whole number from 1 to {most}; got {str(value)[:40]!r}."
                )
        for name in ("guess", "lapse"):
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not isfinite(value) or not 0 <= value <= 0.5:
                raise InvalidValueError(
                    f"{name} is a share from 0 to 0.5; got {str(value)[:40]!r}."
                )

    @property
    def cells(self) -> tuple[dict[str, str], ...]:
        """The parameter of each level, as factors have their cells."""
        return tuple({"factor": f"{level / GLYPH_PX:g}"} for level in self.levels_px)

    @property
    def sentence(self) -> str:
        """What is done, in words for plans and settings."""
        sizes = ", ".join(map(str, self.levels_px))
        how = f"QUEST+ over digits of {sizes} px"
        if self.method == STAIRCASE:
            row = {1: "each right answer", 2: "two right answers in a row"}.get(
                self.down, f"{self.down} right answers in a row"
            )
            how = f"a staircase over digits of {sizes} px, smaller after {row}"
        if self.tracks == 1:
            return f"{how}, from every answer"
        turns = "two in turn" if self.method == STAIRCASE else "chosen one image ahead"
        return f"{how}, {turns}"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-serialisable values."""
        return {**asdict(self), "levels_px": list(self.levels_px)}

    @classmethod
    def from_dict(cls, data: object) -> Adaptive:
        """Read what `to_dict` returned, or some of it.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a value is not allowed.
        """
        if isinstance(data, cls):
            return data
        known = [one.name for one in dataclasses.fields(cls)]
        if not isinstance(data, Mapping):
            raise InvalidValueError(
                f"adaptive is a list of NAME: VALUE, of {', '.join(known)}; got {str(data)[:40]!r}."
            )
        if unknown := sorted(set(map(str, data)) - set(known)):
            raise InvalidValueError(
                f"adaptive has no setting {unknown[0][:40]!r}; the settings are {', '.join(known)}."
            )
        values = dict(data)
        if isinstance(values.get("levels_px"), list):
            values["levels_px"] = tuple(values["levels_px"])
        return cls(**values)


def read_levels(text: str) -> tuple[int, ...]:
    """Read sizes with commas between, such as ``14,28,56``.

    Raises
    ------
    InvalidValueError
        If they are none.
    """
    try:
        return tuple(int(one) for one in text.split(","))
    except ValueError:
        raise InvalidValueError(
            f"Sizes are written as 14,28,56, in px; got {text[:40]!r}."
        ) from None


def images_needed(adaptive: Adaptive, each: int) -> int:
    """Return how many images a study needs at least.

    Parameters
    ----------
    each
        Images of each person, who may need all of one size.
    """
    return len(adaptive.levels_px) * each


def check_design(
    adaptive: Adaptive, *, stimuli: int, each: int, others: Mapping[str, bool]
) -> None:
    """Check that the rest of a study goes with sizes that follow from answers.

    Parameters
    ----------
    stimuli, each
        Images of the study, and of each person.
    others
        What cannot be there besides, by its name -> whether it is.

    Raises
    ------
    InvalidValueError
        If it does not; the sentence says what to change.
    """
    if there := [name for name, is_there in others.items() if is_there]:
        raise InvalidValueError(
            f"In an adaptive study sizes follow from answers that stay, so it has no {there[0]}; "
            "leave it or adaptive out."
        )
    levels = len(adaptive.levels_px)
    if stimuli % levels or stimuli < images_needed(adaptive, each):
        wanted = images_needed(adaptive, max(each, -(-stimuli // levels)))
        raise InvalidValueError(
            f"Each of the {levels} sizes has as many images, at least the {each} of one person, "
            f"who may need all of one size; got {stimuli} images. Take {wanted}."
        )


def _check_levels(levels: object) -> None:
    found = levels if isinstance(levels, tuple) else ()
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in found)
    good = whole and 2 <= len(found) <= 40 and list(found) == sorted(set(found))
    if not good or not all(one == GLYPH_PX // 2 or one > 0 == one % GLYPH_PX for one in found):
        raise InvalidValueError(
            "levels_px are 2 to 40 sizes of digits that ascend, each 14 or a multiple of 28 px, "
            f"such as 14, 28, 56; got {str(levels)[:60]}."
        )
