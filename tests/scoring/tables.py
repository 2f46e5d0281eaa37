"""Labels, digits and traces of studies that are small enough to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.scoring.simulated import simulate
from umnist_core.scoring import TracePart, TraceSample

DIGITS = (3, 0, 5)
"""Of every image; they add up to 8."""


def sample(t: float, x: float, y: float, zoom: float, *, visible: bool = True) -> TraceSample:
    """Return a sample of a pane of 800 x 600 CSS px."""
    return TraceSample(t=t, x=x, y=y, zoom=zoom, w=800, h=600, visible=visible)


def trace(*samples: TraceSample, end_ms: float) -> list[TracePart]:
    """Return a trace of one part."""
    return [TracePart(samples=list(samples), end_ms=end_ms)]


def label(annotator: str, stimulus: str, answer: int = 8, **others: Any) -> dict[str, Any]:
    """Return a row of labels; its truth is 8, and its key ``annotator/stimulus/kind``."""
    row = {
        "study": "study",
        "pool": "unguided",
        "annotator": annotator,
        "stimulus": stimulus,
        "position": 1,
        "answer": answer,
        "truth": 8,
        "response_ms": 30_000.0,
        "active_ms": 20_000.0,
        "idle_ms": 8_000.0,
        "hidden_ms": 2_000.0,
        "confidence": np.nan,
        "digits_reported": None,
        "kind": "label",
        "n_digits": 3,
        "smallest_side_px": 28,
        "ink_share": 0.025,
        **others,
    }
    row["label_key"] = f"{annotator}/{stimulus}/{row['kind']}"
    return row


def labels_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return a table of labels with ``correct`` filled in."""
    table = pd.DataFrame(list(rows))
    return table.assign(correct=table["answer"] == table["truth"])


def digits_of(labels: pd.DataFrame) -> pd.DataFrame:
    """Return `DIGITS` of each label, 28 px wide in a row at columns 1000, 1500 and 2000."""
    rows = [
        {
            "label_key": key,
            "annotator": annotator,
            "stimulus": stimulus,
            "digit_index": place,
            "digit_class": digit,
            "side_px": 28,
            "row0": 1000,
            "col0": 1000 + 500 * place,
            "row1": 1028,
            "col1": 1000 + 500 * place + 28,
        }
        for key, annotator, stimulus in zip(
            labels["label_key"], labels["annotator"], labels["stimulus"], strict=True
        )
        for place, digit in enumerate(DIGITS)
    ]
    return pd.DataFrame(rows)


def simulated_labels(seed: int = 0, effect: float = 0.5) -> pd.DataFrame:
    """Return a whole simulated study as a table; wrong answers are one too high."""
    study = simulate(np.random.default_rng(seed), 0.5, effect=effect)
    rows = [
        label(
            f"person-{person}",
            f"image-{image}",
            8 if correct else 9,
            pool="guided" if guided else "unguided",
            n_digits=3 + image % 3,
            smallest_side_px=14 * (1 + image % 20),
            confidence=float(image % 101),
        )
        for correct, person, image, guided in zip(*study.arrays, study.guided, strict=True)
    ]
    return labels_of(*rows)
