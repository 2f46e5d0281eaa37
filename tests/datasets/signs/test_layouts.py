"""Folders of traffic signs as they lie on the discs of others, opened as any other data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.exports import image_bytes, write_image
from tests.datasets.signs.making import (
    box_of,
    line,
    published_lines,
    record,
    sign,
    write_annotations,
    write_set,
)
from umnist_core.datasets import open_dataset
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.signs import SignsReader
from umnist_core.datasets.signs.published import COUNTS
from umnist_core.errors import MissingFileError, NotFoundError

A, B = "1277105802Image000024.jpg", "1277105910Image000086.jpg"
FIRST = [line(A, sign("80_SIGN")), line(B)]
SECOND = [line(A, sign("50_SIGN", "BLURRED")), line(B, sign("70_SIGN"), sign("STOP"))]


def _downloaded(root: Path) -> None:
    write_set(root / "Set1", FIRST)
    write_set(root / "Set2", SECOND)


def _unpacked(root: Path) -> None:
    write_set(root / "Set1", FIRST, images="Set1Part0")
    write_set(root / "Set2", SECOND, images="Set2Part0")


def _named_files(root: Path) -> None:
    write_set(root, FIRST, annotations="annotations_Set1Part0.txt", images="Set1Part0")
    write_set(root, SECOND, annotations="annotations_Set2Part0.txt", images="Set2Part0")


def _short_names(root: Path) -> None:
    write_set(root / "1", FIRST, annotations="annotations_s1.txt", images="p1")
    write_set(root / "1", SECOND, annotations="annotations_s2.txt", images="p2")


def _labels_beside(root: Path) -> None:
    for number, lines in ((1, FIRST), (2, SECOND)):
        part = root / "data" / f"Set{number}Part0"
        write_set(part, lines, annotations="labels/annotations.txt", images="images")


def _of_splits(root: Path) -> None:
    write_set(root / "train", FIRST, annotations="annotations_train.txt", images="pictures")
    write_set(root / "test", SECOND, annotations="annotations_test.txt", images="pictures")


def _folders_in_lines(root: Path) -> None:
    for number, lines in ((1, FIRST), (2, SECOND)):
        part = f"Set{number}Part0"
        write_set(root / f"Set{number}", [f"{part}/{one}" for one in lines], images=part)


def _export(root: Path) -> None:
    """Write tables with a box in one cell; images without signs are not in them."""
    rows = {
        1: f'{A},80_SIGN,VISIBLE,"[100.0, 200.0, 120.5, 220.0]","[1, 2]",400,1.0\n',
        2: f'{A},50_SIGN,BLURRED,"[1, 2, 3, 4]","[1, 2]",4,1.0\n'
        f'{A},MISC_SIGNS,N/A,"[-1, -1, -1, -1]","[-1, -1]",0,0\n'
        f'{B},70_SIGN,VISIBLE,"[1, 2, 3, 4]","[1, 2]",4,1.0\n',
    }
    for number, text in rows.items():
        folder = root / f"Set{number}Part0"
        write_set(folder, FIRST, annotations="x", images="images")
        (folder / "x").unlink()
        (folder / "labels").mkdir()
        head = "image_name,sign_type,sign_status,bbox,sign_c,sign_size,aspect_ratio\n"
        (folder / "labels" / "annotations.csv").write_text(head + text)


def _export_of_four_columns(root: Path) -> None:
    """Write tables as a data frame of corners, with the kind of a sign apart."""
    head = "filename,visibility,x1,y1,x2,y2,sign_type,category\n"
    rows = {
        1: f"{A},VISIBLE,100,200,120.5,220,PROHIBITORY,80_SIGN\n{B},N/A,-1,-1,-1,-1,"
        "MISC_SIGNS,MISC_SIGNS\n",
        2: f"{A},BLURRED,1,2,3,4,PROHIBITORY,50_SIGN\n{B},VISIBLE,1,2,3,4,PROHIBITORY,70_SIGN\n",
    }
    for number, text in rows.items():
        write_set(root / f"Set{number}", FIRST, annotations="x")
        (root / f"Set{number}" / "x").unlink()
        (root / f"Set{number}" / f"annotations_Set{number}.csv").write_text(head + text)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "Set1/annotations.txt beside images": _downloaded,
    "Set1/Set1Part0": _unpacked,
    "annotations_Set1Part0.txt": _named_files,
    "annotations_s1.txt with p1 and p2": _short_names,
    "data/Set1Part0/labels and images": _labels_beside,
    "folders of splits": _of_splits,
    "folders in the lines": _folders_in_lines,
    "CSV with a box in a cell": _export,
    "CSV with four corners": _export_of_four_columns,
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_every_layout_opens_with_the_same_images_and_classes(tmp_path: Path, case: str) -> None:
    """Set1 is train and Set2 is test; the same names in both are other images."""
    LAYOUTS[case](tmp_path)
    data = open_dataset(tmp_path)
    a, b = A.removesuffix(".jpg"), B.removesuffix(".jpg")
    assert data.kind == "signs"
    assert sorted(data.ids) == sorted([a, b, f"test/{a}", f"test/{b}"])
    assert data.class_names == ("EMPTY", "50_SIGN", "70_SIGN", "80_SIGN")
    assert [data.label(name) for name in (a, b)] == [3, 0]
    assert [data.known(f"test/{name}").class_name for name in (a, b)] == [None, "70_SIGN"]
    assert [data.get_split(name) for name in (a, f"test/{b}")] == ["train", "test"]
    assert data.digit_sum(a) is None
    assert (list(data.iter_missing()), data.damage) == ([], ())
    assert data.read_colour(f"test/{b}").shape == (16, 16, 3)
    path = data.find_path(f"test/{a}")
    assert path is not None
    assert path.name == A
    assert len({data.find_path(name) for name in data.ids}) == 4
    with pytest.raises(NotFoundError):
        data.known("c")


def test_boxes_of_an_export_have_their_upper_left_corner_first(tmp_path: Path) -> None:
    """Other than in the annotations that it was made from."""
    for write in (_export, _export_of_four_columns):
        write(tmp_path / write.__name__)
        data = open_dataset(tmp_path / write.__name__)
        boxes = data.known(A.removesuffix(".jpg")).boxes
        assert boxes == (DrawnBox("80_SIGN", 100, 200, 20.5, 20, "VISIBLE"),)


def test_images_without_a_row_are_empty_and_that_is_said(tmp_path: Path) -> None:
    """An export of a row for each sign has none for images without."""
    _export(tmp_path)
    notes = open_dataset(tmp_path).notes
    assert any(note.startswith("1 image has no row in Set1Part0/labels/") for note in notes)


def test_table_beside_its_annotations_is_not_read_again(tmp_path: Path) -> None:
    """Exports are written next to the text that they are made from."""
    _labels_beside(tmp_path)
    for number in (1, 2):
        labels = tmp_path / "data" / f"Set{number}Part0" / "labels"
        (labels / "annotations.csv").write_text(
            "image_name,sign_type,sign_status,bbox\n" + f'{B},STOP,VISIBLE,"[1, 2, 3, 4]"\n'
        )
    data = open_dataset(tmp_path)
    assert isinstance(data, SignsReader)
    assert [one.file.shown for one in data.sets] == [
        f"data/Set{number}Part0/labels/annotations.txt" for number in (1, 2)
    ]


@pytest.mark.parametrize("part", ["Set1", "Set2"])
def test_one_set_opens_by_itself(tmp_path: Path, part: str) -> None:
    """Its folder's own name says which it is."""
    _unpacked(tmp_path)
    data = open_dataset(tmp_path / part)
    assert {data.get_split(name) for name in data.ids} == {"train" if part == "Set1" else "test"}


