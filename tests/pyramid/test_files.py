"""Image files as sources."""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.pyramid.making import write_pages
from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    TooLargeError,
)
from umnist_core.geometry import Box
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource, files
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.settings import Settings, load_settings

GREY = np.random.default_rng(0).integers(0, 256, (301, 203), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (310, 204, 3), np.uint8)


@pytest.fixture
def limits() -> Settings:
    """Limits of 1 MiB and 1 million px."""
    return replace(load_settings(), max_file_mib=1, max_file_mpx=1)


def _whole(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return file_source(path).read_whole()


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR, GREY[:1, :1]], ids=["grey", "colour", "1x1"])
def test_file_without_loss_is_read_pixel_for_pixel(
    tmp_path: Path, suffix: str, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    """Grey stays grey, colour comes as RGB, and one pixel is an image too."""
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(pixels).save(path)
    assert np.array_equal(_whole(path), pixels)
    header = read_image_header(path)
    assert (header.height, header.width) == pixels.shape[:2]


def test_jpeg_is_read_as_its_decoder_gives_it(tmp_path: Path) -> None:
    """The name of a file does not matter, its content does."""
    path = tmp_path / "image.png"
    Image.fromarray(GREY).save(path, format="JPEG", quality=75)
    with Image.open(path) as opened:
        difference = np.abs(_whole(path).astype(int) - np.asarray(opened))
    assert difference.max() <= 1  # decoders may round the inverse transform differently


def test_unusual_pixels_become_what_the_module_says(tmp_path: Path) -> None:
    """1 bit, 16 bits and CMYK are shown as documented; of transparency see test_appearance."""
    bits = GREY > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    assert np.array_equal(_whole(tmp_path / "bits.png"), bits.astype(np.uint8) * 255)

    deep = GREY.astype(np.uint16) * 256 + 200
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(_whole(tmp_path / "deep.png"), GREY)

    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "cmyk.tif")
    red = _whole(tmp_path / "cmyk.tif")[0, 0].astype(int)
    assert red[0] > 150
    assert max(red[1:]) < 100


def test_pixels_that_cannot_be_shown_are_an_error(tmp_path: Path) -> None:
    """A TIFF of six channels says why it is refused."""
    band = pyvips.Image.new_from_array(GREY)
    band.bandjoin([band] * 5).copy(interpretation="multiband").tiffsave(str(tmp_path / "six.tif"))
    with pytest.raises(InvalidValueError, match="channels"):
        file_source(tmp_path / "six.tif")


def test_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, limits: Settings
) -> None:
    """A few bytes that claim 10,000 million px are refused by their header alone.

    The file holds no pixels at all, so any attempt to decode it would be another error.
    """
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
    chunks = (b"IHDR" + header, b"IDAT", b"IEND")
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
            for chunk in chunks
        )
    )
    with pytest.raises(TooLargeError, match="100000 x 100000 px, more than the 1 million px"):
        file_source(path, limits)


def test_file_of_too_many_bytes_is_refused(tmp_path: Path, limits: Settings) -> None:
    """The limit and the variable that raises it are named."""
    path = tmp_path / "large.png"
    path.write_bytes(bytes(2**20 + 1))
    with pytest.raises(TooLargeError, match="UMNIST_MAX_FILE_MIB"):
        file_source(path, limits)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_truncated_file_is_damaged(tmp_path: Path, suffix: str) -> None:
    """Half an image is an error in one sentence, not an image with a grey half."""
    path = tmp_path / f"half.{suffix}"
    Image.fromarray(GREY).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedFileError, match=f"half.{suffix}") as caught:
        file_source(path)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    """Text, an empty file, a folder and a missing file each say what was found."""
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").touch()
    for name in ("text.png", "empty.png"):
        with pytest.raises(DamagedFileError, match="JPEG, PNG, TIFF or WebP"):
            file_source(tmp_path / name)
    for name in (".", "missing.png"):
        with pytest.raises(MissingFileError, match="Expected an image file"):
            file_source(tmp_path / name)


@pytest.mark.parametrize("how", [{}, {"subifd": True}], ids=["pages", "subifds"])
def test_pyramidal_tiff_is_read_in_place(tmp_path: Path, how: dict[str, bool]) -> None:
    """Its own levels are used: where they are marked, the mark is what is read."""
    path = tmp_path / "pyramid.tif"
    pyvips.Image.new_from_array(GREY).tiffsave(
        str(path), tile=True, pyramid=True, tile_width=64, tile_height=64, depth="onetile", **how
    )
    source = file_source(path)
    assert not isinstance(source, ArraySource)
    assert np.array_equal(source.read_whole(), GREY)
    _assert_levels_are_near(source, ArraySource(GREY))


