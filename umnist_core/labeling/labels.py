"""The labels that people gave to images without truth: what each said, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.events import Adjudicated
from umnist_core.labeling.people import is_labelled
from umnist_core.labeling.results import FoldedStudy
from umnist_core.scoring.consensus import (
    ADJUDICATED,
    OPEN,
    PROVENANCES,
    Consensus,
    LabelAgreement,
    MarkedBox,
    box_agreement,
    box_consensus,
    sum_agreement,
    sum_consensus,
)

AGREEMENT_SEED = 0
"""Of the images that intervals of agreement are drawn from, so that all get the same."""


@dataclass(frozen=True)
class SaidLabel:
    """What one person said of an image.

    Attributes
    ----------
    answer
        The sum.
    boxes
        Of its digits; None where they were not asked for.
    """

    answer: int
    boxes: tuple[MarkedBox, ...] | None = None


@dataclass(frozen=True)
class ImageLabel:
    """An image with what people said of it, and what its label is.

    Attributes
    ----------
    stimulus
        Its id.
    said
        Person -> what they said.
    consensus
        What that comes to.
    ruling
        What was settled; None where nothing was.
    """

    stimulus: str
    said: Mapping[str, SaidLabel]
    consensus: Consensus
    ruling: Adjudicated | None = None

    @property
    def provenance(self) -> str:
        """One of `PROVENANCES`."""
        return self.consensus.provenance if self.ruling is None else ADJUDICATED

    @property
    def is_settled(self) -> bool:
        """Whether there is a label."""
        return self.provenance != OPEN

    @property
    def answer(self) -> int | None:
        """The sum; None while it is open."""
        return self.consensus.answer if self.ruling is None else self.ruling.answer

    @property
    def boxes(self) -> tuple[MarkedBox, ...] | None:
        """Of the digits; None where sums alone are known, or it is open."""
        if self.ruling is None:
            return self.consensus.boxes if self.is_settled else None
        return marked(self.ruling.boxes)


def labels_of(folded: FoldedStudy) -> list[ImageLabel]:
    """Return every image of a study without truth, the most disputed first.

    Open images come before settled ones, and those that nobody labelled last.

    Raises
    ------
    InvalidValueError
        If the truth of its images is known.
    """
    if folded.state.spec.has_truth:
        raise InvalidValueError(
            f"The truth of the images of study {folded.study} is known, and their labels are that; "
            "labels are made of a study of images without truth (--no-truth)."
        )
    said = said_in(folded)
    images = [_image_label(folded, name, said.get(name, {})) for name in folded.state.stimuli]
    return sorted(images, key=_urgency)


def _urgency(one: ImageLabel) -> tuple[bool, bool, float, str]:
    is_open = one.consensus.provenance == OPEN
    return not one.said, not is_open, -one.consensus.dispute, one.stimulus


def _image_label(folded: FoldedStudy, name: str, said: Mapping[str, SaidLabel]) -> ImageLabel:
    drawn = {person: one.boxes for person, one in said.items() if one.boxes is not None}
    consensus = (
        box_consensus(drawn)
        if drawn
        else sum_consensus({person: one.answer for person, one in said.items()})
    )
    return ImageLabel(name, said, consensus, folded.state.rulings.get(name))


def said_in(folded: FoldedStudy) -> dict[str, dict[str, SaidLabel]]:
    """Return image -> person -> what they said last, of labels that count."""
    found: dict[str, dict[str, SaidLabel]] = {}
    for one in filter(is_labelled, folded.state.assignments.values()):
        fact = folded.answers[one.given[-1].seq]
        said = SaidLabel(fact.answer, marked(fact.boxes))
        found.setdefault(one.stimulus, {})[one.annotator] = said
    return {name: dict(sorted(people.items())) for name, people in found.items()}


def marked(boxes: Sequence[Mapping[str, Any]] | None) -> tuple[MarkedBox, ...] | None:
    """Return boxes as the log has them as those that are compared."""
    if boxes is None:
        return None
    return tuple(MarkedBox(**{name: one[name] for name in _SIDES}) for one in boxes)


def sent(boxes: Sequence[MarkedBox]) -> list[dict[str, Any]]:
    """Return boxes as an answer has them, their corners to a tenth of a px."""
    return [_sent(box) for box in boxes]


def _sent(box: MarkedBox) -> dict[str, Any]:
    # Corners are rounded and not lengths: a box at the edge of its image stays within.
    x, right = round(box.x, 1), round(box.x + box.width, 1)
    y, lower = round(box.y, 1), round(box.y + box.height, 1)
    sides = {"x": x, "y": y, "width": round(right - x, 1), "height": round(lower - y, 1)}
    return {"label": box.label, **sides}


_SIDES = ("label", "x", "y", "width", "height")


def agreement_of(labels: Sequence[ImageLabel]) -> LabelAgreement:
    """Return how far the people agree, whatever was settled after."""
    rng = np.random.default_rng(AGREEMENT_SEED)
    drawn = {
        one.stimulus: {person: said.boxes or () for person, said in one.said.items()}
        for one in labels
        if any(said.boxes is not None for said in one.said.values())
    }
    if drawn:
        return box_agreement(drawn, rng=rng)
    sums = {
        one.stimulus: {person: said.answer for person, said in one.said.items()} for one in labels
    }
    return sum_agreement({name: said for name, said in sums.items() if said}, rng=rng)


def provenance_counts(labels: Sequence[ImageLabel]) -> dict[str, int]:
    """Return how many images there are of each of `PROVENANCES`."""
    counts = Counter(one.provenance for one in labels)
    return {name: counts[name] for name in PROVENANCES}
