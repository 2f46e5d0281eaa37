"""TIFFs whose colours are multiplied by their alpha: drawn divided, told as they are stored."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import DTypeLike

from tests.pyramid.making import FLOAT, MIN_IS_BLACK, MIN_IS_WHITE, RGB, SIGNED, write_tiff
from umnist_core.datasets.decode import decode_grey, image_size
from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import own_values
from umnist_core.pyramid.associated import find_associated
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.own_values import OwnValues

ASSOCIATED, UNASSOCIATED = 1, 2


def _values(path: Path, page: int = 0) -> list[list[Any]]:
    return OwnValues(read_image_header(path, page=page)).read_block(0, 0)[0]


@pytest.mark.parametrize("extra", [ASSOCIATED, UNASSOCIATED])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_values_of_multiplied_colours_are_told_as_stored(
    tmp_path: Path, kind: type[np.unsignedinteger[Any]], extra: int
) -> None:
    """Also more than alpha allows, and what is stored where nothing is opaque."""
    half = int(np.iinfo(kind).max) // 2
    pixels = np.array([[[half // 2, half], [half + 9, half], [7, 0], [5, 2 * half + 1]]], kind)
    path = write_tiff(tmp_path / "a.tif", pixels, extra=extra)
    assert _values(path) == pixels[0].tolist()


def test_values_of_multiplied_floats_are_told_as_stored(tmp_path: Path) -> None:
    """In their shortest digits."""
    pixels = np.full((1, 2, 4), 0.4, np.float32)
    pixels[0, :, 3] = 1, 0.5
    path = write_tiff(tmp_path / "a.tif", pixels, RGB, FLOAT, extra=ASSOCIATED)
    assert _values(path) == [[0.4, 0.4, 0.4, 1.0], [0.4, 0.4, 0.4, 0.5]]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("tile", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_values_are_told_of_every_page_and_way_of_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, big: bool, tile: bool, held: bool
) -> None:
    """In place, held or copied; classic or BigTIFF."""
    if not held:
        monkeypatch.setattr(own_values, "_HELD_BYTES", 10)
    straight = np.zeros((80, 40, 2), np.uint8)
    straight[:40], straight[40:] = (200, 128), (100, 128)
    image = pyvips.Image.new_from_array(straight).copy(interpretation="b-w")
    options = {"page_height": 40} if not tile else {}
    path = tmp_path / "a.tif"
    image.tiffsave(str(path), premultiply=True, bigtiff=big, tile=tile, **options)
    assert _values(path)[0] == [100, 128]
    if not tile:
        assert _values(path, page=1)[0] == [50, 128]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("samples", [(0, 1), (1,), (2,), (0, 2, 1, 1)])
def test_place_of_each_mark_is_found_in_either_byte_order(
    order: str, samples: tuple[int, ...]
) -> None:
    """Beside the tag's name, or elsewhere where they are too many."""
    inside = struct.pack(f"{order}{len(samples)}H", *samples)
    beside = inside.ljust(4, b"\0") if len(inside) <= 4 else struct.pack(order + "I", 26)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HIH", 42, 8, 1)
    tag = struct.pack(order + "HHI", 338, 3, len(samples)) + beside
    data = head + tag + bytes(4) + inside
    found = bytearray(data)
    for place in find_associated(io.BytesIO(data)):
        assert found[place] == ASSOCIATED
        found[place] = UNASSOCIATED
    start = 26 if len(inside) > 4 else 18
    changed = struct.unpack(f"{order}{len(samples)}H", found[start : start + len(inside)])
    assert changed == tuple(2 if one == ASSOCIATED else one for one in samples)


@pytest.mark.parametrize("data", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0+" + bytes(12)])
def test_damaged_file_has_no_marks(data: bytes) -> None:
    """Its damage is told where it is decoded."""
    assert find_associated(io.BytesIO(data)) == ()


@pytest.mark.parametrize(
    ("number", "photometric", "kind"),
    [(np.float32, MIN_IS_BLACK, FLOAT), (np.uint32, RGB, 1), (np.int16, MIN_IS_BLACK, SIGNED)],
)
def test_colours_that_would_be_divided_by_something_else_are_refused(
    tmp_path: Path, number: DTypeLike, photometric: int, kind: int
) -> None:
    """By the viewer and by data sets; with unassociated alpha they open."""
    pixels = np.ones((1, 2, 2 if photometric == MIN_IS_BLACK else 4), number)
    path = write_tiff(tmp_path / "a.tif", pixels, photometric, kind, extra=ASSOCIATED)
    data = path.read_bytes()
    for read in (
        lambda: read_image_header(path),
        lambda: image_size(data, "a"),
        lambda: decode_grey(data, "a"),
    ):
        with pytest.raises(InvalidValueError, match="multiplied by their alpha, found"):
            read()
    path = write_tiff(tmp_path / "b.tif", pixels, photometric, kind, extra=UNASSOCIATED)
    assert file_source(path).read_whole().shape[:2] == decode_grey(path.read_bytes(), "b").shape


@pytest.mark.parametrize(
    ("number", "kind", "white"),
    [(np.uint8, 1, 255), (np.uint32, 1, 2**32 - 1), (np.int16, SIGNED, 0), (np.float32, FLOAT, 0)],
)
def test_only_numbers_without_sign_are_counted_from_black(
    tmp_path: Path, number: DTypeLike, kind: int, white: int
) -> None:
    """What counts from white otherwise is told, and drawn, as it is stored."""
    path = write_tiff(tmp_path / "a.tif", np.array([[0, 1]], number), MIN_IS_WHITE, kind)
    assert _values(path)[0] == [white]
    drawn = file_source(path).read_whole()[0].tolist()
    assert drawn[0] > drawn[1] if white else drawn == [0, 255]
