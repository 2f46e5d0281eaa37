"""The Noise lab's controls of the other data systems."""

from __future__ import annotations

from typing import Any

import pytest

from pages._ui.shared.setting import state_from_query
from pages._ui.shared.sliders import lab_data
from umnist_core.digits import load_glyphs
from umnist_core.scenes import PRESETS, PUBLISHED_DISTRACTORS, get_preset
from umnist_core.server.controls import control_specs

MOST_CHOICES = 100
"""A list of more is no way to choose."""


def _specs(preset: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in control_specs(get_preset(preset).table)}


def test_needle_has_a_slider_for_its_distractors() -> None:
    """Logarithmic, over what is published, beside a switch for what the canvas's area asks for."""
    spec = _specs("needle")["distractors"]
    assert (spec["scale"], spec["word"]) == ("log", "by-area")
    count, side_px = spec["per_area"]
    for canvas_px, published in PUBLISHED_DISTRACTORS.items():
        assert int(count * (canvas_px / side_px) ** 2 + 0.5) == published
    assert spec["from"] == 1
    assert spec["to"] > max(PUBLISHED_DISTRACTORS.values())


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_control_can_be_handled(preset: str) -> None:
    """The canvas reaches the smallest published one, and no list is endless."""
    specs = _specs(preset)
    assert specs["canvas"]["from"] <= 64
    for name, spec in specs.items():
        assert spec["group"] != "Other", name
        if spec["kind"] in ("word", "label") and not spec["word"]:
            assert len(spec["words"]) + spec["high"] - spec["low"] <= MOST_CHOICES


def test_noise_seed_is_offered_where_there_is_one() -> None:
    """A preset without noise would refuse it."""
    presets = lab_data(state_from_query({}), 0, load_glyphs(), "bus")["presets"]
    told = {name for name, one in presets.items() if one["noisy"]}
    assert told == {name for name in PRESETS if "noise_seed" in PRESETS[name].table}
    assert "patchgd" not in told
