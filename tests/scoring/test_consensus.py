"""What several people's labels of one image come to, and how far they agree."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from umnist_core.scoring.consensus import (
    MAJORITY,
    OPEN,
    UNANIMOUS,
    MarkedBox,
    box_agreement,
    box_consensus,
    match_boxes,
    sum_agreement,
    sum_consensus,
)


def box(label: int, x: float, y: float = 0, side: float = 10) -> MarkedBox:
    """Return a square box."""
    return MarkedBox(label, x, y, side, side)


@pytest.mark.parametrize(
    ("sums", "provenance", "answer", "dispute"),
    [
        ((7, 7, 7), UNANIMOUS, 7, 0),
        ((7, 7, 8), MAJORITY, 7, 2 / 3),
        ((7, 8, 9), OPEN, None, 1),
        ((7, 7, 8, 8), OPEN, None, 4 / 6),
        ((7, 7, 8, 9), OPEN, None, 5 / 6),
        ((7,), UNANIMOUS, 7, 0),
        ((), OPEN, None, 0),
    ],
)
def test_sum_is_what_more_than_half_say(
    sums: tuple[int, ...], provenance: str, answer: int | None, dispute: float
) -> None:
    """A tie, and most votes that are no majority, leave it open."""
    found = sum_consensus({f"a{place}": one for place, one in enumerate(sums)})
    assert (found.provenance, found.answer, found.people) == (provenance, answer, len(sums))
    assert found.dispute == pytest.approx(dispute)


def test_overlap_is_the_shared_area_over_that_of_either() -> None:
    """Half a square beside another shares a third; those that touch share nothing."""
    assert box(1, 0).iou(box(1, 5)) == pytest.approx(1 / 3)
    assert box(1, 0).iou(box(1, 10)) == 0
    assert box(1, 3).iou(box(2, 3)) == 1


def test_clusters_do_not_depend_on_the_order_of_people() -> None:
    """Whoever is named first, the best pairs are joined first, one box a person."""
    boxes = {"a": [box(3, 0), box(5, 4)], "b": [box(3, 1)], "c": [box(3, 2), box(5, 60)]}
    found = [match_boxes({name: boxes[name] for name in order}) for order in permutations(boxes)]
    assert all(one == found[0] for one in found)
    assert [len(one) for one in found[0]] == [3, 1, 1]


def test_digit_is_there_if_more_than_half_drew_it() -> None:
    """What one of three drew is left out; sides are medians, and the name is the majority's."""
    found = box_consensus({"a": [box(3, 0), box(1, 80)], "b": [box(3, 1)], "c": [box(8, 3)]})
    assert (found.provenance, found.answer) == (MAJORITY, 3)
    assert found.boxes == (box(3, 1),)


@pytest.mark.parametrize(
    "boxes",
    [
        {"a": [box(3, 0)], "b": []},
        {"a": [box(3, 0)], "b": [box(8, 0)]},
        {"a": [box(1, 0)], "b": [box(2, 0)], "c": [box(3, 0)]},
    ],
)
def test_image_is_open_where_no_majority_decides(boxes: dict[str, list[MarkedBox]]) -> None:
    """Half drew it, or nobody's name for it has more than half."""
    found = box_consensus(boxes)
    assert (found.provenance, found.answer, found.boxes) == (OPEN, None, ())


def test_image_without_digits_is_a_label() -> None:
    """Everybody saw none: the sum is 0, and that is unanimous."""
    found = box_consensus({"a": [], "b": []})
    assert (found.provenance, found.answer, found.boxes, found.dispute) == (UNANIMOUS, 0, (), 0)


def test_agreement_of_boxes_counts_what_was_not_drawn() -> None:
    """One of three misses a digit and one misreads another; the boxes that match overlap by 2/3."""
    boxes = {
        "one": {"a": [box(1, 0)], "b": [box(1, 2)], "c": []},
        "two": {"a": [box(2, 0)], "b": [box(2, 0)], "c": [box(7, 0)]},
    }
    found = box_agreement(boxes, rng=np.random.default_rng(0), draws=0)
    assert found.mean_iou == pytest.approx((2 / 3 + 3) / 4)
    assert [(one.person, one.pairs, one.agreeing) for one in found.people] == [
        ("a", 4, 2),
        ("b", 4, 2),
        ("c", 4, 0),
    ]
    # Values 1 1 - and 2 2 7: in each unit 4 of 6 ordered pairs differ, and 26 of 30 over both.
    assert found.alphas[0].estimate == pytest.approx(1 - (4 / 6) / (26 / 30))


def test_agreement_of_sums_is_nominal_and_interval() -> None:
    """Who labelled an image alone says nothing of it, and a near miss counts less in intervals."""
    sums = {"one": {"a": 3, "b": 3}, "two": {"a": 9, "b": 8}, "three": {"c": 5}}
    found = sum_agreement(sums, rng=np.random.default_rng(0), draws=0)
    nominal, interval = found.alphas
    assert (nominal.metric, interval.metric) == ("nominal", "interval")
    assert interval.estimate > 0.9 > nominal.estimate
    assert [one.images for one in found.people] == [2, 2, 0]
    assert np.isnan(found.people[2].share)
