"""What follows from what people do beside images: where they stand with it.

`AskedState` is the part of `umnist_core.labeling.state.StudyState` that takes such events in;
the functions below say what is asked of a person next.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from umnist_core.labeling.asking import ETHICS_FIELDS
from umnist_core.labeling.asking_events import (
    ConsentAmended,
    GateTried,
    QuestionsAnswered,
    Rested,
)
from umnist_core.labeling.events import Began, Consented
from umnist_core.labeling.log import Event, sha256
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.telling import CONTACT_FIELDS

if TYPE_CHECKING:
    from umnist_core.labeling.state import Annotator, StudyState

AMENDABLE = ("consent", *CONTACT_FIELDS, *ETHICS_FIELDS)
"""Settings that are the consent's text, which alone can be amended."""


@dataclass(frozen=True)
class ConsentVersion:
    """A text that people agreed to; 1 for the one that the study was made with."""

    version: int
    text: str
    since_utc: str

    @property
    def sha256(self) -> str:
        """Of the text, hexadecimal."""
        return sha256(self.text)


@dataclass(frozen=True)
class SentPage:
    """A page of questions as it was answered."""

    answers: Mapping[str, Any]
    time_utc: str
    seq: int


@dataclass
class Asked:
    """How far a person is with what is asked beside images.

    Attributes
    ----------
    consent_version
        The last that the person agreed to; 0 for none.
    pages
        Id of a page -> as it was answered.
    begin_keys
        Idempotency keys by which the person began, anew after each gate that was not passed.
    gate_keys, gate_wrong, has_passed
        Idempotency keys of the tries of the gate, which questions were wrong the last time, and
        whether it is passed.
    rests
        Answers before a break -> when the person went on.
    """

    consent_version: int = 0
    pages: dict[str, SentPage] = field(default_factory=dict)
    begin_keys: list[str] = field(default_factory=list)
    gate_keys: list[str] = field(default_factory=list)
    gate_wrong: tuple[int, ...] = ()
    has_passed: bool = False
    rests: dict[int, str] = field(default_factory=dict)

    @property
    def gate_tries(self) -> int:
        """How often the gate was tried."""
        return len(self.gate_keys)


class AskedState:
    """Takes in what people do beside images.

    Attributes
    ----------
    consents
        Every text that was agreed to, the newest last.
    """

    spec: StudySpec
    annotators: dict[str, Annotator]
    consents: list[ConsentVersion]

    def _begin_consents(self, event: Event) -> None:
        self.consents = [ConsentVersion(1, self.spec.consent_text, event.time_utc)]

    def _consented(self, event: Event, fact: Consented) -> None:
        person = self.annotators[fact.annotator]
        person.asked.consent_version = max(person.asked.consent_version, fact.version)
        person.is_consented = person.asked.consent_version == self.consents[-1].version

    def _began(self, event: Event, fact: Began) -> None:
        self.annotators[fact.annotator].has_begun = True
        self.annotators[fact.annotator].asked.begin_keys.append(fact.key)

    def _amended(self, event: Event, fact: ConsentAmended) -> None:
        self.spec = amended(self.spec, fact.texts)
        self.consents.append(ConsentVersion(fact.version, self.spec.consent_text, event.time_utc))
        for person in self.annotators.values():
            person.is_consented = False

    def _page_sent(self, event: Event, fact: QuestionsAnswered) -> None:
        sent = SentPage(fact.answers, event.time_utc, event.seq)
        self.annotators[fact.annotator].asked.pages.setdefault(fact.page, sent)

    def _gate_tried(self, event: Event, fact: GateTried) -> None:
        person = self.annotators[fact.annotator]
        person.asked.gate_keys.append(fact.key)
        person.asked.gate_wrong = tuple(fact.wrong)
        person.asked.has_passed = not fact.wrong
        person.has_begun = not fact.wrong  # back to the instructions

    def _rested(self, event: Event, fact: Rested) -> None:
        self.annotators[fact.annotator].asked.rests.setdefault(fact.done, event.time_utc)


ASKED_CHANGES: Mapping[type[Any], Any] = {
    Consented: AskedState._consented,
    Began: AskedState._began,
    ConsentAmended: AskedState._amended,
    QuestionsAnswered: AskedState._page_sent,
    GateTried: AskedState._gate_tried,
    Rested: AskedState._rested,
}
"""What follows from each of these kinds of events."""


def amended(spec: StudySpec, texts: Mapping[str, Any]) -> StudySpec:
    """Return settings with other texts of the consent.

    Raises
    ------
    InvalidValueError
        If one is too long, or not a text.
    """
    ethics: dict[str, Any] = {name: text for name, text in texts.items() if name in ETHICS_FIELDS}
    others: dict[str, Any] = {name: text for name, text in texts.items() if name not in ethics}
    asking = dataclasses.replace(spec.asking, **ethics) if ethics else spec.asking
    return dataclasses.replace(spec, **others, asking=asking)


def open_page(state: StudyState, person: Annotator, part: str) -> str | None:
    """Return the id of the first page of a part, before or after, that was not sent."""
    pages = (name for name, _ in state.spec.asking.pages if name.startswith(part))
    return next((name for name in pages if name not in person.asked.pages), None)


def is_gated(state: StudyState, person: Annotator) -> bool:
    """Whether somebody has still to answer the questions on the instructions."""
    return state.spec.asking.gate is not None and not person.asked.has_passed


def is_break_due(state: StudyState, person: Annotator, total: int) -> bool:
    """Whether somebody is to take a break before the next of ``total`` images."""
    every = state.spec.asking.break_every
    if not every or not person.done or person.done >= total:
        return False
    return person.done % every == 0 and person.done not in person.asked.rests


def rest_left_s(state: StudyState, person: Annotator, now_utc: str) -> int:
    """Return for how many seconds more a break lasts at least."""
    answered = [given.time_utc for one in person.assignments for given in one.given[:1]]
    if not answered:
        return 0
    begun = datetime.fromisoformat(max(answered))
    spent_s = (datetime.fromisoformat(now_utc) - begun).total_seconds()
    return max(math.ceil(state.spec.asking.break_seconds - spent_s), 0)
