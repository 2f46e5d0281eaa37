"""Figures of a scene, exact and without drawing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.rendering.render import digit_mask
from umnist_core.scenes.scene import Circle, Scene


@dataclass(frozen=True)
class SceneFigures:
    """What one image is like.

    Attributes
    ----------
    label
        Sum of the digits.
    sides_px
        Side of each digit's square, in the order of the scene.
    object_to_image_ratios
        Area of each digit's square over that of the canvas, 0 to 1.
    ink_share
        Area of all digits' ink over that of the canvas, 0 to 1.
    circles, triangles
        Shapes on the ground.
    cells
        Cells along one side of the checkerboard before it is cropped; 0 for a black ground.
    strokes
        Strokes pasted on the ground, as in Megapixel MNIST.
    """

    label: int
    sides_px: tuple[int, ...]
    object_to_image_ratios: tuple[float, ...]
    ink_share: float
    circles: int
    triangles: int
    cells: int
    strokes: int


def scene_figures(scene: Scene, glyphs: GlyphSet) -> SceneFigures:
    """Return the figures of a scene.

    Raises
    ------
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    ink_px = sum(
        int(np.count_nonzero(digit_mask(scene, glyphs, place)))
        for place in range(len(scene.digits))
    )
    circles = sum(isinstance(shape, Circle) for shape in scene.shapes)
    return SceneFigures(
        label=scene.label,
        sides_px=tuple(digit.side_px for digit in scene.digits),
        object_to_image_ratios=scene.object_to_image_ratios,
        ink_share=ink_px / (scene.height * scene.width),
        circles=circles,
        triangles=len(scene.shapes) - circles,
        cells=0 if scene.checkerboard is None else scene.checkerboard.size,
        strokes=0 if scene.strokes is None else len(scene.strokes.patches),
    )
