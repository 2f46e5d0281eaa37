"""One image of MNIST Large Scale by name: the one that files hold, drawn when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from umnist_core.datasets.large_scale.ref import (
    DigitRef,
    any_ref,
    any_ref_from_query,
    names_of,
)
from umnist_core.datasets.large_scale.rescaling import PUBLISHED, rescale_digits, soft_threshold
from umnist_core.datasets.large_scale.sets import LargeScaleSet, digits_of
from umnist_core.errors import InvalidValueError
from umnist_core.scenes import SceneRef


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("scale", "ends"), [("2", (2, 2)), ("1..4", (1, 4))])
def test_image_is_the_one_that_a_file_of_its_seed_holds(
    split: str, scale: str, ends: tuple[float, float]
) -> None:
    """Values, label and scale, of fixed scales and of mixed ones."""
    counts = {"train": 9, "val": 1, "test": 9}
    written = LargeScaleSet(*ends, counts, seed=4)
    ref = DigitRef.of({"scale": scale}, seed=4, split=split, index=7)
    np.testing.assert_array_equal(ref.draw_values(), written.draw(split, 7, 8)[0])
    assert ref.label == written.labels(split)[7]
    assert ref.truth == {"digit": [ref.label]}
    assert ends[0] <= ref.scale <= ends[1]


def test_pixels_have_the_published_ends_whatever_the_threshold() -> None:
    """As published they run from black to white; a flat threshold leaves them grey."""
    ref = DigitRef.of({"scale": "2"})
    pixels = ref.draw()
    assert pixels.dtype == np.uint8
    assert (pixels.shape, int(pixels.min()), int(pixels.max())) == ((112, 112), 0, 255)
    flat = DigitRef.of({"scale": "2", "slope": "0.002"}).draw()
    assert 80 < flat.min() < flat.max() < 180


def test_smoothing_slope_and_middle_are_those_of_the_setting() -> None:
    """More smoothing, less detail; what is at the middle of the threshold becomes 0."""
    rough, smooth = (
        DigitRef.of({"scale": "4", "smoothing": text}).draw_values() for text in ("0.05", "3")
    )
    assert np.abs(np.diff(rough)).max() > 2 * np.abs(np.diff(smooth)).max()
    moved = replace(PUBLISHED, middle=60.0)
    assert soft_threshold(np.full(1, 60, np.float32), moved) == 0
    digit = np.zeros((1, 28, 28), np.uint8)
    expected = soft_threshold(np.zeros(1, np.float32), moved)
    assert (rescale_digits(digit, 1, moved) == expected).all()


def test_one_image_has_one_reference_and_one_address() -> None:
    """What is as published is left out, and the address gives an equal reference back."""
    ref = DigitRef.of({"smoothing": "0.875", "scale": "2.0"}, index=3)
    assert ref.overrides == (("scale", "2"),)
    assert any_ref_from_query(ref.to_query()) == ref
    assert any_ref(**ref.to_dict()) == ref
    scene = SceneRef.of("needle", {"canvas": "64"})
    assert any_ref_from_query(scene.to_query()) == scene
    assert "canvas" not in names_of("large-scale")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"overrides": (("scale", "9"),)}, "scale is a number from 0.5 to 8"),
        ({"overrides": (("smoothing", "0"),)}, "smoothing is a number from 0.05"),
        ({"overrides": (("canvas", "64"),)}, "no parameter 'canvas'"),
        ({"split": "val"}, "split is one of train, test"),
        ({"seed": -1}, "seed is a whole number"),
    ],
)
def test_what_is_not_allowed_is_refused(changes: dict[str, object], said: str) -> None:
    """In a sentence."""
    with pytest.raises(InvalidValueError, match=said):
        DigitRef(**changes)  # type: ignore[arg-type]


def test_digit_that_is_not_there_is_refused_with_the_last_one() -> None:
    """Splits have as many images as digits."""
    last = digits_of("test").count - 1
    assert DigitRef(split="test", index=last).last_index == last
    with pytest.raises(InvalidValueError, match=f"has the digits 0 to {last}"):
        DigitRef(split="test", index=last + 1)


def test_naming_settings_loads_no_digits() -> None:
    """Commands and pages import them where there may be none."""
    code = (
        "loaded = []\n"
        "import umnist_core.datasets.large_scale.sets as sets\n"
        "sets.load_glyphs = lambda *given: loaded.append(given)\n"
        "import umnist_core.experiments\n"
        "print(loaded)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
