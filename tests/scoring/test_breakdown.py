"""Breakdowns count what they say, and agree with the whole."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest

from tests.scoring.tables import label, labels_of, simulated_labels
from umnist_core.scoring import (
    accuracy_by,
    accuracy_by_annotator,
    accuracy_by_bin,
    annotator_interval,
    calibration,
    calibration_summary,
    confusion,
    response_times,
    self_consistency,
    wilson,
)
from umnist_core.scoring.breakdown import CONFIDENCE_EDGES, SMALLEST_SIDE_EDGES_PX

LABELS = simulated_labels()


def _row(table: pd.DataFrame, **wanted: object) -> pd.Series:
    chosen = table
    for column, value in wanted.items():
        chosen = chosen[chosen[column] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_accuracy_by_a_column_is_that_of_its_rows() -> None:
    """Both intervals are those of the labels with this value in this pool."""
    own = LABELS[(LABELS["pool"] == "guided") & (LABELS["n_digits"] == 4)]
    row = _row(accuracy_by(LABELS, "n_digits"), pool="guided", n_digits=4)
    interval = annotator_interval(own["correct"], own["annotator"])
    assert (row["labels"], row["accuracy"]) == (len(own), own["correct"].mean())
    assert (row["low"], row["high"]) == (interval.low, interval.high)
    assert row["wilson_low"] == wilson(own["correct"].sum(), len(own)).low


def test_bins_hold_every_label_once() -> None:
    """28 px is in the bin that begins at 28 px; pools add up to all."""
    table = accuracy_by_bin(LABELS, "smallest_side_px", SMALLEST_SIDE_EDGES_PX)
    assert table.groupby("pool")["labels"].sum().to_dict() == {
        "all": 1980,
        "guided": 990,
        "unguided": 990,
    }
    edge = labels_of(label("a", "i", smallest_side_px=28))
    row = _row(accuracy_by_bin(edge, "smallest_side_px", SMALLEST_SIDE_EDGES_PX), pool="all")
    assert (row["from"], row["below"]) == (28, 56)


def test_each_annotator_has_a_row() -> None:
    """66 people of 30 labels, with Wilson's interval alone."""
    table = accuracy_by_annotator(LABELS)
    assert len(table) == 66
    assert (table["labels"] == 30).all()
    assert table["correct"].sum() == LABELS["correct"].sum()
    assert "low" not in table


def test_response_times_are_quartiles_of_those_that_are_known() -> None:
    """1 to 5 s and one that was not measured."""
    rows = [label("a", f"i{n}", response_ms=1000.0 * n) for n in range(1, 6)]
    labels = labels_of(*rows, label("a", "j", response_ms=np.nan))
    row = _row(response_times(labels), pool="unguided", time="response_ms")
    assert row[["labels", "q1_ms", "median_ms", "q3_ms"]].tolist() == [5, 2000, 3000, 4000]
    assert isnan(_row(response_times(labels), pool="guided", time="idle_ms")["median_ms"])


def test_confusion_counts_answers_by_truth() -> None:
    """Rows are truths; the diagonal is what was correct."""
    found = confusion(labels_of(label("a", "i"), label("a", "j", 9), label("b", "i", 9)))
    assert found.shape == (28, 28)
    assert (found.loc[8, 8], found.loc[8, 9], found.to_numpy().sum()) == (1, 2, 3)


def test_self_consistency_compares_repeats_with_first_answers() -> None:
    """The same wrong answer twice agrees; the repeat of an image without a first does not count."""
    labels = labels_of(
        label("a", "i", 9),
        label("a", "i", 9, kind="repeat"),
        label("a", "j", 8),
        label("a", "j", 7, kind="repeat"),
        label("b", "i", 8),
        label("b", "i", 8, kind="repeat"),
        label("b", "j", 8, kind="repeat"),
    )
    row = _row(self_consistency(labels), pool="unguided")
    assert (row["pairs"], row["same"], row["annotators"]) == (3, 2, 2)
    assert row["agreement"] == pytest.approx(2 / 3)
    assert row["first_accuracy"] == pytest.approx(2 / 3)
    assert row["repeat_accuracy"] == pytest.approx(1 / 3)
    assert row["wilson_low"] == pytest.approx(wilson(2, 3).low)
    assert accuracy_by(labels, "truth")["labels"].tolist() == [3, 3]


def test_calibration_bins_hold_all_confidences() -> None:
    """0 and 100 included; labels without a confidence are left out."""
    rows = [label("a", f"i{n}", 8 if n > 40 else 9, confidence=n) for n in range(0, 101, 10)]
    labels = labels_of(*rows, label("a", "j"))
    own = calibration(labels).query("pool == 'unguided'")
    assert own["labels"].tolist() == [2, 2, 2, 2, 3]
    assert own["accuracy"].tolist() == [0, 0, 0.5, 1, 1]
    assert own["mean_confidence"].tolist() == pytest.approx([0.05, 0.25, 0.45, 0.65, 0.9])
    assert len(own) == len(CONFIDENCE_EDGES) - 1


def test_calibration_summary_says_how_far_people_are_off() -> None:
    """Sure and wrong once, sure and right once: overconfident by a half, Brier a half."""
    labels = labels_of(label("a", "i", 9, confidence=100.0), label("a", "j", confidence=100.0))
    row = _row(calibration_summary(labels), pool="unguided")
    assert row[["mean_confidence", "accuracy", "overconfidence", "brier"]].tolist() == [
        1.0,
        0.5,
        0.5,
        0.5,
    ]