def test_set_of_no_number_has_no_split(tmp_path: Path) -> None:
    """As Set3, of which nothing is published, and annotations in any folder."""
    write_set(tmp_path / "Set3", FIRST)
    write_set(tmp_path / "mine" / "roads", FIRST, images="images")
    for folder in ("Set3", "mine/roads"):
        data = open_dataset(tmp_path / folder)
        assert {data.get_split(name) for name in data.ids} == {None}


def _records(root: Path) -> None:
    for number, labels in ((1, (3, 0)), (2, (1, 2, 0))):
        data = b"".join(
            record(image_bytes(50 * place, ".jpg"), label, packed=place % 2 == 0)
            for place, label in enumerate(labels)
        )
        (root / f"set{number}.tfrecords").write_bytes(data)


def test_records_of_tensorflow_open_without_it(tmp_path: Path) -> None:
    """Images are parts of the file; labels are packed or not, as writers choose."""
    _records(tmp_path)
    data = open_dataset(tmp_path)
    assert data.ids == ("0", "1", "test/0", "test/1", "test/2")
    splits = [data.get_split(name) for name in data.ids]
    assert splits == ["train"] * 2 + ["test"] * 3
    assert [data.known(name).class_name for name in data.ids] == [
        "80_SIGN",
        "EMPTY",
        "50_SIGN",
        "70_SIGN",
        "EMPTY",
    ]
    expected = cv2.imdecode(np.frombuffer(image_bytes(50, ".jpg"), np.uint8), 0)
    np.testing.assert_array_equal(data.read_image(data.ids[1]), expected)
    assert data.find_path(data.ids[1]) is None
    assert inspect_dataset(tmp_path).is_sound


