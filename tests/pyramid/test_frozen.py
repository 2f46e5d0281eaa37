"""What is shown of a file today is what a study keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.pyramid.making import write_oriented, write_pages, write_tiff
from umnist_core.pyramid import frozen
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.frozen import freeze_shown

GREY = np.random.default_rng(0).integers(0, 256, (140, 90), np.uint8)


def _transparent(path: Path) -> None:
    Image.fromarray(np.dstack([GREY, GREY]), "LA").save(path)


def _deep(path: Path) -> None:
    Image.fromarray(GREY.astype(np.uint16) * 256 + 9).save(path)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["turned", "transparent", "deep", "float", "pages"])
def test_what_was_chosen_is_in_the_frozen_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, large: bool
) -> None:
    """Read without any choice, the frozen file gives what its original is shown as."""
    path = tmp_path / "one.tif" if kind in ("float", "pages") else tmp_path / "one.png"
    if kind == "turned":
        write_oriented(path, GREY, 6)
    elif kind == "transparent":
        _transparent(path)
    elif kind == "deep":
        _deep(path)
    elif kind == "pages":
        write_pages(path, [GREY, GREY[:20]])
    else:
        write_tiff(path, GREY.astype(np.float32) / 255, kind=3)
    shown = file_source(path).read_whole()
    if large:
        monkeypatch.setattr(frozen, "WHOLE_MAX_PX", 1000)
    new = freeze_shown(path)
    assert new.suffix == (".tif" if large else ".png")
    assert [one.name for one in tmp_path.iterdir()] == [new.name]
    header = read_image_header(new, frozen=True)
    assert (header.height, header.width) == shown.shape
    assert np.array_equal(file_source(new, frozen=True).read_whole(), shown)


def test_file_of_which_nothing_is_chosen_stays_byte_for_byte(tmp_path: Path) -> None:
    """So the images of a released data set are frozen as they were released."""
    for name in ("a.jpg", "a.png", "a.tif"):
        Image.fromarray(GREY).save(tmp_path / name)
    Image.fromarray(GREY > 99).save(tmp_path / "bits.png")
    for path in sorted(tmp_path.iterdir()):
        before = path.read_bytes()
        assert freeze_shown(path) == path
        assert path.read_bytes() == before


def test_image_of_an_older_study_stays_as_it_was_shown(tmp_path: Path) -> None:
    """As stored and on black, since people have answered of it so."""
    turned = write_oriented(tmp_path / "old.png", GREY, 6)
    assert np.array_equal(file_source(turned, frozen=True).read_whole(), GREY)
    _transparent(tmp_path / "clear.png")
    old = pyvips.Image.new_from_array(np.dstack([GREY, GREY])).copy(interpretation="b-w")
    on_black = old.flatten(background=[0]).numpy().reshape(GREY.shape)
    seen = file_source(tmp_path / "clear.png", frozen=True).read_whole()
    assert np.abs(seen.astype(int) - on_black).max() <= 1
