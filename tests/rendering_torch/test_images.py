"""Whole images as models take them: full size, or reduced to a side by exact means."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import reduce_for_model
from umnist_core.pyramid.sources import model_size
from umnist_core.rendering import LAYERS, render
from umnist_core.rendering_torch import render_images
from umnist_core.scenes import Circle, Scene, plan_scene

GLYPHS = segment_glyphs()


def _weights(canvas_px: int, side_px: int) -> NDArray[np.int64]:
    """Return how much of each canvas px lies in each px of the result, in units of 1/side_px."""
    new = np.arange(side_px)[:, None] * canvas_px
    old = np.arange(canvas_px) * side_px
    shared = np.minimum(new + canvas_px, old + side_px) - np.maximum(new, old)
    weights: NDArray[np.int64] = np.maximum(shared, 0)
    return weights


def _means(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the means as they are defined."""
    down, across = (_weights(old, new) for old, new in zip(pixels.shape, size, strict=True))
    # In doubles, which hold these whole numbers exactly and are multiplied much faster.
    sums = (down.astype(float) @ pixels.astype(float) @ across.T.astype(float)).astype(np.int64)
    area = pixels.shape[0] * pixels.shape[1]
    means: NDArray[np.int64] = (2 * sums + area) // (2 * area)
    return means


@pytest.mark.parametrize("preset", ["released", "paper", "o2i-56"])
@pytest.mark.parametrize("side_px", [1, 97, 256, 600, 601])
def test_a_reduced_image_is_the_mean_of_what_each_pixel_covers(preset: str, side_px: int) -> None:
    """By definition, exactly, where a px ends within a canvas px too."""
    overrides = {"canvas": "601"} | ({} if preset == "o2i-56" else {"factor": "0.5..7"})
    scenes = [
        plan_scene(preset, seed=1, index=index, glyphs=GLYPHS, overrides=overrides)
        for index in range(2)
    ]
    for layer in LAYERS if side_px == 97 else ("full",):
        drawn = render_images(scenes, GLYPHS, device="cpu", side_px=side_px, layer=layer).numpy()
        for image, scene in zip(drawn, scenes, strict=True):
            expected = _means(render(scene, GLYPHS, layer=layer), (side_px, side_px))
            np.testing.assert_array_equal(image, expected)


def test_a_reduced_image_is_within_1_of_what_models_are_given() -> None:
    """OpenCV averages in floats and rounds halves to even numbers."""
    scene = plan_scene("released", seed=1, index=9, glyphs=GLYPHS)
    drawn = render_images([scene], GLYPHS, device="cpu", side_px=512)[0].numpy().astype(int)
    given = reduce_for_model(render(scene, GLYPHS), 512).astype(int)
    assert np.abs(drawn - given).max() <= 1


def test_an_image_that_is_not_square_keeps_its_shape() -> None:
    """Its longer side is what is asked for, the other as models have it."""
    scene = Scene(
        211, 400, (), None, (Circle(90, 150, 80),), 9, GLYPHS.name, GLYPHS.checksum, False
    )
    for side_px in (1, 37, 400):
        image = render_images([scene], GLYPHS, device="cpu", side_px=side_px)[0].numpy()
        size = model_size(211, 400, side_px)
        assert image.shape == size
        np.testing.assert_array_equal(image, _means(render(scene, GLYPHS), size))


def test_a_whole_image_is_the_canvas_and_none_is_enlarged() -> None:
    """Without a side it is drawn in full; a side above the canvas's is refused."""
    scene = plan_scene("released", glyphs=GLYPHS, overrides={"canvas": "300", "factor": "1..3"})
    image = render_images([scene], GLYPHS, device="cpu")[0].numpy()
    np.testing.assert_array_equal(image, render(scene, GLYPHS))
    for side_px in (0, 301):
        with pytest.raises(InvalidValueError, match="reduced to 1 to 300 px"):
            render_images([scene], GLYPHS, device="cpu", side_px=side_px)
