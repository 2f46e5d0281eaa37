"""Checking that a study's log is what was logged, and its store what the log says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from umnist_core.errors import NotFoundError
from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.events import Joined, PersonErased, StudyClosed, StudyCreated
from umnist_core.labeling.fact import Fact
from umnist_core.labeling.log import (
    FIRST_PREVIOUS,
    Claims,
    Event,
    LogReader,
    canonical_json,
    event_hash,
    sha256,
)
from umnist_core.labeling.records import POOLS
from umnist_core.labeling.recruits import is_ids
from umnist_core.labeling.study_key import KEY_SEQ


@dataclass(frozen=True)
class Verification:
    """What a check has found.

    Attributes
    ----------
    study
        Its id.
    events
        How many there are.
    erased
        How many of them are empty because their person was erased.
    head_hash
        Of the last event; it stands for the whole log up to there.
    faults
        A sentence for each thing that is wrong; none if all is well.
    """

    study: str
    events: int
    erased: int
    head_hash: str
    faults: tuple[str, ...]


def verify_log(log: LogReader, study: str) -> Verification:
    """Check a study's log against its own hashes, and the store against the log.

    Checked are the numbers, the chain, every payload and attachment that is not erased, that
    only people who were erased are empty, the truth, and that the store guards exactly the
    claims that the events make.

    What this cannot see: that the last events were taken away together with their claims, or
    that someone who can write to the store has made a whole new chain. Both change the last
    hash, so compare ``head_hash`` with one that is kept elsewhere: closing a study seals it,
    and backups and exports name it.

    Parameters
    ----------
    log
        A log, or better a snapshot of it while others write.
    study
        Id of the study.

    Raises
    ------
    NotFoundError
        If there is no such study.
    StoreError
        If the store cannot be read.
    """
    return verify_events(log, read_events(log, study))


def read_events(log: LogReader, study: str) -> list[Event]:
    """Return all events of a study; errors as `verify_log`."""
    events = log.read(study)
    if not events:
        raise NotFoundError(f"There is no study {study[:40]!r} to check; see the list of studies.")
    return events


def verify_events(log: LogReader, events: Sequence[Event]) -> Verification:
    """Check as `verify_log` does, where all events of the study are read already."""
    study = events[0].study
    erased = {event.seq: _erased_person(event) for event in events if _is(event, PersonErased)}
    faults = [
        *_chain_faults(study, events),
        *_payload_faults(events, erased),
        *_attachment_faults(log, study, events),
        *_truth_faults(log, study, events[0]),
        *_claim_faults(log.read_claims(study), events, _pools_of_erased(events)),
    ]
    if log.erasure_count(study) != len(erased):
        faults.append(
            f"The store counts {log.erasure_count(study)} erasures, and the log has {len(erased)}."
        )
    return Verification(
        study=study,
        events=len(events),
        erased=sum(event.payload is None for event in events),
        head_hash=events[-1].hash,
        faults=tuple(faults),
    )


def _is(event: Event, fact: type[Fact]) -> bool:
    return event.kind == fact.event_kind


def _erased_person(event: Event) -> str:
    return str(getattr(PersonErased.read(event.payload), "annotator", None))


def _pools_of_erased(events: Iterable[Event]) -> dict[str, set[str]]:
    """Return each person who was erased and the pools that the person can have been in."""
    pools: dict[str, set[str]] = {}
    for event in events:
        if _is(event, PersonErased):
            pool = PersonErased.read(event.payload).pool
            pools[_erased_person(event)] = {*POOLS} if pool is None else {str(pool)}
    return pools


def _chain_faults(study: str, events: Iterable[Event]) -> Iterator[str]:
    seq, previous = 0, FIRST_PREVIOUS
    for event in events:
        if event.study != study:
            yield f"Event {event.seq} is one of study {event.study}."
        if event.seq != seq + 1:
            yield f"Expected event {seq + 1}, found event {event.seq}."
        if event.previous_hash != previous:
            yield f"Event {event.seq} is not chained to the one before it."
        if event.hash != event_hash(event):
            yield f"Event {event.seq} is not what was logged: its hash is wrong."
        seq, previous = event.seq, event.hash


def _payload_faults(events: Iterable[Event], erased: dict[int, str]) -> Iterator[str]:
    last_erased = {person: seq for seq, person in sorted(erased.items())}
    for event in events:
        erased_at = last_erased.get(event.subject, 0) if event.subject else 0
        is_due = event.seq < erased_at and not _is(event, PersonErased)
        if event.payload is None:
            if not is_due:
                yield f"Event {event.seq} is empty, though nobody whose it is was erased."
        elif is_due:
            yield f"Event {event.seq} is not empty, though its person was erased."
        elif not _has_hash(event):
            yield f"Event {event.seq} is not what was logged: its payload is another."


def _has_hash(event: Event) -> bool:
    try:
        return sha256(canonical_json(event.payload)) == event.payload_hash
    except ValueError:  # a number that JSON does not have
        return False


def _attachment_faults(log: LogReader, study: str, events: Sequence[Event]) -> Iterator[str]:
    due = {
        event.seq: event.attachment_hash
        for event in events
        if event.attachment_hash is not None and event.payload is not None
    }
    for seq, attachment in log.iter_attachments(study):
        expected = due.pop(seq, None)
        if expected is None:
            yield f"Event {seq} has an attachment and should have none."
        elif not _is_text_of(attachment, expected):
            yield f"Event {seq} is not what was logged: its attachment is another."
    if not _must_have_key(events):
        due.pop(KEY_SEQ, None)
    for event in filter(is_ids, events):  # an export leaves them out
        due.pop(event.seq, None)
    for seq in due:
        yield f"Event {seq} has lost its attachment."


def _must_have_key(events: Iterable[Event]) -> bool:
    """Whether a study's key has to be there: closing it said that it was.

    A study that was exported while it was open came without.
    """
    closed = (StudyClosed.read(one.payload) for one in events if _is(one, StudyClosed))
    return any(one.has_key for one in closed)


def _is_text_of(text: str, checksum: str) -> bool:
    try:
        return sha256(text) == checksum
    except ValueError:  # half of a character, which no UTF-8 has
        return False


def _truth_faults(log: LogReader, study: str, created: Event) -> Iterator[str]:
    expected = StudyCreated.read(created.payload).truth_sha256
    if expected is not None and sha256(canonical_json(log.read_truth(study))) != expected:
        yield "The truth of the images is not what it was when the study was made."


def _claim_faults(
    stored: Claims, events: Iterable[Event], erased: dict[str, set[str]]
) -> Iterator[str]:
    rebuilt = []
    joined: set[str] = set()
    for event in events:
        if _is(event, Joined) and event.payload is None and event.subject is not None:
            joined.add(event.subject)
        try:
            claims = claims_of(event)
            hash(claims)  # lists and objects are no ids
            rebuilt.append(claims)
        except (KeyError, TypeError, AttributeError):
            yield f"Event {event.seq} lacks what an event {event.kind[:40]!r} has."
    made = merged(rebuilt)
    for one in fields(Claims):
        there, due = set(getattr(stored, one.name)), set(getattr(made, one.name))
        for claim, times in Counter(getattr(made, one.name)).items():
            if times > 1:
                yield f"The log has {claim[-1]!r} of {one.name} {times} times."
        if one.name == "annotators":
            left = joined & erased.keys()
            kept = {
                claim for claim in there - due if claim[0] in left and claim[1] in erased[claim[0]]
            }
            for person in sorted(left - {claim[0] for claim in kept}):
                yield f"The store does not guard the pool of {person}, who was erased."
            there -= kept
        # The hash of an invitation's token is nobody's business.
        for claim in sorted(due - there, key=repr):
            yield f"The store does not guard {claim[-1]!r} of {one.name}, which the log has."
        for claim in sorted(there - due, key=repr):
            yield f"The store guards {claim[-1]!r} of {one.name}, which the log does not have."
