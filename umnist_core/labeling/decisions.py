"""What may happen in a study, each a function of its state: refusals, and drafts of events."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from umnist_core import __version__
from umnist_core.errors import InvalidValueError, RefusedError
from umnist_core.labeling.assignment import NO_SUMS, choose_next, free_place
from umnist_core.labeling.boxes import Box, check_within, labels_of
from umnist_core.labeling.events import (
    LABEL,
    OWN,
    SIMULATED,
    Answered,
    Assigned,
    Changed,
    QuotaFilled,
    Released,
    Renewed,
)
from umnist_core.labeling.log import Draft
from umnist_core.labeling.people import (
    CHANGES_MAX,
    OUTCOMES,
    changes_left,
    is_debriefed,
    is_over,
    outcome_of,
    phase_of,
)
from umnist_core.labeling.promises import find_options
from umnist_core.labeling.recorded import AnswerPost
from umnist_core.labeling.state import (
    PRESENCE_MINUTES,
    QUOTA_FULL,
    SCREENED_OUT,
    WITHDRAWN,
    Annotator,
    Assignment,
    Invite,
    StudyState,
)
from umnist_core.labeling.times import later, text_of_time
from umnist_core.labeling.views import PoolCounts

AHEAD = 2
"""Images that are reserved for a person at once: the open one and the one after it."""

FIRST_LEASE_MINUTES = 15
"""How long an image stays reserved for somebody who has answered none, at most."""

UNSEEN_MINUTES = 60
"""After that, nothing stays reserved for somebody who has answered none."""


def get_known(state: StudyState, annotator: str) -> Annotator:
    """Return a person of the study, whatever became of them.

    Raises
    ------
    RefusedError
        ``no_session`` for somebody unknown or erased.
    """
    person = state.annotators.get(annotator)
    if person is None:
        raise RefusedError(
            "You are not (or no longer) part of this study; open your link again.",
            "no_session",
            "no_session.gone",
        )
    return person


def get_person(state: StudyState, annotator: str) -> Annotator:
    """Return a person who may take part.

    Raises
    ------
    RefusedError
        ``no_session`` for somebody unknown or erased, ``revoked``.
    """
    person = get_known(state, annotator)
    if person.is_revoked:
        raise RefusedError(
            "Your link has been ended; ask whoever invited you. What you sent is kept.", "revoked"
        )
    return person


def get_usable_invite(state: StudyState, invite_id: str, now: str) -> Invite:
    """Return a link that still lets people in, by its own id or that of a name of it.

    Raises
    ------
    RefusedError
        ``revoked`` or ``expired``.
    """
    invite = state.invites.get(state.recruits.link_of(invite_id))
    if invite is None or invite.is_revoked:
        raise RefusedError(
            "This link has been ended; ask whoever invited you for a new one.",
            "revoked",
            "revoked.link",
        )
    if invite.expires_utc is not None and invite.expires_utc <= now:
        raise RefusedError(
            "This link has expired; ask whoever invited you for a new one.", "expired"
        )
    return invite


def pool_in_need(state: StudyState, now: str) -> str:
    """Return the pool that lacks the most labels, one of them where several lack as many.

    What the people who are there will still give is taken as given.
    """
    lacks = {pool: _lack(state, pool, now) for pool in state.spec.pools}
    most = max(lacks.values())
    return secrets.choice([pool for pool, lack in lacks.items() if lack == most])


def _lack(state: StudyState, pool: str, now: str) -> int:
    """Return the labels that a pool lacks; below 0 where more are there than it needs."""
    expected = 0
    for one in state.annotators.values():
        if one.pool != pool or is_over(state, one):
            continue
        if _is_expected(state, one, now):
            expected += max(state.spec.images_per_annotator - len(one.labelled), 0)
    return sum(state.unfilled[pool].values()) - expected


def _is_expected(state: StudyState, person: Annotator, now: str) -> bool:
    """Whether somebody is at work, has images that are kept, or has just come."""
    until = max(person.present_until_utc, later(person.joined_utc, PRESENCE_MINUTES))
    return until > now or any(state.holds(one, now) for one in person.assignments)


def check_not_closed(state: StudyState) -> None:
    """Refuse, with the code ``closed``, what would add to a sealed study."""
    if state.status == "closed":
        raise RefusedError("This study is closed; nothing can be added to it any more.", "closed")


def check_is_for_others(state: StudyState) -> None:
    """Refuse, with the code ``self``, to let others into a study of oneself."""
    if state.spec.is_self:
        raise RefusedError(
            "This is a study of oneself, and nobody is invited to it; make another study for "
            "others.",
            "self",
        )


def check_takes_part(state: StudyState, person: Annotator) -> None:
    """Refuse what somebody sends who has stopped taking part, or was never let in.

    Raises
    ------
    RefusedError
        ``withdrawn`` or ``screened_out``.
    """
    if person.outcome == WITHDRAWN:
        raise RefusedError(
            "You have stopped taking part, so this was not taken; what you gave before is kept.",
            "withdrawn",
        )
    if person.outcome == SCREENED_OUT:
        raise RefusedError(
            "You cannot take part in this study, so this was not taken.", "screened_out"
        )


def check_has_begun(state: StudyState, person: Annotator) -> None:
    """Refuse, with the code ``not_begun``, what somebody sends who has not agreed and begun."""
    if phase_of(state, person) in ("consent", "questions", "instructions", "gate"):
        raise RefusedError(
            "Nothing is taken before you agree to take part and begin; reload the page.",
            "not_begun",
        )


def check_is_whole(
    state: StudyState,
    confidence: int | None,
    digits: Sequence[int] | None,
    boxes: Sequence[Box] | None = None,
) -> None:
    """Refuse an answer that lacks what the study requires, or has boxes that it does not ask for.

    Raises
    ------
    InvalidValueError
        If it does.
    """
    asking = state.spec.asking
    check_asked(state, boxes)
    if asking.require_digits and digits is None:
        raise InvalidValueError("This study asks for the digits that you see; enter them.")
    if asking.require_confidence and confidence is None:
        raise InvalidValueError("This study asks how sure you are; choose.")


def check_asked(state: StudyState, boxes: Sequence[Box] | None) -> None:
    """Refuse an answer without boxes where they are asked for, and one with them elsewhere.

    Raises
    ------
    InvalidValueError
        If it is one.
    """
    if state.spec.ask_boxes and boxes is None:
        raise InvalidValueError(
            "This study asks for a box around each digit; draw them, or say that there is none."
        )
    if boxes is not None and not state.spec.ask_boxes:
        raise InvalidValueError("This study asks for no boxes; reload the page and answer again.")


def practised_with(
    state: StudyState,
    practice: str,
    confidence: int | None,
    digits: Sequence[int] | None,
    boxes: Sequence[Box] | None = None,
) -> dict[str, Any]:
    """Return what is kept with the answer to a practice image, of what is asked beside the sum.

    Boxes take the sum's place, so they are practised wherever they are asked for.

    Raises
    ------
    InvalidValueError
        As `check_is_whole`, or if a box reaches out of the image.
    """
    spec = state.spec
    check_asked(state, boxes)
    if boxes is not None:
        check_within(boxes, state.sizes[practice])
    drawn = {} if boxes is None else {"boxes": boxes}
    if not spec.asking.practise_asked:
        return drawn
    check_is_whole(state, confidence, digits, boxes)
    return {
        "confidence": confidence if spec.ask_confidence else None,
        "digits": list(digits) if spec.ask_digits and digits is not None else None,
        **drawn,
    }


def check_may_change(state: StudyState, person: Annotator, one: Assignment) -> None:
    """Refuse a second answer that is not allowed.

    Raises
    ------
    RefusedError
        ``already_answered``, ``debriefed``, or ``changed_enough`` if it was changed
        `CHANGES_MAX` times.
    """
    if not state.spec.allow_change or person.answered[-1] is not one:
        raise RefusedError(
            "This image has its answer already, given in another tab perhaps; it stays as it is.",
            "already_answered",
        )
    if is_debriefed(state, person):
        raise RefusedError(
            "You have read what the study was about, so your answers stay as they are.",
            "debriefed",
        )
    if not changes_left(one):
        raise RefusedError(
            f"An answer can be changed {CHANGES_MAX} times, and this one has been; it stays as it "
            "is.",
            "changed_enough",
            count=CHANGES_MAX,
        )


def place_for(state: StudyState, person: Annotator, one: Assignment, now: str) -> int | None:
    """Return the place that an answer fills now; None if it would be kept and not counted.

    A place that is held for it is its own. One that comes late, after that time was over,
    fills any free place of its image that nobody at work needs.
    """
    if one.slot is None:
        return None
    if state.holds(one, now):
        return one.slot
    if one.stimulus not in find_options(state, person, now):
        return None
    if state.slot_of(one).is_free(now):
        return one.slot
    return free_place(state, person.pool, one.stimulus, now)


def answer_fact(
    person: Annotator, one: Assignment, post: AnswerPost, place: int | None
) -> Answered:
    """Return that an answer was given, or changed.

    Parameters
    ----------
    place
        That it fills; None if it is not counted. A changed answer keeps what it had.
    """
    is_change = bool(one.given)
    kind = Changed if is_change else Answered
    return kind(
        key=post.key,
        assignment=one.id,
        annotator=person.id,
        pool=person.pool,
        stimulus=one.stimulus,
        position=one.position,
        kind=one.kind,
        slot=one.slot if place is None else place,
        counted=one.is_counted if is_change else place is not None,
        answer=post.answer,
        confidence=post.confidence,
        digits=post.digits if post.boxes is None else labels_of(post.boxes),
        boxes=post.boxes,
        response=post.response.payload(),
        app=__version__,
    )


def reserve(
    state: StudyState, person: Annotator, now: str, sums: Mapping[str, int] = NO_SUMS
) -> list[Draft]:
    """Return what keeps up to two images reserved: renewals, releases, or one new image.

    For somebody whose part is over, what gives back the places that are still held.

    Parameters
    ----------
    sums
        Image -> sum of its digits, of an adaptive study.
    """
    if is_over(state, person):
        return _ending(state, person)
    if state.status != "open" or phase_of(state, person) not in ("trial", "held", "break"):
        return []
    drafts = renewals(state, person, now)
    return drafts or _next_image(state, person, now, sums)


def _next_image(
    state: StudyState, person: Annotator, now: str, sums: Mapping[str, int]
) -> list[Draft]:
    """Return what reserves one image more, if there is one and the person may have it."""
    adaptive = state.spec.adaptive
    ahead = AHEAD if adaptive is None else min(AHEAD, adaptive.tracks)
    is_supplied = sum(one.is_open for one in person.assignments) >= ahead
    offer = None if is_supplied else choose_next(state, person, now, sums)
    if offer is None:
        return []
    if offer.again is not None:
        return [_renewed(person, offer.again, lease(state, person, now), offer.slot)]
    fact = Assigned(
        assignment=secrets.token_hex(16),
        annotator=person.id,
        stimulus=offer.stimulus,
        position=len(person.assignments) + 1,
        kind=offer.kind,
        slot=offer.slot,
        lease_until_utc=lease(state, person, now),
    )
    return [fact.draft(person.id)]


def _ending(state: StudyState, person: Annotator) -> list[Draft]:
    """Return what is left to note of somebody whose part is over."""
    if state.status == "closed" or person.is_revoked:
        return []
    if outcome_of(state, person) == QUOTA_FULL and person.labelled:
        # Whoever was told so, and given a code, is not asked for more if somebody is erased.
        return [] if person.outcome else [QuotaFilled(annotator=person.id).draft(person.id)]
    return [
        Released(assignment=one.id).draft(person.id) for one in person.assignments if one.is_open
    ]


def renewals(
    state: StudyState, person: Annotator, now: str, only: Assignment | None = None
) -> list[Draft]:
    """Prolong reservations that have run half, and give up those that others need.

    Parameters
    ----------
    only
        The one that is wanted; all of the person's when None.
    """
    drafts = []
    until = lease(state, person, now)
    soon = _between(now, until)
    # An open page is a sign of somebody at work, whose promise is shorter than a day's lease.
    present_until = min(until, later(now, PRESENCE_MINUTES))
    is_away_soon = person.present_until_utc < _between(now, present_until)
    for one in person.assignments if only is None else [only]:
        if not one.is_open or one.slot is None:
            continue
        if state.holds(one, now):
            if until > one.lease_until_utc and (one.lease_until_utc < soon or is_away_soon):
                drafts.append(_renewed(person, one, until, one.slot))
            continue
        place = place_for(state, person, one, now)
        if place is None:
            return [*drafts, Released(assignment=one.id).draft(person.id)]
        if until > now:  # one at a time: the next is decided on what this one leaves
            return [*drafts, _renewed(person, one, until, place)]
    return drafts


def _renewed(person: Annotator, one: Assignment, until: str, place: int | None) -> Draft:
    fact = Renewed(assignment=one.id, lease_until_utc=until, slot=place)
    return fact.draft(person.id)


def lease(state: StudyState, person: Annotator, now: str) -> str:
    """Return until when an image that is reserved now stays reserved.

    The study's time is for people who have answered an image. Others keep theirs for a short
    time, prolonged while their page is open, and not for long even so; afterwards the images
    are shown and kept for nobody.
    """
    minutes = state.spec.lease_minutes
    if person.labelled:
        return later(now, minutes)
    until = later(now, min(FIRST_LEASE_MINUTES, minutes))
    if not person.assignments:
        return until
    return min(until, later(person.assignments[0].assigned_utc, UNSEEN_MINUTES))


def _between(earlier: str, later_: str) -> str:
    first, second = datetime.fromisoformat(earlier), datetime.fromisoformat(later_)
    return text_of_time(first + (second - first) / 2)


def pool_counts(state: StudyState, pool: str, now: str) -> PoolCounts:
    """Return how full a pool is."""
    people = [one for one in state.annotators.values() if one.pool == pool]
    slots = [slot for slots in state.slots[pool].values() for slot in slots]
    answered = [one for person in people for one in person.answered]
    outcomes = Counter(outcome_of(state, one) for one in people)
    origins = Counter(one.origin for one in people)
    return PoolCounts(
        pool=pool,
        people=len(people),
        labels=state.labels_in(pool),
        target=state.spec.target_per_pool,
        reserved=sum(not slot.is_filled and not slot.is_free(now) for slot in slots),
        surplus=sum(one.kind == LABEL and not one.is_counted for one in answered),
        held=sum(phase_of(state, one) == "held" for one in people),
        **{name: outcomes[name] for name in OUTCOMES},
        **{name: origins[name] for name in (SIMULATED, OWN)},
    )
