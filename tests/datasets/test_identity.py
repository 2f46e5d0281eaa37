"""An image is its data set, split and path: nothing else decides whose label it gets."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.datasets.exports import coco, image_bytes, voc, write_image, write_shard
from tests.datasets.making import small_recipe
from umnist_core.datasets import open_dataset, open_image_folder
from umnist_core.datasets.identity import ImageIdentity, short_names
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import DamagedFileError


def labels(root: Path) -> dict[str, int | None]:
    """Return the label of each image, by the name that people read."""
    data = open_dataset(root)
    return {one: data.label(one) for one in data.ids}


# -- names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "names"),
    [
        ([(None, "a.png"), (None, "x/b.png")], ["a", "b"]),
        ([(None, "p.png"), (None, "p.jpg"), (None, "p.tif")], ["p.png", "p.jpg", "p.tif"]),
        ([(None, "x/a.png"), (None, "y/a.png"), (None, "b.png")], ["x/a", "y/a", "b"]),
        ([("train", "train/a.png"), ("test", "test/a.png")], ["a", "test/a"]),
        ([("val", "val/a.png"), ("test", "test/a.png")], ["a", "test/a"]),
        ([("test", "test/a.png")], ["a"]),
        ([(None, "s-0.tar/a.png"), (None, "s-1.tar/a.png")], ["s-0.tar/a", "s-1.tar/a"]),
        ([(None, "a.png"), (None, "x/a.png")], ["a.png", "x/a"]),
    ],
)
def test_names_are_as_short_as_they_can_be_while_unique(
    images: list[tuple[str | None, str]], names: list[str]
) -> None:
    """And each leads back to its image; the last case has one that no end of a path tells."""
    listed = [ImageIdentity("d", split, path) for split, path in images]
    found = short_names(listed)
    assert list(found.values()) == listed
    assert len(set(found)) == len(images)
    assert list(found) == names


# -- COCO -------------------------------------------------------------------------


@pytest.mark.parametrize("front", ["", "images/"])
@pytest.mark.parametrize("with_path", [False, True])
def test_coco_with_the_same_file_names_in_train_and_test_keeps_them_apart(
    tmp_path: Path, front: str, with_path: bool
) -> None:
    """Each image has the sum of its own split's file, however that writes its name."""
    for split, digits in (("train", (1, 2, 3)), ("test", (9, 9, 9))):
        write_image(tmp_path / f"{front}{split}" / "a.png", sum(digits))
        name = f"{split}/a.png" if with_path else "a.png"
        coco(tmp_path / "annotations" / f"instances_{split}2017.json", {name: digits})
    assert labels(tmp_path) == {"a": 6, "test/a": 27}


def test_test_images_do_not_get_the_sums_of_train(tmp_path: Path) -> None:
    """Where only the training images are annotated, the others have no label."""
    for split in ("train", "test"):
        write_image(tmp_path / split / "a.png")
    coco(tmp_path / "annotations.json", {"train/a.png": (1, 2, 3)})
    assert labels(tmp_path) == {"a": 6, "test/a": None}
    (tmp_path / "train" / "a.png").unlink()
    found = inspect_dataset(tmp_path)
    assert found.labels == {"unknown": 1}
    assert found.missing == ("train/a.png (annotations.json)",)


def test_test_images_do_not_get_the_sums_of_the_table_of_train(tmp_path: Path) -> None:
    """Also where the training images are gone, or the test folder alone is opened."""
    (tmp_path / "train.csv").write_text("id,digit_sum\na,6\n")
    write_image(tmp_path / "test" / "a.png")
    assert labels(tmp_path) == {"a": None}
    assert labels(tmp_path / "test") == {"a": None}
    assert inspect_dataset(tmp_path).missing == ("a",)
    write_image(tmp_path / "train" / "a.png")
    assert labels(tmp_path) == {"a": 6, "test/a": None}
    assert labels(tmp_path / "train") == {"a": 6}


