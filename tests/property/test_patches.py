"""The promises of rendering, for grey scenes: any window, level, layer and filter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_windows import boxes_in, reduce_by_definition
from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering import FILTERS, LAYERS, level_box_of_whole, render
from umnist_core.scenes import Scene, plan_scene

GLYPHS = segment_glyphs()


@st.composite
def scenes_with_strokes(draw: st.DrawFn) -> Scene:
    """Draw a crowded scene of 90 to 1300 px; 512 px and more are averaged in pieces."""
    return plan_scene(
        draw(st.sampled_from(["megapixel", "megapixel-bezier"])),
        seed=draw(st.integers(0, 1000)),
        glyphs=GLYPHS,
        overrides={
            "canvas": str(draw(st.integers(90, 1300))),
            "digits": str(draw(st.integers(1, 3))),
            "digit_size": str(draw(st.integers(7, 40))),
            "noise_count": str(draw(st.integers(0, 80))),
            "noise_size": str(draw(st.sampled_from([7, 21, 28, 30]))),
            "thickness": str(draw(st.sampled_from([0.5, 1, 2.3]))),
            "thickness_mode": draw(st.sampled_from(["integer", "continuous"])),
        },
    )


@st.composite
def added_scenes(draw: st.DrawFn) -> Scene:
    """Draw a scene of 70 to 1300 px with digits of any side, over one another too."""
    preset = draw(st.sampled_from(["needle", "patchgd"]))
    canvas = draw(st.integers(70, 1300))
    overrides = {"canvas": str(canvas)}
    overrides |= (
        {"distractors": str(draw(st.integers(0, 80)))}
        if preset == "needle"
        else {"factor": f"0.5..{max(1, canvas // 100)}"}
    )
    return plan_scene(
        preset,
        seed=draw(st.integers(0, 1000)),
        index=draw(st.integers(0, 1)),
        glyphs=GLYPHS,
        overrides=overrides,
    )


GREY_SCENES = st.one_of(scenes_with_strokes(), added_scenes())


@settings(deadline=None, max_examples=200)
@given(data=st.data(), scene=GREY_SCENES)
def test_window_equals_the_crop_of_the_whole(data: st.DataObject, scene: Scene) -> None:
    """A box rendered alone is the same box cut from the level, for every layer and filter."""
    layer, pyramid_filter = data.draw(st.sampled_from(LAYERS)), data.draw(st.sampled_from(FILTERS))
    reduction = data.draw(st.one_of(st.integers(1, 40), st.integers(500, 700)))
    box = data.draw(boxes_in(level_box_of_whole(scene, reduction)))
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


@settings(deadline=None, max_examples=200)
@given(data=st.data(), scene=GREY_SCENES)
def test_level_equals_its_definition_on_the_pixels(data: st.DataObject, scene: Scene) -> None:
    """Means and nearest pixels equal those taken from the full image."""
    layer, pyramid_filter = data.draw(st.sampled_from(LAYERS)), data.draw(st.sampled_from(FILTERS))
    reduction = data.draw(st.one_of(st.integers(2, 40), st.integers(2, 1400)))
    level = render(scene, GLYPHS, reduction=reduction, layer=layer, pyramid_filter=pyramid_filter)
    pixels = render(scene, GLYPHS, layer=layer)
    np.testing.assert_array_equal(level, reduce_by_definition(pixels, reduction, pyramid_filter))
