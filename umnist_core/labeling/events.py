"""What can happen in a study: every kind of event declared once, where its class has it.

A class says what its kind is called in the log, which fields the payload has and what the
event lays claim to. Writing and reading follow from it. A field with a default is missing in
logs that were written before there was one. Fields hold JSON values as the payload has them;
ids are texts, times ISO 8601 in UTC.

A new kind of event is a class here, in `FACTS`, and a method of
`umnist_core.labeling.state.StudyState` that says what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from umnist_core.labeling.asking_events import (
    ConsentAmended,
    GateTried,
    QuestionsAnswered,
    Rested,
)
from umnist_core.labeling.fact import Fact
from umnist_core.labeling.log import Claims
from umnist_core.labeling.recruits import LinkNamed, Recruited

LABEL = "label"
REPEAT = "repeat"
"""What an image is shown for: an answer that is wanted, or the same person's once more."""

INVITED_PERSON = "invited"
SIMULATED = "simulated"
OWN = "own"
ORIGINS = (INVITED_PERSON, SIMULATED, OWN)
"""Whose data: of a person who was invited, of a simulation, of the study's makers themselves."""

SCREENINGS = ("device", "comprehension")
"""Why somebody cannot take part: their screen is not as the study needs it, or they did not
answer the questions on the instructions."""

AS_BEFORE = -1
"""Place of a renewal of an older log, which left the place as it was."""


# -- the study ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StudyCreated(Fact):
    """A study was made; the attachment is its key.

    Attributes
    ----------
    spec
        Settings, of `umnist_core.labeling.records.StudySpec.to_dict`.
    stimuli, practice
        Ids of the images; ``id``, ``label`` and ``digits`` of those to practise on.
    sizes, suffixes, manifest
        Image -> height and width in px; ending of its file; SHA-256 of its file.
    truth_sha256
        Of what is in the images, which is kept apart.
    versions, glyphs
        Of the program and the digits that they were made with.
    is_generated_folder
        Whether they are of a folder that ``umnist generate`` wrote; logged only if so.
    cells
        Image -> number of its cell; None without factors.
    """

    event_kind = "study_created"
    quiet = ("is_generated_folder", "cells")
    spec: Mapping[str, Any]
    stimuli: Sequence[str]
    practice: Sequence[Mapping[str, Any]]
    sizes: Mapping[str, Sequence[int]]
    suffixes: Mapping[str, str]
    manifest: Mapping[str, str]
    truth_sha256: str | None = None
    versions: Mapping[str, Any]
    glyphs: Mapping[str, Any]
    is_generated_folder: bool = False
    cells: Mapping[str, int] | None = None

    @property
    def folder(self) -> str | None:
        """Name of the folder that the images are of; None if they were generated."""
        name: str | None = getattr(self, "spec", {}).get("folder")
        return name

    @property
    def files(self) -> dict[str, str]:
        """File name -> SHA-256 of its images, none where a damaged log has none."""
        suffixes = getattr(self, "suffixes", {})
        manifest = getattr(self, "manifest", {})
        return {f"{name}{suffixes.get(name, '')}": str(sha) for name, sha in manifest.items()}


@dataclass(frozen=True, kw_only=True)
class StudyPaused(Fact):
    """No new images are shown."""

    event_kind = "study_paused"


@dataclass(frozen=True, kw_only=True)
class StudyResumed(Fact):
    """Images are shown again."""

    event_kind = "study_resumed"


@dataclass(frozen=True, kw_only=True)
class StudyClosed(Fact):
    """A study was sealed; ``pools`` are its counts then, ``has_key`` says if its key was there."""

    event_kind = "study_closed"
    pools: Sequence[Mapping[str, Any]]
    has_key: bool = False


@dataclass(frozen=True, kw_only=True)
class ResultsSeen(Fact):
    """Accuracies of a preregistered study were shown before it was closed.

    Attributes
    ----------
    where
        ``"page"``, ``"export"`` or ``"verdict"``.
    """

    event_kind = "results_seen"
    where: str


