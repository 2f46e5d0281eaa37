"""What events lay claim to; the store refuses what is taken already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from umnist_core.labeling.log import Claims, Event
from umnist_core.labeling.state import ANSWERED, ASSIGNED, CHANGED, INVITED, JOINED


def claims_of(event: Event) -> Claims:
    """Return what an event lays claim to; nothing once it is erased."""
    data = event.payload
    if data is None:
        return Claims()
    if event.kind in (ANSWERED, CHANGED):
        return _claims_of_answer(event.kind, data)
    if event.kind == INVITED:
        return Claims(invites=((data["token_hash"], data["invite"]),))
    if event.kind == JOINED:
        return Claims(annotators=((data["annotator"], data["pool"]),))
    if event.kind == ASSIGNED:
        names = (data["assignment"], data["annotator"], data["stimulus"], data["position"])
        return Claims(assignments=(names,))
    return Claims()


def _claims_of_answer(kind: str, data: Mapping[str, Any]) -> Claims:
    answers = ((data["key"], data["assignment"]),)
    if kind == CHANGED or not data["counted"] or data["slot"] is None:
        return Claims(answers=answers)
    label = (data["stimulus"], data["pool"], data["slot"], data["annotator"])
    return Claims(answers=answers, labels=(label,))


def merged(claims: Iterable[Claims]) -> Claims:
    """Return all claims as one."""
    given = list(claims)
    return Claims(
        annotators=tuple(claim for one in given for claim in one.annotators),
        invites=tuple(claim for one in given for claim in one.invites),
        assignments=tuple(claim for one in given for claim in one.assignments),
        answers=tuple(claim for one in given for claim in one.answers),
        labels=tuple(claim for one in given for claim in one.labels),
    )
