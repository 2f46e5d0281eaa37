"""Images of a study: which were hard, what of them was on screen."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd
import pytest

from umnist_core.scoring.images import digit_looks, image_table, mean_heat

SIZE = (400, 800)


def part(x: float, y: float, zoom: float, end_ms: float) -> dict[str, object]:
    """Return a part of a trace that looks at one place."""
    sample = {"t": 0, "x": x, "y": y, "zoom": zoom, "w": 100, "h": 100, "visible": True}
    return {"samples": [sample], "end_ms": end_ms}


def test_heat_is_the_mean_of_the_answers() -> None:
    """The cells of one add up to its time, those of several to their mean."""
    one = mean_heat([[part(100, 100, 1, 900)]], SIZE)
    both = mean_heat([[part(100, 100, 1, 900)], [part(700, 300, 1, 300)]], SIZE)
    assert one is not None
    assert both is not None
    assert one.sum() == pytest.approx(900)
    assert both.sum() == pytest.approx(600)
    assert both[: both.shape[0] // 2].sum() == pytest.approx(450)


def test_heat_is_none_where_nobody_looked() -> None:
    """Without traces, or with traces of no time, there is nothing to draw."""
    assert mean_heat([], SIZE) is None
    assert mean_heat([[part(100, 100, 1, 0)]], SIZE) is None


def test_images_come_with_the_hardest_first_and_those_without_an_answer_last() -> None:
    """Repeats do not count; of images that nobody got right, the one with more answers leads."""
    digits = [{"side_px": 56}, {"side_px": 28}]
    truth: dict[str, dict[str, Any]] = {
        "easy": {"label": 3, "digits": digits},
        "new": {"label": 4, "digits": digits},
        "hard": {"label": 5, "digits": None},
        "hardest": {"label": 6, "digits": digits},
    }
    marks = [("easy", 1), ("easy", 0), ("hard", 0), ("hardest", 0), ("hardest", 0)]
    rows = [{"stimulus": name, "kind": "label", "correct": mark} for name, mark in marks]
    rows.append({"stimulus": "new", "kind": "repeat", "correct": 1})
    table = image_table(pd.DataFrame(rows), truth)
    assert list(table.index) == ["hardest", "hard", "easy", "new"]
    assert list(table["labels"]) == [2, 1, 2, 0]
    easy = table.loc["easy", ["accuracy", "sum", "smallest_px", "digits"]]
    assert list(easy) == [0.5, 3, 28, 2]
    assert table.loc["hard", ["smallest_px", "digits"]].isna().all()


def test_looks_at_a_digit_are_counted_over_the_answers_with_a_trace() -> None:
    """It was seen where it was on screen for long enough; the median is of all traces."""
    rows = [
        {"digit_index": index, "digit_class": 7 - index, "side_px": 28, "dwell_ms": dwell}
        for index, dwell in ((0, 500.0), (0, 100.0), (0, float("nan")), (1, float("nan")))
    ]
    first, second = digit_looks(pd.DataFrame(rows))
    assert first == {"digit": 7, "side_px": 28, "seen": 1, "traced": 2, "dwell_s": 0.3}
    assert (second["digit"], second["seen"], second["traced"]) == (6, 0, 0)
    assert isnan(second["dwell_s"])
