"""What was on screen: sizes, dwell and heat, on traces that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.scoring.tables import digits_of, label, labels_of, sample, trace
from umnist_core.scoring import (
    ScoringInputError,
    TracePart,
    TraceSample,
    Views,
    add_looks,
    heat,
    look_at,
)

BOX = (1000.0, 1000.0, 1028.0, 1028.0)
"""A digit of 28 px around (1014, 1014)."""


def test_look_is_the_largest_size_on_screen_and_the_time_at_each() -> None:
    """5 s of overview at 0.15, 1 s at 0.5, 0.3 s at 2 beside the digit, 0.4 s at 2 on it."""
    parts = trace(
        sample(0, 2000, 2000, 0.15),
        sample(5000, 1014, 1014, 0.5),
        sample(6000, 3000, 3000, 2),
        sample(6300, 1014, 1014, 2),
        end_ms=6700,
    )
    look = look_at(Views.from_parts(parts), BOX, 28, (4, 12, 24, 100))
    assert look.largest_screen_px == 56
    assert look.dwell_ms == (6400, 1400, 400, 0)


@pytest.mark.parametrize(("x", "on_screen"), [(1014, True), (1413, True), (1415, False)])
def test_digit_is_on_screen_with_half_of_its_box(x: float, on_screen: bool) -> None:
    """The view is 800 px wide at zoom 1, so its left edge cuts the digit from x = 1414 on."""
    views = Views.from_parts(trace(sample(0, x, 1014, 1), end_ms=500))
    assert look_at(views, BOX, 28).dwell_ms == ((500.0,) if on_screen else (0.0,))
    assert look_at(views, BOX, 28).largest_screen_px == (28 if on_screen else 0)


def test_digit_larger_than_the_screen_is_not_on_it() -> None:
    """Of a digit of 2000 px at zoom 1, less than half is in view."""
    views = Views.from_parts(trace(sample(0, 2000, 2000, 1), end_ms=500))
    assert look_at(views, (1000, 1000, 3000, 3000), 2000).largest_screen_px == 0


def test_hidden_tab_and_samples_of_no_duration_count_for_nothing() -> None:
    """Only the 100 ms between coming back and the end remain."""
    parts = trace(
        sample(0, 1014, 1014, 9, visible=False),
        sample(5000, 1014, 1014, 5),
        sample(5000, 1014, 1014, 1),
        end_ms=5100,
    )
    look = look_at(Views.from_parts(parts), BOX, 28)
    assert (look.largest_screen_px, look.dwell_ms) == (28, (100,))


def test_each_part_has_its_own_clock() -> None:
    """A reload begins again at 0; the times of both parts add up."""
    part = trace(sample(0, 1014, 1014, 1), end_ms=300)[0]
    views = Views.from_parts([part, TracePart(samples=[], end_ms=900), part])
    assert views.visible_ms == 600
    assert look_at(views, BOX, 28).dwell_ms == (600,)


def test_trace_that_lacks_a_field_is_refused() -> None:
    """In one sentence that names it."""
    with pytest.raises(ScoringInputError, match="'y'"):
        Views.from_parts([{"samples": [{"t": 0, "x": 1}], "end_ms": 5}])


def test_looks_are_added_to_each_digit() -> None:
    """The first digit of one label was seen for 300 ms; the label without a trace gets NaN."""
    labels = labels_of(label("a", "i"), label("b", "i"))
    digits = digits_of(labels)
    found = add_looks(digits, {"a/i/label": trace(sample(0, 1014, 1014, 1), end_ms=300)})
    assert found["dwell_ms"].tolist()[:3] == [300, 0, 0]
    assert found["dwell_ms_at_24_px"].tolist()[:3] == [300, 0, 0]
    assert found["largest_screen_px"].tolist()[:3] == [28, 0, 0]
    assert found["dwell_ms"][3:].isna().all()
    assert "dwell_ms" not in digits
    assert "dwell_ms" in add_looks(pd.DataFrame(), {})


def test_trace_in_which_nothing_was_on_screen_is_no_trace() -> None:
    """It was lost, as somebody answered; its digits are unknown, not unseen."""
    digits = digits_of(labels_of(label("a", "i"), label("b", "i")))
    hidden = trace(sample(0, 1014, 1014, 1, visible=False), end_ms=900)
    found = add_looks(digits, {"a/i/label": [], "b/i/label": hidden})
    assert found["dwell_ms"].isna().all()


# -- heat -------------------------------------------------------------------------


def test_heat_spreads_each_sample_over_its_view() -> None:
    """A canvas of 400 x 800 px, in cells of 200 px: first all of it, then one cell."""
    whole = TraceSample(t=0, x=400, y=200, zoom=1, w=800, h=400, visible=True)
    close = TraceSample(t=800, x=300, y=100, zoom=4, w=800, h=800, visible=True)
    found = heat([TracePart(samples=[whole, close], end_ms=1000)], (400, 800), (2, 4))
    assert found.tolist() == [[100, 300, 100, 100], [100, 100, 100, 100]]


def test_heat_adds_up_to_the_time_that_the_canvas_was_in_view() -> None:
    """Random views, some across the edge, some hidden; one beside the canvas is left out."""
    rng = np.random.default_rng(0)
    samples = [
        sample(
            100 * place,
            float(rng.uniform(0, 4000)),
            float(rng.uniform(0, 4000)),
            float(rng.uniform(0.1, 8)),
            visible=bool(rng.random() < 0.8),
        )
        for place in range(50)
    ]
    beside = sample(5000, -9000, 2000, 1)
    parts = trace(*samples, beside, end_ms=6000)
    found = heat(parts, (4000, 4000), (7, 9))
    assert found.sum() == pytest.approx(Views.from_parts(parts).visible_ms - 1000)
    assert found.min() >= 0


def test_heat_of_an_empty_trace_is_zero() -> None:
    """No samples, no time."""
    assert heat([], (4000, 4000), (2, 2)).tolist() == [[0, 0], [0, 0]]
