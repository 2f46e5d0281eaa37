"""Whether a file has the pixels of the scene that it, or its data set, names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.datasets.making import small_recipe
from umnist_core.datasets import open_dataset
from umnist_core.datasets.named_scene import check_scene, find_comment, open_named
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.pyramid import encode_jpeg, reduce_for_model
from umnist_core.pyramid.comment import add_comment, scene_comment
from umnist_core.rendering import render
from umnist_core.scenes import Scene, SceneRef

REF = SceneRef.of("patchgd", seed=3, index=2)
"""Of 512 px a side, and grey."""


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Return a small scene."""
    return REF.plan(load_glyphs())


@pytest.mark.parametrize("image", ["jpeg", "jpeg-released", "png"])
def test_images_of_a_data_set_are_those_of_its_scenes(tmp_path: Path, image: str) -> None:
    """Also with other parameters than the preset's, which the table of truth tells."""
    recipe = small_recipe(2, image=image, overrides={"shape_pairs": "2"})
    write_dataset(recipe, tmp_path / "set", jobs=1)
    data = open_dataset(tmp_path / "set")
    for image_id in data.ids:
        truth, path = data.truth(image_id), data.find_path(image_id)
        assert truth is not None
        assert path is not None
        named = check_scene(truth, path, image_id, load_glyphs())
        assert named.ref is not None
        assert named.ref.plan(load_glyphs()) == truth
        # The comment does not tell the parameters, so that it names another image.
        alone = open_named(path, image_id, load_glyphs())
        assert (alone is None) is (image == "jpeg-released")
        assert alone is None or alone.ref is None


def _save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)


def _jpeg(quality: int) -> Callable[[Path, np.ndarray], object]:
    return lambda path, pixels: path.write_bytes(encode_jpeg(pixels, quality))


@pytest.mark.parametrize(
    ("change", "write", "fits"),
    [
        (lambda image: image, _save, True),
        (lambda image: image, _jpeg(75), True),
        (lambda image: image, _jpeg(95), True),
        (lambda image: reduce_for_model(image, 256), _save, True),
        (lambda image: image ^ np.eye(512, dtype=np.uint8), _save, False),
        (lambda image: image, _jpeg(30), False),
        (lambda image: image[:-1], _save, False),
        (lambda image: reduce_for_model(image[::-1], 256), _save, False),
    ],
)
def test_pixels_are_compared_as_the_file_was_encoded(
    tmp_path: Path,
    scene: Scene,
    change: Callable[[np.ndarray], np.ndarray],
    write: Callable[[Path, np.ndarray], object],
    fits: bool,
) -> None:
    """Lossless ones exactly, those of our kinds of JPEG as they come back, reduced ones too."""
    path = tmp_path / "image.png"
    write(path, change(render(scene, load_glyphs())))
    named = check_scene(scene, path, "image", load_glyphs())
    assert named.ref == (REF if fits else None)
    assert ("has the pixels" if fits else "has other pixels") in named.said


def test_comment_names_the_scene(tmp_path: Path, scene: Scene) -> None:
    """Of a file that stands alone, and only if it has the pixels."""
    pixels = render(scene, load_glyphs())
    path = tmp_path / "alone.jpeg"
    path.write_bytes(add_comment(encode_jpeg(pixels), scene_comment(scene, "0.1.0")))
    assert find_comment(path) == REF
    named = open_named(path, "alone", load_glyphs())
    assert named is not None
    assert named.ref == REF
    path.write_bytes(add_comment(encode_jpeg(255 - pixels), scene_comment(scene, "0.1.0")))
    named = open_named(path, "alone", load_glyphs())
    assert named is not None
    assert named.ref is None
    path.write_bytes(encode_jpeg(pixels))
    assert open_named(path, "alone", load_glyphs()) is None


def test_scene_of_other_digits_is_not_compared(tmp_path: Path, scene: Scene) -> None:
    """Nor is one whose file is gone."""
    other = Scene.from_json(scene.to_json().replace(scene.glyph_checksum, "0" * 64))
    named = check_scene(other, tmp_path / "gone.png", "gone", load_glyphs())
    assert "digits" in named.said
    assert named.ref is None
    assert check_scene(scene, tmp_path / "gone.png", "gone", load_glyphs()).ref is None
