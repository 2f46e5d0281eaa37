"""Window, level and channels of a file's own values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.pyramid.making import FLOAT, write_oriented, write_tiff
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.pyramid import own_values
from umnist_core.pyramid.files import read_image_header
from umnist_core.pyramid.tones import Tones, ValueLevels, toned_source, value_range

DEEP = np.random.default_rng(4).integers(20_000, 24_000, (301, 207)).astype(np.uint16)
COLOURS = np.random.default_rng(5).integers(0, 256, (120, 150, 3), np.uint8)


def _drawn(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint((values.astype(float) - low) * 255 / (high - low)).clip(0, 255).astype(np.uint8)


def _whole(path: Path, tones: Tones) -> np.ndarray:
    return toned_source(ValueLevels(read_image_header(path)), tones).read_whole()


def test_every_value_of_16_bits_is_drawn_by_the_window(tmp_path: Path) -> None:
    """At full resolution exactly; at a level the mean of the block's values is drawn."""
    Image.fromarray(DEEP).save(tmp_path / "deep.png")
    levels = ValueLevels(read_image_header(tmp_path / "deep.png"))
    source = toned_source(levels, Tones(21_000, 21_500))
    assert np.array_equal(source.read_whole(), _drawn(DEEP, 21_000, 21_500))
    level = source.read_region(Box(0, 0, 38, 26), 8)
    means = [
        [DEEP[8 * row : 8 * row + 8, 8 * col : 8 * col + 8].mean() for col in range(26)]
        for row in range(38)
    ]
    assert np.abs(level.astype(int) - _drawn(np.array(means), 21_000, 21_500)).max() <= 1


@pytest.mark.parametrize("is_large", [False, True])
def test_large_files_are_drawn_as_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """What is not held in memory is read from a pyramid of its values, or its own."""
    pyvips.Image.new_from_array(DEEP).tiffsave(
        str(tmp_path / "own.tif"), tile=True, pyramid=True, tile_width=64, tile_height=64
    )
    Image.fromarray(DEEP).save(tmp_path / "deep.png")
    if is_large:
        monkeypatch.setattr(own_values, "_HELD_BYTES", 0)
    for name in ("own.tif", "deep.png"):
        source = toned_source(
            ValueLevels(read_image_header(tmp_path / name)), Tones(20_000, 24_000)
        )
        assert np.array_equal(source.read_whole(), _drawn(DEEP, 20_000, 24_000))
        shown = source.read_region(Box(0, 0, 75, 51), 4)
        means = DEEP[:300, :204].reshape(75, 4, 51, 4).mean((1, 3))
        assert np.abs(shown.astype(int) - _drawn(means, 20_000, 24_000)).max() <= 1


def test_channels_and_floats_and_turned_files(tmp_path: Path) -> None:
    """One channel is grey, no number is black, and the frame is that of the image as shown."""
    Image.fromarray(COLOURS).save(tmp_path / "colour.png")
    assert np.array_equal(_whole(tmp_path / "colour.png", Tones(0, 255, 1)), COLOURS[:, :, 1])
    assert np.array_equal(_whole(tmp_path / "colour.png", Tones(0, 255)), COLOURS)
    floats = np.linspace(-2, 5, 60 * 80, dtype=np.float32).reshape(60, 80)
    floats[3, 4], floats[5, 6] = np.nan, np.inf
    write_tiff(tmp_path / "float.tif", floats, kind=FLOAT)
    shown = _whole(tmp_path / "float.tif", Tones(-1, 1))
    expected = _drawn(np.where(np.isfinite(floats), floats, -1), -1, 1)
    assert np.abs(shown.astype(int) - expected).max() <= 1
    assert shown[3, 4] == shown[5, 6] == 0
    grey = COLOURS[:, :, 0]
    write_oriented(tmp_path / "turned.png", grey, 6)
    assert np.array_equal(_whole(tmp_path / "turned.png", Tones(0, 255)), np.rot90(grey, -1))


def test_range_is_that_of_the_values(tmp_path: Path) -> None:
    """Lowest and highest, and the second and the 98th per cent."""
    Image.fromarray(DEEP).save(tmp_path / "deep.png")
    found = value_range(ValueLevels(read_image_header(tmp_path / "deep.png")), None)
    assert found["full"] == [DEEP.min(), DEEP.max()]
    assert found["auto"] == pytest.approx(np.percentile(DEEP, (2, 98)))
    assert (sum(found["histogram"]), found["reduction"]) == (DEEP.size, 1)
    floats = np.linspace(-2, 5, 60 * 80, dtype=np.float32).reshape(60, 80)
    floats[3, 4] = np.nan
    write_tiff(tmp_path / "float.tif", floats, kind=FLOAT)
    found = value_range(ValueLevels(read_image_header(tmp_path / "float.tif")), None)
    assert found["full"] == [-2, 5]
    assert found["auto"] == pytest.approx([-1.86, 4.86], abs=0.01)


def test_wrong_windows_and_channels_are_refused(tmp_path: Path) -> None:
    """In a sentence that says what there is."""
    with pytest.raises(InvalidValueError, match="a larger one"):
        Tones(5, 5)
    with pytest.raises(InvalidValueError, match="two numbers"):
        Tones(float("nan"), 5)
    Image.fromarray(COLOURS).save(tmp_path / "colour.png")
    levels = ValueLevels(read_image_header(tmp_path / "colour.png"))
    with pytest.raises(InvalidValueError, match="from 0 to 2"):
        toned_source(levels, Tones(0, 1, 3))
    Image.new("CMYK", (60, 40), (1, 2, 3, 4)).save(tmp_path / "cmyk.jpg")
    levels = ValueLevels(read_image_header(tmp_path / "cmyk.jpg"))
    with pytest.raises(InvalidValueError, match="C, M, Y, K"):
        toned_source(levels, Tones(0, 1))
