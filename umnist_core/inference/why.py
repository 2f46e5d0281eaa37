"""Why an answer to a generated image is wrong: which digit was not seen, misread or misadded.

The reasons and their order are those of people's answers (`umnist_core.scoring.reasons`). What
stands there for a trace is what a model chose to look at, or the digits that it found; what it
found is matched to the true digits as in evaluation (`umnist_core.training.found`). Of a model that
names no digits and chooses no places nobody knows more than how large each was at its input and how
much attention it got, and no more is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from umnist_core.attention import ChosenPlaces, MapComparison
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.inference.looked import as_looked, chosen_places, compare_tasks, truth_masks
from umnist_core.inference.prediction import SUM, Looked, TaskAnswer
from umnist_core.inference.sight import SeenImage
from umnist_core.inference.wrong import (
    MISADDED,
    MISREAD,
    MISREAD_OR_MISADDED,
    NO_DIGIT,
    NOT_LOOKED_AT,
    PART,
    READ_AS,
    THERE,
    UNKNOWN,
    UNSEEN,
    Ends,
    SeenDigit,
    Why,
    WrongDigit,
)
from umnist_core.models.base import FoundDigit, ModelOutput
from umnist_core.models.views import MOST_PX
from umnist_core.pyramid import TileSource, encode_png
from umnist_core.scenes import Digit, Scene
from umnist_core.training.found import LEAST_OVERLAP, intersection_over_union

SAID = 3
"""So many digits are named in the sentence; the others are counted."""

LISTED = 8
"""So many digits are listed, with pictures."""

_OUTSIDE = 128
"""Grey of what is beyond the image, in pictures."""


@dataclass(frozen=True)
class Looking:
    """What is known of how a model came to its answers to a generated image.

    Attributes
    ----------
    scene
        The truth.
    answers
        To all tasks.
    found
        The digits that it named; None of models that name none.
    chosen
        On what the places are that it chose; None of models that choose none.
    compared
        Attention to each task against the truth; None where there is none.
    """

    scene: Scene
    answers: Sequence[TaskAnswer]
    found: Sequence[FoundDigit] | None
    chosen: ChosenPlaces | None
    compared: Mapping[str, MapComparison] | None


@dataclass(frozen=True)
class Judged:
    """An answer against the truth, each of it None where that is not known.

    Attributes
    ----------
    looked, chosen, why
        As of `umnist_core.inference.prediction.Prediction`.
    """

    looked: Mapping[str, Looked] | None = None
    chosen: ChosenPlaces | None = None
    why: Why | None = None


def judge(sight: SeenImage, output: ModelOutput, answers: Sequence[TaskAnswer]) -> Judged:
    """Return what the truth says of an answer and of where the model looked.

    Parameters
    ----------
    sight, output
        The image, and what the model gave for it alone.
    answers
        To all tasks.
    """
    if sight.scene is None:
        return Judged()
    attention = None if output.attention is None else output.attention[0]
    rounds = output.rounds[0] if output.rounds else ()
    masks = truth_masks(sight.scene, sight.image)
    compared = compare_tasks(attention, masks)
    chosen = chosen_places(attention, rounds, masks, sight.source)
    found = None if output.found is None else output.found[0]
    looking = Looking(sight.scene, answers, found, chosen, compared)
    return Judged(as_looked(attention, compared), chosen, explain(looking, sight))


def reason_of(
    reported: Sequence[int] | None, true: Sequence[int], *, is_traced: bool, is_unseen: bool
) -> str:
    """Return why one wrong answer is wrong; for many, see `umnist_core.scoring.classify`.

    Parameters
    ----------
    reported
        Classes of the digits that were named; None where none are.
    true
        Those that are there.
    is_traced
        Whether it is known what was looked at.
    is_unseen
        Whether some digit was not.
    """
    if reported is not None and sorted(reported) == sorted(true):
        return MISADDED
    if not is_traced:
        return UNKNOWN
    if is_unseen:
        return NOT_LOOKED_AT
    return MISREAD if reported is not None else MISREAD_OR_MISADDED


def explain(looking: Looking, sight: SeenImage) -> Why | None:
    """Return why the first wrong answer is wrong; None where none is.

    Parameters
    ----------
    looking
        What is known.
    sight
        From which digits are shown.
    """
    wrong = next((one for one in looking.answers if one.is_right is False), None)
    if wrong is None:
        return None
    why = _explained(looking, wrong)
    shown = [replace(one, how=_how(sight, one.box)) for one in why.digits[:LISTED]]
    if why.reason == UNKNOWN:
        why = replace(why, sentence=_unknown_sentence(shown))
    return replace(why, digits=tuple(shown))


def _explained(looking: Looking, wrong: TaskAnswer) -> Why:
    if looking.found is not None:
        return _of_finder(looking.scene.digits, looking.found, wrong)
    digits, needle = looking.scene.digits, _needle(looking.scene)
    if wrong.name == "needle" and needle is not None:
        digits = tuple(one for one in digits if one.label == needle)
        if not digits:
            sentence = f"There is no {needle}; it took something else for one."
            return Why(wrong.name, MISREAD, sentence, ())
    if looking.chosen is not None:
        return _of_chooser(looking, digits, wrong)
    return Why(wrong.name, UNKNOWN, "", _by_size(_facts(looking, digits, wrong.name)))


def _needle(scene: Scene) -> int | None:
    return None if scene.added is None else scene.added.needle


# -- models that name digits ------------------------------------------------------------


def match_digits(digits: Sequence[Digit], found: Sequence[FoundDigit]) -> dict[int, int]:
    """Return which digit of a scene is which that was found, by their places in both lists.

    Boxes that share half of their common area belong together, those with the right class
    before others, and those that share most before those that share less.
    """
    pairs = [
        (one.label == digit.label, intersection_over_union(digit.box, one), place, other)
        for place, digit in enumerate(digits)
        for other, one in enumerate(found)
    ]
    matched: dict[int, int] = {}
    for _, overlap, place, other in sorted(pairs, key=lambda pair: (not pair[0], -pair[1])):
        if overlap >= LEAST_OVERLAP and place not in matched and other not in matched.values():
            matched[place] = other
    return matched


def _of_finder(digits: Sequence[Digit], found: Sequence[FoundDigit], wrong: TaskAnswer) -> Why:
    matched = match_digits(digits, found)
    missed = [digit for place, digit in enumerate(digits) if place not in matched]
    reason = reason_of(
        [one.label for one in found],
        [digit.label for digit in digits],
        is_traced=True,
        is_unseen=bool(missed),
    )
    if reason == MISADDED:
        said = f"It read all {len(digits)} digits right"
        if wrong.name == SUM and wrong.truth is not None:
            said += f" and answered {wrong.answer[0]}, not their sum of {wrong.truth[0]}"
        return Why(wrong.name, reason, f"{said}.", ())
    facts = [WrongDigit(UNSEEN, one.label, None, _ends(one), "missed") for one in missed]
    for place, other in matched.items():
        digit, one = digits[place], found[other]
        if digit.label != one.label:
            words = f"read as {_a(one.label)}"
            facts.append(WrongDigit(READ_AS, digit.label, one.label, _ends(digit), words))
    strange = [one for other, one in enumerate(found) if other not in matched.values()]
    facts += [_of_strange(one, digits) for one in strange]
    return Why(wrong.name, reason, f"It {_listed(map(_clause, facts))}.", tuple(facts))


def _of_strange(one: FoundDigit, digits: Sequence[Digit]) -> WrongDigit:
    """Return what is said of a found digit that is none."""
    box = (one.row, one.col, one.row + one.height_px, one.col + one.width_px)
    under = next((digit for digit in digits if _share_within(box, digit.box) >= 0.5), None)
    if under is None:
        return WrongDigit(NO_DIGIT, None, one.label, box, f"taken for {_a(one.label)}")
    return WrongDigit(PART, under.label, one.label, box, f"taken for {_a(one.label)}")


def _share_within(box: Ends, other: Box) -> float:
    rows = min(box[2], other.row1) - max(box[0], other.row0)
    cols = min(box[3], other.col1) - max(box[1], other.col0)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, rows) * max(0.0, cols) / area if area > 0 else 0.0


def _clause(fact: WrongDigit) -> str:
    """Return what the model did with a digit, to follow after "It"."""
    if fact.kind == UNSEEN:
        return f"missed {_named(fact)}"
    read = _a(fact.read if fact.read is not None else 0)
    if fact.kind == READ_AS:
        return f"read {_named(fact)} as {read}"
    return f"took {fact.name} for {read}"


# -- models that choose places ----------------------------------------------------------


def _of_chooser(looking: Looking, digits: Sequence[Digit], wrong: TaskAnswer) -> Why:
    assert looking.chosen is not None
    shares = dict(zip(looking.scene.digits, looking.chosen.ink_by_digit, strict=True))
    facts = []
    for fact, digit in zip(_facts(looking, digits, wrong.name), digits, strict=True):
        share = shares[digit]
        said = f"{_percent(share)} of its ink in the patches that it chose"
        kind, words = (THERE, f"{said}; {fact.words}") if share else (UNSEEN, "in no chosen patch")
        facts.append(replace(fact, kind=kind, words=words.removesuffix("; ")))
    unseen = [one for one in facts if one.kind == UNSEEN]
    # Which classes are there, where a task asks for them: all that is reported of digits.
    named = next((one for one in looking.answers if one.is_multi and one.is_right is False), None)
    reported = None if named is None else named.answer
    true = sorted({digit.label for digit in digits})
    reason = reason_of(reported, true, is_traced=True, is_unseen=bool(unseen))
    count = looking.chosen.count
    if unseen:
        which = _listed(map(_named, unseen))
        sentence = f"None of the {count} patches that it chose lies on {which}."
        return Why(wrong.name, reason, sentence, _by_size(unseen))
    every = "the one digit" if len(digits) == 1 else f"all {len(digits)} digits"
    sentence = f"Patches that it chose lie on {every}, so {_rest(wrong, reported, true)}."
    order = sorted(range(len(facts)), key=lambda place: shares[digits[place]])
    listed = [facts[place] for place in order]
    # Where it is known which classes it overlooked, those alone are of interest.
    overlooked = [one for one in listed if reported is not None and one.label not in reported]
    return Why(wrong.name, reason, sentence, tuple(overlooked or listed))


def _rest(wrong: TaskAnswer, reported: Sequence[int] | None, true: Sequence[int]) -> str:
    """Return what is left to be wrong where every digit was looked at."""
    if reported is None:
        rest = "misadded" if wrong.name == SUM else "answered wrongly from them"
        return f"it misread one or {rest}"
    extra = [_a(one) for one in reported if one not in true]
    missing = [f"no {one}" for one in true if one not in reported]
    return f"it misread them: it says that there is {_listed(iter(extra + missing))}"


# -- models of which no more is known ---------------------------------------------------


def _facts(looking: Looking, digits: Sequence[Digit], task: str) -> list[WrongDigit]:
    """Return the digits with how much attention each got."""
    compared = (looking.compared or {}).get(task)
    facts = []
    for digit in digits:
        words = ""
        if compared is not None:
            place = looking.scene.digits.index(digit)
            chance = compared.chance_by_digit[place]
            if chance:
                words = f"attention {times_text(compared.mass_by_digit[place] / chance)} chance"
        facts.append(WrongDigit(THERE, digit.label, None, _ends(digit), words))
    return facts


def _unknown_sentence(shown: Sequence[WrongDigit]) -> str:
    """Return what is known where a model names no digits: how large the smallest one was."""
    said = "It names no digits, so which one it misread is not known"
    smallest = shown[0].how if shown else None
    if smallest is None:
        return f"{said}."
    size = (
        f"{smallest.input_px:.1f} px" if smallest.input_px < 10 else f"{smallest.input_px:.0f} px"
    )
    which = "the smallest" if len(shown) > 1 else "the digit"
    return f"{said}; {which}, {_named(shown[0])}, is {size} at its input."


def _by_size(facts: Sequence[WrongDigit]) -> tuple[WrongDigit, ...]:
    return tuple(sorted(facts, key=lambda one: one.side_px))


def times_text(times: float) -> str:
    """Return a ratio in words: ``12 times``, ``0.4 times``."""
    return f"{times:.0f} times" if times >= 9.95 else f"{float(f'{times:.1f}'):g} times"


# -- words ------------------------------------------------------------------------------


def _named(fact: WrongDigit) -> str:
    return f"the {fact.label} of {fact.side_px:.0f} px"


def _a(label: int) -> str:
    return f"an {label}" if label == 8 else f"a {label}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def _listed(parts: Iterator[str]) -> str:
    """Return parts as one list in words; of many the first few, and how many more there are."""
    every = list(parts)
    said = every if len(every) <= SAID + 1 else [*every[:SAID], f"{len(every) - SAID} more"]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _ends(digit: Digit) -> Ends:
    box = digit.box
    return float(box.row0), float(box.col0), float(box.row1), float(box.col1)


# -- pictures ---------------------------------------------------------------------------


def _how(sight: SeenImage, box: Ends) -> SeenDigit | None:
    view = sight.model.view_place(sight.batch, box)
    if view is None:
        return None
    real = crop_png(sight.source, view.canvas_box)
    return SeenDigit(view.input_px, view.words, encode_png(view.pixels), real)


def crop_png(source: TileSource, ends: Ends) -> bytes:
    """Return a part of an image as PNG, reduced by a power of two to at most `MOST_PX` a side.

    Parameters
    ----------
    source
        The image.
    ends
        row0, col0, row1, col1 in px; what is beyond the image is grey.
    """
    reduction = 1
    while max(ends[2] - ends[0], ends[3] - ends[1]) > MOST_PX * reduction:
        reduction *= 2
    first = [math.floor(one / reduction) for one in ends[:2]]
    last = [max(math.ceil(one / reduction), first[axis] + 1) for axis, one in enumerate(ends[2:])]
    sides = [reduced_size_px(side, reduction) for side in (source.height, source.width)]
    part = Box(first[0], first[1], last[0], last[1])
    inside = part.intersection(Box(0, 0, sides[0], sides[1]))
    if inside.is_empty:
        return encode_png(np.full((part.height, part.width), _OUTSIDE, np.uint8))
    pixels = source.read_region(inside, reduction)
    picture = np.full((part.height, part.width, *pixels.shape[2:]), _OUTSIDE, np.uint8)
    picture[inside.shifted(-part.row0, -part.col0).slices] = pixels
    return encode_png(picture)
