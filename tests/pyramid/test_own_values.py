"""The values under the pointer are the file's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.pyramid.making import CIELAB, FLOAT, ORIENTATIONS, RGB, write_oriented, write_tiff
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import own_values
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.own_values import BLOCK_PX, OwnValues


def _values(path: Path) -> OwnValues:
    return OwnValues(read_image_header(path))


def _first(path: Path) -> tuple[tuple[str, ...], str, list[Any]]:
    values = _values(path)
    return values.names, values.depth, values.read_block(0, 0)[0][0]


def test_sixteen_bit_grey_is_told_whole(tmp_path: Path) -> None:
    """Not as the 8 bits that are drawn of it."""
    Image.fromarray(np.array([[21769]], np.uint16)).save(tmp_path / "deep.png")
    assert _first(tmp_path / "deep.png") == (("grey",), "16 bit", [21769])


@pytest.mark.parametrize(
    ("pixels", "photometric", "kind", "expected"),
    [
        (np.array([[[1, 2, 3]]], np.uint8), RGB, 1, (("R", "G", "B"), "8 bit", [1, 2, 3])),
        (
            np.array([[[21769, 2, 65535]]], np.uint16),
            RGB,
            1,
            (("R", "G", "B"), "16 bit", [21769, 2, 65535]),
        ),
        (np.array([[0.1]], np.float32), 1, FLOAT, (("grey",), "32 bit float", [0.1])),
        (np.array([[np.nan]], np.float32), 1, FLOAT, (("grey",), "32 bit float", ["nan"])),
        (np.array([[-7]], np.int16), 1, 2, (("grey",), "16 bit", [-7])),
        (
            np.array([[[50, 20, -30]]], np.float32),
            CIELAB,
            FLOAT,
            (("L*", "a*", "b*"), "32 bit float", [50.0, 20.0, -30.0]),
        ),
    ],
)
def test_values_of_every_kind_are_told(
    tmp_path: Path,
    pixels: NDArray[Any],
    photometric: int,
    kind: int,
    expected: tuple[tuple[str, ...], str, list[Any]],
) -> None:
    """All channels by their names, with their depth."""
    assert _first(write_tiff(tmp_path / "one.tif", pixels, photometric, kind)) == expected


def test_transparency_is_a_channel(tmp_path: Path) -> None:
    """The colour under it is the stored one, not that which is drawn on the ground."""
    Image.new("RGBA", (3, 3), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    expected = (("R", "G", "B", "A"), "8 bit", [10, 20, 30, 0])
    assert _first(tmp_path / "clear.png") == expected


def test_few_bits_are_told_as_they_are_stored(tmp_path: Path) -> None:
    """A pixel of 1 bit is 0 or 1, although it is drawn as 0 or 255."""
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "bit.png")
    assert _first(tmp_path / "bit.png") == (("grey",), "1 bit", [1])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("held", [True, False], ids=["held", "copied"])
def test_values_are_told_where_the_image_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int, held: bool
) -> None:
    """In the frame that is shown, block by block, whether the file is held or copied to disc."""
    if not held:
        monkeypatch.setattr(own_values, "_HELD_BYTES", 10)
    grey = np.random.default_rng(0).integers(0, 256, (50, 37), np.uint8)
    path = write_oriented(tmp_path / "photo.png", grey, orientation)
    values = _values(path)
    shown = file_source(path).read_whole()
    for row in range(-(-shown.shape[0] // BLOCK_PX)):
        for col in range(-(-shown.shape[1] // BLOCK_PX)):
            block = np.array(values.read_block(col, row))[..., 0]
            top, left = row * BLOCK_PX, col * BLOCK_PX
            assert np.array_equal(block, shown[top : top + BLOCK_PX, left : left + BLOCK_PX])
    with pytest.raises(InvalidValueError, match="no block"):
        values.read_block(9, 0)
