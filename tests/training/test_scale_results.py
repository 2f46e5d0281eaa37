"""What the documents say of accuracy over scale is what was measured, and what was to be shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.scale_results import FIGURE, PAGE, load_kinds, tables, written
from umnist_core.training.scale_figure import curve_figure


@pytest.fixture(scope="module")
def kinds() -> dict[str, dict[str, Any]]:
    """Return what was measured, by model."""
    return {one["model"]: one for one in load_kinds()}


def test_page_and_figure_are_of_the_measurements(kinds: dict[str, dict[str, Any]]) -> None:
    """`python -m tests.training.scale_results` would write nothing else."""
    text = PAGE.read_text()
    assert tables(list(kinds.values())) in text
    assert written(text, list(kinds.values())) == text
    assert FIGURE.read_text() == curve_figure(list(kinds.values()))


def test_fovmax_holds_from_a_half_to_four_and_the_plain_cnn_falls(
    kinds: dict[str, dict[str, Any]],
) -> None:
    """Learned at scale 1, five runs: FovMax within 3 points from 1/2 to 4, the CNN 20 down."""
    fov_max, plain = kinds["fov-max"], kinds["large-scale-cnn"]
    for one in (fov_max, plain):
        assert one["runs"] >= 5
        assert one["scale"] == "1"
        assert all(row["low"] <= row["accuracy"] <= row["high"] for row in one["curve"])
    assert fov_max["ranges"][0]["spread_of_mean_curve"] <= 0.03
    at = {round(row["scale"], 3): row["accuracy"] for row in plain["curve"]}
    assert at[1.0] - at[0.5] >= 0.2
    assert at[1.0] - at[4.0] >= 0.2
