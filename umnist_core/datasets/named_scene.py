"""The scene that an image file is of, where the file or its data set names it, and whether it is.

A data set of ours holds the scene of each image; a PNG or JPEG file of ours has a comment with
preset, seed, split and index. Either may be wrong of the pixels that are there: somebody may have
edited them, or have written the comment's preset with other parameters, which it does not tell.
So the scene is drawn, and encoded as the file is, before anything is claimed of a pixel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.decode import decode_grey
from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError, UmnistError
from umnist_core.paths import open_file
from umnist_core.pyramid import WHOLE_MAX_PX, encode_jpeg, model_size, reduce_for_model
from umnist_core.pyramid.comment import JPEG_START
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.rendering import render
from umnist_core.scenes import Scene, SceneRef

_HEAD_BYTES = 4096
"""Our comment stands right behind the beginning of a file."""

_COMMENT = re.compile(
    rb"umnist [^;]{1,40}; preset ([a-z0-9-]{1,40}), seed (\d{1,20}), (train|test|val) (\d{1,20});"
)

_OWN_REDUCTION = 1
"""Reduced copies may differ by so much where another program rounded."""


@dataclass(frozen=True)
class NamedScene:
    """A scene that an image is said to be of.

    Attributes
    ----------
    scene
        What is in it.
    ref
        Its name here; None where the pixels are not, or cannot be shown to be, those of the scene.
    said
        A sentence on whether they are.
    """

    scene: Scene
    ref: SceneRef | None
    said: str


def find_comment(path: Path) -> SceneRef | None:
    """Return the scene that the comment of a file of ours names, by its preset alone.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open_file(path) as file:
        head = file.read(_HEAD_BYTES)
    found = _COMMENT.search(head)
    if found is None:
        return None
    preset, seed, split, index = (part.decode() for part in found.groups())
    try:
        return SceneRef.of(preset, seed=int(seed), split=split, index=int(index))
    except InvalidValueError:  # a preset of another version
        return None


def scene_ref(scene: Scene) -> SceneRef | None:
    """Return the name of a scene by which it is planned here; None where it has none."""
    source = scene.provenance
    if source is None:
        return None
    try:
        return SceneRef.of(
            source.preset,
            source.parameters,
            seed=source.seed,
            split=source.split,
            index=source.index,
        )
    except InvalidValueError:
        return None


def check_scene(scene: Scene, path: Path, title: str, glyphs: GlyphSet) -> NamedScene:
    """Say whether a file's pixels are those of a scene, drawn here.

    Parameters
    ----------
    scene
        What the file is said to show.
    path, title
        The file, and its name for people.
    glyphs
        The digits that are in use here.
    """
    ref = scene_ref(scene)
    try:
        problem = _problem(scene, ref, path, glyphs)
    except (UmnistError, OSError) as error:
        problem = str(error)
    if problem:
        return NamedScene(scene, None, f"The layers of its scene are not shown: {problem}")
    return NamedScene(scene, ref, f"{title} has the pixels of its scene, whose layers are below.")


def open_named(path: Path, title: str, glyphs: GlyphSet) -> NamedScene | None:
    """Return the scene that a file's own comment names; None where it names none.

    Of one whose pixels are others nothing is claimed: the comment tells no parameters.
    """
    try:
        ref = find_comment(path)
        named = None if ref is None else check_scene(ref.plan(glyphs), path, title, glyphs)
    except (UmnistError, OSError):
        return None
    return named


def _problem(scene: Scene, ref: SceneRef | None, path: Path, glyphs: GlyphSet) -> str:
    """Return why a file is not known to be of a scene; empty where it is."""
    if scene.glyph_checksum != glyphs.checksum:
        return f"it is made of {scene.glyph_set} digits, and {glyphs.name} are in use here."
    if ref is None or ref.plan(glyphs) != scene:
        return "this version plans another scene under its name."
    if scene.height * scene.width > WHOLE_MAX_PX:
        return f"{scene.width} x {scene.height} px are too many to be compared."
    with open_file(path) as file:
        data = file.read()
    if not has_pixels(data, render(scene, glyphs), path.name):
        return "the file has other pixels than the scene that it names."
    return ""


def has_pixels(data: bytes, image: NDArray[np.uint8], name: str) -> bool:
    """Return whether a file is one of an image: lossless, or as one of our kinds of JPEG.

    A file of fewer pixels is compared with the image reduced to its size.

    Raises
    ------
    DamagedFileError, TooLargeError, InvalidValueError
        If the file cannot be decoded.
    """
    found = decode_grey(data, name)
    if found.shape != image.shape:
        side_px = max(found.shape)
        height, width = image.shape
        if side_px > max(height, width) or model_size(height, width, side_px) != found.shape:
            return False
        image = reduce_for_model(image, side_px)
        most = _OWN_REDUCTION
    else:
        most = 0
    if not data.startswith(JPEG_START):
        return _most_apart(found, image) <= most
    qualities = sorted({one.quality for one in IMAGE_TYPES.values() if one.quality is not None})
    return any(
        np.array_equal(found, decode_grey(encode_jpeg(image, quality), name))
        for quality in qualities
    )


def _most_apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(np.int16) - other).max())
