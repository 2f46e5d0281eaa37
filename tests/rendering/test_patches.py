"""Scenes with strokes as pixels: what hides what, every layer, and memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.property.test_windows import reduce_by_definition
from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import LAYERS, digit_mask, render, scene_figures
from umnist_core.rendering.strokes import draw_patterns
from umnist_core.scenes import Scene, Strokes, plan_scene
from umnist_core.scenes.resize import resize_by_area

GLYPHS = segment_glyphs()


def plan(preset: str = "megapixel-bezier", **overrides: object) -> Scene:
    """Plan a small crowded scene."""
    texts = {"canvas": "400", "noise_count": "60"}
    texts |= {name: str(value) for name, value in overrides.items()}
    return plan_scene(preset, 5, index=1, glyphs=GLYPHS, overrides=texts)


def strokes_of(scene: Scene) -> Strokes:
    """Return the strokes of a Megapixel scene."""
    assert scene.strokes is not None
    return scene.strokes


def paint(scene: Scene, strokes: bool, digits: bool) -> NDArray[np.uint8]:
    """Paste whole squares one after another, as the released generators do."""
    canvas = np.zeros((scene.height, scene.width), np.uint8)
    noise = strokes_of(scene)
    patterns = draw_patterns(noise)
    for pattern, row, col in noise.patches if strokes else ():
        side_px = noise.side_px
        square = resize_by_area(patterns[pattern], side_px)
        canvas[row : row + side_px, col : col + side_px] = square
    for digit in scene.digits if digits else ():
        canvas[digit.box.slices] = resize_by_area(GLYPHS.images[digit.glyph], digit.side_px)
    return canvas


@pytest.mark.parametrize("preset", ["megapixel", "megapixel-bezier"])
@pytest.mark.parametrize(("digit_size", "noise_size"), [(28, 28), (46, 46), (56, 21), (14, 84)])
def test_layers_are_their_definitions(preset: str, digit_size: int, noise_size: int) -> None:
    """Full is strokes then digits; noise_free digits alone; background strokes alone."""
    scene = plan(preset, digit_size=digit_size, noise_size=noise_size)
    full = paint(scene, strokes=True, digits=True)
    digits = paint(scene, strokes=False, digits=True)
    np.testing.assert_array_equal(render(scene, GLYPHS), full)
    np.testing.assert_array_equal(render(scene, GLYPHS, layer="noise_free"), digits)
    np.testing.assert_array_equal(
        render(scene, GLYPHS, layer="background"), paint(scene, strokes=True, digits=False)
    )
    np.testing.assert_array_equal(
        render(scene, GLYPHS, layer="digits"), np.where(digits > 0, full, 128)
    )


def test_later_square_hides_the_earlier_black_included() -> None:
    """A pattern pasted on another leaves nothing of it, not even through its black."""
    scene = plan(noise_count=2)
    noise = strokes_of(scene)
    far = tuple(replace(digit, row=300, col=300) for digit in scene.digits[:1])
    pasted = replace(noise, patches=((0, 50, 60), (1, 50, 60)))
    image = render(replace(scene, strokes=pasted, digits=far), GLYPHS)
    np.testing.assert_array_equal(image[50:78, 60:88], draw_patterns(noise)[1])
    image[50:78, 60:88] = 0
    image[300:328, 300:328] = 0
    assert not image.any()


def test_digit_hides_strokes_as_a_whole_square() -> None:
    """Under a digit's square no stroke is left."""
    scene = plan(noise_count=5000)
    image = render(scene, GLYPHS)
    assert (render(scene, GLYPHS, layer="background") > 0).mean() > 0.03
    for digit in scene.digits:
        np.testing.assert_array_equal(image[digit.box.slices], GLYPHS.images[digit.glyph])


