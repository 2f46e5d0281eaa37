"""Making a closed study's images anew from its export: the proof that they are what they are said.

The export of a closed study has the study's key. Which sample each image is follows from the
key and the settings alone, so whoever has the same digits gets the same pixels, without the
store and without the images. The recorded truth is not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import ConflictError, GlyphMismatchError, InvalidValueError, WriteError
from umnist_core.files import write_whole
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.export import LOG
from umnist_core.labeling.freeze import Progress, plan_image
from umnist_core.labeling.importing import open_export, read_export
from umnist_core.labeling.log import StudyCopy
from umnist_core.labeling.private import make_private_folder
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.study_key import KEY_SEQ, StudyKey
from umnist_core.labeling.zip_checks import said_as_damage
from umnist_core.pyramid.encode import encode_png
from umnist_core.rendering import render

LoadGlyphs = Callable[[], GlyphSet]


@dataclass(frozen=True)
class Remade:
    """What was made of a study's key.

    Attributes
    ----------
    study
        Id of the study.
    images
        How many were made, those to practise on included.
    others
        Names of those that are not what people were shown, by their checksums; where the bytes
        of a file differ and the export has the image, by its pixels.
    """

    study: str
    images: int
    others: tuple[str, ...]


def remake_images(
    source: Path,
    folder: Path,
    *,
    progress: Progress | None = None,
    glyphs: LoadGlyphs = load_glyphs,
) -> Remade:
    """Make the images of a closed study anew and compare them with those that were shown.

    Parameters
    ----------
    source
        Zip file of `umnist_core.labeling.export.export_study`, with or without its images.
    folder
        Where they go, as lossless PNG under the names that they had; made, and must not be there.
    progress
        Told of every image.
    glyphs
        Returns the digits.

    Returns
    -------
    Remade
        With the names of those that are others than the study's.

    Raises
    ------
    InvalidValueError
        If the study was not closed when it was exported, has no key, or is of a folder.
    GlyphMismatchError
        If these are not the digits that it was made of.
    ConflictError
        If there is something at ``folder``.
    MissingFileError, DamagedFileError, TooLargeError
        As of `umnist_core.labeling.importing.import_study`.
    WriteError
        If an image cannot be written.
    """
    if folder.exists():
        raise ConflictError(f"There is {folder} already, unchanged; choose another folder.")
    with said_as_damage(source), open_export(source) as archive:
        _, copy = read_export(archive, source)
        state = StudyState(copy.events)
        key = _key_of(copy, state)
        digits = _digits(state, glyphs)
        _make_folder(folder)
        images = key.images(state.spec)
        manifest = StudyCreated.read(copy.events[0].payload).manifest
        others = []
        for done, image in enumerate(images, 1):
            pixels = render(plan_image(state.spec, image, digits), digits)
            data = encode_png(pixels)
            write_whole(folder / f"{image.id}.png", data, private=True)
            is_same = hashlib.sha256(data).hexdigest() == manifest.get(image.id)
            if not is_same and not _has_pixels(archive, image.id, pixels):
                others.append(image.id)
            if progress is not None:
                progress(done, len(images))
    return Remade(copy.study, len(images), tuple(others))


def _key_of(copy: StudyCopy, state: StudyState) -> StudyKey:
    """Return the key of a study; refuse one whose images cannot be made of it."""
    text = next((text for seq, text in copy.attachments if seq == KEY_SEQ), None)
    if state.spec.folder is not None:
        raise InvalidValueError(
            f"Expected a study of generated images, found one of the folder {state.spec.folder}; "
            "its images are those files."
        )
    if state.spec.replicates is not None:
        raise InvalidValueError(
            f"The images of study {copy.study} are those of the study that it replicates, "
            f"{state.spec.replicates['study']}; remake them from the export of that one."
        )
    if not state.has_key:
        raise InvalidValueError(
            f"Study {copy.study} was made before studies had keys; log/truth.json has the seed "
            "and index of each image, for `umnist render`."
        )
    if state.status != "closed":
        raise InvalidValueError(
            f"Study {copy.study} was not closed when it was exported, so its key is not in this "
            "file; close it and export it again."
        )
    if text is None:
        raise InvalidValueError(
            f"Study {copy.study} went on from an export without its key; ask where it was made."
        )
    return StudyKey.from_text(text)


def _digits(state: StudyState, glyphs: LoadGlyphs) -> GlyphSet:
    found = glyphs()
    if found.checksum != state.glyphs["checksum"]:
        raise GlyphMismatchError(
            f"Expected the digits that the study was made of ({state.glyphs['name']}), found "
            f"{found.name}; set UMNIST_DIGITS to their folder."
        )
    return found


def _make_folder(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise WriteError(
            f"The folder {folder} could not be made ({error.strerror or error}); choose another."
        ) from error


def _has_pixels(archive: ZipFile, image: str, pixels: NDArray[np.uint8]) -> bool:
    """Return whether an export has an image, and of these pixels.

    Another version of the library that packs PNG files gives other bytes of the same pixels.
    """
    name = f"{LOG}images/{image}.png"
    if name not in archive.namelist():
        return False
    shown = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
    return shown is not None and np.array_equal(shown, pixels)
