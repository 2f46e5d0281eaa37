"""The append-only event log that every study is, and the contract of the stores that keep it.

A study's state is the fold of its events and nothing else (`umnist_core.labeling.state`),
so it can always be rebuilt, and a server that is killed loses nothing that it has said is
saved. Events of one study are numbered from 1 without gaps and chained by hash: each names
the hash of the one before, so none can be changed, dropped from the middle or put in later
without every following hash being wrong.

What a person gave stands in ``payload`` and ``attachment`` and nowhere else. Erasing the
person empties both; the hashes stay, so the chain still holds. Every payload carries a
random salt, without which a hash of so small a thing as an answer would give it away.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

FIRST_PREVIOUS = "0" * 64
"""What the first event of a study names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has a place in the log.

    Attributes
    ----------
    kind
        What happened, one of the kinds of `umnist_core.labeling.events`.
    payload
        JSON object; everything that the state follows from.
    subject
        Annotator whose data it is, and with whom it is erased; None for nobody's.
    attachment
        JSON text that the state does not follow from and that is read on its own, such as
        a viewport trace; None for none.
    """

    kind: str
    payload: Mapping[str, Any]
    subject: str | None = None
    attachment: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a study.

    Attributes
    ----------
    study
        Id of its study.
    seq
        Its number, 1 for the first.
    time_utc
        When the server took it in, ISO 8601 in UTC with milliseconds and a Z.
    kind, subject
        As in `Draft`.
    payload
        As in `Draft`, with its ``salt``; None once it is erased.
    payload_hash
        SHA-256 of the payload's canonical JSON, hexadecimal.
    attachment_hash
        SHA-256 of the attachment, hexadecimal; None where there never was one.
    previous_hash, hash
        Of the event before and of this one (`event_hash`).
    """

    study: str
    seq: int
    time_utc: str
    kind: str
    subject: str | None
    payload: Mapping[str, Any] | None = field(repr=False)
    payload_hash: str
    attachment_hash: str | None
    previous_hash: str
    hash: str


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def event_hash(event: Event) -> str:
    """Return the hash of an event: SHA-256 over its fields but the payload itself."""
    parts = (
        event.study,
        event.seq,
        event.time_utc,
        event.kind,
        event.subject,
        event.payload_hash,
        event.attachment_hash,
        event.previous_hash,
    )
    return sha256(canonical_json(parts))


def chain(study: str, drafts: Sequence[Draft], head: Event | None, time_utc: str) -> list[Event]:
    """Give drafts their places behind the last event of a study.

    Parameters
    ----------
    study
        Id of the study.
    drafts
        In the order in which they happened.
    head
        Last event so far; None for a new study.
    time_utc
        When they are taken in.
    """
    events: list[Event] = []
    for draft in drafts:
        payload = {**draft.payload, "salt": secrets.token_hex(16)}
        event = Event(
            study=study,
            seq=head.seq + 1 if head else 1,
            time_utc=time_utc,
            kind=draft.kind,
            subject=draft.subject,
            payload=payload,
            payload_hash=sha256(canonical_json(payload)),
            attachment_hash=None if draft.attachment is None else sha256(draft.attachment),
            previous_hash=head.hash if head else FIRST_PREVIOUS,
            hash="",
        )
        head = _with_hash(event)
        events.append(head)
    return events


