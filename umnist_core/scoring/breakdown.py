"""Accuracy and time by what an image is like, by who answered, and by how sure they were.

Every table is of first answers but `self_consistency`. Rows named ``all`` in ``pool`` are of both
pools. Accuracies have two intervals: ``low`` and ``high`` are `intervals.annotator_interval`,
NaN where it is undefined (one annotator, or all of the same accuracy), ``wilson_low`` and
``wilson_high`` assume independent answers. Intervals are for one row at a time: of twenty rows,
one is expected to miss its truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd

from .correct import SUMS
from .intervals import annotator_interval, wilson
from .tables import LABEL, POOLS, REPEAT

SMALLEST_SIDE_EDGES_PX = (0.0, 28.0, 56.0, 112.0, 224.0, inf)
"""Edges of the bins of the smallest digit's side; each bin holds its lower edge."""

INK_SHARE_EDGES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, inf)
"""Edges of the bins of ink share; about a sixth of released UltraMNIST's images are in each."""

CONFIDENCE_EDGES = (0.0, 20.0, 40.0, 60.0, 80.0, inf)
"""Edges of the bins of confidence, 0 to 100; the last holds 100."""

TIMES = ("response_ms", "active_ms", "idle_ms", "hidden_ms")

ACCURACY_COLUMNS = (
    "labels",
    "annotators",
    "correct",
    "accuracy",
    "low",
    "high",
    "wilson_low",
    "wilson_high",
)


