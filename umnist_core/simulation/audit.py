"""The store held against what the server has said: nothing lost, nothing doubled, no place wrong.

The log's events are counted as they lie in the store, one by one, and not through the
state that the server works with, which might be wrong in the same way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from umnist_core.labeling.decisions import AHEAD
from umnist_core.labeling.events import LABEL, Answered
from umnist_core.labeling.log import EventLog
from umnist_core.labeling.state import Assignment, StudyState
from umnist_core.labeling.verify import verify_log
from umnist_core.simulation.client import Acknowledged


@dataclass(frozen=True)
class Audit:
    """What became of answers that the server has said are saved.

    Attributes
    ----------
    acknowledged
        How many it has said so of.
    stored
        Answers in the store.
    lost
        Acknowledged answers that are not in the store as they were sent.
    doubled
        Answers that are in the store more than once, or beside another for the same image.
    unclaimed
        Stored answers that were never acknowledged. None, once everybody has sent what they had.
    open_places
        Places that are reserved and not filled.
    faults
        A sentence for everything else that is wrong: the log, places, reservations.
    """

    acknowledged: int
    stored: int
    lost: int
    doubled: int
    unclaimed: int
    open_places: int
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every answer is there exactly once, and nothing is wrong."""
        return not (self.lost or self.doubled or self.unclaimed or self.faults)


def audit(log: EventLog, study: str, acknowledged: Iterable[Acknowledged]) -> Audit:
    """Hold a study in the store against a ledger.

    Parameters
    ----------
    log
        The store, opened for this and not the server's.
    study
        Id of the study.
    acknowledged
        The ledger of everybody who took part.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    ledger = list(acknowledged)
    events = log.read(study)
    rows = [
        (said.key, said.assignment, said.answer)
        for one in events
        if one.kind == Answered.event_kind and one.payload is not None
        for said in [Answered.read(one.payload)]
    ]
    keys = Counter(key for key, _, _ in rows)
    images = Counter(assignment for _, assignment, _ in rows)
    said = {(one.key, one.assignment, one.answer) for one in ledger}
    state = StudyState(events)
    return Audit(
        acknowledged=len(ledger),
        stored=len(rows),
        lost=len(said - set(rows)),
        doubled=sum(keys.values()) - len(keys) + sum(images.values()) - len(images),
        unclaimed=len(set(rows) - said),
        open_places=sum(
            slot.holder is not None and not slot.is_filled
            for places in state.slots.values()
            for slots in places.values()
            for slot in slots
        ),
        faults=(
            *verify_log(log, study).faults,
            *find_place_faults(state),
            *_find_ledger_faults(state, ledger),
        ),
    )


def find_place_faults(state: StudyState) -> list[str]:
    """Return a sentence for every place and reservation of a study that is not as it must be."""
    given_to: dict[tuple[str, str, int | None], list[Assignment]] = defaultdict(list)
    for one in state.assignments.values():
        given_to[state.annotators[one.annotator].pool, one.stimulus, one.slot].append(one)
    faults = []
    for pool, places in state.slots.items():
        for stimulus, slots in places.items():
            for number, slot in enumerate(slots):
                name = f"place {number} of image {stimulus} in pool {pool}"
                theirs = given_to[pool, stimulus, number]
                faults += _find_faults_of_place(name, slot.is_filled, slot.holder, theirs)
    for person in state.annotators.values():
        faults += _find_faults_of_person(person.id, person.assignments)
    return faults


def _find_faults_of_place(
    name: str, is_filled: bool, holder: Assignment | None, given_to: list[Assignment]
) -> list[str]:
    counted = [one for one in given_to if one.is_counted]
    faults = []
    if len(counted) != int(is_filled):
        faults.append(f"Expected {int(is_filled)} label in {name}, found {len(counted)}.")
    if holder is not None and is_filled and holder not in counted:
        faults.append(f"Expected {name} to be held by who filled it, found {holder.annotator}.")
    if holder is not None and not is_filled and not holder.is_open:
        faults.append(f"Expected {name} to be held by an open assignment, found {holder.id}.")
    return faults


def _find_faults_of_person(name: str, assignments: list[Assignment]) -> list[str]:
    faults = []
    open_now = [one for one in assignments if one.is_open]
    if len(open_now) > AHEAD:
        faults.append(f"Expected at most {AHEAD} images at {name}, found {len(open_now)}.")
    if [one.position for one in assignments] != list(range(1, len(assignments) + 1)):
        faults.append(f"Expected the positions of {name} to count from 1, found others.")
    kept = [one for one in assignments if one.given or not one.is_released]
    labels = [one.stimulus for one in kept if one.kind == LABEL]
    if len(set(labels)) != len(labels):
        faults.append(f"Expected every image once at {name}, found one twice.")
    return faults


def _find_ledger_faults(state: StudyState, ledger: list[Acknowledged]) -> list[str]:
    """Return a sentence for every answer that counts otherwise than its person was told."""
    return [
        f"Expected answer {one.key} to count as its person was told ({one.is_counted})."
        for one in ledger
        if (found := state.keys.get(one.key)) is not None and found.is_counted != one.is_counted
    ]
