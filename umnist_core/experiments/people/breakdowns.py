"""Accuracy of people and models on the same images, by what an image is like, and why it failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd

from umnist_core.experiments.people.data import ImageFacts, TrueDigit
from umnist_core.experiments.people.pairing import Paired
from umnist_core.experiments.people.predictions import FoundPlace, ModelAnswer
from umnist_core.scoring import REASONS, annotator_interval, classify, wilson
from umnist_core.scoring.breakdown import INK_SHARE_EDGES, SMALLEST_SIDE_EDGES_PX
from umnist_core.scoring.correct import is_correct

PEOPLE = "people"
"""Name of all people together."""

LEAST_ANSWERS = 3
"""Of a person in a row, for the person to count in the spread of persons."""

MOST_VALUES = 6
"""A figure of noise with more different values is cut into bins of about as many images."""

_BINS = 4
_LEAST_OVERLAP = 0.5
_EDGES: Mapping[str, Sequence[float]] = {
    "smallest_side_px": SMALLEST_SIDE_EDGES_PX,
    "ink_share": INK_SHARE_EDGES,
}

Row = dict[str, Any]


# -- accuracy -------------------------------------------------------------------------


def accuracy_rows(paired: Paired) -> Iterator[Row]:
    """Yield the accuracy of people and of each model: of all images, and by what they are like."""
    for by, value, ends, images in _parts(paired):
        low, high = ends
        place = {
            "by": by,
            "value": value,
            "from": low,
            "below": None if high is None or high == inf else high,
        }
        yield {**place, **_of_people(paired, images)}
        for model in paired.models:
            marks = [paired.is_right(model, image) for image in images]
            found = wilson(sum(marks), len(marks))
            yield {
                **place,
                "group": model,
                "answers": len(marks),
                "correct": sum(marks),
                "accuracy": found.estimate,
                "low": found.low,
                "high": found.high,
                "method": "Wilson",
                "spread": None,
            }


_Part = tuple[str, Any, tuple[float | None, float | None], list[str]]


def _parts(paired: Paired) -> Iterator[_Part]:
    """Yield what rows are by: name, value, edges of the bin, and the images in it."""
    yield "all", None, (None, None), list(paired.images)
    for figure in ("smallest_side_px", "n_digits", "ink_share", *paired.people.noise):
        yield from _parts_of_figure(paired.images, figure)
    for truth in sorted({one.truth for one in paired.images.values()}):
        own = [name for name, one in paired.images.items() if one.truth == truth]
        yield "truth", truth, (None, None), own
    for digit in range(10):
        own = [
            name
            for name, one in paired.images.items()
            if one.digits is not None and any(each.label == digit for each in one.digits)
        ]
        if own:
            yield "digit", digit, (None, None), own


def _parts_of_figure(images: Mapping[str, ImageFacts], figure: str) -> Iterator[_Part]:
    values = {name: one.figures[figure] for name, one in images.items() if figure in one.figures}
    different = sorted(set(values.values()))
    if len(different) < 2 and figure not in ("n_digits", "smallest_side_px"):
        return  # noise that is the same everywhere says nothing
    if figure not in _EDGES and len(different) <= MOST_VALUES:
        for value in different:
            shown = int(value) if value == int(value) else value
            own = [name for name, each in values.items() if each == value]
            yield figure, shown, (None, None), own
        return
    edges = _EDGES.get(figure) or _quantile_edges(list(values.values()))
    for low, high in pairwise(edges):
        own = [name for name, each in values.items() if low <= each < high]
        if own:
            yield figure, None, (low, high), own


def _quantile_edges(values: Sequence[float]) -> list[float]:
    inner = np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])
    if all(float(value).is_integer() for value in values):
        inner = np.ceil(inner)  # of counts, a bin begins with one
    return [float(min(values)), *dict.fromkeys(float(one) for one in inner), inf]


def _of_people(paired: Paired, images: Sequence[str]) -> Row:
    own = paired.answers[paired.answers["stimulus"].isin(set(images))]
    marks = own["correct"].to_numpy(bool)
    found = annotator_interval(marks, own["annotator"].to_numpy(object))
    method = found.method
    if not found.is_known:
        found = wilson(int(marks.sum()), len(marks))
        method = found.method
    return {
        "group": PEOPLE,
        "answers": len(marks),
        "correct": int(marks.sum()),
        "accuracy": found.estimate,
        "low": found.low,
        "high": found.high,
        "method": method,
        "spread": _spread(own),
    }


def _spread(answers: pd.DataFrame) -> Row | None:
    """Return how persons' accuracies are spread; None with fewer than two who answered enough."""
    groups = answers.groupby("annotator")["correct"]
    shares = groups.mean()[groups.size() >= LEAST_ANSWERS].to_numpy(float)
    if len(shares) < 2:
        return None
    ends = np.quantile(shares, (0, 0.25, 0.5, 0.75, 1))
    names = ("least", "q1", "median", "q3", "greatest")
    return {"persons": len(shares), **dict(zip(names, map(float, ends), strict=True))}


