"""How values of every kind become what is shown, to people and to models alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from tests.pyramid.making import CIELAB, FLOAT, RGB, SIGNED, write_tiff
from umnist_core.datasets.decode import decode_grey
from umnist_core.errors import DamagedFileError
from umnist_core.geometry import Box
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.notes import image_notes

WHITE_NOTE = "Transparent parts are drawn on white."
BLACK_NOTE = "Transparent parts are drawn on black, since what is drawn is light."


def _seen(path: Path) -> NDArray[np.uint8]:
    """Return what the viewer shows, after making sure that data sets read the same."""
    shown = file_source(path).read_whole()
    grey = shown if shown.ndim == 2 else shown[..., 0]
    if shown.ndim == 2 or np.ptp(shown, axis=2).max() == 0:
        read = decode_grey(path.read_bytes(), path.name)
        assert np.abs(read.astype(int) - grey).max() <= 1
    return grey


def _notes(path: Path) -> tuple[str, ...]:
    return image_notes(read_image_header(path))


def _with_ink(path: Path, ink: int, mode: str) -> Path:
    """Write a square of ink on nothing; what lies under nothing has the ink's grey too."""
    grey = np.full((20, 20), ink, np.uint8)
    alpha = np.zeros((20, 20), np.uint8)
    alpha[5:15, 5:15] = 255
    if mode == "palette":
        image = Image.fromarray((alpha > 0).astype(np.uint8), "P")
        image.putpalette([ink] * 6)
        image.save(path, transparency=bytes([0, 255]))
    elif mode == "key":
        # Grey with one value that means nothing, as a tRNS chunk says.
        values = np.where(alpha > 0, ink, 120).astype(np.uint8)
        Image.fromarray(values).save(path, transparency=120)
    elif mode == "LA":
        Image.fromarray(np.dstack([grey, alpha]), "LA").save(path)
    else:
        options: dict[str, Any] = (
            {"lossless": True, "exact": True} if path.suffix == ".webp" else {}
        )
        Image.fromarray(np.dstack([grey] * 3 + [alpha]), "RGBA").save(path, **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        ("png", "LA"),
        ("png", "RGBA"),
        ("png", "palette"),
        ("png", "key"),
        ("tif", "RGBA"),
        ("webp", "RGBA"),
    ],
)
def test_ink_on_nothing_is_seen(tmp_path: Path, suffix: str, mode: str) -> None:
    """Dark ink is drawn on white and light ink on black, and it is said which."""
    dark = _with_ink(tmp_path / f"dark.{suffix}", 0, mode)
    light = _with_ink(tmp_path / f"light.{suffix}", 255, mode)
    for path, ink, ground, note in ((dark, 0, 255, WHITE_NOTE), (light, 255, 0, BLACK_NOTE)):
        seen = _seen(path)
        assert seen[10, 10] == ink
        assert seen[0, 0] == ground
        assert _notes(path) == (note,)


def test_half_transparent_ink_is_mixed_with_the_ground(tmp_path: Path) -> None:
    """And an alpha channel without any transparency is not spoken of."""
    half = np.dstack([np.zeros((4, 4), np.uint8), np.full((4, 4), 128, np.uint8)])
    Image.fromarray(half, "LA").save(tmp_path / "half.png")
    assert np.abs(_seen(tmp_path / "half.png").astype(int) - 127).max() <= 1
    half[..., 1] = 255
    Image.fromarray(half, "LA").save(tmp_path / "opaque.png")
    assert not _seen(tmp_path / "opaque.png").any()
    assert _notes(tmp_path / "opaque.png") == ()


