"""What may happen in a study, each a function of its state: refusals, and drafts of events."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from umnist_core import __version__
from umnist_core.errors import RefusedError
from umnist_core.labeling import state as kinds
from umnist_core.labeling.assignment import choose_next
from umnist_core.labeling.log import Draft, canonical_json
from umnist_core.labeling.people import phase_of
from umnist_core.labeling.records import AnswerPost
from umnist_core.labeling.state import Annotator, Assignment, Invite, StudyState
from umnist_core.labeling.views import PoolCounts

AHEAD = 2
"""Images that are reserved for a person at once: the open one and the one after it."""


def get_person(state: StudyState, annotator: str) -> Annotator:
    """Return a person who may take part.

    Raises
    ------
    RefusedError
        ``no_session`` for somebody unknown or erased, ``revoked``.
    """
    person = state.annotators.get(annotator)
    if person is None:
        raise RefusedError(
            "You are not (or no longer) part of this study; open your link again.", "no_session"
        )
    if person.is_revoked:
        raise RefusedError(
            "Your link has been ended; ask whoever invited you. What you sent is kept.", "revoked"
        )
    return person


def get_usable_invite(state: StudyState, invite_id: str, now: str) -> Invite:
    """Return a link that still lets people in.

    Raises
    ------
    RefusedError
        ``revoked`` or ``expired``.
    """
    invite = state.invites.get(invite_id)
    if invite is None or invite.is_revoked:
        raise RefusedError(
            "This link has been ended; ask whoever invited you for a new one.", "revoked"
        )
    if invite.expires_utc is not None and invite.expires_utc <= now:
        raise RefusedError(
            "This link has expired; ask whoever invited you for a new one.", "expired"
        )
    return invite


def smaller_pool(state: StudyState) -> str:
    """Return the pool with the fewest people, any of them where several have as few."""
    counts = dict.fromkeys(state.spec.pools, 0)
    for one in state.annotators.values():
        counts[one.pool] += 1
    fewest = min(counts.values())
    return secrets.choice([pool for pool, count in counts.items() if count == fewest])


def check_not_closed(state: StudyState) -> None:
    """Refuse, with the code ``closed``, what would add to a sealed study."""
    if state.status == "closed":
        raise RefusedError("This study is closed; nothing can be added to it any more.", "closed")


def check_may_change(state: StudyState, person: Annotator, one: Assignment) -> None:
    """Refuse, with the code ``already_answered``, a second answer that is not allowed."""
    if not state.spec.allow_change or person.answered[-1] is not one:
        raise RefusedError(
            "This image has its answer already, given in another tab perhaps; it stays as it is.",
            "already_answered",
        )


def counts_as_label(state: StudyState, one: Assignment, now: str) -> bool:
    """Whether an answer fills its place: it does unless somebody else has or may fill it."""
    if one.slot is None or one.is_released:
        return False
    slot = state.slot_of(one)
    return slot.holder is one or slot.is_free(now)


def answer_draft(
    state: StudyState,
    person: Annotator,
    one: Assignment,
    post: AnswerPost,
    counted: bool,
    *,
    is_change: bool,
) -> Draft:
    """Return the event of an answer; its trace is the attachment."""
    payload = {
        "key": post.key,
        "assignment": one.id,
        "annotator": person.id,
        "pool": person.pool,
        "stimulus": one.stimulus,
        "position": one.position,
        "kind": one.kind,
        "slot": one.slot,
        "counted": counted,
        "answer": post.answer,
        "confidence": post.confidence,
        "digits": None if post.digits is None else list(post.digits),
        "response": asdict(post.response),
        "app": __version__,
    }
    kind = kinds.CHANGED if is_change else kinds.ANSWERED
    return Draft(kind, payload, person.id, canonical_json(post.parts))


def reserve(state: StudyState, person: Annotator, now: str) -> list[Draft]:
    """Return what keeps up to two images reserved: renewals, releases, or one new image."""
    if state.status != "open" or phase_of(state, person) != "trial":
        return []
    drafts = renewals(state, person, now)
    if drafts:
        return drafts
    open_now = [one for one in person.assignments if one.is_open]
    if len(open_now) >= AHEAD:
        return []
    choice = choose_next(state, person, now)
    if choice is None:
        return []
    payload = {
        "assignment": secrets.token_hex(16),
        "annotator": person.id,
        "stimulus": choice.stimulus,
        "position": len(person.assignments) + 1,
        "kind": choice.kind,
        "slot": choice.slot,
        "lease_until_utc": lease(state, now),
    }
    return [Draft(kinds.ASSIGNED, payload, person.id)]


def renewals(state: StudyState, person: Annotator, now: str) -> list[Draft]:
    """Prolong reservations that have run half, and give up those that others have taken."""
    drafts = []
    half = timedelta(minutes=state.spec.lease_minutes / 2)
    soon = text_of_time(datetime.fromisoformat(now) + half)
    for one in person.assignments:
        if not one.is_open or one.slot is None:
            continue
        if not counts_as_label(state, one, now):
            drafts.append(Draft(kinds.RELEASED, {"assignment": one.id}, person.id))
        elif one.lease_until_utc < soon:
            payload = {"assignment": one.id, "lease_until_utc": lease(state, now)}
            drafts.append(Draft(kinds.RENEWED, payload, person.id))
    return drafts


def lease(state: StudyState, now: str) -> str:
    """Return until when an image that is reserved now stays reserved."""
    return text_of_time(datetime.fromisoformat(now) + timedelta(minutes=state.spec.lease_minutes))


def pool_counts(state: StudyState, pool: str, now: str) -> PoolCounts:
    """Return how full a pool is."""
    people = [one for one in state.annotators.values() if one.pool == pool]
    slots = [slot for slots in state.slots[pool].values() for slot in slots]
    answered = [one for person in people for one in person.answered]
    return PoolCounts(
        pool=pool,
        people=len(people),
        people_done=sum(phase_of(state, one) == "done" for one in people),
        labels=sum(slot.is_filled for slot in slots),
        target=state.spec.target_per_pool,
        reserved=sum(not slot.is_filled and not slot.is_free(now) for slot in slots),
        surplus=sum(one.kind == kinds.LABEL and not one.is_counted for one in answered),
    )


def text_of_time(moment: datetime) -> str:
    """Return a time as the log writes it; such texts sort as their times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
