"""Rules by which people are left out: named thresholds, fixed before anybody comes.

A rule sees how somebody worked and never whether an answer is right: whoever left people out for
being wrong would choose the result. A threshold of None switches its rule off. Fixed as
`umnist_core.labeling.records.StudySpec.exclusions` they stand in the study's first event.

To add a rule: a field of `ExclusionRules` with its default, an entry of `_RULES`, and the figure
that it looks at in `umnist_core.labeling.conduct.Conduct`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from umnist_core.errors import InvalidValueError


@dataclass(frozen=True)
class ExclusionRule:
    """One rule with its threshold.

    Attributes
    ----------
    name
        Its field of `ExclusionRules`.
    title
        What somebody whom it catches did, in two or three words.
    figure
        What it looks at, a field of a person.
    is_floor
        Whether people below the threshold are caught; else those at it or above.
    threshold
        In the unit of the figure.
    sentence
        What the rule does, for a preregistration.
    reason
        Why, and why this default; with the source where there is one.
    """

    name: str
    title: str
    figure: str
    is_floor: bool
    threshold: float
    sentence: str
    reason: str

    def catches(self, value: float | None) -> bool:
        """Return whether a figure is beyond the threshold; what is not known never is."""
        if value is None or math.isnan(value):
            return False
        return value < self.threshold if self.is_floor else value >= self.threshold


@dataclass(frozen=True)
class _Kind:
    """What a rule is, apart from its threshold."""

    title: str
    figure: str
    is_floor: bool
    low: float
    high: float
    sentence: str
    reason: str


_RULES: Mapping[str, _Kind] = {
    "too_fast_s": _Kind(
        "Too fast",
        "median_s",
        True,
        0,
        3600,
        "Whoever takes less than {value:g} s for an image in the median is excluded.",
        "A large image is many screens at the size at which its digits can be read, and a fixation "
        "in visual search takes about 275 ms (Rayner 1998), so that 5 s are 18 fixations. Answers "
        "too fast for a look are the most usual sign of carelessness (Huang et al. 2012; Leiner "
        "2019).",
    ),
    "never_close": _Kind(
        "Never close",
        "median_closer",
        True,
        1,
        100,
        "Whoever comes less than {value:g} times closer than a view of the whole image, in the "
        "median, is excluded; images of which the whole is legible at once do not count.",
        "With a whole image of 4000 px on a screen, a digit of 14 px is 2 to 3 CSS px tall, and "
        "text needs 8 (docs/statistics.md, Looking). Whoever never comes closer has not searched.",
    ),
    "little_seen": _Kind(
        "Little seen",
        "median_seen",
        True,
        0,
        1,
        "Whoever has less than {percent:g} % of an image's area on screen at a zoom at which its "
        "smallest digits are legible, in the median, is excluded.",
        "What was never large enough on screen cannot have been read. Off unless it is set: where "
        "an image's digits happen to be large, an honest person finds them from further away.",
    ),
    "same_answer": _Kind(
        "Same answer",
        "most_common_share",
        False,
        0.05,
        1,
        "Whoever gives one and the same sum to at least {percent:g} % of the images is excluded.",
        "Sums of drawn images vary, so that half of all answers alike were not looked for. The "
        "share is meant for images whose sums vary; switch it off where they do not (Curran 2016).",
    ),
    "same_in_a_row": _Kind(
        "Same in a row",
        "longest_run",
        False,
        2,
        1000,
        "Whoever gives the same sum to {value:g} or more images one after the other is excluded.",
        "A long string of one answer is the classical sign of straightlining (Johnson 2005; Curran "
        "2016). If one image in six had the same sum, 25 images in random order would have six "
        "alike in a row for one honest person in 3,000.",
    ),
    "mostly_hidden": _Kind(
        "Mostly hidden",
        "median_hidden",
        False,
        0.05,
        1,
        "Whoever has the page hidden or paused for at least {percent:g} % of the time of an image, "
        "in the median, is excluded.",
        "Who looks at other pages most of the time does not search. The median over images lets "
        "a long pause in one of them pass.",
    ),
    "no_view": _Kind(
        "No view",
        "untraced",
        False,
        0.05,
        1,
        "Whoever sends at least {percent:g} % of the answers without any view of the image is "
        "excluded.",
        "The page records what is on screen; answers without it were not given on the page.",
    ),
    "small_screen_px": _Kind(
        "Small screen",
        "screen_px",
        True,
        0,
        4000,
        "Whoever works on a screen whose shorter side is less than {value:g} CSS px is excluded.",
        "320 CSS px is the least width that pages have to fit (WCAG 2.2, criterion 1.4.10). On "
        "less, the smallest digits are legible only in views of a small part of the image.",
    ),
}

LEAST_ANSWERS = 5
"""Answers from which on somebody is judged; medians of fewer tell little."""


@dataclass(frozen=True)
class ExclusionRules:
    """Thresholds by which people are flagged, and excluded where a study has fixed them.

    Attributes
    ----------
    least_answers
        Answers from which on somebody is judged, 1 to 1,000.
    too_fast_s
        Median time for an image, s; below it somebody is too fast.
    never_close
        Median of the closest zoom over that of the whole image, from 1 on.
    little_seen
        Median share of an image's area that was on screen at a legible zoom, 0 to 1.
    same_answer
        Share of the most common answer.
    same_in_a_row
        Same answers one after the other.
    mostly_hidden
        Median share of an image's time in which the page was hidden or paused.
    no_view
        Share of answers without a view of the image.
    small_screen_px
        Shorter side of the smallest screen, CSS px.
    """

    least_answers: int = LEAST_ANSWERS
    too_fast_s: float | None = 5.0
    never_close: float | None = 1.5
    little_seen: float | None = None
    same_answer: float | None = 0.5
    same_in_a_row: float | None = 6
    mostly_hidden: float | None = 0.5
    no_view: float | None = 0.5
    small_screen_px: float | None = 320

    NAMES: ClassVar[tuple[str, ...]] = tuple(_RULES)
    """Every rule there is."""

    def __post_init__(self) -> None:
        least = self.least_answers
        if isinstance(least, bool) or not isinstance(least, int) or not 1 <= least <= 1000:
            raise InvalidValueError(
                f"least_answers is a whole number from 1 to 1000; got {str(least)[:40]!r}."
            )
        for name, kind in _RULES.items():
            value = getattr(self, name)
            if value is None:
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not kind.low <= value <= kind.high:
                raise InvalidValueError(
                    f"The rule {name} has a threshold from {kind.low:g} to {kind.high:g}, or none "
                    f"to switch it off; got {str(value)[:40]!r}."
                )

    @property
    def rules(self) -> tuple[ExclusionRule, ...]:
        """The rules that are on, each with its sentence and its reason."""
        return tuple(
            _rule(name, kind, getattr(self, name))
            for name, kind in _RULES.items()
            if getattr(self, name) is not None
        )

    def every_rule(self) -> tuple[ExclusionRule, ...]:
        """Return all rules, those that are off with the least threshold that there can be."""
        return tuple(
            _rule(name, kind, kind.low if (value := getattr(self, name)) is None else value)
            for name, kind in _RULES.items()
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What they do, a sentence each, for a preregistration."""
        if not self.rules:
            return ("Nobody is excluded.",)
        first = f"People with fewer than {self.least_answers} answers are not judged."
        return (first, *(rule.sentence for rule in self.rules))

    def to_dict(self) -> dict[str, Any]:
        """Return every threshold as a JSON-serialisable value; None: the rule is off."""
        return dataclasses.asdict(self)

    @classmethod
    def none(cls) -> ExclusionRules:
        """Return rules that are all off."""
        return cls.from_dict(dict.fromkeys(cls.NAMES))

    @classmethod
    def from_dict(cls, data: object) -> ExclusionRules:
        """Read what `to_dict` returned, or the same from a file; a rule not named has its default.

        ``false`` switches a rule off, for files that have no null.

        Raises
        ------
        InvalidValueError
            If a name is unknown or a threshold not allowed.
        """
        if not isinstance(data, Mapping):
            raise InvalidValueError(
                f"Rules of exclusion are names with thresholds; got {str(data)[:40]!r}."
            )
        known = {one.name for one in dataclasses.fields(cls)}
        if unknown := sorted(set(map(str, data)) - known):
            raise InvalidValueError(
                f"There is no rule of exclusion {unknown[0][:40]!r}; the names are "
                f"{', '.join(sorted(known))}."
            )
        values: dict[str, Any] = {
            str(name): None if value is False else value for name, value in data.items()
        }
        return cls(**values)


def _rule(name: str, kind: _Kind, threshold: float) -> ExclusionRule:
    return ExclusionRule(
        name=name,
        title=kind.title,
        figure=kind.figure,
        is_floor=kind.is_floor,
        threshold=threshold,
        sentence=kind.sentence.format(value=threshold, percent=100 * threshold),
        reason=kind.reason,
    )
