"""Files that ask to be turned are turned, whatever way they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips

from tests.pyramid.making import ORIENTATIONS, SUFFIXES, upright, write_oriented
from umnist_core.datasets.decode import decode_grey, image_size
from umnist_core.geometry import Box
from umnist_core.pyramid import ArraySource, PyramidGrid, files
from umnist_core.pyramid.export import export_dzi
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.pyramid.orientation import TurnedSource, shown_size, stored_box, turn

GREY = np.random.default_rng(0).integers(0, 256, (40, 27), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (40, 27, 3), np.uint8)
LARGE = np.random.default_rng(2).integers(0, 256, (256, 192), np.uint8)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_file_is_turned_as_its_tag_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    """All eight values, in JPEG, PNG, TIFF and WebP, as an independent reader shows them."""
    path = write_oriented(tmp_path / f"photo.{suffix}", COLOUR, orientation)
    expected = upright(path)
    header = read_image_header(path)
    assert (header.height, header.width) == expected.shape[:2]
    difference = np.abs(file_source(path).read_whole().astype(int) - expected)
    assert difference.max() <= (3 if suffix == "jpg" else 0)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_bytes_are_decoded_as_files_are(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Data sets and archives, which read bytes, follow the rule of the viewer: size and pixels."""
    path = write_oriented(tmp_path / f"photo.{suffix}", np.dstack([GREY] * 3), orientation)
    data = path.read_bytes()
    seen = file_source(path).read_whole()
    seen = seen if seen.ndim == 2 else seen[..., 0]
    read = decode_grey(data, "photo")
    assert read.shape == image_size(data, "photo") == seen.shape
    assert np.abs(read.astype(int) - seen).max() <= 2


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_tag_of_a_broken_writer_turns_nothing(tmp_path: Path, value: int) -> None:
    """Values that the standard does not have."""
    path = write_oriented(tmp_path / "photo.png", GREY, value)
    assert np.array_equal(file_source(path).read_whole(), GREY)
    assert image_notes(read_image_header(path)) == ()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_box_goes_where_its_pixels_go(orientation: int) -> None:
    """A box of the shown image, read where it is stored, holds the very pixels that are shown."""
    shown = turn(GREY, orientation)
    assert shown.shape == shown_size(GREY.shape[0], GREY.shape[1], orientation)
    for box in (Box(0, 0, 1, 1), Box(3, 5, 20, 21), Box(0, 0, *shown.shape)):
        stored = stored_box(box, *shown.shape, orientation)
        assert np.array_equal(turn(GREY[stored.slices], orientation), shown[box.slices])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_large_file_is_turned_tile_by_tile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int
) -> None:
    """Neither read in place nor converted is it ever turned whole; every level is the shown one."""
    monkeypatch.setattr(files, "WHOLE_MAX_PX", 1000)
    path = tmp_path / "pyramid.tif"
    image = pyvips.Image.new_from_array(LARGE).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    image.tiffsave(str(path), tile=True, pyramid=True, tile_width=64, tile_height=64)
    exact = ArraySource(np.ascontiguousarray(turn(LARGE, orientation)))
    converted = write_oriented(tmp_path / "photo.png", LARGE, orientation)
    for source in (file_source(path), file_source(converted)):
        assert isinstance(source, TurnedSource) == (orientation != 1)
        grid = PyramidGrid(exact.height, exact.width)
        for level in range(grid.max_level + 1):
            box = Box(0, 0, *grid.level_size(level))
            ours = source.read_region(box, grid.reduction(level)).astype(int)
            assert np.abs(ours - exact.read_region(box, grid.reduction(level))).max() <= 2
        assert np.array_equal(
            source.read_region(Box(70, 30, 90, 65), 1), exact.read_whole()[70:90, 30:65]
        )


@pytest.mark.parametrize("orientation", [6, 3])
def test_exported_tiles_are_turned(tmp_path: Path, orientation: int) -> None:
    """The descriptor has the size as shown, and the canvas's tile its pixels."""
    path = write_oriented(tmp_path / "photo.png", GREY, orientation)
    export_dzi(read_image_header(path), tmp_path / "out")
    shown = turn(GREY, orientation)
    assert f'Height="{shown.shape[0]}"' in (tmp_path / "out.dzi").read_text()
    top = max(int(folder.name) for folder in (tmp_path / "out_files").iterdir() if folder.is_dir())
    tile = pyvips.Image.new_from_file(str(tmp_path / f"out_files/{top}/0_0.png")).numpy()
    assert np.array_equal(tile.reshape(*shown.shape, -1)[..., 0], shown)


@pytest.mark.parametrize(
    ("orientation", "words"),
    [
        (2, "mirrored left to right"),
        (3, "turned upside down"),
        (4, "mirrored top to bottom"),
        (5, "mirrored along the diagonal from the top left"),
        (6, "turned a quarter clockwise"),
        (7, "mirrored along the diagonal from the top right"),
        (8, "turned a quarter anticlockwise"),
    ],
)
def test_turning_is_said(tmp_path: Path, orientation: int, words: str) -> None:
    """Of an upright file nothing is said."""
    path = write_oriented(tmp_path / "photo.jpg", GREY, orientation)
    assert image_notes(read_image_header(path)) == (
        f"Shown {words}, as the file's orientation tag ({orientation}) says.",
    )
    assert image_notes(read_image_header(write_oriented(path, GREY, 1))) == ()
