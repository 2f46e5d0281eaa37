"""Malformed MetH, MAMe and traffic signs: each gives one clear sentence and no traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.datasets.exports import image_bytes
from tests.datasets.making import inspect_made
from tests.datasets.meth.making import (
    MAME_HEADER,
    METH_HEADER,
    ROWS,
    Row,
    mame_cells,
    meth_cells,
    write_images,
    write_mame,
    write_meth,
    write_table,
)
from tests.datasets.signs.making import line, record, sign, write_annotations, write_set
from tests.datasets.test_malformed import TRAP

Maker = Callable[[Path], object]
"""Makes a data set in the folder ``a``."""


HTML = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 3691905\n"


def table(data: bytes, name: str = "MetH-Medium.csv") -> Maker:
    """Make MetH with these bytes as its table."""

    def make(root: Path) -> None:
        write_images(root / "data", ROWS)
        (root / name).write_bytes(data)

    return make


def meth(
    row: Sequence[object] | None = None,
    name: str = "MetH-Medium",
    header: Sequence[str] = METH_HEADER,
) -> Maker:
    """Make MetH with one more row in its table."""

    def make(root: Path) -> None:
        rows = meth_cells(_with_years(name))
        write_table(root / f"{name}.csv", header, [*rows, *([row] if row is not None else [])])
        write_images(root / "data", ROWS)

    return make


def _with_years(name: str) -> Sequence[Row]:
    if name != "MetH-Period":
        return ROWS
    return [(file, "1700", split, size) for file, _, split, size in ROWS]


def mame(labels: bytes, row: Sequence[object] | None = None) -> Maker:
    """Make MAMe with numbers of classes, and one more row in its table."""

    def make(root: Path) -> None:
        rows = [*mame_cells(ROWS), *([row] if row is not None else [])]
        write_images(root / "data", ROWS)
        write_table(root / "MAMe_dataset.csv", MAME_HEADER, rows)
        (root / "MAMe_labels.csv").write_bytes(labels)

    return make


def cells(**changes: object) -> list[object]:
    """Return the cells of a row of MetH with some of them changed."""
    names = ("number", "target", "file", "width", "height", "px", "ratio", "split")
    values = {"number": 9, "target": "Silk", "file": "435883.jpg", "width": 12, "height": 40}
    return [{**values, "px": 480, "ratio": 0.3, "split": "test", **changes}[name] for name in names]


def signs(*lines: str, name: str = "Set1/annotations.txt") -> Maker:
    """Make traffic signs with these lines beside two good ones."""
    good = [line("a.jpg", sign("80_SIGN")), line("b.jpg")]

    def make(root: Path) -> None:
        write_set(root / "Set1", good)
        write_annotations(root / name, [*good, *lines])

    return make


def sign_file(data: bytes, name: str = "Set1/annotations.txt") -> Maker:
    """Make traffic signs with these bytes as annotations."""

    def make(root: Path) -> None:
        write_set(root / "Set1", [line("a.jpg", sign("80_SIGN"))])
        (root / "Set1" / "annotations.txt").unlink()
        (root / name).write_bytes(data)

    return make


def records(data: bytes) -> Maker:
    """Make traffic signs of TensorFlow's records."""

    def make(root: Path) -> None:
        root.mkdir(exist_ok=True)
        (root / "set1.tfrecords").write_bytes(data)

    return make


def endless(write: Maker, name: str, mib: int) -> Maker:
    """Make a data set one of whose files has so many MiB, of which the disc holds none."""

    def make(root: Path) -> None:
        harmed(write, name, b"")(root)
        os.truncate(root / name, mib * 2**20)

    return make


def harmed(write: Maker, name: str, data: bytes | None) -> Maker:
    """Make a data set with other bytes in one file, or without it."""

    def make(root: Path) -> None:
        write(root)
        (root / name).unlink()
        if data is not None:
            (root / name).write_bytes(data)

    return make


RECORD = record(image_bytes(0, ".jpg"), 2)
HEAD = ",".join(METH_HEADER).encode() + b"\n"