def rater_rows(paired: Paired) -> Iterator[Row]:
    """Yield how often each person and each model was right, with Wilson's interval."""
    marks = paired.marks
    pools = dict(zip(paired.answers["annotator"], paired.answers["pool"], strict=True))
    counts = zip(
        marks.asked.sum(axis=1).astype(int), marks.hits.sum(axis=1).astype(int), strict=True
    )
    for (asked, right), name, kind in zip(counts, marks.raters, marks.kinds, strict=True):
        found = wilson(int(right), int(asked))
        yield {
            "name": name,
            "kind": kind,
            "pool": pools.get(name),
            "answered": int(asked),
            "correct": int(right),
            "accuracy": found.estimate,
            "low": found.low,
            "high": found.high,
        }


# -- why ------------------------------------------------------------------------------


def reason_rows(paired: Paired) -> Iterator[Row]:
    """Yield why answers were wrong, of people together, of each person and of each model."""
    reasons = classify(paired.answers, paired.people.digits)
    yield from _reason_rows(PEOPLE, "people", list(reasons))
    for person, own in reasons.groupby(paired.answers["annotator"]):
        yield from _reason_rows(str(person), "person", list(own))
    for model, answers in paired.models.items():
        found = [find_reason(one, paired.images[image]) for image, one in answers.items()]
        yield from _reason_rows(model, "model", found)


def _reason_rows(name: str, kind: str, reasons: Sequence[str | None]) -> Iterator[Row]:
    wrong = sum(reason is not None for reason in reasons)
    for reason in REASONS:
        count = sum(one == reason for one in reasons)
        share = wilson(count, wrong)
        yield {
            "name": name,
            "kind": kind,
            "reason": reason,
            "answers": count,
            "wrong": wrong,
            "share": share.estimate if wrong else nan,
            "low": share.low,
            "high": share.high,
        }


def find_reason(answer: ModelAnswer, image: ImageFacts) -> str | None:
    """Return why a model's answer is wrong, in the words for people's; None if it is right.

    What stands for people's reported digits are those that the model found, and a digit of which
    it found nothing counts as not looked at: nobody knows whether it looked.
    """
    if is_correct(answer.said, image.truth):
        return None
    if answer.found is None or image.digits is None:
        return "unknown"
    labels = sorted(one.label for one in answer.found)
    if labels == sorted(one.label for one in image.digits):
        return "misadded"
    return "misread" if _has_all_places(image.digits, answer.found) else "not_looked_at"


def _has_all_places(digits: Sequence[TrueDigit], found: Sequence[FoundPlace]) -> bool:
    """Return whether something was found at each digit's place; one for each, the surest first."""
    free = list(range(len(digits)))
    for one in sorted(found, key=lambda place: -place.score):
        overlaps = {place: _overlap(digits[place].box, one.box) for place in free}
        best = max(overlaps, key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= _LEAST_OVERLAP:
            free.remove(best)
    return not free


_Ends = tuple[float, float, float, float]


def _overlap(first: _Ends, second: _Ends) -> float:
    """Return the common area of two boxes over the area that either covers."""
    rows = min(first[2], second[2]) - max(first[0], second[0])
    cols = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0.0, rows) * max(0.0, cols)
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (first, second)]
    either = sum(areas) - common
    return common / either if either > 0 else 0.0


def confusion_rows(paired: Paired) -> Iterator[Row]:
    """Yield how often each sum was given for each true one, of people and of each model."""
    pairs = zip(paired.answers["truth"], paired.answers["answer"], strict=True)
    yield {"name": PEOPLE, "cells": _cells((int(a), int(b)) for a, b in pairs)}
    for model, answers in paired.models.items():
        given = (
            (paired.images[image].truth, one.said)
            for image, one in answers.items()
            if one.said is not None
        )
        yield {"name": model, "cells": _cells(given)}


def _cells(pairs: Iterator[tuple[int, int]]) -> list[list[int]]:
    counts: dict[tuple[int, int], int] = {}
    for one in pairs:
        counts[one] = counts.get(one, 0) + 1
    return [[truth, answer, count] for (truth, answer), count in sorted(counts.items())]
