"""What a study is at a moment: the fold of its events, in memory.

`StudyState.apply` is the only place in which a state changes, and it takes every event as
a fact: whether something may happen is decided before it is logged
(`umnist_core.labeling.service`). What can happen is declared in `umnist_core.labeling.events`;
each kind has a method here that says what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.errors import DamagedFileError
from umnist_core.labeling.asked import ASKED_CHANGES, Asked, AskedState
from umnist_core.labeling.events import (
    AS_BEFORE,
    FACTS,
    INVITED_PERSON,
    LABEL,
    SIMULATED,
    Adjudicated,
    Answered,
    Assigned,
    Changed,
    InviteCreated,
    InviteRevoked,
    Joined,
    PersonErased,
    Practised,
    QuotaFilled,
    Released,
    Renewed,
    ResultsSeen,
    ScreenedOut,
    StudyClosed,
    StudyCreated,
    StudyPaused,
    StudyResumed,
    Withdrew,
)
from umnist_core.labeling.fact import Fact
from umnist_core.labeling.factors import groups_of
from umnist_core.labeling.log import Event
from umnist_core.labeling.practice import PracticeImage
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.recruits import LinkNamed, Recruited, Recruits
from umnist_core.labeling.study_key import is_guessable
from umnist_core.labeling.times import later

QUOTA_FULL = "quota_full"
WITHDRAWN = "withdrawn"
SCREENED_OUT = "screened_out"
"""Outcomes that are recorded; all of them are in `umnist_core.labeling.people`."""

SIMULATION_AGENT = "umnist simulation"
"""What simulated people call their browser, by which those of older stores are known."""

PRESENCE_MINUTES = 60
"""Somebody at work is there for so long after the last sign of it, or for a shorter lease."""


@dataclass
class Invite:
    """A link. ``pool`` None: the one in need; ``annotator`` None: whoever opens it is new."""

    id: str
    token_hash: str
    pool: str | None
    annotator: str | None
    expires_utc: str | None
    created_utc: str
    is_open: bool
    origin: str = INVITED_PERSON
    is_revoked: bool = False


@dataclass(frozen=True)
class Given:
    """An answer that was taken in; ``seq`` names its event."""

    key: str
    seq: int
    time_utc: str
    answer: int
    confidence: int | None
    digits: tuple[int, ...] | None
    boxes: tuple[Mapping[str, Any], ...] | None = None


@dataclass
class Assignment:
    """An image for a person. ``slot`` is the place that its answer fills; None for a repeat.

    One that was released can be given to the same person again, or be answered late.
    """

    id: str
    annotator: str
    stimulus: str
    position: int
    kind: str
    slot: int | None
    lease_until_utc: str
    assigned_utc: str
    is_released: bool = False
    is_counted: bool = False
    given: list[Given] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether an answer is still waited for."""
        return not self.given and not self.is_released


@dataclass
class Annotator:
    """A person, by an opaque id.

    Attributes
    ----------
    origin
        Whose data, one of `ORIGINS`.
    outcome
        The outcome that was recorded; None where it follows from the rest of the state.
    present_until_utc, present_since
        Until when the person counts as being at work, and the event with which that began.
    labelled, done
        Images that the person has answered, repetitions left out; answers, those included.
    asked
        How far the person is with what is asked beside images.
    """

    id: str
    pool: str
    seed: int
    joined_utc: str
    origin: str = INVITED_PERSON
    outcome: str | None = None
    present_until_utc: str = ""
    present_since: int = 0
    is_consented: bool = False
    has_begun: bool = False
    is_revoked: bool = False
    practised: dict[str, int] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    labelled: set[str] = field(default_factory=set)
    done: int = 0
    assignments: list[Assignment] = field(default_factory=list)

    @property
    def answered(self) -> list[Assignment]:
        """Assignments that have an answer, in the order of their positions."""
        return [one for one in self.assignments if one.given]


