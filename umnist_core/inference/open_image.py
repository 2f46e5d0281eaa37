"""From the name of an image to its pixels and its truth. No torch."""

from __future__ import annotations

from pathlib import Path

from umnist_core.digits import load_glyphs
from umnist_core.inference.requests import DigitImage, FileImage, ImageRef
from umnist_core.pyramid import ArraySource, TileSource, scene_source
from umnist_core.rendering import check_work
from umnist_core.scenes import Scene


def open_image(image: ImageRef) -> tuple[TileSource, Scene | None]:
    """Open an image for a model.

    Scenes are drawn with the digits that the tile routes draw them with, so a model sees what
    the viewer shows.

    Returns
    -------
    tuple
        The pixels, and the scene that they were drawn from; None for files, and for images of
        MNIST Large Scale, which are drawn from none.

    Raises
    ------
    UmnistError
        If the scene cannot be planned or takes too long to draw, or the file cannot be opened;
        the sentence says why.
    """
    if isinstance(image, FileImage):
        # Bare images of PyTorch lack libvips, and predict on scenes without it.
        from umnist_core.pyramid.files import file_source

        return file_source(Path(image.path), page=image.page, frozen=image.is_frozen), None
    if isinstance(image, DigitImage):
        return ArraySource(image.ref.draw()), None
    glyphs = load_glyphs()
    scene = image.ref.plan(glyphs)
    check_work(scene)
    return scene_source(scene, glyphs, image.layer), scene
