"""Why answers were wrong: a digit not looked at, misread, or only misadded.

A wrong answer is, in this order,

``misadded``
    if the digits that the annotator reported are the true ones, each as often as it is there;
``unknown``
    if there is no trace;
``not_looked_at``
    if some digit was never on screen, at a legible size, for the least time;
``misread``
    if all digits were, and the reported ones are not the true ones; a digit that was overlooked
    though it was on screen is among these, and so is noise that was taken for a digit;
``misread_or_misadded``
    if all digits were, and nobody asked which digits were seen.

The reported digits come before the trace, because to name all digits correctly is better
evidence for having seen them than a screen size is against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .intervals import LEVEL, WILSON, wilson
from .looking import LEAST_DWELL_MS, LEGIBLE_PX, SENSITIVITY_PX, dwell_column
from .tables import LABEL, POOLS, check_labels, key_columns

REASONS = ("not_looked_at", "misread", "misadded", "misread_or_misadded", "unknown")

SENSITIVITY_MS = (100.0, 200.0, 500.0)
"""Least dwells that the thresholds are varied over, ms."""

WHAT_A_TRACE_SHOWS = (
    "A trace shows what was on the screen, not where the eyes were: a digit that is counted as "
    "not looked at was hardly ever legible there, one that is counted as looked at could have been "
    "read but may still have been overlooked."
)


@dataclass(frozen=True, eq=False)
class WhyWrong:
    """Wrong answers by reason, and how far the reasons can be trusted.

    Attributes
    ----------
    counts
        One row for each pool, and ``all``, and each of `REASONS`: ``pool``, ``reason``,
        ``labels``, ``wrong`` (all wrong answers of the pool), ``share`` of them, ``low`` and
        ``high`` (Wilson's, which assumes independent answers).
    sensitivity
        `sensitivity` over sizes and dwells.
    sentences
        What it says in words, and with what certainty.
    """

    counts: pd.DataFrame
    sensitivity: pd.DataFrame
    sentences: tuple[str, ...]


def why_wrong(labels: pd.DataFrame, digits: pd.DataFrame, level: float = LEVEL) -> WhyWrong:
    """Return why first answers were wrong.

    Parameters
    ----------
    labels, digits
        As docs/statistics.md lists them; digits with the columns of `looking.add_looks`. Without
        these, or without a row for a label, its reason is ``unknown`` or ``misadded``.

    Raises
    ------
    ScoringInputError
        As `tables.check_labels`.
    """
    first = _first_answers(labels)
    reasons = classify(first, digits)
    rows: list[tuple[Any, ...]] = []
    for pool in (*POOLS, "all"):
        own = reasons if pool == "all" else reasons[first["pool"] == pool]
        wrong = int(own.notna().sum())
        for reason in REASONS:
            count = int((own == reason).sum())
            share = wilson(count, wrong, level)
            rows.append((pool, reason, count, wrong, share.estimate, share.low, share.high))
    columns = ["pool", "reason", "labels", "wrong", "share", "low", "high"]
    counts = pd.DataFrame(rows, columns=columns)
    return WhyWrong(counts, sensitivity(first, digits), _sentences(first, digits, reasons))


def classify(
    labels: pd.DataFrame,
    digits: pd.DataFrame,
    *,
    dwell: str = "dwell_ms",
    least_ms: float = LEAST_DWELL_MS,
) -> pd.Series[Any]:
    """Return the reason of each wrong answer; None for correct ones.

    Parameters
    ----------
    labels
        Of `tables.check_labels`.
    dwell
        Column of ``digits`` with the dwell at the size that counts as legible.
    least_ms
        Least dwell for a digit to count as looked at, ms.

    Returns
    -------
    Series
        Indexed as ``labels``, of `REASONS` and None.
    """
    facts = _facts(labels, digits, dwell)
    reasons = np.full(len(labels), None, dtype=object)
    wrong = ~labels["correct"].to_numpy(bool)
    asked = labels["digits_reported"].map(_is_list).to_numpy(bool)
    unseen = facts["least_dwell"].to_numpy(float) < least_ms  # NaN, no trace, is not below
    traced = facts["least_dwell"].notna().to_numpy(bool)
    right = asked & _reported_right(labels, facts)
    reasons[wrong & ~asked] = "misread_or_misadded"
    reasons[wrong & asked] = "misread"
    reasons[wrong & unseen] = "not_looked_at"
    reasons[wrong & ~traced] = "unknown"
    reasons[wrong & right] = "misadded"
    return pd.Series(reasons, index=labels.index, dtype=object)


def sensitivity(
    labels: pd.DataFrame,
    digits: pd.DataFrame,
    sizes_px: Sequence[float] = SENSITIVITY_PX,
    dwells_ms: Sequence[float] = SENSITIVITY_MS,
) -> pd.DataFrame:
    """Return how often a digit counts as not looked at under other thresholds.

    Correct answers are the control: who is right has seen all digits, or was lucky. Thresholds
    that leave many correct answers with a digit not looked at are too strict.

    Returns
    -------
    DataFrame
        ``legible_px``, ``least_ms``, ``wrong`` and ``correct`` (answers with a trace), and
        ``wrong_unseen`` and ``correct_unseen``: how many of them have a digit not looked at.
        No rows if the digits have no dwell.
    """
    columns = ["legible_px", "least_ms", "wrong", "wrong_unseen", "correct", "correct_unseen"]
    rows: list[tuple[float, float, int, int, int, int]] = []
    marks = labels["correct"].to_numpy(bool)
    for size in (size for size in sizes_px if dwell_column(size) in digits):
        least = _facts(labels, digits, dwell_column(size))["least_dwell"].to_numpy(float)
        traced = ~np.isnan(least)
        for ms in dwells_ms:
            counts = [
                int(chosen.sum())
                for kind in (~marks, marks)
                for chosen in (kind & traced, kind & (least < ms))
            ]
            rows.append((float(size), ms, counts[0], counts[1], counts[2], counts[3]))
    return pd.DataFrame(rows, columns=columns)


def _first_answers(labels: pd.DataFrame) -> pd.DataFrame:
    whole = check_labels(labels)
    return whole[whole["kind"] == LABEL].reset_index(drop=True)


def _facts(labels: pd.DataFrame, digits: pd.DataFrame, dwell: str) -> pd.DataFrame:
    """Return, for each label, the least dwell of its digits (NaN: no trace) and its digits."""
    keys = key_columns(labels, digits)
    known = [name for name in (*keys, "digit_class") if name in digits]
    if digits.empty or len(known) <= len(keys):
        nothing = {"least_dwell": np.nan, "classes": None}
        return pd.DataFrame(nothing, index=labels.index)
    times = digits[dwell] if dwell in digits else pd.Series(np.nan, index=digits.index)
    table = digits[known].assign(time=times.astype(float))
    groups = table.groupby(keys, sort=False)
    facts = pd.DataFrame(
        {
            "least_dwell": groups["time"].min().where(groups["time"].count() == groups.size()),
            "classes": groups["digit_class"].apply(_multiset),
        }
    )
    return labels[keys].join(facts, on=keys)[["least_dwell", "classes"]]


def _multiset(digits: Iterable[Any]) -> tuple[int, ...]:
    return tuple(sorted(int(digit) for digit in digits))


def _is_list(reported: object) -> bool:
    return isinstance(reported, list | tuple | np.ndarray)


def _reported_right(labels: pd.DataFrame, facts: pd.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
    pairs = zip(labels["digits_reported"], facts["classes"], strict=True)
    return np.array(
        [_is_list(given) and _multiset(given) == true for given, true in pairs],
        dtype=bool,
    )


def _sentences(
    labels: pd.DataFrame, digits: pd.DataFrame, reasons: pd.Series[Any]
) -> tuple[str, ...]:
    wrong = int(reasons.notna().sum())
    if not wrong:
        return ("There are no wrong answers to explain.",)
    unseen, unknown = int((reasons == "not_looked_at").sum()), int((reasons == "unknown").sum())
    share = wilson(unseen, wrong)
    said = [
        f"Of {wrong} wrong answers, {unseen} ({_percent(share.estimate)}, {_percent(share.low)} to "
        f"{_percent(share.high)}; {WILSON}) missed a digit that was never {LEGIBLE_PX:g} px large "
        f"on screen for {LEAST_DWELL_MS:g} ms.",
        WHAT_A_TRACE_SHOWS,
    ]
    least = _facts(labels, digits, "dwell_ms")["least_dwell"].to_numpy(float)
    right = labels["correct"].to_numpy(bool) & ~np.isnan(least)
    if right.any():
        rate = float((least[right] < LEAST_DWELL_MS).mean())
        said.append(
            f"By the same rule {_percent(rate)} of {int(right.sum())} correct answers have a digit "
            "that was not looked at; these were guessed, or the rule is too strict for them."
        )
    if unknown:
        said.append(f"{unknown} wrong answers have no trace, so their reason is unknown.")
    if (reasons == "misread_or_misadded").any():
        said.append("Where digits were not asked for, misread and misadded cannot be told apart.")
    return tuple(said)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
