"""Average precision of boxes that a model found, as COCO works it out.

Lin et al., "Microsoft COCO: Common Objects in Context", 2014, arXiv 1405.0312, and its
evaluation: found boxes of a class choose in the order of their scores, each the box of the truth
that it overlaps most and that is still free; precision is the most that is reached at a recall or
beyond, and its mean over 101 recalls from 0 to 1 is the average precision. The mean over classes
that the truth has, and over ten overlaps from 0.5 to 0.95, is COCO's main figure. Differs from it
in that areas are not told apart and all found boxes of an image count, not the first hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .consensus import MarkedBox
from .errors import ScoringInputError

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Intersections over union from which a box counts as found."""

RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class ScoredBox:
    """A box that was found, and how sure its finder is: the higher the surer."""

    box: MarkedBox
    score: float


@dataclass(frozen=True)
class BoxImage:
    """One image: what is in it, and what was found."""

    truth: Sequence[MarkedBox]
    found: Sequence[ScoredBox]


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision over classes, 0 to 1.

    Attributes
    ----------
    mean
        Over `OVERLAPS`.
    at_half
        At an overlap of 0.5.
    images, boxes
        How many there were, and boxes of the truth in them.
    """

    mean: float
    at_half: float
    images: int
    boxes: int


def average_precision(images: Sequence[BoxImage]) -> AveragePrecision:
    """Return how well boxes were found.

    Raises
    ------
    ScoringInputError
        If no image has a box.
    """
    classes = sorted({box.label for image in images for box in image.truth})
    if not classes:
        raise ScoringInputError(
            f"Expected images with boxes, found {len(images)} without any; average precision is "
            "of boxes that are there."
        )
    each = np.array(
        [[class_precision(images, one, least) for one in classes] for least in OVERLAPS]
    )
    boxes = sum(len(image.truth) for image in images)
    return AveragePrecision(float(each.mean()), float(each[0].mean()), len(images), boxes)


def class_precision(images: Sequence[BoxImage], label: int, least_iou: float) -> float:
    """Return the average precision of one class at one overlap, 0 to 1; the truth must have it."""
    wanted = 0
    scores: list[float] = []
    hits: list[bool] = []
    for image in images:
        truth = [box for box in image.truth if box.label == label]
        found = [one for one in image.found if one.box.label == label]
        found.sort(key=lambda one: -one.score)
        wanted += len(truth)
        scores += [one.score for one in found]
        hits += _hits(truth, [one.box for one in found], least_iou)
    order = np.argsort(-np.array(scores), kind="stable")
    return _area(np.array(hits, np.float64)[order], wanted)


def _hits(truth: Sequence[MarkedBox], found: Sequence[MarkedBox], least_iou: float) -> list[bool]:
    free = list(truth)
    hits = []
    for box in found:
        best = max(free, key=box.iou, default=None)
        is_hit = best is not None and box.iou(best) >= least_iou
        if best is not None and is_hit:
            free.remove(best)
        hits.append(is_hit)
    return hits


def _area(hits: NDArray[np.float64], wanted: int) -> float:
    """Return the mean precision over `RECALLS`, hits in the order of falling scores."""
    if not len(hits):
        return 0.0
    right = hits.cumsum()
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    at = np.searchsorted(right / wanted, RECALLS, side="left")
    return float(np.append(precision, 0.0)[at].mean())
