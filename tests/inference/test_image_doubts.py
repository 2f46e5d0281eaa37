"""Warnings that need no model: what an image has that those of training had not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

from umnist_core.datasets.large_scale.ref import DigitRef, any_ref
from umnist_core.inference.doubts import KnownImages, all_doubts, known_images
from umnist_core.inference.open_image import open_image
from umnist_core.inference.requests import DigitImage, FileImage, ImageRef, SceneImage
from umnist_core.inference.sight import SeenImage
from umnist_core.models.base import Doubt, Model, ModelOutput
from umnist_core.models.cards import Card, find_checkpoints, load_card
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource, TileSource
from umnist_core.scenes import Scene, SceneRef

DATA: dict[str, Mapping[str, Any]] = {
    "megapixel": {"preset": "megapixel", "turns": [{"preset": "megapixel-bezier"}]},
    "needle": {"preset": "needle", "overrides": {"canvas": "512"}},
    "large-scale": {"preset": "large-scale", "overrides": {"scale": "1"}},
    "released": {"preset": "released", "overrides": {"canvas": "1000"}},
}
"""What a model learned from, as cards say it."""

GREY = ("megapixel", "needle")
FILE = FileImage("any.png")


@pytest.fixture(scope="module")
def model() -> Model:
    """Return one that reads digits; nothing else of it matters."""
    return create_model("large-scale-cnn", {})


def _doubts(
    model: Model,
    data: Mapping[str, Any],
    source: TileSource,
    image: ImageRef = FILE,
    scene: Scene | None = None,
    *,
    own: tuple[Doubt, ...] | None = None,
) -> tuple[Doubt, ...]:
    output = ModelOutput({"sum": torch.zeros(1, 28)}, doubts=() if own is None else (own,))
    card = Card("x", data=data)
    found = all_doubts(SeenImage(model, None, source, scene, image), card, output)
    assert found is not None
    return found


def _kinds(*arguments: Any, **more: Any) -> list[str]:
    return [one.kind for one in _doubts(*arguments, **more)]


def _usual(name: str, index: int) -> ImageRef:
    overrides = {key: str(one) for key, one in DATA[name].get("overrides", {}).items()}
    ref = any_ref(name, overrides, seed=3, split="train", index=index)
    return DigitImage(ref) if isinstance(ref, DigitRef) else SceneImage(ref)


def _photograph(side_px: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = load_sample_images().images[0]
    return np.asarray(cv2.resize(picture, (side_px, side_px)), np.uint8)


SIDES = {"megapixel": 1500, "needle": 512, "large-scale": 112, "released": 1000}


@pytest.mark.parametrize("name", DATA)
def test_images_like_those_of_training_raise_no_doubt(model: Model, name: str) -> None:
    """As scenes, and as files of the same pixels."""
    for index in range(3):
        image = _usual(name, index)
        source, scene = open_image(image)
        assert _doubts(model, DATA[name], source, image, scene) == ()
        assert _doubts(model, DATA[name], ArraySource(source.read_whole())) == ()


@pytest.mark.parametrize("name", DATA)
def test_other_canvas_is_told_with_both_sizes(model: Model, name: str) -> None:
    """Expected are the sides that the card names."""
    source = ArraySource(np.pad(open_image(_usual(name, 0))[0].read_whole(), ((0, 8), (0, 16))))
    (doubt,) = _doubts(model, DATA[name], source)
    side = SIDES[name]
    assert doubt.kind == "canvas"
    assert doubt.sentence == (
        f"Expected {side} x {side} px, as in training; found {side + 16} x {side + 8} px."
    )


@pytest.mark.parametrize("name", DATA)
def test_colour_photograph_is_told_by_its_colours(model: Model, name: str) -> None:
    """Of the usual size, so that nothing else tells; its grey has none."""
    picture = _photograph(SIDES[name])
    assert "colour" in _kinds(model, DATA[name], ArraySource(picture))
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    found = _kinds(model, DATA[name], ArraySource(grey))
    assert found == {"released": ["photograph"], "large-scale": []}.get(name, ["ground"])
    # Somewhat brownish paper is no colour.
    tinted = np.clip(np.add(grey[:, :, None], [20, 10, 0]), 0, 255).astype(np.uint8)
    assert "colour" not in _kinds(model, DATA[name], ArraySource(tinted))


@pytest.mark.parametrize("value", [0, 255, (30, 120, 30)])
def test_image_of_one_colour_holds_no_digits(model: Model, value: Any) -> None:
    """Whichever it is; one px of another is enough to say nothing."""
    shape = (1500, 1500) if isinstance(value, int) else (1500, 1500, 3)
    image = np.full(shape, value, np.uint8)
    found = _doubts(model, DATA["megapixel"], ArraySource(image))
    assert found[0].kind == "blank"
    assert f"({value if isinstance(value, int) else '30 120 30'} of 255 everywhere)" in (
        found[0].sentence
    )
    image[1301, 77] ^= 1
    assert "blank" not in _kinds(model, DATA["megapixel"], ArraySource(image))


def test_ground_without_digits_is_known_of_generated_images(model: Model) -> None:
    """The layer without digits says so whatever noise is on it."""
    image = SceneImage(SceneRef("megapixel", 3), "background")
    source, scene = open_image(image)
    assert _kinds(model, DATA["megapixel"], source, image, scene) == ["no-digits"]


@pytest.mark.parametrize("name", GREY)
def test_scene_of_the_other_kind_is_told_by_its_ground(model: Model, name: str) -> None:
    """Black and white ones to a model of grey digits, and the other way round."""
    side = str(SIDES[name])
    overrides = (("canvas", side), ("factor", "0.5..6"))
    image = SceneImage(SceneRef("released", 3, overrides=overrides))
    source, scene = open_image(image)
    assert _kinds(model, DATA[name], source, image, scene) == ["ground"]
    (doubt,) = _doubts(model, DATA[name], ArraySource(source.read_whole()))
    assert doubt.kind == "ground"
    assert doubt.sentence.startswith("Expected a black ground, as in training; found ")
    other = _usual(name, 0)
    source, scene = open_image(other)
    found = _kinds(model, DATA["released"], source, other, scene)
    assert set(found) == {"canvas", "ground"}


def test_what_a_model_says_itself_comes_behind_and_once(model: Model) -> None:
    """Of a photograph our own models say that they see grey, and nothing is said twice."""
    own = (Doubt("canvas", "Mine."), Doubt("photograph", "Mine."))
    source = ArraySource(_photograph(900))
    found = _doubts(model, DATA["released"], source, own=own)
    assert [one.kind for one in found] == ["colour", "canvas", "photograph"]
    assert found[1].sentence == "Mine."


def test_model_of_photographs_is_not_warned_of_them() -> None:
    """It says nothing, as it knows nothing else."""
    model = create_model("vgg16", {"classes": 5})
    output = ModelOutput({"class": torch.zeros(1, 5)})
    sight = SeenImage(model, None, ArraySource(_photograph(300)), None, FILE)
    assert all_doubts(sight, Card("vgg16"), output) is None


def test_every_card_that_ships_says_what_its_model_knows() -> None:
    """So each warns of another canvas."""
    for name, path in find_checkpoints().items():
        assert known_images(load_card(path)).sides_px, name
    assert known_images(Card("x")) == KnownImages()