@dataclass
class Slot:
    """A place for one answer: who holds it, and whether it is filled."""

    holder: Assignment | None = None
    is_filled: bool = False

    def is_free(self, now_utc: str) -> bool:
        """Whether it can be given to somebody at a time."""
        if self.is_filled:
            return False
        return self.holder is None or self.holder.lease_until_utc <= now_utc


class StudyState(AskedState):
    """A study at the moment after its last event.

    Attributes
    ----------
    head
        Last event.
    status
        ``"open"``, ``"paused"`` or ``"closed"``.
    unfilled
        Pool -> image -> places that no label fills, of the images that have any.
    holding
        Pool -> assignment -> the same, of those that hold a place or held it last.
    groups
        Images of each cell; nothing without factors.
    levels
        Images of each size, of an adaptive study; else nothing.
    has_key
        Whether images and orders were drawn from a secret key of the study's own.
    is_guessable
        As `is_guessable` returns.
    rulings
        Image -> what was settled of its label last, of those that something is settled of.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.head: Event | None = None
        self.spec: StudySpec
        self.created_utc = ""
        self.status = "open"
        self.has_key = False
        self.is_guessable = False
        self.stimuli: tuple[str, ...] = ()
        self.practice: tuple[PracticeImage, ...] = ()
        self.sizes: dict[str, tuple[int, int]] = {}
        self.sides_px = (0, 0)
        self.suffixes: dict[str, str] = {}
        self.versions: Mapping[str, Any] = {}
        self.glyphs: Mapping[str, Any] = {}
        self.annotators: dict[str, Annotator] = {}
        self.invites: dict[str, Invite] = {}
        self.assignments: dict[str, Assignment] = {}
        self.keys: dict[str, Assignment] = {}
        self.slots: dict[str, dict[str, list[Slot]]] = {}
        self.unfilled: dict[str, dict[str, int]] = {}
        self.holding: dict[str, dict[str, Assignment]] = {}
        self.recruits = Recruits()
        self.rulings: dict[str, Adjudicated] = {}
        self.erased = 0
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take in the next event.

        Raises
        ------
        DamagedFileError
            If it is not the next one, or of a kind that this version does not know.
        """
        expected = self.head.seq + 1 if self.head else 1
        if event.seq != expected:
            raise DamagedFileError(
                f"Expected event {expected} of study {event.study}, found {event.seq}; run `umnist "
                "study verify`."
            )
        self.head = event
        if event.payload is None:  # erased with its person
            return
        known = FACTS.get(event.kind)
        if known is None:
            raise DamagedFileError(
                f"Study {event.study} has an event {event.kind[:40]!r} that this version does not "
                "know; update umnist."
            )
        CHANGES[known](self, event, known.read(event.payload))

    # -- the study ------------------------------------------------------------------

    def _created(self, event: Event, fact: StudyCreated) -> None:
        self.spec = StudySpec.from_log(fact.spec)
        self.created_utc = event.time_utc
        self._begin_consents(event)
        self.has_key = event.attachment_hash is not None
        self.is_guessable = is_guessable(event)
        self.stimuli = tuple(fact.stimuli)
        self.practice = tuple(
            PracticeImage(one["id"], one["label"], tuple(one["digits"])) for one in fact.practice
        )
        groups = groups_of(fact.cells or {})
        self.groups = () if self.spec.adaptive else groups
        self.levels = groups if self.spec.adaptive else ()
        self.sizes = {name: (height, width) for name, (height, width) in fact.sizes.items()}
        sides_px = [side_px for size in self.sizes.values() for side_px in size]
        self.sides_px = (min(sides_px, default=0), max(sides_px, default=0))
        self.suffixes = dict(fact.suffixes)
        self.versions = fact.versions
        self.glyphs = fact.glyphs
        self.slots = {
            pool: {
                stimulus: [Slot() for _ in range(self.spec.labels_per_image)]
                for stimulus in self.stimuli
            }
            for pool in self.spec.pools
        }
        self.unfilled = {
            pool: dict.fromkeys(self.stimuli, self.spec.labels_per_image)
            for pool in self.spec.pools
        }
        self.holding = {pool: {} for pool in self.spec.pools}

    def _paused(self, event: Event, fact: StudyPaused) -> None:
        self.status = "paused"

    def _resumed(self, event: Event, fact: StudyResumed) -> None:
        self.status = "open"

    def _closed(self, event: Event, fact: StudyClosed) -> None:
        self.status = "closed"

    # -- people -----------------------------------------------------------------------

    def _invited(self, event: Event, fact: InviteCreated) -> None:
        self.invites[fact.invite] = Invite(
            id=fact.invite,
            token_hash=fact.token_hash,
            pool=fact.pool,
            annotator=fact.annotator,
            expires_utc=fact.expires_utc,
            created_utc=event.time_utc,
            is_open=fact.is_open,
            origin=fact.origin,
        )

    def _revoked(self, event: Event, fact: InviteRevoked) -> None:
        invite = self.invites.get(fact.invite)
        if invite is None:  # it went with its person
            return
        invite.is_revoked = True
        if invite.annotator in self.annotators:
            person = self.annotators[invite.annotator]
            person.is_revoked = True
            self._let_go(person)

    def _joined(self, event: Event, fact: Joined) -> None:
        one = Annotator(fact.annotator, fact.pool, fact.seed, event.time_utc, fact.origin)
        self.annotators[one.id] = one
        invite = self.invites.get(fact.invite)
        if invite is not None and not invite.is_open:
            invite.annotator = one.id

    def _practised(self, event: Event, fact: Practised) -> None:
        self.annotators[fact.annotator].practised.setdefault(fact.practice, fact.answer)

    def _filled(self, event: Event, fact: QuotaFilled) -> None:
        person = self.annotators[fact.annotator]
        person.outcome = QUOTA_FULL
        self._let_go(person)

    def _withdrew(self, event: Event, fact: Withdrew) -> None:
        person = self.annotators[fact.annotator]
        person.outcome = WITHDRAWN
        self._let_go(person)

    def _screened_out(self, event: Event, fact: ScreenedOut) -> None:
        person = self.annotators[fact.annotator]
        person.outcome = SCREENED_OUT
        self._let_go(person)

    def _let_go(self, person: Annotator) -> None:
        """Give the places back that somebody holds who answers no more."""
        for one in person.assignments:
            if one.is_open:
                self._give_back(one)

    def _erased(self, event: Event, fact: PersonErased) -> None:
        self.erased += 1

    # -- images and answers -----------------------------------------------------------

    def _assigned(self, event: Event, fact: Assigned) -> None:
        annotator = self.annotators[fact.annotator]
        one = Assignment(
            id=fact.assignment,
            annotator=annotator.id,
            stimulus=fact.stimulus,
            position=fact.position,
            kind=fact.kind,
            slot=fact.slot,
            lease_until_utc=fact.lease_until_utc,
            assigned_utc=event.time_utc,
        )
        self.assignments[one.id] = one
        annotator.assignments.append(one)
        self._take_place(one)
        self._stay(annotator, event, one.lease_until_utc)

    def _renewed(self, event: Event, fact: Renewed) -> None:
        one = self.assignments[fact.assignment]
        one.lease_until_utc = fact.lease_until_utc
        one.is_released = False
        self._leave_place(one)
        if fact.slot != AS_BEFORE:
            one.slot = fact.slot
        self._take_place(one)  # somebody else may have held it, and let it go, in between
        self._stay(self.annotators[one.annotator], event, one.lease_until_utc)

    def _released(self, event: Event, fact: Released) -> None:
        self._give_back(self.assignments[fact.assignment])

    def _give_back(self, one: Assignment) -> None:
        one.is_released = True
        self._leave_place(one)

    def _take_place(self, one: Assignment) -> None:
        if one.slot is None:
            return
        slot, holding = self.slot_of(one), self.holding[self.annotators[one.annotator].pool]
        if slot.holder is not None:
            holding.pop(slot.holder.id, None)
        slot.holder = holding[one.id] = one

    def _leave_place(self, one: Assignment) -> None:
        if one.slot is None:
            return
        slot = self.slot_of(one)
        if slot.holder is one and not slot.is_filled:
            slot.holder = None
            self.holding[self.annotators[one.annotator].pool].pop(one.id, None)

    def _answered(self, event: Event, fact: Answered) -> None:
        one = self.assignments[fact.assignment]
        person = self.annotators[one.annotator]
        self._take(event, fact)
        person.done += 1
        one.is_counted = fact.counted
        if one.slot is not None:
            self._leave_place(one)
            one.slot = fact.slot
        if one.kind == LABEL:
            person.labelled.add(one.stimulus)
        if one.is_counted and one.slot is not None:
            self._take_place(one)
            self._fill(person.pool, one)
        if fact.response["device"].get("user_agent") == SIMULATION_AGENT:
            person.origin = SIMULATED
        self._stay(person, event, later(event.time_utc, self.spec.lease_minutes))

    def _adjudicated(self, event: Event, fact: Adjudicated) -> None:
        if fact.answer is None:
            self.rulings.pop(fact.stimulus, None)
        else:
            self.rulings[fact.stimulus] = fact

    def _fill(self, pool: str, one: Assignment) -> None:
        self.slot_of(one).is_filled = True
        del self.holding[pool][one.id]
        unfilled = self.unfilled[pool]
        unfilled[one.stimulus] -= 1
        if unfilled[one.stimulus] == 0:
            del unfilled[one.stimulus]

    def _stay(self, person: Annotator, event: Event, until_utc: str) -> None:
        """Note a sign of somebody at work, who holds images until a time."""
        if person.present_until_utc <= event.time_utc:
            person.present_since = event.seq
        until = min(until_utc, later(event.time_utc, PRESENCE_MINUTES))
        person.present_until_utc = max(person.present_until_utc, until)

    def _take(self, event: Event, fact: Answered) -> None:
        one = self.assignments[fact.assignment]
        one.given.append(
            Given(
                key=fact.key,
                seq=event.seq,
                time_utc=event.time_utc,
                answer=fact.answer,
                confidence=fact.confidence,
                digits=None if fact.digits is None else tuple(fact.digits),
                boxes=None if fact.boxes is None else tuple(fact.boxes),
            )
        )
        self.keys[fact.key] = one

    # -- questions --------------------------------------------------------------------

    def slot_of(self, one: Assignment) -> Slot:
        """Return the place that an assignment's answer fills; not for repeats."""
        assert one.slot is not None
        return self.slots[self.annotators[one.annotator].pool][one.stimulus][one.slot]

    def holds(self, one: Assignment, now_utc: str) -> bool:
        """Return whether a place is kept for an open assignment."""
        if one.slot is None or not one.is_open:
            return False
        return self.slot_of(one).holder is one and one.lease_until_utc > now_utc

    def labels_in(self, pool: str) -> int:
        """Return how many places of a pool are filled."""
        places = len(self.stimuli) * self.spec.labels_per_image
        return places - sum(self.unfilled[pool].values())


CHANGES: Mapping[type[Fact], Callable[[StudyState, Event, Any], None]] = {
    StudyCreated: StudyState._created,
    StudyPaused: StudyState._paused,
    StudyResumed: StudyState._resumed,
    StudyClosed: StudyState._closed,
    ResultsSeen: lambda *_: None,  # the log alone keeps it
    InviteCreated: StudyState._invited,
    InviteRevoked: StudyState._revoked,
    Joined: StudyState._joined,
    Practised: StudyState._practised,
    QuotaFilled: StudyState._filled,
    Withdrew: StudyState._withdrew,
    ScreenedOut: StudyState._screened_out,
    PersonErased: StudyState._erased,
    Recruited: lambda state, event, fact: state.recruits.take(event, fact),
    LinkNamed: lambda state, event, fact: state.recruits.name(fact),
    Assigned: StudyState._assigned,
    Renewed: StudyState._renewed,
    Released: StudyState._released,
    Answered: StudyState._answered,
    Changed: StudyState._take,
    Adjudicated: StudyState._adjudicated,
    **ASKED_CHANGES,
}
"""What follows from each kind of event."""
