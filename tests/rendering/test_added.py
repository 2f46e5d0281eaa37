"""Scenes of added digits as pixels: sums that are cut at white, every layer, level and window."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import digit_mask, render, scene_figures
from umnist_core.scenes import Added, Scene, plan_scene

GLYPHS = segment_glyphs()


def plan(index: int = 0, **overrides: object) -> Scene:
    """Plan a small crowded scene."""
    texts = {"canvas": "256", "distractors": "300"}
    texts |= {name: str(value) for name, value in overrides.items()}
    return plan_scene("needle", 5, index=index, glyphs=GLYPHS, overrides=texts)


def added_of(scene: Scene) -> Added:
    """Return what is added in a scene."""
    assert scene.added is not None
    return scene.added


def paint(scene: Scene, distractors: bool = True, digits: bool = True) -> NDArray[np.uint8]:
    """Add floating-point images of 0 to 1, cut them at 1, and round to 255ths (half to even)."""
    canvas = np.zeros((scene.height, scene.width))
    for glyph, row, col in added_of(scene).distractors if distractors else ():
        canvas[row : row + 28, col : col + 28] += GLYPHS.images[glyph] / 255
    for digit in scene.digits if digits else ():
        pixels = GLYPHS.images[digit.glyph] / 255
        times = digit.side_px // 28
        pixels = np.kron(pixels, np.ones((times, times))) if times else pixels[::2, ::2]
        canvas[digit.box.slices] += pixels
    return np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("index", [0, 1])
def test_layers_are_their_definitions(index: int) -> None:
    """Full is the sum of all; noise_free the needle alone; background all others."""
    scene = plan(index)
    full, needle = paint(scene), paint(scene, distractors=False)
    assert (full == 255).mean() > 0.2, "many sums lie above white"
    np.testing.assert_array_equal(render(scene, GLYPHS), full)
    np.testing.assert_array_equal(render(scene, GLYPHS, layer="noise_free"), needle)
    np.testing.assert_array_equal(
        render(scene, GLYPHS, layer="background"), paint(scene, digits=False)
    )
    np.testing.assert_array_equal(
        render(scene, GLYPHS, layer="digits"), np.where(needle > 0, full, 128)
    )


def test_published_scene_is_that_of_floating_point_numbers() -> None:
    """Pixel for pixel, at 512 px with 100 distractors and at 1024 px with 401."""
    for index, canvas in ((0, "512"), (1, "1024")):
        scene = plan_scene("needle", index=index, glyphs=GLYPHS, overrides={"canvas": canvas})
        np.testing.assert_array_equal(render(scene, GLYPHS), paint(scene))


def test_order_of_digits_does_not_matter() -> None:
    """A sum has no order."""
    scene = plan()
    turned = replace(scene, added=Added(added_of(scene).distractors[::-1], needle=3))
    np.testing.assert_array_equal(render(turned, GLYPHS), render(scene, GLYPHS))


def test_digits_of_every_side_are_added_where_they_meet() -> None:
    """Of 14, 28 and 84 px, one over another."""
    (needle,) = plan().digits
    sides = [
        replace(needle, side_px=side, row=row) for side, row in ((14, 3), (84, 100), (56, 120))
    ]
    scene = replace(plan(), digits=(needle, *sides))
    np.testing.assert_array_equal(render(scene, GLYPHS), paint(scene))
    alone = paint(scene, distractors=False)
    np.testing.assert_array_equal(
        render(scene, GLYPHS, layer="digits"), np.where(alone > 0, paint(scene), 128)
    )


def test_digit_mask_and_ink_are_the_grey_of_the_digit() -> None:
    """Of a needle, and of digits of any side; distractors are no ink of the answer."""
    scenes = [plan(), plan_scene("patchgd", 1, index=3, glyphs=GLYPHS)]
    for scene in scenes:
        alone = render(scene, GLYPHS, layer="noise_free") > 0
        for place, digit in enumerate(scene.digits):
            mask = digit_mask(scene, GLYPHS, place)
            np.testing.assert_array_equal(mask, alone[digit.box.slices])
            rows, cols = np.nonzero(mask)
            tight = Box(rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
            assert tight.shifted(digit.row, digit.col) == digit.ink_box
        assert scene_figures(scene, GLYPHS).ink_share == pytest.approx(alone.mean())


def test_figures_tell_distractors_and_digits() -> None:
    """An image without a needle has no digit and no ink of one."""
    figures = scene_figures(plan(1), GLYPHS)
    assert (figures.label, figures.distractors, figures.strokes) == (0, 301, 0)
    assert (figures.sides_px, figures.ink_share) == ((), 0)
    assert scene_figures(plan(0), GLYPHS).object_to_image_ratios == ((28 / 256) ** 2,)


def test_memory_does_not_grow_with_the_canvas() -> None:
    """A level of a 100,000-px scene takes megabytes, not the canvas' ten thousand."""
    scene = plan(canvas=100_000, distractors=5000)
    render(scene, GLYPHS, reduction=200, level_box=Box(0, 0, 1, 1))
    tracemalloc.start()
    try:
        level = render(scene, GLYPHS, reduction=200)
        nearest = render(scene, GLYPHS, reduction=200, pyramid_filter="nearest")
        window = render(scene, GLYPHS, level_box=Box(50_000, 50_000, 51_000, 54_000))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert level.shape == nearest.shape == (500, 500)
    assert level.any()
    assert window.any()
    assert peak_bytes < 32 * 2**20