@pytest.mark.parametrize("front", ["", "images/"])
def test_coco_images_with_names_of_their_own_are_not_missing(tmp_path: Path, front: str) -> None:
    """Two splits, distinct names, all there."""
    for split, name in (("train", "a"), ("test", "b")):
        write_image(tmp_path / f"{front}{split}" / f"{name}.png")
        coco(tmp_path / f"annotations-{split}.json", {f"{name}.png": (1, 2, 3)})
    found = inspect_dataset(tmp_path)
    assert (found.missing, found.is_sound) == ((), True)
    assert found.labels == {"6": 2}


def test_name_in_coco_that_two_images_have_is_refused_with_both(tmp_path: Path) -> None:
    """The file says no split, and the name no folder."""
    for split in ("train", "test"):
        write_image(tmp_path / split / "a.png")
    coco(tmp_path / "annotations.json", {"a.png": (1, 2, 3)})
    with pytest.raises(DamagedFileError, match=r"train/a\.png and test/a\.png"):
        open_dataset(tmp_path)


def test_image_with_two_sums_in_coco_is_refused_with_both(tmp_path: Path) -> None:
    """Within a file or in two; twice the same is no contradiction."""
    write_image(tmp_path / "a.png")
    coco(tmp_path / "annotations-one.json", {"a.png": (1, 2, 3)})
    coco(tmp_path / "annotations-two.json", {"./a.png": (3, 2, 1)})
    assert labels(tmp_path) == {"a": 6}
    coco(tmp_path / "annotations-two.json", {"./a.png": (3, 2, 2)})
    with pytest.raises(DamagedFileError, match=r"annotations-one\.json and 7 by .*-two\.json"):
        open_dataset(tmp_path)


# -- tables -----------------------------------------------------------------------


def test_one_name_with_three_suffixes_is_three_images(tmp_path: Path) -> None:
    """None is lost; a table whose id may be any of them is refused with two of them."""
    for suffix, ink in (("png", 10), ("jpg", 20), ("tif", 30)):
        write_image(tmp_path / f"plain.{suffix}", ink)
    folder = open_image_folder(tmp_path)
    assert sorted(folder.ids) == ["plain.jpg", "plain.png", "plain.tif"]
    assert {one: path.name for one, path in folder.paths.items()} == {o: o for o in folder.ids}
    (tmp_path / "train.csv").write_text("id,digit_sum\nplain.png,5\nplain.jpg,6\n")
    assert labels(tmp_path) == {"plain.jpg": 6, "plain.png": 5, "plain.tif": None}
    (tmp_path / "train.csv").write_text("id,digit_sum\nplain,5\n")
    with pytest.raises(DamagedFileError, match=r"plain\.jpg and plain\.png"):
        open_dataset(tmp_path)


def test_two_rows_for_one_image_are_refused_with_both(tmp_path: Path) -> None:
    """By its name with and without suffix."""
    write_image(tmp_path / "a.png")
    (tmp_path / "train.csv").write_text("id,digit_sum\na,5\na.png,6\n")
    with pytest.raises(DamagedFileError, match=r"'a' of train\.csv and 'a\.png' of train\.csv"):
        open_dataset(tmp_path)


def test_table_and_annotations_that_disagree_are_refused_with_both(tmp_path: Path) -> None:
    """One of the two would be silently right."""
    write_image(tmp_path / "a.png")
    coco(tmp_path / "annotations.json", {"a.png": (1, 2, 3)})
    (tmp_path / "train.csv").write_text("id,digit_sum\na,7\n")
    with pytest.raises(DamagedFileError, match="7 by the table and 6 by its annotations"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "images/val"])
def test_validation_images_are_a_split_of_their_own(tmp_path: Path, name: str) -> None:
    """With a table of their own, and not that of train."""
    for folder, stem in ((str(Path(name).with_name("train")), "a"), (name, "a"), (name, "b")):
        write_image(tmp_path / folder / f"{stem}.png")
    (tmp_path / "train.csv").write_text("id,digit_sum\na,6\n")
    (tmp_path / "val.csv").write_text("id,digit_sum\na,7\n")
    assert labels(tmp_path) == {"a": 6, "val/a": 7, "val/b": None}
    assert inspect_dataset(tmp_path).counts == {"train": 1, "val": 2}


