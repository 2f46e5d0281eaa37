"""What events lay claim to; the store refuses what is taken already."""

from __future__ import annotations

from collections.abc import Iterable

from umnist_core.labeling.events import FACTS
from umnist_core.labeling.log import Claims, Event


def claims_of(event: Event) -> Claims:
    """Return what an event lays claim to; nothing once it is erased."""
    known = FACTS.get(event.kind)
    if known is None or event.payload is None:
        return Claims()
    return known.read(event.payload).claims()


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
