"""Why answers were wrong."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.scoring.tables import DIGITS, digits_of, label, labels_of, sample, trace
from umnist_core.scoring import REASONS, WhyWrong, add_looks, why_wrong

SEEN = trace(sample(0, 1514, 1014, 0.5), sample(300, 1514, 1014, 0.3), end_ms=1000)
"""All three digits 14 px large for 300 ms, then 8.4 px."""

SEEN_CLOSER = trace(*(sample(300 * x, 1014 + 500 * x, 1014, 2) for x in range(3)), end_ms=900)
"""Each digit 56 px large for 300 ms."""

MISSED = trace(*(sample(300 * x, 1014 + 500 * x, 1014, 2) for x in range(2)), end_ms=900)
"""The last digit never."""

GLIMPSED = trace(sample(0, 1514, 1014, 0.5), end_ms=150)
"""All of them, for 150 ms."""


def _why(reported: list[int] | None, parts: Any, answer: int = 9) -> WhyWrong:
    labels = labels_of(label("a", "i", answer, digits_reported=reported))
    traces = {} if parts is None else {"a/i/label": parts}
    return why_wrong(labels, add_looks(digits_of(labels), traces))


def _reasons(found: WhyWrong) -> dict[str, int]:
    own = found.counts[found.counts["pool"] == "all"]
    return {reason: n for reason, n in zip(own["reason"], own["labels"], strict=True) if n}


@pytest.mark.parametrize(
    ("reported", "parts", "reason"),
    [
        (None, SEEN_CLOSER, "misread_or_misadded"),
        (None, SEEN, "misread_or_misadded"),
        (None, MISSED, "not_looked_at"),
        (None, GLIMPSED, "not_looked_at"),
        ([3, 0, 6], SEEN, "misread"),
        ([3, 5], SEEN, "misread"),
        ([3, 5], MISSED, "not_looked_at"),
        ([5, 3, 0], SEEN, "misadded"),
        ([5, 3, 0], MISSED, "misadded"),
        ([5, 3, 0], None, "misadded"),
        ([5, 3, 0, 0], SEEN, "misread"),
        (None, None, "unknown"),
    ],
)
def test_wrong_answer_has_the_reason(reported: list[int] | None, parts: Any, reason: str) -> None:
    """Reported digits count as a multiset, and before the trace; no trace, no reason."""
    assert _reasons(_why(reported, parts)) == {reason: 1}


def test_correct_answers_have_no_reason() -> None:
    """Even if a digit was not looked at, or reported wrongly."""
    found = _why([1], MISSED, answer=sum(DIGITS))
    assert _reasons(found) == {}
    assert found.sentences == ("There are no wrong answers to explain.",)


def test_thresholds_can_be_varied() -> None:
    """Digits of 14 px for 300 ms are looked at up to 12 px and 200 ms, and not beyond."""
    table = _why(None, SEEN).sensitivity.set_index(["legible_px", "least_ms"])
    unseen = table["wrong_unseen"]
    assert unseen[12.0, 200.0] == 0
    assert unseen[12.0, 500.0] == unseen[16.0, 200.0] == 1
    assert unseen[8.0, 500.0] == 0
    assert (table["wrong"] == 1).all()


def test_correct_answers_are_the_control_of_the_rule() -> None:
    """Where correct answers also have digits not looked at, the sentences and the table say so."""
    labels = labels_of(label("a", "i", 9), label("a", "j", 8), label("b", "j", 8))
    traces = {"a/i/label": MISSED, "a/j/label": MISSED, "b/j/label": SEEN}
    found = why_wrong(labels, add_looks(digits_of(labels), traces))
    assert any("50.0 % of 2 correct answers" in sentence for sentence in found.sentences)
    row = found.sensitivity.query("legible_px == 12 and least_ms == 200")
    assert row[["correct", "correct_unseen"]].to_numpy().tolist() == [[2, 1]]


def test_shares_add_up_and_have_intervals() -> None:
    """In each pool every wrong answer has one reason; repeats are not counted."""
    labels = labels_of(
        label("a", "i", 9),
        label("a", "j", 9, digits_reported=[3, 5, 0]),
        label("b", "j", 9, pool="guided"),
        label("a", "i", 9, kind="repeat"),
    )
    counts = why_wrong(labels, add_looks(digits_of(labels), {"a/i/label": SEEN})).counts
    totals = counts.groupby("pool")["labels"].sum()
    assert totals.to_dict() == {"all": 3, "guided": 1, "unguided": 2}
    assert set(counts["reason"]) == set(REASONS)
    assert (counts["low"] <= counts["share"]).all()
    assert (counts["share"] <= counts["high"]).all()


def test_digits_are_found_without_a_key() -> None:
    """Tables without ``label_key`` are joined by annotator and stimulus."""
    labels = labels_of(label("a", "i", 9), label("b", "i", 9))
    digits = add_looks(digits_of(labels), {"a/i/label": MISSED, "b/i/label": SEEN})
    found = why_wrong(labels.drop(columns="label_key"), digits.drop(columns="label_key"))
    assert _reasons(found) == {"not_looked_at": 1, "misread_or_misadded": 1}


def test_answers_without_digits_have_unknown_reasons() -> None:
    """An empty table of digits is no crash."""
    labels = labels_of(label("a", "i", 9))
    assert _reasons(why_wrong(labels, pd.DataFrame())) == {"unknown": 1}