# -- people -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class InviteCreated(Fact):
    """A link was made.

    Attributes
    ----------
    invite, token_hash
        Its id, and SHA-256 of its secret part.
    pool, annotator
        Whose it is; None for the pool in need, and for somebody new.
    expires_utc
        Until when it lets people in; None for ever.
    is_open
        Whether any number of people may join by it.
    origin
        Whose data will come by it, one of `ORIGINS`.
    """

    event_kind = "invite_created"
    invite: str
    token_hash: str
    pool: str | None
    annotator: str | None
    expires_utc: str | None
    is_open: bool
    origin: str = INVITED_PERSON

    def claims(self) -> Claims:
        """Return the token."""
        return Claims(invites=((self.token_hash, self.invite),))


@dataclass(frozen=True, kw_only=True)
class InviteRevoked(Fact):
    """A link was ended, and with it the part of whoever came by it."""

    event_kind = "invite_revoked"
    invite: str


@dataclass(frozen=True, kw_only=True)
class Joined(Fact):
    """Somebody came in by a link.

    Attributes
    ----------
    annotator, pool, invite
        Who, in which pool, by which link.
    seed
        Of the person's order of images.
    consent_sha256
        Of the text that the study asks consent to.
    origin
        Whose data, one of `ORIGINS`.
    """

    event_kind = "joined"
    annotator: str
    pool: str
    invite: str
    seed: int
    consent_sha256: str
    origin: str = INVITED_PERSON

    def claims(self) -> Claims:
        """Return the pool, which is a person's for good."""
        return Claims(annotators=((self.annotator, self.pool),))


@dataclass(frozen=True, kw_only=True)
class Consented(Fact):
    """Somebody agreed to take part.

    Attributes
    ----------
    annotator, key
        Who, and the idempotency key of the request.
    version
        Of the consent, 1 for the one that the study was made with; logged only if another.
    """

    event_kind = "consented"
    quiet = ("version",)
    annotator: str
    key: str
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Began(Fact):
    """Somebody had read the instructions; as `Consented`."""

    event_kind = "began"
    annotator: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Practised(Fact):
    """Somebody gave a first ``answer`` to the practice image ``practice``; as `Consented`.

    ``confidence``, ``digits`` and ``boxes`` are logged only where they were asked for.
    """

    event_kind = "practised"
    quiet = ("confidence", "digits", "boxes")
    annotator: str
    key: str
    practice: str
    answer: int
    confidence: int | None = None
    digits: Sequence[int] | None = None
    boxes: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class QuotaFilled(Fact):
    """Somebody was told that no image is left for them."""

    event_kind = "quota_filled"
    annotator: str


@dataclass(frozen=True, kw_only=True)
class Withdrew(Fact):
    """Somebody stopped taking part; as `Consented`."""

    event_kind = "withdrew"
    annotator: str
    key: str


@dataclass(frozen=True, kw_only=True)
class ScreenedOut(Fact):
    """Somebody cannot take part; as `Consented`, with ``reason``, one of `SCREENINGS`."""

    event_kind = "screened_out"
    annotator: str
    key: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PersonErased(Fact):
    """Somebody was deleted: every event of theirs before this one is empty.

    Attributes
    ----------
    annotator
        Who it was.
    pool
        The one that the person stays in; None in older logs.
    """

    event_kind = "person_erased"
    annotator: str
    pool: str | None = None


# -- images and answers -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Assigned(Fact):
    """An image was reserved for somebody.

    Attributes
    ----------
    assignment
        Its id.
    annotator, stimulus
        For whom, and which image.
    position
        1 for the person's first.
    kind
        `LABEL` or `REPEAT`.
    slot
        Place that the answer fills; None for a repeat.
    lease_until_utc
        Until when it is kept.
    """

    event_kind = "assigned"
    assignment: str
    annotator: str
    stimulus: str
    position: int
    kind: str
    slot: int | None
    lease_until_utc: str

    def claims(self) -> Claims:
        """Return the assignment, one for each position of a person."""
        one = (self.assignment, self.annotator, self.stimulus, self.position)
        return Claims(assignments=(one,))


