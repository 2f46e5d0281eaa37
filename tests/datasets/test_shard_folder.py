"""WebDatasets of others: which of their images are read, and with which class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.exports import image_bytes, write_image, write_shard
from tests.datasets.making import small_recipe
from umnist_core.datasets import ImageFolder, open_dataset, open_image_folder
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import DamagedFileError, MissingFileError


def labels(root: Path) -> dict[str, int | None]:
    """Return the label of each image, by the name that people read."""
    data = open_dataset(root)
    return {one: data.label(one) for one in data.ids}


@pytest.mark.parametrize("suffix", [*IMAGE_SUFFIXES, ".TIF", ".Png"])
def test_images_of_every_kind_in_a_shard_are_read_with_their_class(
    tmp_path: Path, suffix: str
) -> None:
    """As in a folder; beside one of another kind none is passed over."""
    members = {f"a{suffix}": image_bytes(7, suffix.lower()), "a.cls": b"3"}
    write_shard(tmp_path / "s.tar", {**members, "b.png": image_bytes(9), "b.cls": b"4"})
    assert labels(tmp_path) == {"a": 3, "b": 4}
    assert int(open_dataset(tmp_path).read_image("a")[0, 0]) == pytest.approx(7, abs=1)
    found = inspect_dataset(tmp_path)
    assert (found.is_sound, dict(found.sizes)) == (True, {"16x16": 2})


def test_class_is_read_whatever_the_case_of_its_suffix(tmp_path: Path) -> None:
    """And refused with both members where two would do."""
    members = {"A.PNG": image_bytes(), "A.CLS": b"3"}
    write_shard(tmp_path / "s.tar", members)
    assert labels(tmp_path) == {"A": 3}
    write_shard(tmp_path / "s.tar", {**members, "A.cls": b"4"})
    with pytest.raises(DamagedFileError, match=r"A\.CLS and A\.cls"):
        open_dataset(tmp_path)


def test_shards_in_the_folder_and_in_those_of_splits_are_all_read(tmp_path: Path) -> None:
    """As where one split was added later; whatever the case of their suffix."""
    for number, name in enumerate(("train-0.tar", "val/0.tar", "test/0.TAR")):
        write_shard(tmp_path / name, {"a.png": image_bytes(number), "a.cls": b"%d" % number})
    assert labels(tmp_path) == {"a": 0, "val/a": 1, "test/a": 2}
    assert inspect_dataset(tmp_path).counts == {"train": 1, "val": 1, "test": 1}


def test_data_set_of_ours_in_a_folder_of_a_split_is_no_part_of_the_shards(tmp_path: Path) -> None:
    """As among the files of a folder: it is opened by itself."""
    write_dataset(small_recipe(1, layout="webdataset"), tmp_path / "val")
    write_shard(tmp_path / "train-0.tar", {"a.png": image_bytes(), "a.cls": b"3"})
    assert labels(tmp_path) == {"a": 3}


OPENERS: dict[str, Callable[[Path], object]] = {
    "data set": open_dataset,
    "folder": open_image_folder,
    "inspect": inspect_dataset,
}


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("loose", ["b.png", "train/b.webp", "deep/er/b.tif"])
def test_images_in_files_and_in_tar_files_are_refused_with_one_of_each(
    tmp_path: Path, opener: str, loose: str
) -> None:
    """Either may be a copy of the other, and whoever reads would read another half."""
    write_shard(tmp_path / "backup.tar", {"a.png": image_bytes()})
    write_image(tmp_path / loose)
    with pytest.raises(DamagedFileError, match=rf"found both in .*{loose} and backup\.tar/a\.png"):
        OPENERS[opener](tmp_path)


@pytest.mark.parametrize("opener", [open_dataset, open_image_folder])
def test_tar_file_without_images_hides_none(
    tmp_path: Path, opener: Callable[[Path], DatasetReader | ImageFolder]
) -> None:
    """Beside image files it is a file as any other."""
    write_shard(tmp_path / "notes.tar", {"a.txt": b"1"})
    for name in ("a", "b"):
        write_image(tmp_path / "train" / f"{name}.png")
    assert opener(tmp_path).ids == ("a", "b")


def test_tar_file_beside_images_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Whether images are in it cannot be known."""
    write_image(tmp_path / "a.png")
    (tmp_path / "backup.tar").write_bytes(b"no tar")
    with pytest.raises(DamagedFileError, match=r"backup\.tar: expected an uncompressed tar"):
        open_dataset(tmp_path)
    found = inspect_dataset(tmp_path)
    assert (found.counts, len(found.damaged)) == ({"all": 1}, 1)


def test_folder_of_shards_says_what_it_is_where_files_are_wanted(tmp_path: Path) -> None:
    """Also one of ours, beside which an image lies: that is no part of it."""
    write_dataset(small_recipe(1, layout="webdataset"), tmp_path / "ours")
    write_image(tmp_path / "ours" / "a.png")
    write_shard(tmp_path / "others" / "s.tar", {"a.png": image_bytes()})
    for name in ("ours", "others"):
        assert open_dataset(tmp_path / name).kind == "webdataset"
        with pytest.raises(MissingFileError, match="found a WebDataset"):
            open_image_folder(tmp_path / name)
