"""Which image a person sees next: a pure function of the study's state and a seed.

Images with the fewest answers come first, of those that nobody else at work needs
(`umnist_core.labeling.promises`); a person's own random order decides among them, and nothing
else enters, so any choice can be made again from the log. In an adaptive study the size is
chosen before that, from the person's answers and the sums of the images
(`umnist_core.labeling.adaptive_choice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from umnist_core.labeling.adaptive_choice import of_level_asked
from umnist_core.labeling.events import LABEL, REPEAT
from umnist_core.labeling.factors import order_of_cells
from umnist_core.labeling.promises import find_options
from umnist_core.labeling.state import Annotator, Assignment, StudyState
from umnist_core.seeds import draw_int

NO_SUMS: Mapping[str, int] = MappingProxyType({})

REPEAT_DISTANCE = 5
"""Trials between an image and its repetition, at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What to show: the image, and the place that its answer would fill.

    ``again`` is the person's own assignment of it where they had it before and let it go.
    """

    stimulus: str
    kind: str
    slot: int | None
    again: Assignment | None = None


def choose_next(
    state: StudyState, annotator: Annotator, now_utc: str, sums: Mapping[str, int] = NO_SUMS
) -> Offer | None:
    """Return what a person sees next; None when there is nothing (left) for this person.

    Parameters
    ----------
    state
        The study.
    annotator
        The person, one of its.
    now_utc
        Reservations that end before are up for others.
    sums
        Image -> sum of its digits, of an adaptive study.
    """
    kept = [one for one in annotator.assignments if one.given or not one.is_released]
    trial = len(kept) + 1
    spec = state.spec
    if trial > spec.images_per_annotator + spec.repeats:
        return None
    rng = _rng(annotator, trial)
    labels_left = spec.images_per_annotator - sum(one.kind == LABEL for one in kept)
    if trial in _repeat_trials(state, annotator) or labels_left <= 0:
        repeat = _choose_repeat(kept, rng)
        if repeat is not None or labels_left <= 0:
            return repeat
    return _choose_label(state, annotator, now_utc, rng, sums)


def _choose_label(
    state: StudyState,
    annotator: Annotator,
    now_utc: str,
    rng: np.random.Generator,
    sums: Mapping[str, int],
) -> Offer | None:
    """Draw among the images of which the fewest places of the pool are taken."""
    open_now = {one.stimulus for one in annotator.assignments if one.is_open}
    found_options = find_options(state, annotator, now_utc)
    options = {name: count for name, count in found_options.items() if name not in open_now}
    if not options:
        return None
    if state.groups:
        options = _of_next_cell(state, annotator, options)
    if state.levels:
        options = of_level_asked(state, annotator, options, sums)
    most = max(options.values())
    found = sorted(name for name, count in options.items() if count == most)
    stimulus = found[draw_int(rng, 0, len(found) - 1)]
    again = [
        one
        for one in annotator.assignments
        if one.kind == LABEL and one.stimulus == stimulus and one.is_released and not one.given
    ]
    place = free_place(state, annotator.pool, stimulus, now_utc)
    return Offer(stimulus, LABEL, place, again[0] if again else None)


def _of_next_cell(
    state: StudyState, annotator: Annotator, options: dict[str, int]
) -> dict[str, int]:
    """Keep the images of the cell that is due: of those had least often, by the person's order."""
    kept = [
        one.stimulus
        for one in annotator.assignments
        if one.kind == LABEL and (one.given or not one.is_released)
    ]
    had = [len(names.intersection(kept)) for names in state.groups]
    people = [one.id for one in state.annotators.values() if one.pool == annotator.pool]
    order = order_of_cells(len(had), people.index(annotator.id), min(had))
    possible = [cell for cell in order if state.groups[cell] & options.keys()]
    due = min(possible, key=lambda cell: had[cell])
    return {name: count for name, count in options.items() if name in state.groups[due]}


def free_place(state: StudyState, pool: str, stimulus: str, now_utc: str) -> int | None:
    """Return the first place of an image that can be given to somebody; None if none can.

    One that nobody has left open, if there is any.
    """
    slots = state.slots[pool][stimulus]
    free = [place for place, slot in enumerate(slots) if slot.is_free(now_utc)]
    left_open = {
        place for place in free if (holder := slots[place].holder) is not None and holder.is_open
    }
    return min(free, key=lambda place: (place in left_open, place), default=None)


def _choose_repeat(kept: list[Assignment], rng: np.random.Generator) -> Offer | None:
    """Draw among the person's own images, those that are long enough ago if there are any."""
    repeated = {one.stimulus for one in kept if one.kind == REPEAT}
    own = [one for one in kept if one.kind == LABEL and one.given and one.stimulus not in repeated]
    long_ago = [one for one in own if len(kept) - kept.index(one) >= REPEAT_DISTANCE]
    candidates = sorted(one.stimulus for one in long_ago or own)
    if not candidates:
        return None
    return Offer(candidates[draw_int(rng, 0, len(candidates) - 1)], REPEAT, None)


def _repeat_trials(state: StudyState, annotator: Annotator) -> set[int]:
    """Return the numbers of a person's trials that repeat an image, all in the second half."""
    spec = state.spec
    total = spec.images_per_annotator + spec.repeats
    places = list(range(total // 2 + 1, total + 1))
    rng = _rng(annotator, 0)
    chosen = set()
    for _ in range(min(spec.repeats, len(places))):
        chosen.add(places.pop(draw_int(rng, 0, len(places) - 1)))
    return chosen


def _rng(annotator: Annotator, trial: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((annotator.seed, trial))))