@dataclass(frozen=True, kw_only=True)
class Renewed(Fact):
    """A reservation was prolonged, or made anew; fields as of `Assigned`."""

    event_kind = "renewed"
    assignment: str
    lease_until_utc: str
    slot: int | None = AS_BEFORE


@dataclass(frozen=True, kw_only=True)
class Released(Fact):
    """A reservation was given up."""

    event_kind = "released"
    assignment: str


@dataclass(frozen=True, kw_only=True)
class Answered(Fact):
    """An answer was taken in; the attachment is its trace.

    Attributes
    ----------
    key, answer, confidence, digits, response
        As they were sent (`umnist_core.labeling.recorded.AnswerPost`).
    assignment, annotator, stimulus, position, kind
        Which image of which person, as of `Assigned`.
    pool
        The person's.
    slot
        Place that it fills if it counts.
    counted
        Whether it is a label of the study; a changed answer keeps what it had.
    app
        Version of the program that took it in.
    boxes
        As they were sent; logged only where they are asked for, and ``digits`` are their labels
        then.
    """

    event_kind = "answered"
    quiet = ("boxes",)
    key: str
    assignment: str
    annotator: str
    pool: str
    stimulus: str
    position: int
    kind: str
    slot: int | None
    counted: bool
    answer: int
    confidence: int | None
    digits: Sequence[int] | None
    response: Mapping[str, Any]
    app: str
    boxes: Sequence[Mapping[str, Any]] | None = None

    def claims(self) -> Claims:
        """Return the key, and the place if one is filled."""
        answers = ((self.key, self.assignment),)
        if not self.counted or self.slot is None:
            return Claims(answers=answers)
        label = (self.stimulus, self.pool, self.slot, self.annotator)
        return Claims(answers=answers, labels=(label,))


@dataclass(frozen=True, kw_only=True)
class Changed(Answered):
    """Another answer took the place of one that was there; as `Answered`."""

    event_kind = "changed"

    def claims(self) -> Claims:
        """Return the key; the place is the person's already."""
        return Claims(answers=((self.key, self.assignment),))


@dataclass(frozen=True, kw_only=True)
class Adjudicated(Fact):
    """The label of an image without truth was settled by the study's makers; the last counts.

    Attributes
    ----------
    stimulus
        The image.
    answer
        Its sum; None where an earlier decision is taken back.
    took
        People whose answer it is; nobody where it is another.
    boxes
        Of its digits, as of `Answered`; logged only where they were asked for.
    """

    event_kind = "adjudicated"
    quiet = ("boxes",)
    stimulus: str
    answer: int | None
    took: Sequence[str]
    boxes: Sequence[Mapping[str, Any]] | None = None


FACTS: Mapping[str, type[Fact]] = {
    one.event_kind: one
    for one in (
        *(StudyCreated, StudyPaused, StudyResumed, StudyClosed, InviteCreated, InviteRevoked),
        *(Joined, Consented, Began, Practised, QuotaFilled, Withdrew),
        *(ScreenedOut, PersonErased, ConsentAmended, QuestionsAnswered, GateTried, Rested),
        ResultsSeen,
        *(Recruited, LinkNamed),
        *(Assigned, Renewed, Released, Answered, Changed, Adjudicated),
    )
}
"""Kind of an event -> its class."""


def token_hash_of(kind: str, payload: Mapping[str, Any]) -> str | None:
    """Return the hash of a link's token if an event made one; a damaged one may lack it."""
    if kind not in (InviteCreated.event_kind, LinkNamed.event_kind):
        return None
    return getattr(FACTS[kind].read(payload), "token_hash", None)
