"""Figures of a scene, exact and without drawing it."""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.rendering.render import ink_px
from umnist_core.scenes.scene import Scene
from umnist_core.scenes.shapes import count_shapes


@dataclass(frozen=True)
class SceneFigures:
    """What one image is like.

    Attributes
    ----------
    label
        As of the scene: the sum of the digits, or the label of its tasks.
    sides_px
        Side of each digit's square, in the order of the scene.
    object_to_image_ratios
        Area of each digit's square over that of the canvas, 0 to 1.
    ink_share
        Area of all digits' ink, specks with it, over that of the canvas, 0 to 1.
    shapes
        Shapes on the ground, by the plural of their kind (`umnist_core.scenes.SHAPES`).
    cells
        Cells along one side of the checkerboard before it is cropped; 0 for a black ground.
    strokes
        Strokes pasted on the ground, as in Megapixel MNIST.
    distractors
        Digits that are no part of the answer, as in Needle MNIST.
    """

    label: int
    sides_px: tuple[int, ...]
    object_to_image_ratios: tuple[float, ...]
    ink_share: float
    shapes: dict[str, int]
    cells: int
    strokes: int
    distractors: int


def scene_figures(scene: Scene, glyphs: GlyphSet) -> SceneFigures:
    """Return the figures of a scene.

    Raises
    ------
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    return SceneFigures(
        label=scene.label,
        sides_px=tuple(digit.side_px for digit in scene.digits),
        object_to_image_ratios=scene.object_to_image_ratios,
        ink_share=ink_share(scene, glyphs),
        shapes=count_shapes(scene.shapes),
        cells=0 if scene.checkerboard is None else scene.checkerboard.size,
        strokes=0 if scene.strokes is None else len(scene.strokes.patches),
        distractors=0 if scene.added is None else len(scene.added.distractors),
    )


def ink_share(scene: Scene, glyphs: GlyphSet) -> float:
    """Return the area of all digits' ink as it is drawn, specks with it, over the canvas's.

    Raises
    ------
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    inked = sum(ink_px(scene, glyphs, place) for place in range(len(scene.digits)))
    return inked / (scene.height * scene.width)
