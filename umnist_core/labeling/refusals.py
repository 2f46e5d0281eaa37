"""What every store refuses, and the sentences that it does so with.

The checks that need nothing but the events stand here, so that the stores cannot differ
in them; those of claims are made by each store's own means, and said in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from umnist_core.errors import ClaimError, InvalidValueError, NotFoundError, SequenceError
from umnist_core.labeling.log import FIRST_PREVIOUS, Event

Place = tuple[int, str]
"""Number and hash of an event; what the next one is chained to."""

START: Place = (0, FIRST_PREVIOUS)
"""The place before the first event of a study."""


def check_batch(events: Sequence[Event], attachments: Mapping[int, str]) -> None:
    """Refuse events that are no part of one study's chain, whatever the store holds.

    Parameters
    ----------
    events
        One or more of one study, each chained to the one before it.
    attachments
        ``seq`` -> attachment, of exactly the events that name the hash of one.

    Raises
    ------
    InvalidValueError
        If there are none, or the attachments are those of other events.
    SequenceError
        If they are not in order.
    """
    if not events:
        raise InvalidValueError("Expected at least one event to add, found none; make one.")
    place = (events[0].seq - 1, events[0].previous_hash)
    for event in events:
        if event.study != events[0].study or (event.seq - 1, event.previous_hash) != place:
            raise SequenceError(
                f"Expected event {place[0] + 1} of study {events[0].study} next in a batch, found "
                f"event {event.seq} of study {event.study}; chain the batch anew."
            )
        place = (event.seq, event.hash)
    named = {event.seq for event in events if event.attachment_hash is not None}
    if named != set(attachments):
        raise InvalidValueError(
            f"Expected attachments of the events {sorted(named)}, found those of "
            f"{sorted(attachments)}; give each event that names one its own."
        )


def check_place(events: Sequence[Event], head: Place) -> None:
    """Refuse events that are not chained to the last one that the store holds.

    Raises
    ------
    SequenceError
        If others came in between, or the hashes differ.
    """
    first = events[0]
    if (first.seq - 1, first.previous_hash) != head:
        raise moved_on(first, head[0])


def moved_on(first: Event, head_seq: int) -> SequenceError:
    """Return the refusal of events behind one that is not the last."""
    return SequenceError(
        f"Expected events behind event {head_seq} of study {first.study}, found event {first.seq}; "
        "others came in first, so read them and decide again."
    )


def existing(study: str) -> SequenceError:
    """Return the refusal of a study that is there already."""
    return SequenceError(f"There is a study {study} already, and it is unchanged; choose a new id.")


def unknown(study: str) -> NotFoundError:
    """Return the refusal of a study that is not there."""
    return NotFoundError(f"There is no study {study}; `umnist study list` names those there are.")


def refused_claim(table: str, claim: Sequence[str | int]) -> ClaimError:
    """Return the refusal of a claim.

    Parameters
    ----------
    table
        Field of `umnist_core.labeling.log.Claims`.
    claim
        One entry of it. The hash of an invitation's token is not repeated.
    """
    sentence = _REFUSED[table].format(*claim)
    return ClaimError(f"{sentence}; nothing of the change was kept.")


_REFUSED = {
    "annotators": "Annotator {0} is in a pool of the study for good and cannot be put in {1}",
    "invites": "Invitation {1} has an id or a token that is in use; make a new one",
    "assignments": "Assignment {0} cannot be given to annotator {1} at position {3}: id or "
    "position is taken, or the annotator is not in the study",
    "answers": "Answer {0} cannot be stored for assignment {1}: the key is in use, or there is no "
    "such assignment",
    "labels": "Place {2} of image {0} in pool {1} cannot be filled by annotator {3}: it is filled, "
    "or the annotator is not in that pool",
}
