"""Pairs of resolutions: what was shipped before what is made here, and how that is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.meth.making import (
    METH_HEADER,
    Row,
    meth_cells,
    photograph,
    write_images,
    write_photograph,
    write_table,
)
from umnist_core.datasets import open_dataset
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.meth import FACTORS, MethReader, read_pair
from umnist_core.datasets.meth.layout import LOW_PATTERNS, low_path
from umnist_core.datasets.meth.pairs import reduce_image
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError

ROWS: tuple[Row, ...] = (
    ("1.png", "", "train", (50, 37)),
    ("2.png", "", "test", (64, 48)),
    ("3.4.png", "", "test", (70, 33)),
)


def _write(root: Path, pattern: str | None = None) -> MethReader:
    """Write MetH-SR, with reduced copies of its test part by a pattern."""
    write_table(root / "MetH-SR.csv", METH_HEADER, meth_cells(ROWS))
    write_images(root / "data", ROWS)
    for file, _, split, (width, height) in ROWS if pattern is not None else ():
        for factor in FACTORS if split == "test" else ():
            path = low_path(root, str(pattern), file, factor)
            write_photograph(path, width // factor, height // factor, seed=factor)
    data = open_dataset(root)
    assert isinstance(data, MethReader)
    return data


@pytest.mark.parametrize("pattern", LOW_PATTERNS)
def test_shipped_images_are_taken_and_are_no_images_of_the_set(
    tmp_path: Path, pattern: str
) -> None:
    """In each of the places where they are looked for; those of training are made here."""
    data = _write(tmp_path / "MetH-SR", pattern)
    assert data.low_pattern == pattern
    assert data.ids == ("1", "test/2", "test/3.4")
    for factor in FACTORS:
        pair = read_pair(data, "test/2", factor)
        assert pair.is_shipped
        np.testing.assert_array_equal(pair.low, photograph(64 // factor, 48 // factor, seed=factor))
        assert pair.high.shape == (48, 64, 3)
        assert not read_pair(data, "1", factor).is_shipped
    assert sorted(data.known("test/2").smaller) == list(FACTORS)
    assert data.known("1").smaller == {}
    notes = inspect_dataset(data.root).notes
    assert [f"2 images have a copy that is reduced x{factor}." in notes for factor in FACTORS] == [
        True
    ] * 4
    assert not any("in no row" in note for note in notes)


def test_pattern_of_ones_own_finds_them(tmp_path: Path) -> None:
    """The names of the real files are not known."""
    pattern = "test_low/{stem}-by-{factor}{suffix}"
    data = _write(tmp_path / "MetH-SR", pattern)
    assert (data.low_pattern, read_pair(data, "test/2", 2).is_shipped) == (None, False)
    found = data.with_low_files(pattern)
    assert read_pair(found, "test/3.4", 16).is_shipped
    with pytest.raises(MissingFileError, match="found none"):
        data.with_low_files("nowhere/x{factor}/{name}")


@pytest.mark.parametrize(
    "pattern", ["low/{name}", "x{factor}", "{factor}/{id}", "{factor}/{0}", "{"]
)
def test_pattern_without_factor_or_name_is_refused(tmp_path: Path, pattern: str) -> None:
    """With how it is written."""
    with pytest.raises(InvalidValueError, match=r"\{factor\} and \{name\}"):
        _write(tmp_path / "MetH-SR").with_low_files(pattern)


def _keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Keys' cubic with a = -0.5, from its definition."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _weights(size: int, factor: int) -> NDArray[np.float64]:
    """Return (size // factor, size): how much each pixel counts, with the kernel widened."""
    centres = (np.arange(size // factor) + 0.5) * factor
    weights = _keys((np.arange(size)[None] + 0.5 - centres[:, None]) / factor)
    return np.asarray(weights / weights.sum(1, keepdims=True))


@pytest.mark.parametrize("factor", FACTORS)
def test_reduction_is_the_named_kernel(factor: int) -> None:
    """Keys' cubic, a = -0.5, antialiased, written out here, to one grey value."""
    image = np.random.default_rng(factor).integers(64, 192, (64, 96, 3), np.uint8)
    rows, cols = _weights(64, factor), _weights(96, factor)
    expected = np.einsum("ih,hwc,jw->ijc", rows, image.astype(np.float64), cols)
    low = reduce_image(image, factor).low
    # Rounding after each of the two passes is all that differs; nothing is clipped here.
    assert np.abs(low - np.clip(expected, 0, 255)).max() <= 1.5


def test_sizes_are_rounded_down_and_the_rest_is_cut_off() -> None:
    """A pixel of the small image is a square of the large one, to its last."""
    image = photograph(53, 37)
    pair = reduce_image(image, 4)
    assert (pair.low.shape, pair.high.shape) == ((9, 13, 3), (36, 52, 3))
    np.testing.assert_array_equal(pair.high, image[:36, :52])
    whole = Image.fromarray(image[:36, :52]).resize((13, 9), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pair.low, np.asarray(whole))


@pytest.mark.parametrize("factor", [0, 1, 40, -2])
def test_factor_that_leaves_nothing_is_refused(factor: int) -> None:
    """And one that reduces nothing."""
    with pytest.raises(InvalidValueError, match="Expected a factor of 2"):
        reduce_image(photograph(53, 37), factor)


def test_unknown_factor_and_wrong_size_are_refused(tmp_path: Path) -> None:
    """A shipped image may be rounded either way, and is not of another image."""
    data = _write(tmp_path / "MetH-SR", LOW_PATTERNS[0])
    with pytest.raises(InvalidValueError, match="2, 4, 8, 16"):
        read_pair(data, "test/2", 3)
    path = data.known("test/3.4").smaller[4]
    write_photograph(path, 18, 9)  # 70 x 33 by 4 is 17.5 x 8.25
    assert read_pair(data, "test/3.4", 4).is_shipped
    write_photograph(path, 19, 9)
    with pytest.raises(DamagedFileError, match=r"70 x 33 px reduced x4, found 19 x 9 px"):
        read_pair(data, "test/3.4", 4)
    path.unlink()
    path.symlink_to("nowhere")
    assert not read_pair(data, "test/3.4", 4).is_shipped