def _with_hash(event: Event) -> Event:
    fields = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    return Event(**{**fields, "hash": event_hash(event)})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a batch of events lays claim to; the store refuses what is taken already.

    These are the promises that must hold even if the code above the store were wrong or
    two servers ran at once, so the database itself keeps them.

    Attributes
    ----------
    annotators
        (annotator, pool): a person is in one pool for good.
    invites
        (token hash, invite id), unique over all studies.
    assignments
        (assignment, annotator, stimulus, position): an annotator has one assignment at a
        position.
    answers
        (idempotency key, assignment): a key is stored once.
    labels
        (stimulus, pool, slot, annotator): a slot is filled once, and by somebody of its pool.
    """

    annotators: tuple[tuple[str, str], ...] = ()
    invites: tuple[tuple[str, str], ...] = ()
    assignments: tuple[tuple[str, str, str, int], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StudyCopy:
    """A whole study as it stands, for putting it into another store.

    Attributes
    ----------
    study
        Its id.
    events
        All of them, the erased ones without payload.
    claims
        All of them, with the pools of the people that were erased.
    attachments
        ``seq`` and attachment of those that are not erased; read once, and so may be lazy.
    truth
        As for `EventLog.create`.
    erasures
        As of `EventLog.erasure_count`.
    """

    study: str
    events: tuple[Event, ...] = field(repr=False)
    claims: Claims = field(repr=False)
    attachments: Iterable[tuple[int, str]] = field(repr=False)
    truth: Mapping[str, str] = field(repr=False)
    erasures: int = 0


class LogReader(Protocol):
    """What can be read of a log or of a copy of it; the methods are those of `EventLog`."""

    def read(self, study: str, after_seq: int = 0) -> list[Event]:
        """Return events."""

    def iter_attachments(self, study: str) -> Iterator[tuple[int, str]]:
        """Yield attachments."""

    def read_truth(self, study: str) -> dict[str, str]:
        """Return the truth."""

    def studies(self) -> list[str]:
        """Return the ids of studies."""

    def read_claims(self, study: str) -> Claims:
        """Return claims."""

    def erasure_count(self, study: str) -> int:
        """Return how many people were erased."""


class EventLog(ABC):
    """Keeps the events of studies, and their truth apart from them.

    Safe to use from many threads, and from many processes where the store is a database.
    Every method either does all that it says, durably, or raises and changes nothing.

    Attributes
    ----------
    place
        Where it is, for people to read; without a password.
    """

    place: str

    @abstractmethod
    def create(
        self,
        events: Sequence[Event],
        claims: Claims,
        truth: Mapping[str, str],
        attachments: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Add a new study with its first events and its truth.

        Parameters
        ----------
        events
            From ``seq`` 1 on.
        claims
            What they lay claim to.
        truth
            Stimulus id -> JSON text of what is in it; read by `read_truth` alone.
        attachments
            ``seq`` -> attachment; that of the first event is the study's key.

        Raises
        ------
        SequenceError
            If there is such a study already.
        StoreError
            If the store cannot be written.
        """

    @abstractmethod
    def append(
        self, events: Sequence[Event], claims: Claims, attachments: Mapping[int, str]
    ) -> None:
        """Add events of one study behind its last; they are on disk when this returns.

        Parameters
        ----------
        events
            Chained to the last event that the caller has seen.
        claims
            What they lay claim to.
        attachments
            ``seq`` -> attachment.

        Raises
        ------
        SequenceError
            If other events came in between; read them and decide again.
        ClaimError
            If something is claimed that is taken.
        NotFoundError
            If there is no such study.
        StoreError
            If the store cannot be written, for example because the disk is full.
        """

    @abstractmethod
    def erase(self, event: Event, annotator: str) -> int:
        """Empty the payloads and attachments of a person and give up the person's claims.

        The claim to the pool stays, so that nobody can be put in the other one later.

        Parameters
        ----------
        event
            ``person_erased``, chained to the last event; appended in the same transaction.
        annotator
            Whose events are emptied.

        Returns
        -------
        int
            Events that were emptied.

        Raises
        ------
        SequenceError, NotFoundError, StoreError
            As `append`.
        """

    @abstractmethod
    def read(self, study: str, after_seq: int = 0) -> list[Event]:
        """Return the events of a study behind a number, in order, without attachments.

        An unknown study has none.
        """

    @abstractmethod
    def read_attachment(self, study: str, seq: int) -> str | None:
        """Return an event's attachment; None if there is none or it is erased."""

    @abstractmethod
    def iter_attachments(self, study: str) -> Iterator[tuple[int, str]]:
        """Yield ``seq`` and attachment of every event that has one, in order."""

    @abstractmethod
    def read_truth(self, study: str) -> dict[str, str]:
        """Return stimulus id -> JSON text. Nothing that an annotator reaches may call this.

        Raises
        ------
        NotFoundError
            If there is no such study.
        """

    @abstractmethod
    def studies(self) -> list[str]:
        """Return the ids of all studies, oldest first."""

    @abstractmethod
    def find_invite(self, token_hash: str) -> tuple[str, str] | None:
        """Return (study, invite id) of an invitation by the hash of its token."""

    @abstractmethod
    def read_claims(self, study: str) -> Claims:
        """Return all claims of a study as the store holds them, each tuple sorted."""

    @abstractmethod
    def erasure_count(self, study: str) -> int:
        """Return how many people of a study were erased; a fold made before is then stale."""

    @abstractmethod
    def faults(self) -> list[str]:
        """Return what is wrong with the store itself, a sentence each; none if all is well.

        It is read as a whole for that. What is wrong with a study is `verify_log`'s.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[LogReader]:
        """Give the log as it is at one moment, whatever is written meanwhile.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """

    @abstractmethod
    def restore(self, copies: Iterable[StudyCopy]) -> None:
        """Add whole studies, all of them or none.

        Raises
        ------
        SequenceError
            If there is one of them already.
        ClaimError
            If claims contradict each other, or one is taken by a study that is there.
        StoreError
            If the store cannot be written.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of connections and files; the log cannot be used afterwards."""
