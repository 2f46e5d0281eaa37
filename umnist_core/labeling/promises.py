"""Which free places are needed for whom, so that everybody who has begun can finish.

Everybody who has begun is owed the rest of their images. A free place is given away only if
all people at work still get what they are owed of the places that are left; nobody gets an
image twice, so this is a question of who can take which, and not of numbers alone. Where
there is too little for all, who began earlier goes first; who comes, or comes back after
having been away, gets what is to spare. People who are away are last, and lose no place
needlessly: neither by a choice that could have been another, nor the image that they have
open.

It is a maximum flow from people through images to places. Only what follows from the flow's
value is used, never which of several flows was found, so that every choice can be made
again from the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from umnist_core.labeling.people import is_over
from umnist_core.labeling.state import Annotator, Assignment, StudyState


@dataclass(frozen=True)
class Seat:
    """Somebody who is owed images, none if ``wanted`` is 0 or less.

    Attributes
    ----------
    annotator
        Who it is.
    wanted
        How many images.
    barred
        Images that the person cannot be given: those that are answered or held.
    """

    annotator: str
    wanted: int
    barred: Set[str]


def find_options(state: StudyState, person: Annotator, now_utc: str) -> dict[str, int]:
    """Return image -> free places of the images that a person can be given now.

    None of them keeps somebody else from what they are owed, and none keeps the person from
    as many images as there can be for them. What others still have open, though their time
    is over, is among them only if there is nothing else.
    """
    holding = list(state.holding[person.pool].values())
    held = [one for one in holding if state.holds(one, now_utc)]
    free = _without(state.unfilled[person.pool], held)
    seats = _seats(state, person, now_utc, held)
    left_open = [
        one
        for one in holding
        if one.is_open and one.lease_until_utc <= now_utc and one.annotator != person.id
    ]
    if not state.groups:
        return _options(free, seats, left_open, person.id)
    return {
        name: count
        for names in state.groups
        for name, count in _options(
            {name: free[name] for name in names & free.keys()},
            [_of_cell(seat, names, len(state.groups)) for seat in seats],
            [one for one in left_open if one.stimulus in names],
            person.id,
        ).items()
    }


def _of_cell(seat: Seat, names: Set[str], cells: int) -> Seat:
    """Return what somebody is owed of one cell: of each as many."""
    each = (seat.wanted + len(seat.barred)) // cells
    return Seat(seat.annotator, each - len(seat.barred & names), seat.barred)


def _options(
    free: Mapping[str, int],
    seats: Sequence[Seat],
    left_open: Sequence[Assignment],
    annotator: str,
) -> dict[str, int]:
    """Return what `find_options` does, of some images."""
    names = _allowed(free, seats, annotator)
    if left_open and names:
        spared = _without(free, left_open)
        kept = [_keeping(seat, left_open) for seat in seats]
        names = (names & _allowed(spared, kept, annotator)) or names
        return {name: spared.get(name, free[name]) for name in names}
    return {name: free[name] for name in names}


def _seats(
    state: StudyState, person: Annotator, now_utc: str, held: Sequence[Assignment]
) -> list[Seat]:
    """Return what everybody of a pool who has begun is owed, the first first."""
    begun = [
        one
        for one in state.annotators.values()
        if one.pool == person.pool and one.present_since and not is_over(state, one)
    ]
    at_work = [one for one in begun if one.present_until_utc > now_utc]
    at_work.sort(key=lambda one: one.present_since)
    if person not in at_work:
        at_work.append(person)
    away = [one for one in begun if one not in at_work]
    holds: dict[str, set[str]] = defaultdict(set)
    for one in held:
        holds[one.annotator].add(one.stimulus)
    taken = [(one.id, one.labelled | holds[one.id]) for one in (*at_work, *away)]
    number = state.spec.images_per_annotator
    return [Seat(name, number - len(images), images) for name, images in taken]


def _without(places: Mapping[str, int], held: Sequence[Assignment]) -> dict[str, int]:
    """Return image -> places but for those that are held, of the images that have any."""
    left = dict(places)
    for one in held:
        left[one.stimulus] -= 1
        if left[one.stimulus] == 0:
            del left[one.stimulus]
    return left


def _keeping(seat: Seat, left_open: Sequence[Assignment]) -> Seat:
    """Return what somebody is owed beside what they have left open."""
    kept = {one.stimulus for one in left_open if one.annotator == seat.annotator}
    return Seat(seat.annotator, seat.wanted - len(kept), seat.barred | kept)


def _allowed(free: Mapping[str, int], seats: Sequence[Seat], annotator: str) -> Set[str]:
    own = next((seat for seat in seats if seat.annotator == annotator), None)
    if own is None or own.wanted <= 0 or free.keys() <= own.barred:
        return set()
    # With as many different images as all want together, nobody stands in another's way.
    total = sum(max(seat.wanted, 0) for seat in seats)
    if all(total <= len(free) - len(seat.barred & free.keys()) for seat in seats):
        return free.keys() - own.barred
    return Allocation(free, seats).options(own)


class Allocation:
    """Places given to people on paper, as many as can be, the first people first.

    Parameters
    ----------
    free
        Image -> places, 1 or more.
    seats
        Who is owed what, the first first.

    Attributes
    ----------
    given
        The images of each seat; one that got none is owed nothing.
    """

    def __init__(self, free: Mapping[str, int], seats: Sequence[Seat]) -> None:
        self._seats = seats
        self.given: list[set[str]] = []
        self._levels: list[list[str]] = [[] for _ in range(max(free.values(), default=0) + 1)]
        for name, count in free.items():
            self._levels[count].append(name)
        for seat in seats:
            self.given.append(set())
            self._take_fullest(seat)
            while len(self.given[-1]) < seat.wanted and self._augment():
                pass

    def options(self, own: Seat) -> Set[str]:
        """Return the images that one of the seats can have without anybody getting fewer."""
        index = self._seats.index(own)
        if not self.given[index]:
            return set()
        good = self._spare() | self.given[index]
        others = [one for one in range(len(self._seats)) if one != index]
        moved = True
        while moved:  # who can take a good image instead makes their own good
            movable = [one for one in others if self._can_take(one, good)]
            good |= {name for one in movable for name in self.given[one]}
            others = [one for one in others if one not in movable]
            moved = bool(movable)
        return good - own.barred

    def _take_fullest(self, seat: Seat) -> None:
        """Give a seat the images with the most places left, which keeps them even."""
        taken: list[tuple[str, int]] = []
        for level in range(len(self._levels) - 1, 0, -1):
            names, passed = self._levels[level], []
            while names and len(taken) < seat.wanted:
                name = names.pop()
                if name in seat.barred:
                    passed.append(name)
                else:
                    taken.append((name, level))
            names += passed
        for name, level in taken:
            self._levels[level - 1].append(name)
            self.given[-1].add(name)

    def _spare(self) -> set[str]:
        return {name for names in self._levels[1:] for name in names}

    def _can_take(self, index: int, names: Set[str]) -> bool:
        barred, given = self._seats[index].barred, self.given[index]
        return any(name not in barred and name not in given for name in names)

    def _augment(self) -> bool:
        """Give the last seat one image more, by letting others take other ones."""
        spare = self._spare()
        last = len(self.given) - 1
        came_by: dict[int, tuple[int, str]] = {}
        reached = [last]
        for taker in reached if spare else []:
            if self._can_take(taker, spare):
                self._move(taker, spare, came_by)
                return True
            for other, theirs in enumerate(self.given):
                if other == last or other in came_by:
                    continue
                wanted = theirs - self._seats[taker].barred - self.given[taker]
                if wanted:
                    came_by[other] = (taker, min(wanted))
                    reached.append(other)
        return False

    def _move(self, taker: int, spare: Set[str], came_by: Mapping[int, tuple[int, str]]) -> None:
        name = min(spare - self._seats[taker].barred - self.given[taker])
        level = next(at for at, names in enumerate(self._levels) if at and name in names)
        self._levels[level].remove(name)
        self._levels[level - 1].append(name)
        self.given[taker].add(name)
        while taker in came_by:
            before, left = came_by[taker]
            self.given[taker].remove(left)
            self.given[before].add(left)
            taker = before
