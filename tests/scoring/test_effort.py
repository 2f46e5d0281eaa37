"""Effort apart from error, the area that was seen, and the reading without excluded people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from umnist_core.scoring import Views, report
from umnist_core.scoring.area import deepest_zoom, seen_share, whole_zoom
from umnist_core.scoring.effort import digit_efforts, effort_table, label_efforts

LONG, SHORT = 500.0, 50.0


def tables(
    answer: int, *digits: tuple[int, float], reported: list[int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one label and its digits, each a class and how long it was legible, ms."""
    label = {
        "label_key": "a",
        "pool": "guided",
        "annotator": "p",
        "stimulus": "s",
        "kind": "label",
        "answer": answer,
        "truth": sum(one for one, _ in digits),
        "digits_reported": reported,
    }
    rows = [{"label_key": "a", "digit_class": one, "dwell_ms": ms} for one, ms in digits]
    return pd.DataFrame([label]), pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("answer", "digits", "expected"),
    [
        (9, [(4, LONG), (5, LONG)], "seen"),
        (8, [(4, LONG), (5, LONG)], "seen"),
        (9, [(4, LONG), (5, SHORT)], "guessed"),
        (4, [(4, LONG), (5, SHORT)], "missed"),
        (6, [(4, LONG), (5, SHORT), (2, SHORT)], "missed"),
        (3, [(4, LONG), (5, SHORT)], "mixed"),
        (3, [(4, LONG), (0, SHORT)], "mixed"),
        (4, [(4, LONG), (5, float("nan"))], None),
    ],
)
def test_effort_of_an_answer_follows_from_what_was_legible(
    answer: int, digits: list[tuple[int, float]], expected: str | None
) -> None:
    """Missed only where leaving out digits that never were legible gives the very sum."""
    assert label_efforts(*tables(answer, *digits)).tolist() == [expected]


@pytest.mark.parametrize(
    ("answer", "reported", "expected"),
    [
        (9, None, ["legible", "guessed"]),
        (4, None, ["legible", "unseen"]),
        (9, [4, 5], ["legible", "guessed"]),
        (9, [4], ["legible", "unseen"]),
    ],
)
def test_a_digit_that_never_was_legible_is_guessed_if_it_was_named(
    answer: int, reported: list[int] | None, expected: list[str]
) -> None:
    """Or, where digits were not asked for, if the sum is right."""
    given = tables(answer, (4, LONG), (5, SHORT), reported=reported)
    assert digit_efforts(*given).tolist() == expected


def test_a_named_digit_is_taken_for_the_legible_one_of_its_class() -> None:
    """Of two fives, one report accounts for the one that could be read."""
    labels, digits = tables(5, (5, SHORT), (5, LONG), reported=[5])
    assert digit_efforts(labels, digits).tolist() == ["unseen", "legible"]


def test_efforts_are_counted_by_pool() -> None:
    """With those that are right, out of all whose effort is known."""
    labels = pd.DataFrame(
        {
            "pool": ["guided"] * 3,
            "kind": ["label"] * 3,
            "correct": [True, False, True],
            "effort": ["seen", "seen", None],
        }
    )
    row = effort_table(labels).query("pool == 'guided' and effort == 'seen'").iloc[0]
    assert (row["labels"], row["correct"], row["of"], row["share"]) == (2, 1, 2, 1.0)


def part(*samples: tuple[float, float, float], end_ms: float) -> list[dict[str, Any]]:
    """Return a trace of views of 400 x 400 CSS px: begin in ms, zoom, and column of the centre."""
    rows = [
        {"t": t, "x": x, "y": 200, "zoom": zoom, "w": 400, "h": 400, "visible": True}
        for t, zoom, x in samples
    ]
    return [{"samples": rows, "end_ms": end_ms}]


def test_area_is_seen_at_a_legible_zoom_for_long_enough() -> None:
    """Half of the image at zoom 2 counts, the whole at zoom 1 does not, nor does a glance."""
    views = Views.from_parts(part((0, 1, 200), (500, 2, 100), (900, 4, 350), end_ms=1000))
    assert seen_share(views, (400, 400), 2) == pytest.approx(0.25, abs=0.02)
    assert seen_share(views, (400, 400), 1) == 1.0
    assert seen_share(views, (400, 400), 4) == 0.0
    assert deepest_zoom(views) == 2.0
    assert whole_zoom(views, (800, 400)) == 0.5


def test_two_glances_at_one_place_are_a_look() -> None:
    """Time adds up over views, as it does for a digit."""
    views = Views.from_parts(part((0, 2, 100), (150, 1, 200), (900, 2, 100), end_ms=1050))
    assert seen_share(views, (400, 400), 2) == pytest.approx(0.25, abs=0.02)


def _labels(people: int, each: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {
            "pool": ("unguided", "guided")[person % 2],
            "annotator": f"p{person}",
            "stimulus": f"s{image}",
            "kind": "label",
            "answer": 5 if rng.random() < 0.6 else 6,
            "truth": 5,
        }
        for person in range(people)
        for image in range(each)
    ]
    return pd.DataFrame(rows)


def test_second_reading_is_the_report_of_those_who_are_left() -> None:
    """Pools, ICC and difference equal those of a study in which the excluded never were."""
    labels = _labels(10, 12)
    out = labels["annotator"].isin(["p0", "p1"])
    made = report(
        labels.assign(excluded=out), pd.DataFrame(), rng=np.random.default_rng(0), permutations=99
    )
    kept = report(
        labels[~out].reset_index(drop=True),
        pd.DataFrame(),
        rng=np.random.default_rng(0),
        permutations=99,
    )
    other = made.without_excluded
    assert other is not None
    assert (other.people, other.labels) == (2, 24)
    assert other.pools == kept.pools
    assert other.difference.paired == kept.difference.paired
    assert other.clustering == kept.clustering
    assert sum(pool.labels for pool in made.pools) == len(labels)


def test_without_anybody_excluded_there_is_no_second_reading() -> None:
    """Neither where nobody was judged nor where nobody was caught."""
    labels = _labels(4, 6)
    for given in (labels, labels.assign(excluded=False)):
        made = report(given, pd.DataFrame(), rng=np.random.default_rng(0), permutations=99)
        assert made.without_excluded is None