CASES: dict[str, tuple[Maker, str]] = {
    "empty table": (table(b""), "the column Split"),
    "table of a header alone": (table(HEAD), "a row for each image, found none"),
    "table of zeros": (table(bytes(500)), "MetH-Medium.csv"),
    "pickle as table": (table(TRAP), "the column Split"),
    "page of an error as table": (table(HTML), "the column Split"),
    "pointer as table": (table(POINTER), "the column Split"),
    "table without Split": (
        meth(header=[*METH_HEADER[:7], "Part"]),
        "expected the column Split (Subset in MAMe), found id, label",
    ),
    "table without Label": (
        meth(header=["ID", "Art", *METH_HEADER[2:]]),
        "expected the column Label (Medium in MAMe), found id, art",
    ),
    "table without images": (
        table(HEAD + b"1,Silk,none,1,2,2,0.5,train\n"),
        "expected names of image files",
    ),
    "endless cell": (table(HEAD + b'1,"' + b"a" * 200_000), "found that line"),
    "table cut amid a row": (table(HEAD + b"1,Silk,436018.jpg,20\n"), "line 2: expected 8 cells"),
    "row that is cut short": (meth([9, "Silk", "x.jpg"]), "line 6: expected 8 cells, found 3"),
    "unknown split": (meth(cells(split="dev")), "line 6: expected train, validation (val) or test"),
    "no split": (meth(cells(split="")), "expected train, validation (val) or test, found ''"),
    "no class": (meth(cells(target=" ")), "line 6: expected the name of a class, found nothing"),
    "no file": (meth(cells(file="")), "line 6: expected the name of an image file, found ''"),
    "file that is no image": (
        meth(cells(file="x.txt")),
        "the name of an image file, found 'x.txt'",
    ),
    "file above the folder": (meth(cells(file="../x.jpg")), "the name of an image file"),
    "file of the whole disc": (meth(cells(file="/etc/x.jpg")), "the name of an image file"),
    "file of another drive": (meth(cells(file="C:\\x.jpg")), "the name of an image file"),
    "width in words": (meth(cells(width="wide")), "width and height as whole numbers of px"),
    "width below 1": (meth(cells(width=-3)), "width and height as whole numbers of px"),
    "half a pixel": (meth(cells(height=2.5)), "width and height as whole numbers of px"),
    "height without end": (meth(cells(height="inf")), "width and height as whole numbers of px"),
    "width that is NaN": (meth(cells(width="nan")), "width and height as whole numbers of px"),
    "image that comes twice": (
        meth(cells()),
        "one row for each image, found '435883.jpg' that line 5",
    ),
    "year in words": (
        meth(cells(target="ca. 1650"), "MetH-Period"),
        "line 6: expected a year as a number, found 'ca. 1650'",
    ),
    "no year": (meth(cells(target=""), "MetH-Period"), "expected a year as a number, found ''"),
    "year that is NaN": (meth(cells(target="nan"), "MetH-Period"), "expected a year as a number"),
    "year without end": (meth(cells(target="1e9"), "MetH-Period"), "expected a year as a number"),
    "MAMe without Subset": (
        table(b"Image file,Medium\na.jpg,Silk\n", "MAMe_dataset.csv"),
        "expected the column Split (Subset in MAMe), found image file, medium",
    ),
    "numbers of classes in words": (mame(b"zero,Silk\n"), "MAMe_labels.csv, line 1: expected a"),
    "number of a class twice": (mame(b"0,Silk\n0,Gold\n"), "MAMe_labels.csv, line 2: expected a"),
    "name of a class twice": (mame(b"0,Silk\n1,Silk\n"), "MAMe_labels.csv, line 2: expected a"),
    "number without a name": (
        mame(b"0\n"),
        "MAMe_labels.csv, line 1: expected a number and a name",
    ),
    "numbers with a gap": (mame(b"0,Silk\n2,Gold\n"), "expected numbers from 0 to 1, found 2"),
    "empty numbers of classes": (mame(b""), "expected numbers from 0 to 0, found none"),
    "class without a number": (mame(b"0,Silk\n1,Gold\n"), "the classes of MAMe_labels.csv, found"),
    "pickle as numbers of classes": (mame(TRAP), "MAMe_labels.csv"),
    "photograph that is cut short": (
        harmed(write_mame, "data/436018.jpg", image_bytes(0, ".jpg")[:200]),
        "436018: expected a whole image",
    ),
    "photograph that is none": (
        harmed(write_meth, "data/436018.jpg", HTML),
        "found something else",
    ),
    "empty photograph": (harmed(write_meth, "data/436018.jpg", b""), "an empty file"),
    "table of 257 MiB": (
        endless(table(HEAD), "MetH-Medium.csv", 257),
        "expected a table of at most 256 MiB, found 257 MiB",
    ),
    "annotations of 65 MiB": (
        endless(sign_file(b""), "Set1/annotations.txt", 65),
        "expected annotations of at most 64 MiB, found 65 MiB",
    ),
    "empty annotations": (sign_file(b""), "expected lines FILE:VISIBILITY"),
    "annotations of zeros": (sign_file(bytes(300)), "Set1/annotations.txt"),
    "pickle as annotations": (sign_file(TRAP), "Set1/annotations.txt"),
    "page of an error as annotations": (sign_file(HTML), "expected lines FILE:VISIBILITY"),
    "annotation without a colon": (
        signs("c.jpg VISIBLE, 1, 2, 3, 4"),
        "line 3: expected FILE:SIGN",
    ),
    "annotation without a name": (signs(f":{sign()};"), "line 3: expected FILE:SIGN"),
    "annotation that is cut": (signs("a2.jpg:VISIBLE, 616.95, 7"), "line 3: expected VISIBILITY"),
    "sign of a strange visibility": (
        signs(line("c.jpg", sign(visibility="HIDDEN"))),
        "line 3: expected VISIBLE, BLURRED, SIDE_ROAD, OCCLUDED or MISC_SIGNS",
    ),
    "sign without numbers": (
        signs(line("c.jpg", sign(corners=("a", "b", "c", "d")))),
        "line 3: expected four numbers",
    ),
    "sign without a name": (signs(line("c.jpg", sign(""))), "line 3: expected TYPE and NAME"),
    "sign outside of the image": (
        signs(line("c.jpg", sign(corners=(-5, -5, -9, -9)))),
        "line 3: expected a box that lies in 1280 x 960 px",
    ),
    "line that comes twice": (signs(line("b.jpg", sign())), "line 3: expected one line for each"),
    "table of signs with a strange row": (
        sign_file(
            b'image_name,sign_type,sign_status,bbox\na.jpg,STOP,VISIBLE,"[1, 2, 3]"\n',
            "Set1/annotations.csv",
        ),
        "annotations.csv, line 2: expected one of VISIBLE",
    ),
    "table of signs with an endless cell": (
        sign_file(
            b'image_name,sign_type,sign_status,bbox\na.jpg,STOP,"' + b"a" * 200_000,
            "Set1/annotations.csv",
        ),
        "annotations.csv: expected a table",
    ),
    "records cut short": (records(RECORD[:-9]), "expected records with image and label"),
    "records that are none": (records(TRAP), "expected records with image and label"),
    "empty records": (records(b""), "an empty file"),
    "record of a label beyond": (records(record(b"x", 9)), "a label of [9]"),
    "record of no JPEG": (records(record(b"not a JPEG at all", 1)), "found something else"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("quick", [False, True])
def test_malformed_data_set_is_one_sentence_and_runs_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    case: str,
    quick: bool,
) -> None:
    """Listed or refused with code 1, and what is not damaged is still counted."""
    make, said = CASES[case]
    code, (sentence,) = inspect_made(make, tmp_path, monkeypatch, capfd, quick=quick)
    assert code == 1
    assert said in sentence
    assert len(sentence) < 500
    assert sentence.endswith(".")


def test_there_are_forty_and_more_of_them() -> None:
    """Of tables, photographs, annotations and records."""
    assert len(CASES) >= 40
