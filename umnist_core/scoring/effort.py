"""Effort apart from error: digits that never were legible on the screen of who answered.

A digit counts as legible by `looking.LEGIBLE_PX` and `looking.LEAST_DWELL_MS`. What was not could
not be read, so a sum that lacks it says how far somebody searched and not how well they read. And
a sum that has it all the same was guessed, or was known from elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd

from .intervals import LEVEL, wilson
from .looking import LEAST_DWELL_MS
from .tables import LABEL, POOLS, key_columns

SEEN, GUESSED, MISSED, MIXED = "seen", "guessed", "missed", "mixed"
EFFORTS = (SEEN, GUESSED, MISSED, MIXED)
"""Of an answer: every digit was legible; right although one never was; wrong by just such digits,
which is effort and not error; wrong otherwise, and one never was."""

LEGIBLE, UNSEEN = "legible", "unseen"
"""Of a digit: it was legible; it never was, and was not answered. `GUESSED`: it never was, and was
answered."""

COLUMNS = ("pool", "effort", "labels", "correct", "of", "share", "low", "high")


def digit_efforts(labels: pd.DataFrame, digits: pd.DataFrame) -> pd.Series[Any]:
    """Return `LEGIBLE`, `GUESSED` or `UNSEEN` of each digit; None without a trace.

    Where digits were reported, a digit that never was legible is guessed if there is a report of
    its class that no legible one accounts for; where not, if the sum is right.

    Parameters
    ----------
    labels, digits
        As docs/statistics.md lists them; digits with ``dwell_ms``.

    Returns
    -------
    Series
        Indexed as ``digits``.
    """
    found = pd.Series(None, index=digits.index, dtype=object)
    if digits.empty:
        return found
    keys = key_columns(labels, digits)
    by_key = {_key(row[:-2]): row[-2:] for row in _rows(labels, keys)}
    for key, own in digits.groupby(keys, sort=False):
        dwell_ms = own["dwell_ms"].to_numpy(float)
        if np.isnan(dwell_ms).any() or _key(key) not in by_key:
            continue
        is_right, reported = by_key[_key(key)]
        is_legible = dwell_ms >= LEAST_DWELL_MS
        found[own.index] = _of_digits(own["digit_class"].tolist(), is_legible, is_right, reported)
    return found


def _rows(labels: pd.DataFrame, keys: list[str]) -> Iterator[tuple[Any, ...]]:
    reported = labels.get("digits_reported", pd.Series(None, index=labels.index, dtype=object))
    right = labels["answer"] == labels["truth"]
    columns = [labels[name] for name in keys]
    yield from zip(*columns, right, reported, strict=True)


def _key(key: Any) -> tuple[Any, ...]:
    return tuple(key) if isinstance(key, tuple | list) else (key,)


def _of_digits(
    classes: list[Any], is_legible: np.ndarray[Any, Any], is_right: bool, reported: Any
) -> list[str]:
    asked = isinstance(reported, list | tuple | np.ndarray)
    left = Counter(int(one) for one in reported) if asked else Counter()
    left.subtract(int(one) for one in compress(classes, is_legible))
    marks = []
    for one, legible in zip(classes, is_legible, strict=True):
        if legible:
            marks.append(LEGIBLE)
        elif left[int(one)] > 0 if asked else is_right:
            left[int(one)] -= 1
            marks.append(GUESSED)
        else:
            marks.append(UNSEEN)
    return marks


def label_efforts(labels: pd.DataFrame, digits: pd.DataFrame) -> pd.Series[Any]:
    """Return the effort of each answer, one of `EFFORTS`; None where it is not known.

    Parameters
    ----------
    labels, digits
        As of `digit_efforts`.

    Returns
    -------
    Series
        Indexed as ``labels``.
    """
    found = pd.Series(None, index=labels.index, dtype=object)
    if digits.empty or "dwell_ms" not in digits:
        return found
    keys = key_columns(labels, digits)
    groups = {_key(key): own for key, own in digits.groupby(keys, sort=False)}
    rows = zip(*(labels[name] for name in (*keys, "answer", "truth")), strict=True)
    marks = []
    for *key, answer, truth in rows:
        own = groups.get(_key(key))
        marks.append(None if own is None else _of_label(own, int(answer), int(truth)))
    return pd.Series(marks, index=labels.index, dtype=object)


def _of_label(digits: pd.DataFrame, answer: int, truth: int) -> str | None:
    dwell_ms = digits["dwell_ms"].to_numpy(float)
    if np.isnan(dwell_ms).any():
        return None
    never = digits["digit_class"].to_numpy(int)[dwell_ms < LEAST_DWELL_MS]
    if not len(never):
        return SEEN
    if answer == truth:
        return GUESSED
    sums = {0}
    for one in never.tolist():
        sums |= {known + one for known in sums}
    return MISSED if truth - answer in sums else MIXED


def effort_table(labels: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return first answers by their effort.

    Parameters
    ----------
    labels
        With ``effort``, of `label_efforts`, and ``correct``.

    Returns
    -------
    DataFrame
        A row for each pool, and ``all``, and each of `EFFORTS`: ``labels`` of it, how many are
        ``correct``, labels whose effort is known (``of``), ``share`` of them, and Wilson's ``low``
        and ``high``. No rows where no effort is known.
    """
    rows: list[tuple[Any, ...]] = []
    if "effort" in labels:
        known = labels[(labels["kind"] == LABEL) & labels["effort"].isin(EFFORTS)]
        for pool in (*POOLS, "all") if len(known) else ():
            own = known if pool == "all" else known[known["pool"] == pool]
            for effort in EFFORTS:
                these = own[own["effort"] == effort]
                share = wilson(len(these), len(own), level)
                right = int(these["correct"].to_numpy(bool).sum())
                figures = (share.estimate, share.low, share.high)
                rows.append((pool, effort, len(these), right, len(own), *figures))
    return pd.DataFrame(rows, columns=list(COLUMNS))
