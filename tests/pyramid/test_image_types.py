"""The types of image files: which of them are, byte for byte, what others write."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from umnist_core.digits import load_glyphs
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

TABLES, SIZE, CODES, SCAN, COMMENT, JFIF = 0xDB, 0xC0, 0xC4, 0xDA, 0xFE, 0xE0
"""Markers of ITU-T T.81, annex B, and of JFIF; the size holds sampling and components too."""


def jpeg_parts(data: bytes) -> list[tuple[int, bytes]]:
    """Return marker and content of each segment, the coded data with its scan."""
    assert data[:2] == b"\xff\xd8"
    parts: list[tuple[int, bytes]] = []
    place = 2
    while not parts or parts[-1][0] != SCAN:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        parts.append((data[place + 1], data[place + 4 : end]))
        place = end
    return [*parts[:-1], (SCAN, parts[-1][1] + data[place:])]


def by_pillow(image: NDArray[np.uint8]) -> bytes:
    """Save an image as the released data set was saved: Pillow's defaults."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module", params=["scene", "greys"])
def image(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    """Return a whole sample, and every grey in a size that is no multiple of a block."""
    if request.param == "greys":
        return np.random.default_rng(1).integers(0, 256, (321, 203), np.uint8)
    glyphs = load_glyphs()
    return render(plan_scene("released", 7, index=3, glyphs=glyphs), glyphs)


def test_kaggles_type_has_the_structure_of_pillows_file(image: NDArray[np.uint8]) -> None:
    """Segments in their order, tables, size, sampling, components, codes and coded data."""
    ours = jpeg_parts(IMAGE_TYPES["jpeg-kaggle"].encode(image, "a comment"))
    assert [marker for marker, _ in ours] == [JFIF, TABLES, SIZE, CODES, CODES, SCAN]
    height, width = image.shape
    size = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    assert dict(ours)[SIZE] == size + b"\x01\x01\x11\x00"  # one component, sampled 1 x 1
    assert ours == jpeg_parts(by_pillow(image))


def test_comment_is_the_only_difference_of_our_own_jpeg(image: NDArray[np.uint8]) -> None:
    """One segment more, in front of the others."""
    ours = jpeg_parts(IMAGE_TYPES["jpeg"].encode(image, "a comment"))
    assert ours == [(COMMENT, b"a comment"), *jpeg_parts(by_pillow(image))]


def test_released_codes_type_has_the_structure_of_opencvs_file(
    tmp_path: Path, image: NDArray[np.uint8]
) -> None:
    """What ``cv2.imwrite`` makes of a grey array by default: quality 95."""
    cv2.imwrite(str(tmp_path / "a.jpeg"), image)
    ours = IMAGE_TYPES["jpeg-released"].encode(image, "a comment")
    assert jpeg_parts(ours) == jpeg_parts((tmp_path / "a.jpeg").read_bytes())
    assert dict(jpeg_parts(ours))[TABLES][1] == 2  # 16 at quality 50, a tenth of it at 95
