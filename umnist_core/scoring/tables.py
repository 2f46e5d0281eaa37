"""The two tables that everything is computed from, checked and completed.

``labels`` has one row for each answer that counts, ``digits`` one for each digit of each of them.
docs/statistics.md lists their columns with units.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .correct import mark
from .errors import ScoringInputError

POOLS = ("unguided", "guided")

LABEL, REPEAT = "label", "repeat"
"""Values of ``kind``: a counted first answer, and a second showing of the same image."""

REQUIRED = ("pool", "annotator", "stimulus", "answer", "truth", "kind")
"""Columns of ``labels`` without which nothing can be computed."""

NUMBERS = (
    "position",
    "response_ms",
    "active_ms",
    "idle_ms",
    "hidden_ms",
    "confidence",
    "n_digits",
    "smallest_side_px",
    "ink_share",
)
"""Columns of ``labels`` that may be missing as a whole or in a row."""


def check_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the labels with every column, and ``correct`` worked out from answer and truth.

    An empty table may have no columns at all.

    Raises
    ------
    ScoringInputError
        If a column is missing, a pool or kind has another name, an annotator is in both pools,
        or ``correct`` says something else than answer and truth.
    """
    missing = [name for name in REQUIRED if name not in labels]
    if missing and len(labels):
        raise ScoringInputError(
            f"Labels need the columns {', '.join(REQUIRED)}; {', '.join(missing)} are missing."
        )
    whole = labels.reset_index(drop=True)
    for name in (*missing, *(name for name in NUMBERS if name not in whole)):
        whole[name] = pd.Series(np.nan, index=whole.index, dtype=float)
    if "digits_reported" not in whole:
        whole["digits_reported"] = pd.Series(None, index=whole.index, dtype=object)
    for name in NUMBERS:
        whole[name] = whole[name].astype(float)
    _check_words(whole, "pool", POOLS)
    _check_words(whole, "kind", (LABEL, REPEAT))
    _check_one_pool(whole)
    correct = mark(whole["answer"].to_numpy(float), whole["truth"].to_numpy(float))
    if "correct" in whole and (whole["correct"].to_numpy(bool) != correct).any():
        raise ScoringInputError(
            "correct is whether answer equals truth; got labels where it is not, which were "
            "therefore changed after they were exported."
        )
    return whole.assign(correct=correct)


def _check_words(labels: pd.DataFrame, column: str, words: tuple[str, ...]) -> None:
    others = sorted(set(labels[column].astype(str)) - set(words))
    if others:
        raise ScoringInputError(f"{column} is one of {', '.join(words)}; got {others[0]!r}.")


def _check_one_pool(labels: pd.DataFrame) -> None:
    pairs = labels[["annotator", "pool"]].drop_duplicates()
    twice = pairs.loc[pairs["annotator"].duplicated(), "annotator"]
    if len(twice):
        raise ScoringInputError(
            f"An annotator is in one pool; {twice.iloc[0]!r} has labels in both pools."
        )


def key_columns(labels: pd.DataFrame, digits: pd.DataFrame) -> list[str]:
    """Return the columns that tell which digits belong to which label.

    ``label_key`` if both tables have it, else annotator and stimulus, which tells them apart
    as long as the digits are those of first answers.
    """
    both = "label_key" in labels and "label_key" in digits
    return ["label_key"] if both else ["annotator", "stimulus"]
