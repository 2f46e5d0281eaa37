"""What people do beside images, and a consent that changes, as events.

They are kinds as those of `umnist_core.labeling.events`, which lists them; what follows from
them is in `umnist_core.labeling.asked`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from umnist_core.labeling.fact import Fact


@dataclass(frozen=True, kw_only=True)
class ConsentAmended(Fact):
    """The consent has another text from now on; whoever is at work is asked for theirs anew.

    Attributes
    ----------
    version
        2 for the first that is not the one that the study was made with.
    texts
        Field of the settings -> its new text, of `umnist_core.labeling.asked.AMENDABLE`.
    consent_sha256
        Of the whole that people then read.
    """

    event_kind = "consent_amended"
    version: int
    texts: Mapping[str, str]
    consent_sha256: str


@dataclass(frozen=True, kw_only=True)
class QuestionsAnswered(Fact):
    """Somebody sent a page of questions.

    Attributes
    ----------
    annotator, key
        Who, and the idempotency key of the request.
    page
        Id of the page, ``before-1`` and so on.
    answers
        Name of a question -> answer, of those that have one.
    """

    event_kind = "questions_answered"
    annotator: str
    key: str
    page: str
    answers: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class GateTried(Fact):
    """Somebody answered the questions on the instructions.

    Attributes
    ----------
    annotator, key
        As of `QuestionsAnswered`.
    chosen
        Option that was chosen of each question.
    wrong
        Which of them were wrong, 0 for the first question; none: passed.
    """

    event_kind = "gate_tried"
    annotator: str
    key: str
    chosen: Sequence[str]
    wrong: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Rested(Fact):
    """Somebody went on after a break; ``done`` answers were given before it."""

    event_kind = "rested"
    annotator: str
    key: str
    done: int