def test_large_file_is_converted_once_and_the_copy_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit for memory tiles come from a temporary pyramid that goes with the source."""
    monkeypatch.setattr(files, "WHOLE_MAX_PX", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    for pixels in (GREY, COLOUR):
        Image.fromarray(pixels).save(tmp_path / "image.png")
        source = file_source(tmp_path / "image.png")
        assert len(list((tmp_path / "temporary").glob("*/pyramid.tif"))) == 1
        assert np.array_equal(source.read_region(Box(0, 0, *pixels.shape[:2]), 1), pixels)
        _assert_levels_are_near(source, ArraySource(pixels))
        del source
        assert list((tmp_path / "temporary").iterdir()) == []


def test_damaged_large_file_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that fails cleans up after itself."""
    monkeypatch.setattr(files, "WHOLE_MAX_PX", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "half.png"
    Image.fromarray(GREY).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedFileError):
        file_source(path)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_warnings_of_libvips_do_not_reach_the_user(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A JPEG with stray bytes in its header is opened in silence."""
    Image.fromarray(GREY).save(tmp_path / "image.jpg")
    data = (tmp_path / "image.jpg").read_bytes()
    header = data.index(b"\xff\xda")
    (tmp_path / "stray.jpg").write_bytes(data[:header] + bytes(range(1, 28)) + data[header:])
    with caplog.at_level(logging.WARNING):
        file_source(tmp_path / "stray.jpg")
    captured = capfd.readouterr()
    assert (captured.out, captured.err, caplog.text) == ("", "", "")


def _assert_levels_are_near(source: TileSource, exact: ArraySource) -> None:
    """Compare all levels; the last row and column, which writers cut differently, left out."""
    grid = PyramidGrid(exact.height, exact.width)
    for level in range(grid.max_level + 1):
        height, width = grid.level_size(level)
        box = Box(0, 0, height, width)
        ours = source.read_region(box, grid.reduction(level)).astype(int)
        theirs = exact.read_region(box, grid.reduction(level))
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs)[:-1, :-1].max(initial=0) <= 2


def test_every_page_can_be_chosen(tmp_path: Path) -> None:
    """Each with its own size and pixels; what is shown is said, and a wrong one is refused."""
    pages = [GREY, GREY[:50, :60], np.ascontiguousarray(GREY[::-1])]
    path = write_pages(tmp_path / "stack.tif", pages)
    for page, pixels in enumerate(pages):
        header = read_image_header(path, page=page)
        assert (header.height, header.width) == pixels.shape
        assert header.pages == (0, 1, 2)
        assert np.array_equal(file_source(path, page=page).read_whole(), pixels)
        assert image_notes(header) == (f"Page {page + 1} is shown, number {page + 1} of 3.",)
    assert np.array_equal(_whole(path), GREY)
    with pytest.raises(InvalidValueError, match="has pages 1 to 3, and page 4 was asked for"):
        read_image_header(path, page=3)
    Image.fromarray(GREY).save(tmp_path / "one.png")
    with pytest.raises(InvalidValueError, match="has one page, and page 2 was asked for"):
        read_image_header(tmp_path / "one.png", page=1)


def test_levels_of_a_pyramid_are_no_pages(tmp_path: Path) -> None:
    """Nothing is said of reduced copies, and none can be chosen."""
    path = tmp_path / "pyramid.tif"
    image = pyvips.Image.new_from_array(GREY)
    image.tiffsave(str(path), tile=True, pyramid=True, tile_width=64, tile_height=64)
    header = read_image_header(path)
    assert header.pages == (0,)
    assert image_notes(header) == ()


def test_frames_of_a_webp_are_pages(tmp_path: Path) -> None:
    """The first is shown unless another is asked for."""
    frames = [Image.fromarray(np.dstack([one] * 3)) for one in (GREY, GREY[::-1])]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert read_image_header(tmp_path / "a.webp").pages == (0, 1)
    second = file_source(tmp_path / "a.webp", page=1).read_whole()
    assert np.array_equal(second[..., 0], GREY[::-1])


def test_chosen_pages_of_a_tiled_file_are_read_in_place(tmp_path: Path) -> None:
    """Each has its own pixels."""
    path = tmp_path / "tiled.tif"
    stack = pyvips.Image.new_from_array(np.vstack([GREY, 255 - GREY])).copy()
    stack.set_type(pyvips.GValue.gint_type, "page-height", GREY.shape[0])
    stack.tiffsave(str(path), tile=True, tile_width=64, tile_height=64)
    for page, pixels in enumerate((GREY, 255 - GREY)):
        source = file_source(path, page=page)
        assert not isinstance(source, ArraySource)
        assert np.array_equal(source.read_whole(), pixels)