def test_stroke_of_28_px_has_the_ink_of_its_pattern() -> None:
    """At noise_size=28 the canvas shows the 28-px grid pixel for pixel, at 56 four times."""
    for side_px, times in ((28, 1), (56, 4)):
        scene = plan(noise_size=side_px, noise_count=1)
        ink = (render(scene, GLYPHS, layer="background") > 0).sum()
        assert ink == times * (draw_patterns(strokes_of(scene))[0] > 0).sum()


def test_scene_without_strokes_is_digits_on_black() -> None:
    """No stroke at all is a setting too."""
    scene = plan(noise_count=0)
    np.testing.assert_array_equal(render(scene, GLYPHS), render(scene, GLYPHS, layer="noise_free"))
    assert not render(scene, GLYPHS, layer="background").any()
    assert not render(scene, GLYPHS, layer="background", reduction=3).any()


@pytest.mark.parametrize("size", [14, 28, 46])
def test_digit_mask_is_the_grey_of_the_digit(size: int) -> None:
    """Mask, ink box and ink share are those of the pixels that are not black."""
    scene = plan(digit_size=size)
    alone = render(scene, GLYPHS, layer="noise_free") > 0
    for place, digit in enumerate(scene.digits):
        np.testing.assert_array_equal(digit_mask(scene, GLYPHS, place), alone[digit.box.slices])
        rows, cols = np.nonzero(alone[digit.box.slices])
        tight = Box(rows.min(), cols.min(), rows.max() + 1, cols.max() + 1)
        assert tight.shifted(digit.row, digit.col) == digit.ink_box
    assert scene_figures(scene, GLYPHS).ink_share == alone.mean()


def test_strokes_are_drawn_the_same_after_json() -> None:
    """A scene that was stored and read gives the same pixels."""
    scene = plan("megapixel")
    read = Scene.from_json(scene.to_json())
    np.testing.assert_array_equal(render(read, GLYPHS), render(scene, GLYPHS))


@pytest.mark.parametrize("reduction", [512, 513, 700, 1024, 1400])
@pytest.mark.parametrize("layer", LAYERS)
def test_blocks_larger_than_a_piece_are_means_all_the_same(reduction: int, layer: str) -> None:
    """A block is drawn in pieces of 512 px; bright squares across their borders count once."""
    scene = plan(canvas=1400, digits=3, digit_size=400, noise_size=450, thickness=6)
    level = render(scene, GLYPHS, reduction=reduction, layer=layer)
    pixels = render(scene, GLYPHS, layer=layer)
    assert level.max() > 5
    np.testing.assert_array_equal(level, reduce_by_definition(pixels, reduction, "area"))


def test_nearest_pixel_beyond_the_edge_is_the_last() -> None:
    """A block whose centre lies outside the canvas shows the last pixel inside."""
    scene = plan(canvas=400, digits=1)
    last_column = ((512, 27 * 1024 + 512, 27 * 1024 + 512, 27 * 1024 + 512),)
    noise = replace(
        strokes_of(scene), patterns=(last_column,), steps_per_px=1024, patches=((0, 136, 372),)
    )
    digits = (replace(scene.digits[0], row=0, col=0),)
    level = render(
        replace(scene, strokes=noise, digits=digits),
        GLYPHS,
        reduction=300,
        pyramid_filter="nearest",
    )
    np.testing.assert_array_equal(level, [[0, 255], [0, 0]])


def test_memory_does_not_grow_with_the_canvas() -> None:
    """A level of a 100,000-px scene takes megabytes, not the canvas' ten thousand."""
    scene = plan(canvas=100_000, noise_count=800, noise_size=112)
    render(scene, GLYPHS, reduction=200, level_box=Box(0, 0, 1, 1))
    tracemalloc.start()
    try:
        level = render(scene, GLYPHS, reduction=200)
        nearest = render(scene, GLYPHS, reduction=200, pyramid_filter="nearest")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert level.shape == nearest.shape == (500, 500)
    assert level.any()
    assert peak_bytes < 32 * 2**20