def test_transparent_pyramid_is_read_in_place_on_its_ground(tmp_path: Path) -> None:
    """All levels have the same ground."""
    grey = np.zeros((256, 256), np.uint8)
    alpha = np.zeros((256, 256), np.uint8)
    alpha[:128] = 255
    image = pyvips.Image.new_from_array(np.dstack([grey] * 3 + [alpha]), interpretation="srgb")
    image.tiffsave(str(tmp_path / "p.tif"), tile=True, pyramid=True, tile_width=64, tile_height=64)
    source = file_source(tmp_path / "p.tif")
    for reduction in (1, 2, 4):
        side = 256 // reduction
        level = source.read_region(Box(0, 0, side, side), reduction)
        assert level[0, 0].tolist() == [0, 0, 0]
        assert level[-1, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("values", "kind", "expected", "note"),
    [
        ([0.0, 0.25, 1.0], np.float32, [0, 64, 255], "Values from 0 to 1 (32 bit float)"),
        ([0.1, 0.2, 0.5], np.float32, [26, 51, 128], "Values from 0 to 1 (32 bit float)"),
        ([-2.0, 0.0, 2.0], np.float32, [0, 128, 255], "Values from -2 to 2 (32 bit float)"),
        ([1.0, np.nan, 3.0], np.float32, [0, 0, 255], "Values from 1 to 3 (32 bit float)"),
        ([-5, 0, 5], np.int16, [0, 128, 255], "Values from -5 to 5 (16 bit)"),
        ([0, 2**31, 2**32 - 1], np.uint32, [0, 128, 255], "Values from 0 to 4.29497e+09 (32 bit)"),
    ],
)
def test_numbers_of_other_kinds_are_drawn_from_black_to_white(
    tmp_path: Path, values: list[float], kind: type[Any], expected: list[int], note: str
) -> None:
    """Floats from 0 to 1 by these ends, others by their own; what is no number is black."""
    form = FLOAT if kind is np.float32 else SIGNED if kind is np.int16 else 1
    path = write_tiff(tmp_path / "numbers.tif", np.array([values], kind), kind=form)
    assert _seen(path)[0].tolist() == expected
    assert _notes(path) == (f"{note} are drawn from black to white.",)


def test_sixteen_bits_are_drawn_by_the_upper_eight(tmp_path: Path) -> None:
    """In grey and in colour, and it is said."""
    Image.fromarray(np.array([[21769, 255, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert _seen(tmp_path / "deep.png")[0].tolist() == [85, 0, 255]
    assert _notes(tmp_path / "deep.png") == ("Of 16 bit a channel the upper 8 are drawn.",)
    colour = np.array([[[21769, 255, 65535]]], np.uint16)
    path = write_tiff(tmp_path / "deep.tif", colour, RGB)
    assert file_source(path).read_whole()[0, 0].tolist() == [85, 0, 255]


@pytest.mark.parametrize("form", ["float", "16 bit"])
def test_cielab_is_converted(tmp_path: Path, form: str) -> None:
    """White is white, black is black, and a strong red is red."""
    lab = np.array([[[100, 0, 0], [0, 0, 0], [53, 80, 67]]], np.float32)
    if form == "float":
        path = write_tiff(tmp_path / "lab.tif", lab, CIELAB, FLOAT)
    else:
        codes = lab * np.array([655.35, 256, 256])
        path = write_tiff(tmp_path / "lab.tif", codes.astype(np.int64).astype(np.uint16), CIELAB)
    white, black, red = file_source(path).read_whole()[0].astype(int)
    assert white.min() >= 254
    assert black.max() <= 1
    assert red[0] > 245
    assert red[1:].max() < 20
    assert _notes(path) == ("CIELAB values are converted to sRGB.",)
    decode_grey(path.read_bytes(), "lab")


def test_cielab_of_eight_bits_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """The library cannot decode it, and the documentation says so."""
    path = write_tiff(tmp_path / "lab.tif", np.zeros((2, 2, 3), np.uint8), CIELAB)
    with pytest.raises(DamagedFileError, match=r"lab\.tif"):
        file_source(path)


def test_cmyk_is_converted_and_said(tmp_path: Path) -> None:
    """Red of inks is red on the screen."""
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "cmyk.tif")
    assert file_source(tmp_path / "cmyk.tif").read_whole()[0, 0, 0] > 150
    assert _notes(tmp_path / "cmyk.tif") == ("CMYK values are converted to sRGB.",)
