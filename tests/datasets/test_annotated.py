"""Exports that lie beside each other are each read with their own images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.exports import Digits, coco, cvat_coco, cvat_voc, voc, write_image
from umnist_core.datasets import open_dataset, open_image_folder
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.errors import DamagedFileError

Writer = Callable[[Path, Digits], None]


def task_coco(root: Path, digits: Digits) -> None:
    """Write an image of CVAT's task as COCO."""
    cvat_coco(root, {"default": {"a.png": digits}})


def task_voc(root: Path, digits: Digits) -> None:
    """Write the same as Pascal VOC."""
    cvat_voc(root, {"default": {"a.png": digits}})


def studio_coco(root: Path, digits: Digits) -> None:
    """Write an image of Label Studio's project as COCO."""
    coco(root / "result.json", {"images/a.png": digits}, first=0)
    write_image(root / "images" / "a.png", sum(digits))


def studio_voc(root: Path, digits: Digits) -> None:
    """Write the same as Pascal VOC."""
    voc(root / "Annotations" / "a.xml", "a.png", digits)
    write_image(root / "images" / "a.png", sum(digits))


WRITERS = [task_coco, task_voc, studio_coco, studio_voc]


def said(root: Path) -> dict[str, tuple[str | None, int | None]]:
    """Return split and label of each image, by the first folders of its path."""
    data = open_dataset(root)
    names = {one: data.get_identity(one).path for one in data.ids}
    return {path: (data.get_split(one), data.label(one)) for one, path in names.items()}


# -- exports in folders of a folder -----------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("first", "second", "splits"),
    [
        ("train", "test", ("train", "test")),
        ("Validation", "Train", ("val", "train")),
        ("task_1", "task_2", (None, None)),
        ("VOCdevkit/VOC2007", "VOCdevkit/VOC2012", (None, None)),
    ],
)
def test_exports_in_folders_keep_their_sums(
    tmp_path: Path, write: Writer, first: str, second: str, splits: tuple[str | None, str | None]
) -> None:
    """Each its own, although their images have one name; with the split that a folder names."""
    write(tmp_path / first, (1, 2, 3))
    write(tmp_path / second, (9, 9, 9))
    found = {path.removesuffix("/a.png"): one for path, one in said(tmp_path).items()}
    of = {name: one for inside, one in found.items() for name in (first, second) if name in inside}
    assert of == {first: (splits[0], 6), second: (splits[1], 27)}
    inspection = inspect_dataset(tmp_path)
    assert (inspection.is_sound, inspection.labels) == (True, {"6": 1, "27": 1})
    folder = open_image_folder(tmp_path)
    assert [len(folder.find_boxes(one)) for one in folder.ids] == [3, 3]


@pytest.mark.parametrize("write", WRITERS)
def test_image_that_one_export_lacks_is_not_taken_from_another(
    tmp_path: Path, write: Writer
) -> None:
    """It is missing there, and the other image keeps its own sum."""
    write(tmp_path / "train", (1, 2, 3))
    write(tmp_path / "test", (9, 9, 9))
    next((tmp_path / "train").rglob("a.png")).unlink()
    assert list(said(tmp_path).values()) == [("test", 27)]
    (missing,) = inspect_dataset(tmp_path).missing
    assert "(train/" in missing


def test_exports_of_two_formats_are_both_read(tmp_path: Path) -> None:
    """COCO in one folder does not hide Pascal VOC in another, or beside the images."""
    task_coco(tmp_path / "train", (1, 2, 3))
    task_voc(tmp_path / "test", (9, 9, 9))
    write_image(tmp_path / "val" / "b.png")
    voc(tmp_path / "val" / "b.xml", "b.png", (0, 0, 1))
    found = dict(said(tmp_path).values())
    assert found == {"train": 6, "val": 1, "test": 27}
    assert inspect_dataset(tmp_path).is_sound


def test_lists_of_an_export_in_a_folder_say_its_splits(tmp_path: Path) -> None:
    """As in the development kit of Pascal VOC."""
    subsets = {"train": {"a.png": (1, 2, 3)}, "val": {"b.png": (9, 9, 9)}}
    cvat_voc(tmp_path / "VOCdevkit" / "VOC2012", subsets)
    assert sorted(said(tmp_path).values()) == [("train", 6), ("val", 27)]


