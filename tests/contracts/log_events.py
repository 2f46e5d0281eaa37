"""Events for the tests of stores, made without a study service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.events import (
    Answered,
    Assigned,
    InviteCreated,
    Joined,
    PersonErased,
    StudyCreated,
)
from umnist_core.labeling.log import (
    Draft,
    Event,
    EventLog,
    LogReader,
    canonical_json,
    chain,
    sha256,
)

TIME = "2026-01-01T00:00:00.000Z"
TRUTH = {"image-a": '{"label": 7}', "image-b": '{"label": 12}'}


def created(**more: Any) -> Draft:
    """Return the event that makes a study."""
    payload = {
        "truth_sha256": sha256(canonical_json(TRUTH)),
        "stimuli": list(TRUTH),
        "practice": [],
        "manifest": dict.fromkeys(TRUTH, ""),
        "sizes": {name: [8, 8] for name in TRUTH},
        "suffixes": dict.fromkeys(TRUTH, ".png"),
    }
    return Draft(StudyCreated.event_kind, {**payload, **more})


def invited(invite: str, token: str, person: str | None = None) -> Draft:
    """Return an invitation, of a person or of nobody yet."""
    payload = {"invite": invite, "token_hash": sha256(token), "annotator": person}
    return Draft(InviteCreated.event_kind, payload, person)


def joined(person: str, pool: str = "guided") -> Draft:
    """Return that a person comes in."""
    return Draft(Joined.event_kind, {"annotator": person, "pool": pool}, person)


def assigned(name: str, person: str, position: int = 0, stimulus: str = "image-a") -> Draft:
    """Return that a person is given an image."""
    payload = {
        "assignment": name,
        "annotator": person,
        "stimulus": stimulus,
        "position": position,
    }
    return Draft(Assigned.event_kind, payload, person)


def answered(
    key: str,
    assignment: str,
    person: str,
    *,
    slot: int | None = 0,
    pool: str = "guided",
    stimulus: str = "image-a",
    trace: str | None = '{"parts": []}',
) -> Draft:
    """Return an answer that fills a place, or none where ``slot`` is None."""
    payload = {
        "key": key,
        "assignment": assignment,
        "counted": slot is not None,
        "slot": slot,
        "stimulus": stimulus,
        "pool": pool,
        "annotator": person,
    }
    return Draft(Answered.event_kind, payload, person, trace)


def create(log: EventLog, study: str, *drafts: Draft, **more: Any) -> Event:
    """Make a study and add drafts to it; return its last event."""
    events = chain(study, [created(**more)], None, TIME)
    log.create(events, merged(map(claims_of, events)), TRUTH)
    return add(log, study, *drafts) if drafts else events[-1]


def add(log: EventLog, study: str, *drafts: Draft) -> Event:
    """Append drafts behind the last event, as one batch; return the last of them."""
    return append(log, chained(log, study, *drafts), drafts)


def chained(log: EventLog, study: str, *drafts: Draft) -> list[Event]:
    """Return drafts chained to the last event that the log has now."""
    events = log.read(study)
    return chain(study, drafts, events[-1] if events else None, TIME)


def append(log: EventLog, events: list[Event], drafts: tuple[Draft, ...]) -> Event:
    """Append events with the attachments of their drafts and all that they claim."""
    log.append(events, merged(map(claims_of, events)), attachments_of(events, drafts))
    return events[-1]


def attachments_of(events: list[Event], drafts: tuple[Draft, ...]) -> Mapping[int, str]:
    """Return the attachments of drafts by the number of their event."""
    return {
        event.seq: draft.attachment
        for event, draft in zip(events, drafts, strict=True)
        if draft.attachment is not None
    }


def erase(log: EventLog, study: str, person: str) -> int:
    """Erase a person; return how many events were emptied."""
    (event,) = chained(log, study, PersonErased(annotator=person).draft())
    return log.erase(event, person)


def contents(log: LogReader) -> list[Any]:
    """Return everything that a log holds."""
    return [
        (
            study,
            log.read(study),
            log.read_claims(study),
            list(log.iter_attachments(study)),
            log.read_truth(study),
            log.erasure_count(study),
        )
        for study in log.studies()
    ]
