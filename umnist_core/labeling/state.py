"""What a study is at a moment: the fold of its events, in memory.

`StudyState.apply` is the only place in which a state changes, and it takes every event as
a fact: whether something may happen is decided before it is logged
(`umnist_core.labeling.service`). A new kind of event gets a constant, a method here, and,
where the database must guard it, an entry in `claims_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from umnist_core.errors import DamagedFileError
from umnist_core.labeling.log import Claims, Event
from umnist_core.labeling.records import StudySpec

CREATED = "study_created"
PAUSED = "study_paused"
RESUMED = "study_resumed"
CLOSED = "study_closed"
INVITED = "invite_created"
REVOKED = "invite_revoked"
JOINED = "joined"
CONSENTED = "consented"
BEGAN = "began"
PRACTISED = "practised"
ASSIGNED = "assigned"
RENEWED = "renewed"
RELEASED = "released"
ANSWERED = "answered"
CHANGED = "changed"
ERASED = "person_erased"

LABEL = "label"
REPEAT = "repeat"


@dataclass(frozen=True)
class PracticeImage:
    """An image to practise on, with its answer.

    Attributes
    ----------
    id
        Names its frozen file.
    label
        Sum of the digits.
    digits
        ``label``, ``row``, ``col`` and ``side_px`` of each; empty where only the sum is known.
    """

    id: str
    label: int
    digits: tuple[Mapping[str, int], ...]


@dataclass
class Invite:
    """A link. ``pool`` None: the smaller one; ``annotator`` None: whoever opens it is new."""

    id: str
    token_hash: str
    pool: str | None
    annotator: str | None
    expires_utc: str | None
    created_utc: str
    is_open: bool
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


@dataclass
class Assignment:
    """An image for a person. ``slot`` is the place that its answer fills; None for a repeat."""

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
    """A person, by an opaque id."""

    id: str
    pool: str
    seed: int
    joined_utc: str
    is_consented: bool = False
    has_begun: bool = False
    is_revoked: bool = False
    practised: dict[str, int] = field(default_factory=dict)
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


class StudyState:
    """A study at the moment after its last event.

    Attributes
    ----------
    head
        Last event.
    status
        ``"open"``, ``"paused"`` or ``"closed"``.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.head: Event | None = None
        self.spec: StudySpec
        self.created_utc = ""
        self.status = "open"
        self.stimuli: tuple[str, ...] = ()
        self.practice: tuple[PracticeImage, ...] = ()
        self.sizes: dict[str, tuple[int, int]] = {}
        self.suffixes: dict[str, str] = {}
        self.versions: Mapping[str, Any] = {}
        self.glyphs: Mapping[str, Any] = {}
        self.annotators: dict[str, Annotator] = {}
        self.invites: dict[str, Invite] = {}
        self.assignments: dict[str, Assignment] = {}
        self.keys: dict[str, Assignment] = {}
        self.slots: dict[str, dict[str, list[Slot]]] = {}
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
        change = _CHANGES.get(event.kind)
        if change is None:
            raise DamagedFileError(
                f"Study {event.study} has an event {event.kind[:40]!r} that this version does not "
                "know; update umnist."
            )
        change(self, event, event.payload)

    # -- the study ------------------------------------------------------------------

    def _created(self, event: Event, data: Mapping[str, Any]) -> None:
        self.spec = StudySpec.from_dict(data["spec"])
        self.created_utc = event.time_utc
        self.stimuli = tuple(data["stimuli"])
        self.practice = tuple(
            PracticeImage(one["id"], one["label"], tuple(one["digits"])) for one in data["practice"]
        )
        self.sizes = {name: (height, width) for name, (height, width) in data["sizes"].items()}
        self.suffixes = dict(data["suffixes"])
        self.versions = data["versions"]
        self.glyphs = data["glyphs"]
        self.slots = {
            pool: {
                stimulus: [Slot() for _ in range(self.spec.labels_per_image)]
                for stimulus in self.stimuli
            }
            for pool in self.spec.pools
        }

    def _paused(self, event: Event, data: Mapping[str, Any]) -> None:
        self.status = "paused"

    def _resumed(self, event: Event, data: Mapping[str, Any]) -> None:
        self.status = "open"

    def _closed(self, event: Event, data: Mapping[str, Any]) -> None:
        self.status = "closed"

    # -- people -----------------------------------------------------------------------

    def _invited(self, event: Event, data: Mapping[str, Any]) -> None:
        self.invites[data["invite"]] = Invite(
            id=data["invite"],
            token_hash=data["token_hash"],
            pool=data["pool"],
            annotator=data["annotator"],
            expires_utc=data["expires_utc"],
            created_utc=event.time_utc,
            is_open=data["is_open"],
        )

    def _revoked(self, event: Event, data: Mapping[str, Any]) -> None:
        invite = self.invites.get(data["invite"])
        if invite is None:  # it went with its person
            return
        invite.is_revoked = True
        if invite.annotator in self.annotators:
            self.annotators[invite.annotator].is_revoked = True

    def _joined(self, event: Event, data: Mapping[str, Any]) -> None:
        one = Annotator(data["annotator"], data["pool"], data["seed"], event.time_utc)
        self.annotators[one.id] = one
        invite = self.invites.get(data["invite"])
        if invite is not None and not invite.is_open:
            invite.annotator = one.id

    def _consented(self, event: Event, data: Mapping[str, Any]) -> None:
        self.annotators[data["annotator"]].is_consented = True

    def _began(self, event: Event, data: Mapping[str, Any]) -> None:
        self.annotators[data["annotator"]].has_begun = True

    def _practised(self, event: Event, data: Mapping[str, Any]) -> None:
        self.annotators[data["annotator"]].practised.setdefault(data["practice"], data["answer"])

    def _erased(self, event: Event, data: Mapping[str, Any]) -> None:
        self.erased += 1

    # -- images and answers -----------------------------------------------------------

    def _assigned(self, event: Event, data: Mapping[str, Any]) -> None:
        annotator = self.annotators[data["annotator"]]
        one = Assignment(
            id=data["assignment"],
            annotator=annotator.id,
            stimulus=data["stimulus"],
            position=data["position"],
            kind=data["kind"],
            slot=data["slot"],
            lease_until_utc=data["lease_until_utc"],
            assigned_utc=event.time_utc,
        )
        self.assignments[one.id] = one
        annotator.assignments.append(one)
        if one.slot is not None:
            self.slots[annotator.pool][one.stimulus][one.slot].holder = one

    def _renewed(self, event: Event, data: Mapping[str, Any]) -> None:
        one = self.assignments[data["assignment"]]
        one.lease_until_utc = data["lease_until_utc"]
        if one.slot is not None:  # somebody else may have held it, and let it go, in between
            self.slot_of(one).holder = one

    def _released(self, event: Event, data: Mapping[str, Any]) -> None:
        self.assignments[data["assignment"]].is_released = True

    def _answered(self, event: Event, data: Mapping[str, Any]) -> None:
        one = self.assignments[data["assignment"]]
        self._take(event, data)
        one.is_counted = data["counted"]
        if one.is_counted and one.slot is not None:
            slot = self.slot_of(one)
            slot.holder, slot.is_filled = one, True

    def _take(self, event: Event, data: Mapping[str, Any]) -> None:
        one = self.assignments[data["assignment"]]
        digits = data["digits"]
        one.given.append(
            Given(
                key=data["key"],
                seq=event.seq,
                time_utc=event.time_utc,
                answer=data["answer"],
                confidence=data["confidence"],
                digits=None if digits is None else tuple(digits),
            )
        )
        self.keys[data["key"]] = one

    # -- questions --------------------------------------------------------------------

    def slot_of(self, one: Assignment) -> Slot:
        """Return the place that an assignment's answer fills; not for repeats."""
        assert one.slot is not None
        return self.slots[self.annotators[one.annotator].pool][one.stimulus][one.slot]

    def labels_in(self, pool: str) -> int:
        """Return how many places of a pool are filled."""
        return sum(slot.is_filled for slots in self.slots[pool].values() for slot in slots)


_CHANGES = {
    CREATED: StudyState._created,
    PAUSED: StudyState._paused,
    RESUMED: StudyState._resumed,
    CLOSED: StudyState._closed,
    INVITED: StudyState._invited,
    REVOKED: StudyState._revoked,
    JOINED: StudyState._joined,
    CONSENTED: StudyState._consented,
    BEGAN: StudyState._began,
    PRACTISED: StudyState._practised,
    ASSIGNED: StudyState._assigned,
    RENEWED: StudyState._renewed,
    RELEASED: StudyState._released,
    ANSWERED: StudyState._answered,
    CHANGED: StudyState._take,
    ERASED: StudyState._erased,
}


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
