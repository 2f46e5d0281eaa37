"""What a study promises before anybody has answered: a text, and what can be checked of it.

It is part of the study's settings and so of its first event, whose hash seals it: nothing in it
can be changed unnoticed. What was done is laid beside it by `umnist_core.labeling.preregistered`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.log import sha256
from umnist_core.labeling.recorded import check_whole

PAIRED, MIXED, ACCURACY, THRESHOLD = "paired", "mixed", "accuracy", "threshold"

ANALYSES: Mapping[str, str] = {
    PAIRED: "The difference of guided and unguided accuracy with its 95 % interval, with people as "
    "clusters, and paired by image since both pools see the same ones. It is found if the interval "
    "leaves out 0.",
    MIXED: "The effect of the guided pool in a logistic mixed model of right answers, with crossed "
    "random intercepts of people and images. It is found if its 95 % interval leaves out 0.",
    ACCURACY: "The accuracy of each pool with its 95 % interval, by t on the means of people; "
    "crossed with images where they are answered several times. No test is made.",
    THRESHOLD: "The mean threshold in px of each pool, geometric over people, with its 95 % "
    "interval by t on the logarithms. No test is made.",
}
"""Primary analysis -> what it is and what counts as found."""

TEXT_MAX = 50_000


@dataclass(frozen=True)
class Preregistration:
    """What a study promises; fields are JSON values.

    Attributes
    ----------
    text
        Of 1 to 50,000 characters, Markdown; what is published.
    people
        In each pool, 1 to 20,000.
    analysis
        The primary one, of `ANALYSES`.
    closes
        Day on which the study is closed at the latest, such as 2026-12-31; empty where it is
        closed when every pool has its labels.

    Raises
    ------
    InvalidValueError
        If a value is not allowed.
    """

    text: str
    people: int
    analysis: str = PAIRED
    closes: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not 0 < len(self.text.strip()) <= TEXT_MAX:
            raise InvalidValueError(
                f"A preregistration is a text of 1 to {TEXT_MAX:,} characters; got "
                f"{'nothing' if not self.text else str(self.text)[:40]!r}. Write one, or leave "
                "preregistration out."
            )
        check_whole("people of the preregistration", self.people, 1, 20_000)
        if self.analysis not in ANALYSES:
            raise InvalidValueError(
                f"The analysis of a preregistration is {', '.join(ANALYSES)}; got "
                f"{str(self.analysis)[:40]!r}."
            )
        try:
            _ = self.closes == "" or date.fromisoformat(self.closes)
        except (TypeError, ValueError) as error:
            raise InvalidValueError(
                "The day on which a preregistered study closes is written as 2026-12-31; got "
                f"{str(self.closes)[:40]!r}."
            ) from error

    @classmethod
    def read(cls, values: object) -> Preregistration:
        """Read what `to_dict` returned, or the same from a file of settings.

        Raises
        ------
        InvalidValueError
            If a name is unknown or missing, or a value is not allowed.
        """
        names = [one.name for one in fields(cls)]
        if not isinstance(values, Mapping) or not {"text", "people"} <= set(values) <= set(names):
            found = ", ".join(map(str, values)) if isinstance(values, Mapping) else str(values)
            raise InvalidValueError(
                f"A preregistration has text and people, and may have analysis and closes; got "
                f"{found[:80]!r}."
            )
        # A day in YAML is no text.
        return cls(**{**values, "closes": str(values.get("closes") or "")})

    @property
    def sha256(self) -> str:
        """SHA-256 of the text in UTF-8, as of the file ``preregistration.md``."""
        return sha256(self.text)

    @property
    def contradiction(self) -> str | None:
        """Another analysis that the text describes in the words of `ANALYSES`, if there is one.

        A draft that was written for another choice has them.
        """
        described = [name for name, words in ANALYSES.items() if words in self.text]
        return described[0] if described and self.analysis not in described else None

    @property
    def stopping(self) -> str:
        """When the study ends, as a sentence."""
        filled = "every pool has the labels that are wanted"
        if self.closes:
            return f"The study is closed when {filled}, and on {self.closes} at the latest."
        return f"The study is closed when {filled}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


def analyses_of(pools: Sequence[str], *, is_adaptive: bool = False) -> tuple[str, ...]:
    """Return which analyses a study can promise, the usual one first."""
    if is_adaptive:
        return (THRESHOLD,)
    return (ACCURACY,) if len(pools) == 1 else (PAIRED, MIXED, ACCURACY)


def check_preregistration(
    values: Mapping[str, Any], pools: Sequence[str], *, is_adaptive: bool = False
) -> None:
    """Check the setting of a study; an empty one is none.

    Raises
    ------
    InvalidValueError
        As `Preregistration.read`, or if the study cannot have the analysis.
    """
    if values == {}:
        return
    found, known = Preregistration.read(values), analyses_of(pools, is_adaptive=is_adaptive)
    if found.analysis in known:
        return
    reason = (
        "Sizes of digits follow from answers"
        if is_adaptive
        else "A study of one pool compares none"
        if len(pools) == 1
        else "Only an adaptive study has thresholds"
    )
    raise InvalidValueError(
        f"{reason}, so the analysis of its preregistration is {' or '.join(known)}; got "
        f"{found.analysis}."
    )