def test_no_image_below_a_folder_is_left_out(tmp_path: Path) -> None:
    """Of splits, of none, and of folders within; tiles, masks and hidden files are no images."""
    for name in ("train/a", "train/deep/er/b", "c", "other/d"):
        write_image(tmp_path / f"{name}.png")
    for name in (".hidden/e", "train/z_files/0/0_0", "SegmentationClass/a", "annotations/f"):
        write_image(tmp_path / f"{name}.png")
    (tmp_path / "train" / "z.dzi").write_text("<Image/>")
    assert set(open_image_folder(tmp_path).ids) == {"a", "b", "c", "d"}
    assert inspect_dataset(tmp_path).counts == {"train": 2, "no split": 2}


# -- WebDataset -------------------------------------------------------------------


def test_equal_keys_in_two_shards_are_two_images(tmp_path: Path) -> None:
    """Each with its own class and its own pixels."""
    for number in (0, 1):
        members = {f"{key}.png": image_bytes(10 * number + n) for n, key in enumerate("ab")}
        classes = {f"{key}.cls": b"%d" % (10 * number + n) for n, key in enumerate("ab")}
        write_shard(tmp_path / f"s-{number}.tar", members | classes)
    assert labels(tmp_path) == {
        f"s-{n}.tar/{k}": 10 * n + i for n in (0, 1) for i, k in enumerate("ab")
    }
    data = open_dataset(tmp_path)
    assert [data.read_image(one)[0, 0] for one in data.ids] == [0, 1, 10, 11]
    assert inspect_dataset(tmp_path).counts == {"all": 4}


def test_equal_keys_in_two_folders_of_a_shard_are_two_images(tmp_path: Path) -> None:
    """The key is the whole path."""
    members = {f"{d}/a.png": image_bytes(n) for n, d in enumerate("xy")}
    members |= {f"{d}/a.cls": b"%d" % n for n, d in enumerate("xy")}
    write_shard(tmp_path / "train-0.tar", members)
    assert labels(tmp_path) == {"x/a": 0, "y/a": 1}


def test_shards_in_folders_of_splits_open(tmp_path: Path) -> None:
    """As ``train/000.tar`` and ``val/000.tar``."""
    for number, split in enumerate(("train", "val")):
        members = {"a.png": image_bytes(number), "a.cls": b"%d" % number}
        write_shard(tmp_path / split / "000.tar", members)
    assert labels(tmp_path) == {"a": 0, "val/a": 1}


