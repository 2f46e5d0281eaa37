"""Figures of a scene are those of its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering import digit_mask, render, scene_figures
from umnist_core.rendering.render import ink_px
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()


@pytest.mark.parametrize("preset", ["released", "paper", "megapixel"])
def test_ink_share_is_that_of_the_drawn_mask(preset: str) -> None:
    """Counted on the glyphs, and equal to what is counted on the canvas."""
    scene = plan_scene(preset, seed=3, index=1, glyphs=GLYPHS)
    mask = render(scene, GLYPHS, layer="noise_free") > 0
    assert scene_figures(scene, GLYPHS).ink_share == pytest.approx(float(np.mean(mask)))


@pytest.mark.parametrize("preset", ["released", "released-clean", "paper"])
def test_ink_that_is_counted_is_that_of_the_mask(preset: str) -> None:
    """Px for px, also where digits stand side by side in one block of the JPEG."""
    crowded = {"canvas": "300", "factor": "1..4", "digits": "5", "label": "free"}
    for index in range(6):
        overrides = crowded if index % 2 else {"canvas": "1000", "factor": "0.5..12"}
        scene = plan_scene(preset, seed=8, index=index, glyphs=GLYPHS, overrides=overrides)
        for place in range(len(scene.digits)):
            mask = digit_mask(scene, GLYPHS, place)
            assert ink_px(scene, GLYPHS, place) == np.count_nonzero(mask)


def test_counts_are_those_of_the_parameters() -> None:
    """Shapes, cells and strokes as they were asked for."""
    overrides = {"circles": "2", "triangles": "3", "checkerboard": "7", "digits": "4"}
    figures = scene_figures(plan_scene(glyphs=GLYPHS, overrides=overrides), GLYPHS)
    assert {name: count for name, count in figures.shapes.items() if count} == {
        "circles": 2,
        "triangles": 3,
    }
    assert (figures.cells, figures.strokes) == (7, 0)
    assert len(figures.sides_px) == len(figures.object_to_image_ratios) == 4
    strokes = plan_scene("megapixel", glyphs=GLYPHS, overrides={"noise_count": "9"})
    assert scene_figures(strokes, GLYPHS).strokes == 9
