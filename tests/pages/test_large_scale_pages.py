"""Explore, the Noise lab and Inference with generated images of MNIST Large Scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.inference.choice import find_hints, first_of
from pages._ui.noise_lab.digit_figures import smoothing_words
from pages._ui.noise_lab.sheet import sheet_data
from pages._ui.shared.panes import viewer_data
from pages._ui.shared.setting import LabState, state_from_query, state_from_report
from pages._ui.shared.sliders import lab_data
from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.experiments import generate_command, python_code, render_command
from umnist_core.models.cards import Card
from umnist_core.scenes import SceneRef
from umnist_core.server.generated import digit_truth

PAGES = Path(__file__).parents[2] / "pages"
TWICE = {"preset": "large-scale", "scale": "2", "index": "1"}


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("explore", TWICE),
        ("noise_lab", TWICE),
        ("noise_lab", {**TWICE, "compare": "side", "b.preset": "released"}),
        ("noise_lab", {"compare": "side", "b.preset": "large-scale", "b.scale": "1..4"}),
        ("inference", TWICE),
    ],
)
def test_page_opens_with_a_digit(page: str, address: dict[str, str]) -> None:
    """Alone, beside a scene, and with a model."""
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=120)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    assert [one.value for one in app.error] == []
    assert [one.value for one in app.warning if "link" in one.value] == []


def test_controls_and_viewer_speak_of_one_image() -> None:
    """The address that the controls make is that of the pane, and its side is known."""
    state = state_from_query(TWICE)
    assert state.a == DigitRef.of({"scale": "2"}, index=1)
    assert state_from_report(state.to_json()) == state
    data = lab_data(state, 0, load_glyphs(), "bus")
    assert data["presets"]["large-scale"]["values"]["canvas"] == "112"
    assert [one["name"] for one in data["controls"]["large-scale"]] == [
        "scale",
        "smoothing",
        "slope",
        "middle",
    ]
    viewer = viewer_data(state, load_glyphs(), "bus")
    assert viewer["image"] == {"width": 112, "height": 112}
    assert (
        "preset=large-scale&seed=0&split=train&index=1&scale=2&tile=" in viewer["panes"][0]["dzi"]
    )
    assert viewer["label"] == DigitRef.of(index=1).label


def test_setting_that_is_not_shown_need_not_have_the_sample() -> None:
    """A scene of any index is shown while B, of fewer digits, is not."""
    far = {"preset": "released", "index": "12345678", "b.preset": "large-scale"}
    state = state_from_query(far)
    assert (state.a.index, state.b) == (12345678, state.b.at(state.b.index))
    assert state.at(12345679).a.index == 12345679
    both = LabState(DigitRef(), SceneRef("released"))
    assert both.last_index == DigitRef().last_index


def test_square_of_a_digit_larger_than_the_image_is_cut() -> None:
    """At scale 8 it has twice the image's side."""
    (box,) = digit_truth(DigitRef.of({"scale": "8"}))["digits"]
    assert (box["box"], box["side"]) == ((0, 0, 112, 112), 224)
    (box,) = digit_truth(DigitRef.of({"scale": "2"}))["digits"]
    assert (box["box"], box["side"]) == ((28, 28, 56, 56), 56)


def test_contact_sheet_ends_with_the_last_digit() -> None:
    """Samples that are not there have no place."""
    last = DigitRef().last_index
    shown = [one["index"] for one in sheet_data(DigitRef(index=last), load_glyphs())["samples"]]
    assert (shown[-1], len(shown) <= 12) == (last, True)


def test_code_draws_the_image() -> None:
    """The program gives its pixels; the command is left out where it would give others."""
    ref = DigitRef.of({"scale": "2", "slope": "0.05"}, index=3)
    found: dict[str, np.ndarray] = {}
    exec(python_code(ref), found)
    np.testing.assert_array_equal(found["image"], ref.draw())
    assert render_command(ref) is None
    assert generate_command(ref, 100) is None
    command = generate_command(DigitRef.of({"scale": "1..4"}), 100)
    assert command is not None
    assert "--preset large-scale --seed 0 --split train --set scale=1..4 --count 100" in command


def test_smoothing_is_told_in_px_of_the_image() -> None:
    """It grows with the scale."""
    rows = [("Setting", DigitRef.of({"scale": "2"}), ""), ("Reference: x", DigitRef(), "")]
    assert smoothing_words(rows) == (
        "Setting: scale 2, smoothed by 1.75 px; Reference: scale 1, smoothed by 0.875 px."
    )


def test_model_that_knows_such_images_is_shown_unasked() -> None:
    """The one that learned from them; others have a hint."""
    cards = {
        "digit-finder": Card("digit-finder", data={"preset": "released"}),
        "scales": Card("fov-max", data={"preset": "large-scale"}),
    }
    assert first_of(cards, "large-scale") == "scales"
    assert first_of(cards, "paper") == first_of(cards, None) == "digit-finder"
    assert first_of(cards, "needle") == "digit-finder"  # none knows such images
    assert find_hints(cards, "large-scale").keys() == {"digit-finder"}
    assert find_hints(cards, "paper").keys() == {"scales"}


def test_model_of_digits_beside_a_photograph_has_a_hint() -> None:
    """The one that learned from such photographs is shown unasked, and has none."""
    cards = {
        "digit-finder": Card("digit-finder", data={"preset": "released"}),
        "works": Card("vgg16", data={"folder": "x", "kind": "MetH-Medium"}),
    }
    assert find_hints(cards, None, "MetH-Medium").keys() == {"digit-finder"}
    assert first_of(cards, None, "MetH-Medium") == "works"
    assert first_of(cards, None, "signs") == "digit-finder"
