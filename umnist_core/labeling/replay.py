"""What a replay shows: a person's way over an image, and what became of each of its digits.

It tells the truth of the image, so it is for researchers alone, as is all of
`umnist_core.labeling.results`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd

from umnist_core.labeling.service import StudyService
from umnist_core.scoring import TracePart, classify
from umnist_core.scoring.looking import LEAST_DWELL_MS, LEGIBLE_PX
from umnist_core.scoring.tables import check_labels
from umnist_core.scoring.way import Way, boxes_of, digit_moments, digit_states

ERROR_COLUMNS = (
    *("label_key", "annotator", "pool", "stimulus", "position", "kind", "answer", "truth"),
    *("reason", "response_ms"),
)


def errors_of(answers: pd.DataFrame, digits: pd.DataFrame) -> pd.DataFrame:
    """Return the wrong answers of a study and why each was wrong, in the order of the answers.

    Parameters
    ----------
    answers, digits
        As of `umnist_core.labeling.results.load_answers` and ``load_digits``.

    Returns
    -------
    DataFrame
        `ERROR_COLUMNS`; ``reason`` is one of `umnist_core.scoring.REASONS`.
    """
    whole = check_labels(answers)
    wrong = whole.assign(reason=classify(whole, digits))[~whole["correct"].to_numpy(bool)]
    return wrong[list(ERROR_COLUMNS)].reset_index(drop=True)


def load_parts(service: StudyService, study: str, seqs: Sequence[int]) -> list[TracePart]:
    """Return the trace of one answer, with what was looked at before it was changed.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    texts = (service.log.read_attachment(study, int(seq)) for seq in seqs)
    return [part for text in texts if text is not None for part in json.loads(text)]


def replay_of(
    parts: Sequence[TracePart], truth: Mapping[str, Any], reported: Sequence[int] | None
) -> dict[str, Any]:
    """Return a way over an image as JSON-serialisable values.

    Parameters
    ----------
    parts
        The trace.
    truth
        What is in the image, as the log keeps it.
    reported
        The digits that the person named; None where nobody asked.

    Returns
    -------
    dict
        ``duration_ms``; ``views``, each with ``start_ms``, ``end_ms``, ``x``, ``y``, ``zoom``,
        ``width`` and ``height`` (of the view, canvas px); ``digits``, each with ``id``, ``label``,
        ``box``, ``side``, ``state``, ``largest_px``, and ``legible_ms`` and ``looked_ms``, None if
        never; ``legible_zoom`` at which the smallest digit is legible, None without digits;
        ``legible_px`` and ``least_ms``, the rule.

    Raises
    ------
    ScoringInputError
        If the trace is none.
    """
    way, known = Way.of(parts), list(truth["digits"] or ())
    moments = [
        digit_moments(way, box, one["side_px"])
        for box, one in zip(boxes_of(known), known, strict=True)
    ]
    states = digit_states(moments, [one["label"] for one in known], reported)
    smallest = min((one["side_px"] for one in known), default=None)
    return {
        "duration_ms": way.duration_ms,
        "views": _views(way),
        "digits": [
            {
                "id": place,
                "label": one["label"],
                "box": [one["col"], one["row"], one["side_px"], one["side_px"]],
                "side": one["side_px"],
                "state": state,
                "largest_px": moment.largest_screen_px,
                "legible_ms": _known(moment.legible_ms),
                "looked_ms": _known(moment.looked_ms),
            }
            for place, (one, moment, state) in enumerate(zip(known, moments, states, strict=True))
        ],
        "legible_zoom": None if smallest is None else LEGIBLE_PX / smallest,
        "legible_px": LEGIBLE_PX,
        "least_ms": LEAST_DWELL_MS,
    }


def _views(way: Way) -> list[dict[str, float]]:
    views = way.views
    columns = {
        "start_ms": way.start_ms,
        "end_ms": way.end_ms,
        "x": (views.col0 + views.col1) / 2,
        "y": (views.row0 + views.row1) / 2,
        "zoom": views.zoom,
        "width": views.col1 - views.col0,
        "height": views.row1 - views.row0,
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, map(_short, row), strict=True)) for row in rows]


def _short(value: float) -> float:
    return round(value, 4)


def _known(value: float) -> float | None:
    return round(value, 1) if isfinite(value) else None