def first_answers(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the counted labels without the repeats."""
    return labels[labels["kind"] == LABEL]


def by_pool(labels: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each pool's rows, and last ``all``."""
    for pool in POOLS:
        yield pool, labels[labels["pool"] == pool]
    yield "all", labels


def accuracy_columns(labels: pd.DataFrame) -> tuple[float, ...]:
    """Return the values of `ACCURACY_COLUMNS` for some labels."""
    marks = labels["correct"].to_numpy(bool)
    people = labels["annotator"].to_numpy(object)
    interval, independent = annotator_interval(marks, people), wilson(marks.sum(), len(marks))
    return (
        len(marks),
        len(set(people)),
        int(marks.sum()),
        independent.estimate,
        interval.low,
        interval.high,
        independent.low,
        independent.high,
    )


def accuracy_by(labels: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return accuracy for each pool and each value of a column that occurs.

    Parameters
    ----------
    labels
        Of `tables.check_labels`.
    column
        For example ``"n_digits"`` or ``"truth"``; rows without a value are left out.
    """
    rows: list[tuple[Any, ...]] = []
    for pool, own in by_pool(first_answers(labels)):
        for value, group in own.dropna(subset=[column]).groupby(column, sort=True):
            # A value that is missing elsewhere has made whole numbers floats.
            shown = round(value) if isinstance(value, float) and value % 1 == 0 else value
            rows.append((pool, shown, *accuracy_columns(group)))
    return pd.DataFrame(rows, columns=["pool", column, *ACCURACY_COLUMNS])


def accuracy_by_factor(labels: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy for each pool and each level of each factor.

    Parameters
    ----------
    labels
        Of `tables.check_labels`, with ``cell`` such as ``shape_pairs=5 zoom=2``; rows without one
        are left out.

    Returns
    -------
    DataFrame
        ``factor``, ``pool``, ``level`` (a number where all of the factor's are, else text), then
        `ACCURACY_COLUMNS`.
    """
    own = labels[labels["cell"].notna()]
    cells = [dict(part.split("=", 1) for part in cell.split()) for cell in own["cell"]]
    tables = []
    for name in dict.fromkeys(name for cell in cells for name in cell):
        levels = [cell.get(name) for cell in cells]
        numbers = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce")
        values = numbers if numbers.notna().all() else pd.Series(levels, dtype=object)
        found = accuracy_by(own.assign(level=values.to_numpy()), "level")
        tables.append(found.assign(factor=name))
    if not tables:
        return pd.DataFrame(columns=["factor", "pool", "level", *ACCURACY_COLUMNS])
    return pd.concat(tables, ignore_index=True)[["factor", "pool", "level", *ACCURACY_COLUMNS]]


def accuracy_by_bin(labels: pd.DataFrame, column: str, edges: Sequence[float]) -> pd.DataFrame:
    """Return accuracy for each pool and each bin of a column that is not empty.

    Parameters
    ----------
    edges
        Ascending; a bin holds its lower edge and not its upper one.

    Returns
    -------
    DataFrame
        ``pool``, ``from``, ``below`` (the bin's edges; infinite where it is open), then
        `ACCURACY_COLUMNS`.
    """
    rows: list[tuple[Any, ...]] = []
    for pool, own in by_pool(first_answers(labels)):
        values = own[column].to_numpy(float)
        for low, high in pairwise(edges):
            group = own[(values >= low) & (values < high)]
            if len(group):
                rows.append((pool, low, high, *accuracy_columns(group)))
    return pd.DataFrame(rows, columns=["pool", "from", "below", *ACCURACY_COLUMNS])


def accuracy_by_annotator(labels: pd.DataFrame) -> pd.DataFrame:
    """Return each annotator's accuracy and median active time.

    Of one person's answers only Wilson's interval can be given, and for one person on images
    like these it holds, but for practice and fatigue.

    Returns
    -------
    DataFrame
        ``pool``, ``annotator``, ``labels``, ``correct``, ``accuracy``, ``wilson_low``,
        ``wilson_high``, ``median_active_ms``.
    """
    rows: list[tuple[Any, ...]] = []
    for key, group in first_answers(labels).groupby(["pool", "annotator"], sort=True):
        pool, person = key
        right, own = int(group["correct"].sum()), len(group)
        share, median = wilson(right, own), _quantiles(group["active_ms"])[1]
        rows.append((pool, person, own, right, share.estimate, share.low, share.high, median))
    columns = ["pool", "annotator", "labels", "correct", "accuracy", "wilson_low", "wilson_high"]
    return pd.DataFrame(rows, columns=[*columns, "median_active_ms"])


def response_times(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the quartiles of each time, for each pool.

    Returns
    -------
    DataFrame
        ``pool``, ``time`` (one of `TIMES`), ``labels`` (that have it), ``q1_ms``,
        ``median_ms``, ``q3_ms``; no intervals.
    """
    rows: list[tuple[Any, ...]] = []
    for pool, own in by_pool(first_answers(labels)):
        for time in TIMES:
            rows.append((pool, time, int(own[time].notna().sum()), *_quantiles(own[time])))
    return pd.DataFrame(rows, columns=["pool", "time", "labels", "q1_ms", "median_ms", "q3_ms"])


def confusion(labels: pd.DataFrame) -> pd.DataFrame:
    """Return how often each answer was given to each truth.

    Returns
    -------
    DataFrame
        int64 (28, 28); the index is the truth, the columns are answers, both 0 to 27. Larger
        answers, which boxes can add up to, are in no cell.
    """
    first = first_answers(labels).dropna(subset=["answer", "truth"])
    first = first[first["answer"].lt(SUMS)]
    counts = np.zeros((SUMS, SUMS), dtype=np.int64)
    places = (first["truth"].to_numpy(int), first["answer"].to_numpy(int))
    np.add.at(counts, places, 1)
    sums = range(SUMS)
    return pd.DataFrame(
        counts, index=pd.Index(sums, name="truth"), columns=pd.Index(sums, name="answer")
    )


def self_consistency(labels: pd.DataFrame) -> pd.DataFrame:
    """Return how often a person gives the same answer to the same image again.

    Returns
    -------
    DataFrame
        A row for each pool: ``pool``, ``pairs``, ``annotators``, ``same`` (pairs with the same
        answer), ``agreement`` (their share) with ``low``, ``high``, ``wilson_low`` and
        ``wilson_high``, ``first_accuracy`` and ``repeat_accuracy`` of these pairs.
    """
    keys = ["pool", "annotator", "stimulus"]
    columns = [*keys, "answer", "correct"]
    first = first_answers(labels)[columns].drop_duplicates(keys)
    again = labels.loc[labels["kind"] == REPEAT, columns]
    pairs = again.merge(first, on=keys, suffixes=("_repeat", "_first"))
    rows: list[tuple[Any, ...]] = []
    for pool, own in by_pool(pairs):
        same = own["answer_repeat"].to_numpy(float) == own["answer_first"].to_numpy(float)
        accuracies = [_mean(own[f"correct_{which}"]) for which in ("first", "repeat")]
        rows.append((pool, *accuracy_columns(own.assign(correct=same)), *accuracies))
    names = ["pairs", "annotators", "same", "agreement", *ACCURACY_COLUMNS[4:]]
    return pd.DataFrame(rows, columns=["pool", *names, "first_accuracy", "repeat_accuracy"])


def calibration(labels: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy by stated confidence.

    People who are calibrated are right as often as their confidence says.

    Returns
    -------
    DataFrame
        As `accuracy_by_bin` of ``confidence``, with ``mean_confidence`` (0 to 1).
    """
    table = accuracy_by_bin(labels, "confidence", CONFIDENCE_EDGES)
    first = first_answers(labels)
    means = []
    for pool, low, high in zip(table["pool"], table["from"], table["below"], strict=True):
        own = first if pool == "all" else first[first["pool"] == pool]
        stated = own["confidence"].to_numpy(float)
        means.append(stated[(stated >= low) & (stated < high)].mean() / 100)
    return table.assign(mean_confidence=np.array(means, dtype=float))


def calibration_summary(labels: pd.DataFrame) -> pd.DataFrame:
    """Return how far confidence and accuracy lie apart.

    Returns
    -------
    DataFrame
        A row for each pool: ``pool``, ``labels`` (with a confidence), ``mean_confidence`` and
        ``accuracy`` (0 to 1), ``overconfidence`` (the former minus the latter), ``brier`` (mean
        squared distance, 0 to 1; Brier, Monthly Weather Review 78 (1950) 1-3).
    """
    rows: list[tuple[Any, ...]] = []
    for pool, own in by_pool(first_answers(labels).dropna(subset=["confidence"])):
        stated, right = own["confidence"].to_numpy(float) / 100, own["correct"].to_numpy(float)
        mean, accuracy, brier = _mean(stated), _mean(right), _mean((stated - right) ** 2)
        rows.append((pool, len(own), mean, accuracy, mean - accuracy, brier))
    columns = ["pool", "labels", "mean_confidence", "accuracy", "overconfidence", "brier"]
    return pd.DataFrame(rows, columns=columns)


def _mean(values: Any) -> float:
    array = np.asarray(values, dtype=float)
    return float(array.mean()) if array.size else nan


def _quantiles(times: pd.Series[Any]) -> tuple[float, float, float]:
    known = times.dropna().to_numpy(float)
    if not known.size:
        return nan, nan, nan
    found = np.quantile(known, (0.25, 0.5, 0.75))
    return float(found[0]), float(found[1]), float(found[2])
