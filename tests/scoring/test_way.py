"""A way over an image: when each digit was legible, and how fast an image was gone through."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from umnist_core.scoring.area import GRID
from umnist_core.scoring.looking import LEAST_DWELL_MS, Views, look_at
from umnist_core.scoring.search_curves import TIMES_S, search_curves, search_of
from umnist_core.scoring.way import Way, digit_moments, digit_states

BOX, SIDE = (100.0, 100.0, 120.0, 120.0), 20.0


def _sample(t: float, zoom: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"t": t, "x": 110, "y": 110, "zoom": zoom, "w": 100, "h": 100, "visible": True, **more}


def test_digit_is_legible_from_the_first_view_that_shows_it_large_enough() -> None:
    """At 12 px of side and half in view; a moment later it has been so for long enough."""
    part = {"samples": [_sample(0, 0.5), _sample(1000, 0.7), _sample(1150, 0.5)], "end_ms": 2000}
    again = {"samples": [_sample(500, 0.7)], "end_ms": 900}
    found = digit_moments(Way.of([part]), BOX, SIDE)
    assert (found.legible_ms, found.looked_ms) == (1000, inf)
    assert found.is_skipped
    found = digit_moments(Way.of([part, again]), BOX, SIDE)
    assert (found.legible_ms, found.looked_ms) == (1000, 2000 + 500 + 50)
    assert found.largest_screen_px == pytest.approx(14)


def test_hidden_page_and_view_elsewhere_show_no_digit() -> None:
    """They pass time and count for nothing."""
    samples = [_sample(0, visible=False), _sample(1000, x=500), _sample(2000)]
    way = Way.of([{"samples": samples, "end_ms": 4000}])
    assert way.duration_ms == 4000
    assert digit_moments(way, BOX, SIDE).legible_ms == 2000


def test_skipped_is_what_the_reasons_take_for_not_looked_at() -> None:
    """For any trace, a digit is skipped exactly if its dwell is below the least one."""
    rng = np.random.default_rng(4)
    kinds = set()
    for _ in range(300):
        times = np.sort(rng.uniform(0, 700, 4)).tolist()
        samples = [
            _sample(
                t,
                float(rng.uniform(0.3, 1.2)),
                x=float(rng.uniform(60, 200)),
                visible=bool(rng.random() < 0.8),
                w=float(rng.choice([100, 0])) if rng.random() < 0.1 else 100,
            )
            for t in times
        ]
        parts = [{"samples": samples, "end_ms": 800.0}] * int(rng.integers(1, 3))
        dwell = look_at(Views.from_parts(parts), BOX, SIDE).dwell_ms[0]
        moments = digit_moments(Way.of(parts), BOX, SIDE)
        assert moments.is_skipped == (dwell < LEAST_DWELL_MS)
        kinds.add(moments.is_skipped)
    assert kinds == {True, False}


def _moments(*looked: float) -> list[Any]:
    found = []
    for one in looked:
        samples = [_sample(0, 0.7 if one < inf else 0.1)]
        found.append(digit_moments(Way.of([{"samples": samples, "end_ms": 900}]), BOX, SIDE))
    return found


@pytest.mark.parametrize(
    ("looked", "classes", "reported", "due"),
    [
        ((1, inf), (3, 5), None, ["seen", "skipped"]),
        ((1, 1), (3, 5), [3, 5], ["seen", "seen"]),
        ((1, 1), (3, 5), [3, 9], ["seen", "misread"]),
        ((1, inf), (3, 3), [3], ["seen", "skipped"]),
        ((1, inf), (3, 3), [], ["misread", "skipped"]),
        ((1, 1), (3, 3), [3], ["perhaps_misread", "perhaps_misread"]),
    ],
)
def test_digits_that_were_not_named_are_skipped_first_then_misread(
    looked: tuple[float, ...], classes: tuple[int, ...], reported: list[int] | None, due: list[str]
) -> None:
    """Of equal digits nobody knows which was misread, unless all that were legible are missing."""
    assert digit_states(_moments(*looked), classes, reported) == due


def test_area_counts_what_was_in_view_close_up_and_long_enough() -> None:
    """A quarter of the image at a legible zoom is a quarter, 200 ms after its begin."""
    close = _sample(1000, 1.0, x=64, y=64, w=128, h=128)
    samples = [_sample(0, 0.3, x=128, y=128, w=256, h=256), close]
    found = search_of([{"samples": samples, "end_ms": 3000}], (256, 256), [BOX])
    reached = found.cells_ms[found.cells_ms < inf]
    assert len(reached) == GRID**2 / 4
    assert set(reached) == {1200.0}
    assert found.digits_ms.tolist() == [1200.0]
    short = search_of([{"samples": samples, "end_ms": 1199}], (256, 256), [BOX])
    assert np.isinf(short.cells_ms).all()


def test_curves_rise_to_what_was_seen_and_have_intervals_over_people() -> None:
    """Two people, one of whom sees everything at once: a half, and no end without a second."""
    whole = [{"samples": [_sample(0, 1.0, x=128, y=128, w=256, h=256)], "end_ms": 5000}]
    blind = [{"samples": [_sample(0, 0.01)], "end_ms": 5000}]
    names = {"kind": "label", "canvas_height_px": 256, "canvas_width_px": 256}
    labels = pd.DataFrame(
        [
            {"label_key": "a", "pool": "guided", "annotator": "p", **names},
            {"label_key": "b", "pool": "guided", "annotator": "q", **names},
            {"label_key": "c", "pool": "unguided", "annotator": "r", **names},
            {"label_key": "d", "pool": "unguided", "annotator": "r", **{**names, "kind": "repeat"}},
        ]
    )
    box = dict(zip(("row0", "col0", "row1", "col1"), BOX, strict=True))
    digits = pd.DataFrame([{"label_key": key, **box} for key in "abcd"])
    found = search_curves(labels, digits, {"a": whole, "b": blind, "c": whole, "d": whole})
    assert list(found["pool"]) == ["unguided"] * len(TIMES_S) + ["guided"] * len(TIMES_S)
    guided, alone = found[found["pool"] == "guided"], found[found["pool"] == "unguided"]
    assert guided["area_share"].iloc[0] == 0
    assert guided["area_share"].iloc[-1] == guided["digits_share"].iloc[-1] == 0.5
    assert guided["area_share"].is_monotonic_increasing
    assert (guided["area_low"].iloc[-1], guided["area_high"].iloc[-1]) == (0, 1)
    assert (alone["labels"] == 1).all()
    assert isnan(alone["area_low"].iloc[-1])
    assert guided[guided["time_s"] == 5]["answered_share"].item() == 1
    assert search_curves(labels, digits.iloc[:0], {}).empty
