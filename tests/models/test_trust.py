"""What is said of an answer's worth: confidence, odd counts, turned and scaled images."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.own.edge_levels import read_bits
from umnist_core.models.own.finder import DigitFinderConfig
from umnist_core.models.own.trust import (
    HowRead,
    as_readable,
    assuming_digits,
    calibrated,
    confidence_doubts,
    count_doubts,
    how_read,
    turn_doubts,
    turned,
)
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource, encode_jpeg
from umnist_core.pyramid.sources import HeldScene
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene
from umnist_core.training.own.confidence import UNCALIBRATED, fit_confidence

GLYPHS = segment_glyphs()
UPRIGHT = HowRead()


def test_usual_image_is_read_as_it_is() -> None:
    """A scene is not even copied, and nothing is said."""
    source = HeldScene(plan_scene(glyphs=GLYPHS), GLYPHS)
    readable = as_readable(source)
    assert readable.source is source
    assert (readable.scale, readable.doubts) == ((1.0, 1.0), ())


def test_noise_of_a_file_decides_no_pixel_of_a_level() -> None:
    """Levels of a JPEG are those of its scene, also where an edge halves their pixels."""
    scene = plan_scene(glyphs=GLYPHS, overrides={"canvas": "1600", "factor": "5..15"})
    whole = render(scene, GLYPHS)
    saved = cv2.imdecode(np.frombuffer(encode_jpeg(whole, 95), np.uint8), cv2.IMREAD_GRAYSCALE)
    readable = as_readable(ArraySource(np.asarray(saved, np.uint8)))
    for reduction in (1, 2, 4, 8):
        box = Box(0, 0, 1600 // reduction, 1600 // reduction)
        read = read_bits(readable.source, box, reduction)
        drawn = read_bits(HeldScene(scene, GLYPHS), box, reduction)
        assert np.mean(read != drawn) < 1e-5


@pytest.mark.parametrize("side", [2000, 3900, 6000])
def test_scaled_image_is_scaled_back_nearly_to_what_it_was(side: int) -> None:
    """Grey edges say where they were; all but few pixels come back."""
    whole = render(plan_scene(glyphs=GLYPHS, overrides={"factor": "4..75"}), GLYPHS)
    method = cv2.INTER_AREA if side < 4000 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(whole, (side, side), interpolation=method), np.uint8)
    readable = as_readable(ArraySource(scaled, "nearest"))
    assert {one.kind for one in readable.doubts} == {"canvas", "rescaled"}
    assert readable.scale == (4000 / side, 4000 / side)
    back = readable.source.read_whole()
    assert np.mean((back >= 128) != (whole >= 128)) < 0.004


def test_odd_numbers_of_digits_are_said() -> None:
    """None, too few, too many, and sums that no image of the benchmark has."""
    assert count_doubts([1, 2, 3], 3, 5) == ()
    none, few, many, large = (
        count_doubts(labels, 3, 5)[0] for labels in ([], [4], [1] * 7, [9, 9, 9, 9])
    )
    assert (none.kind, few.kind, many.kind, large.kind) == ("none-found", *["count"] * 3)
    assert none.sentence == "Expected 3 to 5 digits; found none."
    assert few.sentence == "Expected 3 to 5 digits; found 1 digit."
    assert "add up to 36" in large.sentence


def test_turned_pictures_and_their_sentence_agree() -> None:
    """An image that lies a quarter to the left is read after a quarter clockwise."""
    upright = np.zeros((28, 28), np.uint8)
    upright[:5, 3] = 1
    to_the_left = np.rot90(upright)
    np.testing.assert_array_equal(turned(to_the_left, 1), upright)
    assert "a quarter to the left" in turn_doubts(1)[0].sentence
    assert turn_doubts(0) == ()


def _confidence(chance: float, weights: dict[str, float], read: HowRead = UPRIGHT) -> float:
    config = replace(DigitFinderConfig(), **weights)  # type: ignore[arg-type]
    logits = torch.tensor([[chance, 1 - chance]], dtype=torch.float64).log()
    return float(calibrated(logits, config, [read])[0])


def test_confidence_is_fitted_to_how_often_answers_are_right() -> None:
    """Chances that claim too much are moved to the share that was right."""
    rng = np.random.default_rng(1)
    chances = np.full(2000, 0.99)
    right = rng.random(2000) < 0.8
    weights = fit_confidence(chances.tolist(), right.tolist(), [UPRIGHT] * 2000)
    assert _confidence(0.99, weights) == pytest.approx(right.mean(), abs=0.01)
    assert fit_confidence([], [], []) == UNCALIBRATED
    weights = fit_confidence([0.9] * 50, [True] * 50, [UPRIGHT] * 50)
    assert 0.9 < _confidence(0.9, weights) < 0.999


def test_confidence_is_less_for_images_that_lost_something() -> None:
    """Each way in which an image was read has the share of its own; nothing else moves."""
    rng = np.random.default_rng(2)
    ways = {UPRIGHT: 0.95, HowRead(True, 1.0): 0.6, HowRead(False, 0.0, True): 0.8}
    read = [way for way in ways for _ in range(1000)]
    right = [bool(rng.random() < ways[way]) for way in read]
    weights = fit_confidence([0.97] * len(read), right, read)
    for way, share in ways.items():
        assert _confidence(0.97, weights, way) == pytest.approx(share, abs=0.03)


def test_what_was_lost_follows_from_doubts_and_scale() -> None:
    """A small canvas with sharp edges lost nothing; enlarging loses no px."""
    assert how_read(["canvas"], 2.0) == UPRIGHT
    assert how_read(["rescaled"], 2.0) == HowRead(True, 1.0)
    assert how_read(["rescaled"], 0.5) == HowRead(True, 0.0)
    assert how_read(["turned"], 1.0) == HowRead(False, 0.0, True)


def test_plain_weights_leave_the_chance_as_it_is() -> None:
    """An uncalibrated model's confidence is the probability of its answer."""
    assert _confidence(0.7, UNCALIBRATED, HowRead(True, 1.0, True)) == pytest.approx(0.7)


def test_answer_that_is_as_likely_wrong_is_said_to_be() -> None:
    """From one half on nothing is said."""
    assert confidence_doubts(0.5) == ()
    assert confidence_doubts(0.31)[0].kind == "unsure"
    assert "31 %" in confidence_doubts(0.31)[0].sentence


def test_model_may_be_told_another_number_of_digits_for_a_while() -> None:
    """Afterwards it assumes its own again; a model that assumes none says so."""
    model = create_model("additive-pyramid", {"width": 4})
    usual = model.config
    with assuming_digits(model, (1, 9)):
        assert (model.config.fewest_digits, model.config.most_digits) == (1, 9)
    with assuming_digits(model, None):
        assert model.config is usual
    assert model.config is usual
    with (
        pytest.raises(InvalidValueError, match="assumes a number of digits"),
        assuming_digits(create_model("efficientnet-b0", {"side_px": 64}), (1, 2)),
    ):
        pass
