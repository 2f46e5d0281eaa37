"""From the name of an image to its pixels and its truth. No torch."""

from __future__ import annotations

from pathlib import Path

from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.inference.requests import FileImage, ImageRef, SceneImage
from umnist_core.pyramid import TileSource, scene_source
from umnist_core.pyramid.files import file_source
from umnist_core.scenes import Scene, plan_scene


def plan_image(image: SceneImage, glyphs: GlyphSet) -> Scene:
    """Plan the scene that an image shows.

    Raises
    ------
    UmnistError
        If it cannot be planned; the sentence says why.
    """
    return plan_scene(
        image.preset,
        image.seed,
        image.split,
        image.index,
        glyphs=glyphs,
        overrides=dict(image.overrides),
    )


def open_image(image: ImageRef) -> tuple[TileSource, Scene | None]:
    """Open an image for a model.

    Scenes are drawn with the digits that the tile routes draw them with, so a model sees what
    the viewer shows.

    Returns
    -------
    tuple
        The pixels, and the scene that they were drawn from; None for files.

    Raises
    ------
    UmnistError
        If the scene cannot be planned or the file not be opened; the sentence says why.
    """
    if isinstance(image, FileImage):
        return file_source(Path(image.path)), None
    glyphs = load_glyphs()
    scene = plan_image(image, glyphs)
    return scene_source(scene, glyphs, image.view), scene
