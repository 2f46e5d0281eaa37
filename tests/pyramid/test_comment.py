"""Comments inside image files: readable by others, and never at the cost of a pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.segment_glyphs import segment_glyphs
from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid.comment import add_comment, scene_comment
from umnist_core.pyramid.encode import encode_jpeg, encode_png
from umnist_core.scenes import plan_scene

PIXELS = np.full((18, 26), 255, np.uint8)
PIXELS[:9, :13] = PIXELS[9:, 13:] = 0


@pytest.mark.parametrize("image", [PIXELS, PIXELS // 2])
def test_comment_in_a_png_is_read_by_others_and_leaves_the_pixels(image: NDArray[np.uint8]) -> None:
    """Pillow finds the text, and the same pixels."""
    with Image.open(io.BytesIO(add_comment(encode_png(image), "umnist; näh"))) as read:
        read.load()
        assert read.info["Comment"] == "umnist; näh"
        np.testing.assert_array_equal(np.asarray(read.convert("L")), image)


def test_comment_in_a_jpeg_is_read_by_others_and_leaves_the_pixels() -> None:
    """Pillow finds the text, and what the file decodes to does not change."""
    plain = encode_jpeg(PIXELS)
    with (
        Image.open(io.BytesIO(add_comment(plain, "umnist"))) as read,
        Image.open(io.BytesIO(plain)) as before,
    ):
        assert read.info["comment"] == b"umnist"
        np.testing.assert_array_equal(np.asarray(read), np.asarray(before))


def test_comment_of_a_scene_says_how_to_make_it_again_and_which_digits_it_shows() -> None:
    """Preset, seed, split, index and glyphs; and loudly when they are a stand-in."""
    glyphs = segment_glyphs()
    said = scene_comment(plan_scene("paper", 7, "test", 3, glyphs=glyphs), "1.2")
    assert said.startswith("umnist 1.2; preset paper, seed 7, test 3; digits segments ")
    assert "STAND-IN" not in said
    stand_in = GlyphSet("stand-in", glyphs.images.copy(), glyphs.labels.copy(), is_stand_in=True)
    assert "STAND-IN DIGITS, not MNIST" in scene_comment(plan_scene(glyphs=stand_in), "1.2")


@pytest.mark.parametrize(("data", "comment"), [(b"GIF89a", "x"), (b"\xff\xd8", "x" * 70_000)])
def test_what_cannot_hold_a_comment_is_refused(data: bytes, comment: str) -> None:
    """Another kind of file, or too long a text."""
    with pytest.raises(InvalidValueError):
        add_comment(data, comment)
