"""Folders of images: Kaggle's layout, parts of it, and what is wrong with the rest."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from umnist_core.datasets import open_image_folder
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.scenes import MegapixelTasks


def write_kaggle(root: Path, *, table: str | None = "id,digit_sum\nb,12\na,3\n") -> None:
    """Write two training images, one test image and the table of sums."""
    for name in ("train/b", "train/a", "test/a"):
        path = root / f"{name}.jpeg"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    if table is not None:
        (root / "train.csv").write_text(table)


def test_kaggle_folder_gives_ids_paths_and_sums(tmp_path: Path) -> None:
    """Train before test, names in order, and the sum where the table has one."""
    write_kaggle(tmp_path)
    folder = open_image_folder(tmp_path)
    assert folder.ids == ("a", "b", "test/a")
    assert folder.get_path("test/a") == tmp_path / "test" / "a.jpeg"
    assert folder.labels == {"b": 12, "a": 3}


def test_train_folder_alone_finds_the_table_beside_it(tmp_path: Path) -> None:
    """Choosing train/ itself works as well as its parent."""
    write_kaggle(tmp_path)
    folder = open_image_folder(tmp_path / "train")
    assert folder.ids == ("a", "b")
    assert folder.labels["b"] == 12


def test_folder_without_a_table_opens_without_sums(tmp_path: Path) -> None:
    """The test images have no published sums."""
    write_kaggle(tmp_path, table=None)
    assert open_image_folder(tmp_path).labels == {}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("image,sum\na,3\n", "id, digit_sum"),
        ("", "found nothing"),
        ("id,digit_sum\na,many\n", "line 2"),
        ("id,digit_sum\na\n", "line 2"),
        ("id,majority\na,3\n", "majority, max, top, multi, found id, majority"),
        ("id,majority,max,top,multi\na,3,3,3,3 11\n", "line 2.*classes as majority"),
        ("id,majority,max,top,multi\na,3,,3,3\n", "line 2"),
    ],
)
def test_damaged_table_is_named_with_its_line(tmp_path: Path, table: str, said: str) -> None:
    """A table that is not Kaggle's is refused, never half read."""
    write_kaggle(tmp_path, table=table)
    with pytest.raises(DamagedFileError, match=said):
        open_image_folder(tmp_path)


def write_classes(root: Path, *names: str) -> None:
    """Write small images at such paths."""
    for name in names:
        path = root / f"{name}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize("chosen", [".", "train"])
def test_class_folders_give_labels(tmp_path: Path, chosen: str) -> None:
    """As the released generator writes them; in the order of the names, not of the classes.

    What lies elsewhere is there too, last and without a label.
    """
    write_classes(tmp_path, "train/2/b", "train/2/c", "train/27/a", "train/notes/d")
    folder = open_image_folder(tmp_path / chosen)
    assert folder.ids == ("a", "b", "c", "d")
    assert folder.labels == {"a": 27, "b": 2, "c": 2}
    assert folder.get_path("a") == tmp_path / "train" / "27" / "a.jpeg"


def test_class_folders_of_two_splits_stay_apart(tmp_path: Path) -> None:
    """Test images have ``test/`` in front, and their own label."""
    write_classes(tmp_path, "train/3/a", "test/4/a")
    assert open_image_folder(tmp_path).labels == {"a": 3, "test/a": 4}


def test_numbered_folders_beside_images_are_no_classes(tmp_path: Path) -> None:
    """A folder of photographs may have one of 2023 in it: its images, and no labels."""
    write_classes(tmp_path, "a", "2023/b")
    folder = open_image_folder(tmp_path)
    assert (folder.ids, folder.labels) == (("a", "b"), {})


def test_name_in_two_classes_is_refused(tmp_path: Path) -> None:
    """One of the two would be lost."""
    write_classes(tmp_path, "train/3/a", "train/4/a")
    with pytest.raises(DamagedFileError, match="found a in 3 and 4"):
        open_image_folder(tmp_path)


def test_table_of_megapixel_mnist_gives_its_tasks(tmp_path: Path) -> None:
    """Four labels of each id, and the majority as the label."""
    write_kaggle(tmp_path, table="id,majority,max,top,multi\nb,1,9,1,1 2 9\na,3,3,3,3\n")
    folder = open_image_folder(tmp_path)
    assert folder.labels == {"b": 1, "a": 3}
    assert folder.tasks["b"] == MegapixelTasks(majority=1, max=9, top=1, multi=(1, 2, 9))


def test_missing_and_empty_folders_say_what_was_expected(tmp_path: Path) -> None:
    """No folder, and a folder without images."""
    with pytest.raises(MissingFileError, match="no folder"):
        open_image_folder(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="found none"):
        open_image_folder(tmp_path)


def test_unknown_id_is_refused_by_name(tmp_path: Path) -> None:
    """The message says what there is."""
    write_kaggle(tmp_path)
    with pytest.raises(NotFoundError, match="'zzz'"):
        open_image_folder(tmp_path).get_path("zzz")
