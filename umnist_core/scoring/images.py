"""What people made of each image of a study: how hard it was, what of it was on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .looking import LEAST_DWELL_MS, Trace, heat
from .tables import LABEL

HEAT_CELL_PX = 40
"""About the side of a cell of heat, px of the image."""

LEAST_CELLS, MOST_CELLS = 16, 128
"""Along each side of a grid of heat."""


def image_table(answers: pd.DataFrame, truth: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row for each image: the hardest first, those without an answer last.

    Parameters
    ----------
    answers
        One row for each answer that counts: ``stimulus``, ``kind`` and ``correct``.
    truth
        Image -> its truth: ``label``, and ``digits`` with ``side_px`` where they are known.

    Returns
    -------
    DataFrame
        Indexed by image: ``labels``, ``correct``, ``accuracy`` (NaN without labels), ``sum``,
        ``smallest_px`` and ``digits`` (NaN where places are not known).
    """
    table = pd.DataFrame(
        [_image_row(name, one) for name, one in truth.items()],
        columns=["image", "sum", "smallest_px", "digits"],
    ).set_index("image")
    marks = answers[answers["kind"] == LABEL].groupby("stimulus")["correct"]
    table["labels"] = marks.size().reindex(table.index, fill_value=0)
    table["correct"] = marks.sum().reindex(table.index, fill_value=0).astype(int)
    table["accuracy"] = table["correct"] / table["labels"].where(table["labels"] > 0)
    # Of images that everybody got wrong, the one with more answers is the surer case.
    table["less"] = -table["labels"]
    return table.sort_values(["accuracy", "less", "image"], na_position="last").drop(columns="less")


def _image_row(name: str, truth: Mapping[str, Any]) -> tuple[str, int, float, float]:
    sides = [digit["side_px"] for digit in truth["digits"] or []]
    return (
        name,
        int(truth["label"]),
        float(min(sides)) if sides else np.nan,
        float(len(sides)) if sides else np.nan,
    )


def mean_heat(traces: Sequence[Trace], size: tuple[int, int]) -> NDArray[np.float64] | None:
    """Return the mean of several people's time on each cell, ms; None without any time.

    Parameters
    ----------
    traces
        Parts of each person's trace.
    size
        Height and width of the image, px.
    """
    rows, cols = (
        int(np.clip(round(side / HEAT_CELL_PX), LEAST_CELLS, MOST_CELLS)) for side in size
    )
    total = np.zeros((rows, cols))
    for parts in traces:
        total += heat(parts, size, (rows, cols))
    return total / len(traces) if total.any() else None


def digit_looks(digits: pd.DataFrame) -> list[dict[str, Any]]:
    """Return, for each digit of an image, in how many answers to it it was on screen.

    Parameters
    ----------
    digits
        Rows of that image alone: ``digit_index``, ``digit_class``, ``side_px`` and ``dwell_ms``
        of `looking.add_looks`.

    Returns
    -------
    list of dict
        ``digit``, ``side_px``, ``seen`` (answers in which it was on screen at a legible size
        for long enough), ``traced`` (answers with a trace) and ``dwell_s`` (median; NaN
        without a trace).
    """
    rows = []
    for _, group in digits.groupby("digit_index", sort=True):
        dwell = group["dwell_ms"].dropna()
        rows.append(
            {
                "digit": int(group["digit_class"].iloc[0]),
                "side_px": int(group["side_px"].iloc[0]),
                "seen": int((dwell >= LEAST_DWELL_MS).sum()),
                "traced": len(dwell),
                "dwell_s": float(dwell.median()) / 1000 if len(dwell) else float("nan"),
            }
        )
    return rows
