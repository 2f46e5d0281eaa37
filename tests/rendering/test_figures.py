"""Figures of a scene are those of its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering import render, scene_figures
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()


@pytest.mark.parametrize("preset", ["released", "paper", "megapixel"])
def test_ink_share_is_that_of_the_drawn_mask(preset: str) -> None:
    """Counted on the glyphs, and equal to what is counted on the canvas."""
    scene = plan_scene(preset, seed=3, index=1, glyphs=GLYPHS)
    mask = render(scene, GLYPHS, layer="noise_free") > 0
    assert scene_figures(scene, GLYPHS).ink_share == pytest.approx(float(np.mean(mask)))


def test_counts_are_those_of_the_parameters() -> None:
    """Shapes, cells and strokes as they were asked for."""
    overrides = {"circles": "2", "triangles": "3", "checkerboard": "7", "digits": "4"}
    figures = scene_figures(plan_scene(glyphs=GLYPHS, overrides=overrides), GLYPHS)
    assert (figures.circles, figures.triangles, figures.cells, figures.strokes) == (2, 3, 7, 0)
    assert len(figures.sides_px) == len(figures.object_to_image_ratios) == 4
    strokes = plan_scene("megapixel", glyphs=GLYPHS, overrides={"noise_count": "9"})
    assert scene_figures(strokes, GLYPHS).strokes == 9