def test_sample_with_two_images_and_one_class_is_refused_with_both(tmp_path: Path) -> None:
    """And a name that comes twice in a shard."""
    data = image_bytes(1)
    write_shard(tmp_path / "s.tar", {"a.png": data, "a.jpg": data, "a.cls": b"3"})
    with pytest.raises(DamagedFileError, match=r"a\.png and a\.jpg"):
        open_dataset(tmp_path)
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for _ in range(2):
            write_image(tmp_path / "m.png")
            tar.add(tmp_path / "m.png", "a.png")
    with pytest.raises(DamagedFileError, match=r"a\.png at byte \d+ and at byte"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("second", ["./a.png", "x/../a.png", "/a.png", ".//a.png"])
def test_path_that_is_spelled_in_two_ways_in_a_shard_is_refused_with_both(
    tmp_path: Path, second: str
) -> None:
    """Unpacked, the second would lie over the first; either spelling alone is that path."""
    data = image_bytes(1)
    write_shard(tmp_path / "s.tar", {second: data, second[:-4] + ".cls": b"3"})
    assert labels(tmp_path) == {"a": 3}
    assert open_dataset(tmp_path).get_identity("a").path == "s.tar/a.png"
    write_shard(tmp_path / "s.tar", {"a.png": data, "a.cls": b"1", second: data})
    with pytest.raises(DamagedFileError, match=rf"found a\.png and {re.escape(second)}, which"):
        open_dataset(tmp_path)


# -- Pascal VOC -------------------------------------------------------------------


@pytest.mark.parametrize("space", ["", "\n", "\n\t  ", " "])
def test_voc_names_with_line_breaks_are_labels(tmp_path: Path, space: str) -> None:
    """As a writer that indents every text leaves them."""
    write_image(tmp_path / "a.png")
    voc(tmp_path / "a.xml", "a.png", (1, 2, 3), space=space)
    assert labels(tmp_path) == {"a": 6}


def test_voc_file_that_two_images_may_have_goes_by_its_file_name(tmp_path: Path) -> None:
    """And is refused with both images where it names neither."""
    for name in ("a.png", "a.jpg"):
        write_image(tmp_path / name)
    voc(tmp_path / "a.xml", "a.jpg", (1, 2, 3), space="\n")
    assert labels(tmp_path) == {"a.jpg": 6, "a.png": None}
    voc(tmp_path / "a.xml", "a.tif", (1, 2, 3))
    with pytest.raises(DamagedFileError, match=r"'a\.tif'.* found a\.jpg and a\.png"):
        open_dataset(tmp_path)


def test_voc_image_with_two_annotations_is_refused_with_both(tmp_path: Path) -> None:
    """One beside it and one in ``Annotations``."""
    write_image(tmp_path / "a.png")
    voc(tmp_path / "a.xml", "a.png", (1, 2, 3))
    voc(tmp_path / "Annotations" / "a.xml", "a.png", (1, 2, 4))
    with pytest.raises(DamagedFileError, match=r"found a\.xml and Annotations/a\.xml"):
        open_dataset(tmp_path)


def test_voc_annotation_without_its_image_is_missing(tmp_path: Path) -> None:
    """Beside the others, as where an image was deleted."""
    for name in "ab":
        write_image(tmp_path / f"{name}.png")
        voc(tmp_path / f"{name}.xml", f"{name}.png", (1, 2, 3))
    (tmp_path / "b.png").unlink()
    assert inspect_dataset(tmp_path).missing == ("b.png (b.xml)",)


# -- ours, and the whole ----------------------------------------------------------


@pytest.mark.parametrize("layout", ["kaggle", "webdataset"])
def test_id_of_ours_that_comes_twice_is_refused_with_both_places(
    tmp_path: Path, layout: str
) -> None:
    """As a copy beside it, in another file type or shard."""
    recipe = small_recipe(2, layout=layout)
    write_dataset(recipe, tmp_path)
    if layout == "webdataset":
        first = tmp_path / "train-000000.tar"
        second = first.with_name("train-copy.tar")
    else:
        first = tmp_path / "train" / f"{recipe.image_id(1)}.jpeg"
        second = first.with_suffix(".png")
    second.write_bytes(first.read_bytes())
    with pytest.raises(DamagedFileError, match=rf"{first.name}.* and .*{second.name}"):
        open_dataset(tmp_path)


def test_manifest_counts_an_id_in_its_own_split(tmp_path: Path) -> None:
    """An image that was moved to the other split is missing in its own."""
    recipe = small_recipe(2)
    for split in ("train", "test"):
        write_dataset(small_recipe(2, split=split), tmp_path)
    name = f"{recipe.image_id(0)}.jpeg"
    (tmp_path / "train" / name).rename(tmp_path / "test" / name)
    assert inspect_dataset(tmp_path).missing == (f"train/{recipe.image_id(0)}",)
    assert open_dataset(tmp_path).label(f"test/{recipe.image_id(0)}") is None


def test_every_image_has_an_identity_of_its_own(tmp_path: Path) -> None:
    """Split and path, with which it is frozen into a study."""
    for split in ("train", "test"):
        write_image(tmp_path / split / "a.png")
    data = open_dataset(tmp_path)
    assert [data.get_identity(one) for one in data.ids] == [
        ImageIdentity(str(tmp_path), "train", "train/a.png"),
        ImageIdentity(str(tmp_path), "test", "test/a.png"),
    ]
    assert json.dumps([data.get_split(one) for one in data.ids]) == '["train", "test"]'
