"""Why an answer was wrong, as records; `umnist_core.inference.why` finds it out. No torch."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_LOOKED_AT, MISREAD, MISADDED = "not_looked_at", "misread", "misadded"
MISREAD_OR_MISADDED, UNKNOWN = "misread_or_misadded", "unknown"

REASONS: Mapping[str, str] = {
    NOT_LOOKED_AT: "Unseen",
    MISREAD: "Misread",
    MISADDED: "Misadded",
    MISREAD_OR_MISADDED: "Misread or misadded",
    UNKNOWN: "Unknown",
}
"""Why an answer was wrong -> what that is called; those of `umnist_core.scoring.REASONS`, which
people's answers go by. That package loads pandas, which a process of models does without. Of a
model it is not said that it did not look: it may have looked and found nothing."""

UNSEEN, READ_AS, NO_DIGIT, PART, THERE = "unseen", "misread", "noise", "part", "there"
KINDS = (UNSEEN, READ_AS, NO_DIGIT, PART, THERE)
"""What is said of a digit: it was not seen; it was read as another; it is none, but noise that was
taken for one, or a part of one; or only how the model got it, since no more is known."""

Ends = tuple[float, float, float, float]


@dataclass(frozen=True)
class SeenDigit:
    """A place as the model got it, beside the place itself.

    Attributes
    ----------
    input_px
        Larger side of the place in px that the model read.
    words
        How the model got it, such as ``"reduced to 512 px"``.
    seen, real
        PNG files of the same part of the image: as the model got it, and as it is.
    """

    input_px: float
    words: str
    seen: bytes
    real: bytes


@dataclass(frozen=True)
class WrongDigit:
    """One digit that a wrong answer has to do with.

    Attributes
    ----------
    kind
        One of `KINDS`.
    label
        True class; None where there is no digit.
    read
        What the model took it for; None where it says nothing of it.
    box
        row0, col0, row1, col1 in image px: the digit's square, or what the model found.
    words
        What is said of it, such as ``"missed"``.
    how
        How the model got it; None where nobody can say.
    """

    kind: str
    label: int | None
    read: int | None
    box: Ends
    words: str
    how: SeenDigit | None = None

    @property
    def name(self) -> str:
        """What it is, to follow a verb."""
        if self.label is None:
            return "noise"
        return f"a part of the {self.label}" if self.kind == PART else f"the {self.label}"

    @property
    def side_px(self) -> float:
        """Larger side of the box, image px."""
        row0, col0, row1, col1 = self.box
        return max(row1 - row0, col1 - col0)

    def to_dict(self) -> dict[str, Any]:
        """Return the digit, ready for JSON: boxes as x, y, width, height, pictures as data URIs."""
        row0, col0, row1, col1 = self.box
        how = self.how
        return {
            "kind": self.kind,
            "label": self.label,
            "read": self.read,
            "box": [col0, row0, col1 - col0, row1 - row0],
            "words": self.words,
            "how": how
            and {
                "input_px": how.input_px,
                "words": how.words,
                "seen": _data_uri(how.seen),
                "real": _data_uri(how.real),
            },
        }


@dataclass(frozen=True)
class Why:
    """Why an answer was wrong.

    Attributes
    ----------
    task
        Name of the task that was answered wrongly, the first of several.
    reason
        One of `REASONS`.
    sentence
        For people.
    digits
        Those it has to do with, the plainest first.
    """

    task: str
    reason: str
    sentence: str
    digits: tuple[WrongDigit, ...]

    @property
    def title(self) -> str:
        """What the reason is called; who is asked for no sum adds nothing."""
        title = REASONS[self.reason]
        return title if self.task == "sum" else title.replace("misadded", "misjudged")

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {
            "task": self.task,
            "reason": self.reason,
            "title": self.title,
            "sentence": self.sentence,
            "digits": [one.to_dict() for one in self.digits],
        }


def without_pictures(why: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what `Why.to_dict` gave without its pictures, which only a page can show."""
    if why is None:
        return None
    digits = []
    for one in why["digits"]:
        how = one["how"] and {name: one["how"][name] for name in ("input_px", "words")}
        digits.append({**one, "how": how})
    return {**why, "digits": digits}


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
