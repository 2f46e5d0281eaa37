"""Folders of MetH and MAMe as they are downloaded and as others keep them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.exports import write_image
from tests.datasets.meth.making import (
    MAME_HEADER,
    METH_HEADER,
    ROWS,
    Row,
    mame_cells,
    meth_cells,
    photograph,
    write_images,
    write_mame,
    write_meth,
    write_photograph,
    write_table,
)
from umnist_core.datasets import open_dataset
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.known import Known
from umnist_core.datasets.meth import MethReader
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError

FIRST_SEEN = ("Woodcut", "Silk", "Gold")
ALPHABET = ("Gold", "Silk", "Woodcut")


def _by_position(root: Path) -> Path:
    """Write MetH-Medium with names of columns of which two alone are known."""
    header = ("n", "Label", "jpg", "w", "h", "px", "r", "Split")
    return write_meth(root / "MetH-Medium", header=header)


def _table_beside(root: Path) -> Path:
    """Write the table where it is downloaded to, and the archive unpacked beside it."""
    write_table(root / "MetH-Cultures.csv", METH_HEADER, meth_cells(ROWS))
    write_images(root / "MetH-Cultures" / "data", ROWS)
    return root


def _flat(root: Path) -> Path:
    write_table(root / "MetH-Medium.csv", METH_HEADER, meth_cells(ROWS))
    write_images(root, ROWS)
    return root


def _metadata(root: Path) -> Path:
    table = root / "MAMe_metadata" / "MAMe_dataset.csv"
    write_table(table, MAME_HEADER, mame_cells(ROWS))
    write_images(root / "data_256", ROWS)
    return root


def _toy(root: Path) -> Path:
    write_table(root / "MAMe_toy_dataset.csv", MAME_HEADER, mame_cells(ROWS))
    write_images(root / "data", ROWS)
    return root


def _folder_of_images(root: Path) -> Path:
    write_mame(root, [(file, *rest[:2], (9, 9)) for file, *rest in ROWS])  # type: ignore[misc]
    write_images(root / "data_256", ROWS)
    return root / "data_256"


def _table_itself(root: Path) -> Path:
    """Write the whole MAMe with the table of the toy beside it, which is opened by its path."""
    write_mame(root, [*ROWS, ("7.jpg", "Gold", "train", (9, 9))])
    return write_table(root / "MAMe_toy_dataset.csv", MAME_HEADER, mame_cells(ROWS))


def _another_name(root: Path) -> Path:
    write_table(root / "paintings.csv", MAME_HEADER, mame_cells(ROWS))
    write_images(root / "data", ROWS)
    return root


LAYOUTS: dict[str, tuple[Callable[[Path], Path], str, tuple[str, ...]]] = {
    "MetH-Medium": (lambda root: write_meth(root / "MetH-Medium"), "MetH-Medium", FIRST_SEEN),
    "MetH-Cultures": (lambda root: write_meth(root / "MetH-Cultures"), "MetH-Cultures", FIRST_SEEN),
    "MetH by positions": (_by_position, "MetH-Medium", FIRST_SEEN),
    "MetH with its table beside the folder": (_table_beside, "MetH-Cultures", FIRST_SEEN),
    "MetH with its images beside the table": (_flat, "MetH-Medium", FIRST_SEEN),
    "MAMe": (write_mame, "MAMe", ALPHABET),
    "MAMe_metadata and data_256": (_metadata, "MAMe", ALPHABET),
    "MAMe_toy_dataset.csv alone": (_toy, "MAMe toy", ALPHABET),
    "data_256 itself": (_folder_of_images, "MAMe", ALPHABET),
    "table of the toy itself": (_table_itself, "MAMe toy", ALPHABET),
    "MAMe's columns in a table of another name": (_another_name, "paintings", FIRST_SEEN),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_every_layout_opens_with_the_same_images_and_classes(tmp_path: Path, case: str) -> None:
    """Split, class and pixels of each image; MetH counts classes as they appear, MAMe by name."""
    write, kind, names = LAYOUTS[case]
    data = open_dataset(write(tmp_path))
    assert (data.kind, data.class_names) == (kind, names)
    assert data.ids == ("436018", "11779", "val/19022", "test/435883")
    assert [data.get_split(name) for name in data.ids] == ["train", "train", "val", "test"]
    known = [data.known(name) for name in data.ids]
    assert [one.class_name for one in known] == ["Woodcut", "Silk", "Gold", "Silk"]
    assert [one.label for one in known] == [names.index(str(one.class_name)) for one in known]
    assert {data.digit_sum(name) for name in data.ids} == {None}
    assert [data.read_size(name) for name in data.ids] == [(30, 20), (17, 31), (16, 16), (40, 12)]
    expected = photograph(20, 30, seed=0).astype(int)
    assert (
        np.abs(data.read_colour("436018") - expected).mean() < 8
    )  # a JPEG; of another picture it is 80
    path = data.find_path("test/435883")
    assert path is not None
    assert path.name == "435883.jpg"
    assert list(data.iter_missing()) == []
    with pytest.raises(NotFoundError):
        data.known("nothing")


@pytest.mark.parametrize("header", [METH_HEADER, ("a", "b", "c", "d", "e", "f", "g", "Split")])
def test_years_are_numbers_and_no_classes(tmp_path: Path, header: tuple[str, ...]) -> None:
    """MetH-Period: by position, as its code reads them, whatever the column is called."""
    years: list[Row] = [
        (file, year, split, size)
        for (file, _, split, size), year in zip(
            ROWS, ["1500", "1730.0", "1900", "1871"], strict=True
        )
    ]
    root = write_meth(tmp_path / "MetH-Period", years, header=header)
    data = open_dataset(root)
    assert [data.known(name).year for name in data.ids] == [1500.0, 1730.0, 1900.0, 1871.0]
    assert data.known("11779") == Known(year=1730.0, stated_size=(17, 31))
    assert (data.class_names, data.label("11779"), data.digit_sum("11779")) == ((), None, None)
    found = inspect_dataset(root)
    assert found.labels == {}
    assert found.years == {
        "train": {"1500-1549": 1, "1700-1749": 1},
        "val": {"1850-1900": 1},
        "test": {"1850-1900": 1},
    }


@pytest.mark.parametrize("has_target", [True, False])
def test_super_resolution_has_no_target(tmp_path: Path, has_target: bool) -> None:
    """With a column for it or without: images are found by what their cells look like."""
    root = tmp_path / "MetH-SR"
    cells = meth_cells([(file, "", split, size) for file, _, split, size in ROWS])
    gone = () if has_target else (1,)
    header = [name for at, name in enumerate(METH_HEADER) if at not in gone]
    rows = [[cell for at, cell in enumerate(row) if at not in gone] for row in cells]
    write_table(root / "MetH-SR.csv", header, rows)
    write_images(root / "data", ROWS)
    data = open_dataset(root)
    assert (data.kind, data.class_names, len(data.ids)) == ("MetH-SR", (), 4)
    assert data.known("436018") == Known(stated_size=(30, 20))


def test_order_of_classes_is_that_of_the_whole_table(tmp_path: Path) -> None:
    """A class that only test images have counts where its first row stands."""
    rows: list[Row] = [
        ("1.jpg", "Silk", "test", (9, 9)),
        ("2.jpg", "Gold", "train", (9, 9)),
        ("3.jpg", "Bronze", "validation", (9, 9)),
        ("4.jpg", "Silk", "train", (9, 9)),
    ]
    data = open_dataset(write_meth(tmp_path / "MetH-Medium", rows))
    assert data.class_names == ("Silk", "Gold", "Bronze")
    assert data.ids == ("2", "4", "val/3", "test/1")


def test_labels_of_mame_give_the_numbers(tmp_path: Path) -> None:
    """Also of classes that the table has no image of."""
    write_mame(tmp_path)
    (tmp_path / "MAMe_labels.csv").write_text("1,Bronze\n0,Woodcut\n3,Gold\n\n2,Silk\n")
    data = open_dataset(tmp_path)
    assert data.class_names == ("Woodcut", "Bronze", "Silk", "Gold")
    assert data.label("436018") == 0
    assert inspect_dataset(tmp_path).labels == {"Woodcut": 1, "Bronze": 0, "Silk": 2, "Gold": 1}


ODD: dict[str, tuple[str, str, str]] = {
    "several dots": ("1962.371.1.jpeg", "Silk", "1962.371.1"),
    "commas in quotes": ("25.3.306a, b.jpg", "Pen, and brown ink", "25.3.306a, b"),
    "en dash": ("46a–f.jpg", "Silk", "46a–f"),  # noqa: RUF001 - as it stands in MAMe
    "blank behind a class": ("5.jpg", "Woven fabric ", "5"),
    "blanks around a name": (" 6.jpg ", "Silk", "6"),
    "suffix in capitals": ("7.JPG", "Silk", "7"),
    "letters with accents": ("é.jpg", "Silk", "é"),
    "folder in a name": ("a/8.jpg", "Silk", "8"),
    "folder in a name of Windows": ("a\\9.jpg", "Silk", "9"),
}


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("write", [write_mame, write_meth])
def test_odd_names_are_read(tmp_path: Path, case: str, write: Callable[..., Path]) -> None:
    """Of files and classes: dots, commas, dashes, blanks, letters taken apart or made small."""
    file, name, image_id = ODD[case]
    root = tmp_path / "MetH-Medium"
    row: Row = (file, name, "train", (10, 8))
    write(root, [row, ROWS[0]])
    for path in (root / "data").rglob("*.*"):
        path.rename(path.with_name(unicodedata.normalize("NFD", path.name.lower())))
    data = open_dataset(root)
    assert {unicodedata.normalize("NFC", one) for one in data.ids} == {image_id, "436018"}
    (found,) = (one for one in data.ids if one != "436018")
    assert data.known(found).class_name == name.strip()
    assert data.read_colour(found).shape == (8, 10, 3)
    assert any(f"The class {name!r}" in note for note in data.notes) == (name != name.strip())


def test_data_of_full_size_is_taken_before_reduced_data(tmp_path: Path) -> None:
    """`data_256` is opened by its own path where both are there."""
    root = _folder_of_images(tmp_path).parent
    assert open_dataset(root).read_size("436018") == (9, 9)
    assert open_dataset(root / "data_256").read_size("436018") == (30, 20)


def test_sizes_of_the_table_are_those_of_originals(tmp_path: Path) -> None:
    """A file of another size is told once; of reduced images none is expected."""
    root = _folder_of_images(tmp_path)
    reduced = inspect_dataset(root)
    assert any("reduced to 256 px a side" in note for note in reduced.notes)
    assert not any("another size" in note for note in reduced.notes)
    write_photograph(root.parent / "data" / "11779.jpg", 8, 8)
    (note,) = (one for one in inspect_dataset(root.parent).notes if "another size" in one)
    assert note.startswith("1 of 4 images have another size than the table says, as 11779: 8x8 px")


def test_images_that_only_one_side_has_are_told(tmp_path: Path) -> None:
    """Missing is what the table names; what it does not name is left out and counted."""
    root = write_meth(tmp_path / "MetH-Medium")
    (root / "data" / "11779.jpg").unlink()
    write_photograph(root / "data" / "99.jpg", 9, 9)
    found = inspect_dataset(root)
    assert found.missing == ("11779.jpg (MetH-Medium.csv, line 3)",)
    assert found.counts == {"train": 1, "val": 1, "test": 1}
    stranger = "1 image file in data is in no row of MetH-Medium.csv, and left out."
    assert stranger in found.notes


def test_table_without_images_is_inspected_and_not_opened(tmp_path: Path) -> None:
    """The counts of a download are known before its images are there."""
    write_table(tmp_path / "MetH-Medium.csv", METH_HEADER, meth_cells(ROWS))
    with pytest.raises(MissingFileError, match=r"Expected the 4 images that MetH-Medium.csv names"):
        open_dataset(tmp_path)
    assert len(inspect_dataset(tmp_path).missing) == 4


def test_two_tables_are_refused_with_both_names(tmp_path: Path) -> None:
    """Each opens by its own path."""
    for name in ("MetH-Medium", "MetH-Cultures"):
        write_table(tmp_path / f"{name}.csv", METH_HEADER, meth_cells(ROWS))
        write_images(tmp_path / name / "data", ROWS)
    with pytest.raises(DamagedFileError, match=r"found MetH-Cultures.csv and MetH-Medium.csv"):
        open_dataset(tmp_path)
    data = open_dataset(tmp_path / "MetH-Cultures.csv")
    assert isinstance(data, MethReader)
    assert data.images == tmp_path / "MetH-Cultures" / "data"


def test_folders_of_others_are_not_taken_for_meth(tmp_path: Path) -> None:
    """A table of labels of Kaggle's, and one with a split of somebody's, keep their own kind."""
    tables = {
        "train.csv": "id,digit_sum\na,3\n",
        "metadata.csv": "filename,label,split\na.png,dog,train\n",
        "folds.csv": "image_id,image_path,target,fold\na,a.png,3,0\n",
    }
    for name, text in tables.items():
        folder = tmp_path / name.partition(".")[0]
        write_image(folder / "a.png")
        (folder / name).write_text(text)
        assert open_dataset(folder).kind in ("kaggle", "images")
    write_image(tmp_path / "x" / "data" / "a.png")
    assert open_dataset(tmp_path / "x" / "data").kind == "images"
