"""From a viewer's address of an image to what a model is asked to look at."""

from __future__ import annotations

from umnist_core.datasets.large_scale import LARGE_SCALE_PX
from umnist_core.datasets.large_scale.ref import DigitRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.inference.requests import DigitImage, FileImage, ImageRef, SceneImage
from umnist_core.rendering import LAYERS
from umnist_core.server.files import get_file
from umnist_core.server.query import parse_file_query, parse_scene_query
from umnist_core.server.tiles import FILE_PATH, SCENE_PATH, check_pin


def find_image(address: str) -> tuple[ImageRef, int]:
    """Read the address of a descriptor, such as ``/tiles/scene.dzi?seed=7``.

    Parameters
    ----------
    address
        As the viewer has it: of this server, without its name.

    Returns
    -------
    tuple
        The image, and its number of pixels.

    Raises
    ------
    InvalidValueError
        If it is no such address, or of a view that was reduced already.
    GlyphMismatchError
        If the address is of other digits than are in use here.
    NotFoundError
        If no such file is open.
    """
    path, _, query = address.partition("?")
    tile_path = path.removeprefix("/tiles") if path.startswith("/tiles/") else ""
    if match := FILE_PATH.fullmatch(tile_path):
        entry = get_file(match[1])
        _check_view(parse_file_query(query).view)
        image_file = FileImage(str(entry.path), entry.header.page, entry.header.is_frozen)
        return image_file, entry.height * entry.width
    match = SCENE_PATH.fullmatch(tile_path)
    if match is None or match[1] != "dzi":
        raise InvalidValueError(
            "Expected the address of an image, /tiles/scene.dzi or /tiles/file/ID.dzi, found "
            f"{address[:80]!r}; open the image again."
        )
    asked = parse_scene_query(query)
    _check_view(asked.view)
    glyphs = load_glyphs()
    check_pin(asked.pin, glyphs)
    if isinstance(asked.ref, DigitRef):
        return DigitImage(asked.ref), LARGE_SCALE_PX**2
    scene = asked.ref.plan(glyphs)
    return SceneImage(asked.ref, asked.view), scene.height * scene.width


def _check_view(view: str) -> None:
    if view not in LAYERS:
        raise InvalidValueError(
            f"A model makes its own small image; it was given the view {view!r}, so choose one of "
            f"{', '.join(LAYERS)}."
        )