def test_names_that_begin_with_the_export_s_folder_are_understood(tmp_path: Path) -> None:
    """As in a file that once named all images of a data set."""
    coco(tmp_path / "train" / "annotations.json", {"train/a.png": (1, 2, 3)})
    for name in ("train/a.png", "a.png"):
        write_image(tmp_path / name)
    assert said(tmp_path) == {"train/a.png": ("train", 6), "a.png": (None, None)}


def test_export_beside_class_folders_leaves_them_their_labels(tmp_path: Path) -> None:
    """Annotations speak of the images below their own folder."""
    task_coco(tmp_path / "task_1", (1, 2, 3))
    write_image(tmp_path / "12" / "b.png")
    found = {path[:6]: label for path, (_, label) in said(tmp_path).items()}
    assert found == {"task_1": 6, "12/b.p": 12}


def test_other_json_below_a_folder_is_no_export_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    """Programs keep notes in ``annotations`` too."""
    write_image(tmp_path / "trip" / "a.png")
    notes = tmp_path / "trip" / "annotations" / "instances.json"
    notes.parent.mkdir()
    notes.write_text(json.dumps({"places": ["Rome"]}))
    assert open_dataset(tmp_path).kind == "images"
    notes.write_text('{"images": [')
    with pytest.raises(DamagedFileError, match=r"trip/annotations/instances\.json"):
        open_dataset(tmp_path)


# -- whose annotation a file is ---------------------------------------------------


@pytest.mark.parametrize("folders", ["Annotations JPEGImages", "Annotations images", "train train"])
def test_voc_file_that_names_another_image_is_refused_with_both(
    tmp_path: Path, folders: str
) -> None:
    """Called like one and naming another that is there: whose digits they are cannot be told."""
    annotations, images = folders.split()
    for name in "ab":
        write_image(tmp_path / images / f"{name}.png")
        voc(tmp_path / annotations / f"{name}.xml", f"{name}.png", (1, 2, 3))
    assert set(said(tmp_path).values()) == {("train" if images == "train" else None, 6)}
    voc(tmp_path / annotations / "a.xml", "b.png", (1, 2, 3))
    with pytest.raises(DamagedFileError, match=rf"{images}/a\.png by .* and {images}/b\.png by"):
        open_dataset(tmp_path)


def test_voc_file_that_names_an_image_of_another_folder_is_refused(tmp_path: Path) -> None:
    """With a name in folders; a bare name means the one in the annotation's own folder."""
    cvat_voc(tmp_path, {"default": {"x/a.png": (1, 2, 3), "y/a.png": (9, 9, 9)}})
    voc(tmp_path / "Annotations" / "x" / "a.xml", "a.png", (1, 2, 3))
    assert sorted(label for _, label in said(tmp_path).values() if label) == [6, 27]
    voc(tmp_path / "Annotations" / "x" / "a.xml", "y/a.png", (1, 2, 3))
    with pytest.raises(DamagedFileError, match=r"x/a\.png by .* and JPEGImages/y/a\.png by"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", ["a.jpg", "old.png", "images/a.png", "", "C:\\old\\a.png"])
def test_voc_file_whose_image_was_renamed_or_converted_still_opens(
    tmp_path: Path, name: str
) -> None:
    """It goes by what it is called where no other image has the name that it gives."""
    write_image(tmp_path / "images" / "a.png")
    write_image(tmp_path / "images" / "b.png")
    voc(tmp_path / "Annotations" / "a.xml", name, (1, 2, 3))
    assert said(tmp_path) == {"images/a.png": (None, 6), "images/b.png": (None, None)}


@pytest.mark.parametrize("own", [False, True])
def test_upload_whose_image_is_not_there_is_missing(tmp_path: Path, own: bool) -> None:
    """Two of Label Studio's uploads have one name and one sum; one file is there."""
    uploads = [f"/data/upload/{one}-a.png" for one in ("5/11223344", "6/99887766")]
    named = dict.fromkeys([*uploads, "images/a.png"] if own else uploads, (1, 2, 3))
    coco(tmp_path / "result.json", named, first=0)
    write_image(tmp_path / "images" / "a.png")
    assert said(tmp_path) == {"images/a.png": (None, 6)}
    missing = uploads if own else uploads[1:]
    assert inspect_dataset(tmp_path).missing == tuple(f"{one} (result.json)" for one in missing)
