"""Megapixel MNIST in its original layout, opened as any other data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.datasets.read import open_dataset
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.scenes import MegapixelTasks

IMAGES = [np.full((20, 30), grey, np.uint8) for grey in (0, 90, 255)]
TASKS = [MegapixelTasks(number, 9, 2, (2, number, 9)) for number in (3, 4, 5)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three images to learn from and two to test with."""
    for split, count in (("train", 3), ("test", 2)):
        write_megapixel_split(
            tmp_path, split, list(zip(IMAGES, TASKS, strict=True))[3 - count :], {}
        )
    return tmp_path


def test_images_and_labels_come_by_their_ids(folder: Path) -> None:
    """The number in the file, train before test; the four labels, and no sum."""
    data = open_dataset(folder)
    assert data.kind == "megapixel"
    assert data.ids == ("0", "1", "2", "test/0", "test/1")
    assert [data.get_split(name) for name in data.ids] == ["train"] * 3 + ["test"] * 2
    for name, number in zip(data.ids, (0, 1, 2, 1, 2), strict=True):
        np.testing.assert_array_equal(data.read_image(name), IMAGES[number])
        assert data.tasks(name) == TASKS[number]
        assert data.label(name) == TASKS[number].majority
    assert data.read_size("test/1") == (20, 30)
    assert (data.digit_sum("0"), data.truth("0")) == (None, None)
    with pytest.raises(NotFoundError, match="5 images, none of them 'test/2'"):
        data.read_image("test/2")


def test_split_alone_has_plain_ids(folder: Path) -> None:
    """As in every layout, ``test/`` tells two splits apart."""
    (folder / "train.npy").unlink()
    assert open_dataset(folder).ids == ("0", "1")


def test_split_is_loaded_when_it_is_asked_for(folder: Path) -> None:
    """Thousands of images that nobody reads stay on disk; damage in them is told to who does."""
    path = folder / "train.npy"
    path.write_bytes(path.read_bytes()[:-20])
    data = open_dataset(folder)
    np.testing.assert_array_equal(data.read_image("test/0"), IMAGES[1])
    with pytest.raises(DamagedFileError, match="pickled records"):
        data.read_image("0")


def test_table_that_says_no_size_is_refused_at_once(folder: Path) -> None:
    """Before any image is asked for."""
    (folder / "parameters.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="height and width"):
        open_dataset(folder)


def test_half_of_the_files_says_which_half_is_missing(folder: Path) -> None:
    """The size of the images, or the images."""
    (folder / "parameters.json").rename(folder / "other.json")
    with pytest.raises(MissingFileError, match=r"train\.npy|test\.npy"):
        open_dataset(folder)
    (folder / "other.json").rename(folder / "parameters.json")
    for split in ("train", "test"):
        (folder / f"{split}.npy").unlink()
    with pytest.raises(MissingFileError, match="found neither"):
        open_dataset(folder)