def test_damaged_records_are_told_and_the_other_file_is_read(tmp_path: Path) -> None:
    """Cut short, of another kind, of a label that is none, and empty."""
    _records(tmp_path)
    first = tmp_path / "set1.tfrecords"
    whole = first.read_bytes()
    other = record(image_bytes(0, ".jpg"), 1).replace(b"label", b"lable")
    broken = {
        "where": whole[: len(whole) // 2],
        "is none": b"these are no records, but they are long enough to be",
        "a label of": record(image_bytes(0, ".jpg"), 4),
        "no image and label": other,
        "an empty file": b"",
    }
    for said, data in broken.items():
        first.write_bytes(data)
        found = inspect_dataset(tmp_path)
        (sentence,) = found.damaged
        assert sentence.startswith("set1.tfrecords: expected records")
        assert said in sentence
        assert found.counts["test"] == 3


def test_folders_of_others_are_not_taken_for_signs(tmp_path: Path) -> None:
    """Annotations of detectors, and ours, keep their own kind."""
    write_image(tmp_path / "yolo" / "a.jpg")
    write_annotations(tmp_path / "yolo" / "annotations.txt", ["a.jpg 1,2,3,4,0"])
    write_image(tmp_path / "table" / "a.jpg")
    (tmp_path / "table" / "annotations.csv").write_text("filename,class,bbox\na.jpg,dog,3\n")
    assert open_dataset(tmp_path / "yolo").kind == "images"
    assert open_dataset(tmp_path / "table").kind == "images"


def test_annotations_without_images_are_inspected_and_not_opened(tmp_path: Path) -> None:
    """The counts of a download are known before its 600 MB of images are."""
    write_annotations(tmp_path / "Set1" / "annotations.txt", FIRST)
    with pytest.raises(MissingFileError, match=r"Expected the 2 images that Set1/annotations.txt"):
        open_dataset(tmp_path)
    found = inspect_dataset(tmp_path)
    assert found.missing == (f"{A} (Set1/annotations.txt)", f"{B} (Set1/annotations.txt)")
    assert any("published are 747 (486, 79, 123, 59)" in note for note in found.notes)


def test_subset_is_of_the_lines_and_not_of_the_files_that_are_there(tmp_path: Path) -> None:
    """An image that is not there is missing; the next one does not take its place."""
    lines = published_lines((8, 4, 4, 4), 30)
    write_set(tmp_path / "Set1", lines)
    whole = open_dataset(tmp_path)
    assert isinstance(whole, SignsReader)
    chosen = whole.choose(subset="first", share=0.5)
    assert len(whole.ids) == 30
    assert [sum(chosen.label(name) == one for name in chosen.ids) for one in range(4)] == [
        4,
        2,
        2,
        2,
    ]
    gone = chosen.find_path(chosen.ids[0])
    assert gone is not None
    gone.unlink()
    again = open_dataset(tmp_path)
    assert isinstance(again, SignsReader)
    rest = again.choose(subset="first", share=0.5)
    assert rest.ids == chosen.ids[1:]
    assert list(rest.iter_missing()) == [f"{gone.name} (Set1/annotations.txt)"]


def test_chosen_filter_gives_the_classes(tmp_path: Path) -> None:
    """And what it leaves out is not among the images any more."""
    both = sign("50_SIGN", corners=box_of(9)), sign("80_SIGN", corners=box_of(30))
    write_set(tmp_path / "Set1", [line("a.jpg", *both), line("b.jpg", sign("STOP")), line("c.jpg")])
    data = open_dataset(tmp_path)
    assert isinstance(data, SignsReader)
    assert [data.label(name) for name in data.ids] == [3, None, 0]
    google = data.choose(chosen="google")
    assert google.ids == ("a", "c")
    assert [google.label(name) for name in google.ids] == [1, 0]


def test_published_set_is_read_as_published(tmp_path: Path) -> None:
    """Through the reader, with every fourth image left out of the folder to keep the test small."""
    lines = published_lines(COUNTS[2, 1.0], 1807)
    write_annotations(tmp_path / "Set2" / "annotations.txt", lines, "\r\n")
    for one in lines[::30]:
        write_image(tmp_path / "Set2" / "Set2Part0" / one.partition(":")[0])
    found = inspect_dataset(tmp_path, quick=True)
    assert found.counts == {"test": len(lines[::30])}
    assert len(found.missing) == 1807 - len(lines[::30])
    assert [note.endswith("as published.") for note in found.notes] == [False] + [True] * 4
