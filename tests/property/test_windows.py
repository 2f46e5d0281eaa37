"""Promises of rendering that hold for every scene, window and reduction."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import FILTERS, LAYERS, level_box_of_whole, render
from umnist_core.scenes import Scene, plan_scene

GLYPHS = segment_glyphs()


@st.composite
def small_scenes(draw: st.DrawFn) -> Scene:
    """Draw a scene of 60 to 700 px with any ground."""
    canvas = draw(st.integers(60, 700))
    return plan_scene(
        draw(st.sampled_from(["released", "paper"])),
        seed=draw(st.integers(0, 10_000)),
        glyphs=GLYPHS,
        overrides={
            "canvas": str(canvas),
            "factor": f"0.5..{max(1, canvas // 150)}",
            "digits": "1..3",
            "label": "free",
            "checkerboard": str(draw(st.integers(0, 40))),
            "shape_pairs": str(draw(st.integers(0, 8))),
            "zoom": str(draw(st.sampled_from([0.3, 1.0, 3.0]))),
        },
    )


@st.composite
def boxes_in(draw: st.DrawFn, whole: Box) -> Box:
    """Draw a box inside a level."""
    row0, col0 = draw(st.integers(0, whole.row1 - 1)), draw(st.integers(0, whole.col1 - 1))
    return Box(
        row0, col0, draw(st.integers(row0 + 1, whole.row1)), draw(st.integers(col0 + 1, whole.col1))
    )


def reduce_by_definition(
    pixels: NDArray[np.uint8], reduction: int, pyramid_filter: str
) -> NDArray[np.int64]:
    """Reduce a whole layer as the filters are defined, without any of the renderer's code."""
    height, width = pixels.shape
    rows, cols = np.arange(0, height, reduction), np.arange(0, width, reduction)
    if pyramid_filter == "nearest":
        centre = reduction // 2
        return pixels[
            np.ix_(np.minimum(rows + centre, height - 1), np.minimum(cols + centre, width - 1))
        ].astype(np.int64)
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.int64), rows, 0), cols, 1)
    area = np.minimum(reduction, height - rows)[:, None] * np.minimum(reduction, width - cols)
    means: NDArray[np.int64] = (2 * sums + area) // (2 * area)
    return means


@settings(deadline=None, max_examples=150)
@given(data=st.data(), scene=small_scenes())
def test_window_equals_the_crop_of_the_whole(data: st.DataObject, scene: Scene) -> None:
    """A box rendered alone is the same box cut from the level, for every layer and filter."""
    layer, pyramid_filter = data.draw(st.sampled_from(LAYERS)), data.draw(st.sampled_from(FILTERS))
    reduction = data.draw(st.integers(1, 40))
    whole = level_box_of_whole(scene, reduction)
    box = data.draw(boxes_in(whole))
    level = render(scene, GLYPHS, reduction=reduction, layer=layer, pyramid_filter=pyramid_filter)
    window = render(
        scene,
        GLYPHS,
        level_box=box,
        reduction=reduction,
        layer=layer,
        pyramid_filter=pyramid_filter,
    )
    np.testing.assert_array_equal(window, level[box.slices])


@settings(deadline=None, max_examples=150)
@given(data=st.data(), scene=small_scenes())
def test_level_equals_its_definition_on_the_pixels(data: st.DataObject, scene: Scene) -> None:
    """Means and nearest pixels drawn from crossings equal those taken from the full image."""
    layer, pyramid_filter = data.draw(st.sampled_from(LAYERS)), data.draw(st.sampled_from(FILTERS))
    reduction = data.draw(st.integers(2, 800))
    level = render(scene, GLYPHS, reduction=reduction, layer=layer, pyramid_filter=pyramid_filter)
    pixels = render(scene, GLYPHS, layer=layer)
    np.testing.assert_array_equal(level, reduce_by_definition(pixels, reduction, pyramid_filter))
