"""Malformed inputs: each gives one clear sentence, no traceback, and runs no code of its own."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.making import SMALL_OPTIONS, hashes, inspect_made, run, small_recipe
from umnist_core.datasets.write import write_dataset

Maker = Callable[[Path], object]


class Trap:
    """Its pickle makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("unpickled",))


TRAP = pickle.dumps(Trap())


def ours(**changes: object) -> Maker:
    """Make a data set of ours, and put files in it."""

    def make(folder: Path) -> None:
        files = {name: data for name, data in changes.items() if isinstance(data, bytes)}
        layout = str(changes.get("layout", "kaggle"))
        write_dataset(small_recipe(3, layout=layout), folder)
        for name, data in files.items():
            (folder / name.replace("__", "-").replace("_DOT_", ".")).write_bytes(data)

    return make


def manifest(**changes: object) -> Maker:
    """Make a data set whose manifest says something else; None takes an entry out."""

    def make(folder: Path) -> None:
        write_dataset(small_recipe(3), folder)
        path = folder / "dataset.json"
        data = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({name: v for name, v in data.items() if v is not None}))

    return make


def image_file(data: bytes, name: str = "a.jpeg") -> Maker:
    """Make a folder with one file that is named as an image."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / name).write_bytes(data)

    return make


def beside_an_image(name: str, data: bytes) -> Maker:
    """Make a folder with one image and another file."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / "a.jpeg").write_bytes(jpeg())
        (folder / name).write_bytes(data)

    return make


def tar_of(**members: bytes) -> Maker:
    """Make a folder with a tar file of members."""

    def make(folder: Path) -> None:
        folder.mkdir()
        with tarfile.open(folder / "train-0.tar", "w") as tar:
            for name, data in members.items():
                path = folder / "member"
                path.write_bytes(data)
                tar.add(path, name.replace("_DOT_", "."))
                path.unlink()

    return make


def megapixel(records: bytes, parameters: bytes = b'{"height": 50, "width": 50}') -> Maker:
    """Make Megapixel MNIST in its original layout."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / "parameters.json").write_bytes(parameters)
        (folder / "train.npy").write_bytes(records)

    return make


def npy(content: bytes, kind: str = "|O", count: int = 1) -> bytes:
    """Return a NumPy file that says it has one element, or more."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + content


def jpeg() -> bytes:
    """Return a small sound JPEG."""
    return cv2.imencode(".jpeg", np.arange(4096, dtype=np.uint8).reshape(64, 64))[1].tobytes()


def cut_tar() -> bytes:
    """Return the first part of a tar: a member's header and not all of its bytes."""
    member = tarfile.TarInfo("a.jpeg")
    member.size = 5000
    return member.tobuf() + bytes(1000)


def png(width: int, height: int) -> bytes:
    """Return a PNG that says it has such a size, and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9999) + b"IDAT"


BILLION_LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    + b"".join(b'<!ENTITY %c "%s">' % (99 + n, (b"&%c;" % (98 + n)) * 8) for n in range(12))
    + b"]><annotation><object><name>&n;</name></object></annotation>"
)

INSPECT: dict[str, tuple[Maker, str]] = {
    "no such folder": (lambda folder: None, "no folder"),
    "a file instead of a folder": (lambda folder: folder.write_text("x"), "no folder"),
    "an empty folder": (lambda folder: folder.mkdir(), "found none"),
    "a folder of text": (image_file(b"x", "a.txt"), "found none"),
    "pickled npy alone": (image_file(TRAP, "train.npy"), "train.npy, a NumPy file"),
    "pickle as Megapixel's records": (megapixel(TRAP), "pickled records of Megapixel MNIST"),
    "npy of a pickle that runs": (megapixel(npy(TRAP)), "asks to run"),
    "npy of numbers": (megapixel(npy(b"", "<f8")), "pickled records of Megapixel MNIST"),
    "npy of countless records": (
        megapixel(npy(TRAP, count=10**15)),
        "1000000000000000 records in",
    ),
    "Megapixel without its records": (image_file(b"{}", "parameters.json"), "train.npy"),
    "Megapixel with NaN as height": (
        megapixel(npy(TRAP), b'{"height": NaN, "width": 5}'),
        "height and width of 1 to",
    ),
    "pickle named jpeg": (image_file(TRAP), "found something else"),
    "empty jpeg": (image_file(b""), "an empty file"),
    "jpeg cut in half": (image_file(jpeg()[:600]), "a whole image"),
    "jpeg cut in its header": (image_file(jpeg()[:30]), "a damaged one"),
    "jpeg with a hole": (image_file(jpeg()[:700] + bytes(300) + jpeg()[1000:]), "a damaged one"),
    "jpeg of two bytes": (image_file(b"\xff\xd8"), "found something else"),
    "png without pixels": (image_file(png(100, 100), "a.png"), "a whole image"),
    "png bomb": (image_file(png(2**31 - 1, 2**31 - 1), "a.png"), "a"),
    "png of 25 gigapixels": (image_file(png(160_000, 160_000), "a.png"), "UMNIST_MAX_FILE_MPX"),
    "tiff of nothing": (image_file(b"II*\x00", "a.tif"), "a damaged one"),
    "gif named png": (image_file(b"GIF89a", "a.png"), "found something else"),
    "svg named png": (image_file(b"<svg/>", "a.png"), "found something else"),
    "table without its column": (beside_an_image("train.csv", b"id,sum\na,3\n"), "id, digit_sum"),
    "table without ids": (beside_an_image("train.csv", b"digit_sum\n3\n"), "id, digit_sum"),
    "empty table": (beside_an_image("train.csv", b""), "found nothing"),
    "sum that is NaN": (beside_an_image("train.csv", b"id,digit_sum\na,nan\n"), "line 2"),
    "sum below 0": (beside_an_image("train.csv", b"id,digit_sum\na,-3\n"), "line 2"),
    "sum that is a fraction": (beside_an_image("train.csv", b"id,digit_sum\na,3.5\n"), "line 2"),
    "sum out of all bounds": (
        beside_an_image("train.csv", b"id,digit_sum\na," + b"9" * 5000 + b"\n"),
        "line 2",
    ),
    "sum left out": (beside_an_image("train.csv", b"id,digit_sum\na\n"), "line 2"),
    "id that comes twice": (beside_an_image("train.csv", b"id,digit_sum\na,3\na,4\n"), "line 3"),
    "pickle as table": (beside_an_image("train.csv", TRAP), "id, digit_sum"),
    "table of zeros": (beside_an_image("train.csv", bytes(999)), "train.csv"),
    "endless cell": (
        beside_an_image("train.csv", b'id,digit_sum\n"' + b"a" * 200_000 + b'",3\n'),
        "train.csv",
    ),
    "class that is none": (
        beside_an_image("train.csv", b"id,majority,max,top,multi\na,1,2,3,1 x\n"),
        "classes as majority, max, top, multi",
    ),
    "annotation that is no XML": (beside_an_image("a.xml", b"cut <obj"), "a Pascal VOC annotation"),
    "annotation of another kind": (beside_an_image("a.xml", b"<html/>"), "a Pascal VOC annotation"),
    "annotation that explodes": (beside_an_image("a.xml", BILLION_LAUGHS), "a Pascal VOC"),
    "annotation of 2 MB": (beside_an_image("a.xml", b" " * 2_000_000), "are not read"),
    "COCO that is no JSON": (beside_an_image("annotations.json", b'{"images": ['), "COCO's JSON"),
    "COCO that is a list": (beside_an_image("annotations.json", b"[]"), "COCO's JSON"),
    "COCO without images": (beside_an_image("annotations.json", b"{}"), "COCO's JSON"),
    "COCO of unknown category": (
        beside_an_image(
            "annotations.json",
            b'{"images": [], "categories": [], "annotations": [{"image_id": 1, "category_id": 2}]}',
        ),
        "COCO's JSON",
    ),
    "COCO nested without end": (beside_an_image("annotations.json", b"[" * 99_999), "COCO's JSON"),
    "pickle as COCO": (beside_an_image("annotations.json", TRAP), "COCO's JSON"),
    "tar that is none": (image_file(b"not a tar", "train-0.tar"), "tar file"),
    "pickle as tar": (image_file(TRAP, "train-0.tar"), "tar file"),
    "compressed tar": (image_file(zlib.compress(b"x"), "train-0.tar"), "tar file"),
    "tar without images": (tar_of(a_DOT_txt=b"x"), "found none"),
    "tar of a damaged image": (tar_of(a_DOT_jpeg=jpeg()[:600]), "a whole image"),
    "tar of a class in words": (tar_of(a_DOT_jpeg=jpeg(), a_DOT_cls=b"cat"), "whole number"),
    "manifest cut short": (ours(dataset_DOT_json=b'{"format_version": 1, "lay'), "dataset.json"),
    "manifest that is a list": (ours(dataset_DOT_json=b"[1, 2]"), "dataset.json"),
    "empty manifest": (ours(dataset_DOT_json=b""), "dataset.json"),
    "pickle as manifest": (ours(dataset_DOT_json=TRAP), "dataset.json"),
    "manifest of 2 MB": (ours(dataset_DOT_json=b" " * 2_000_000), "dataset.json"),
    "manifest nested without end": (ours(dataset_DOT_json=b"[" * 99_999), "dataset.json"),
    "manifest of the future": (manifest(format_version=99), "update umnist"),
    "manifest without a seed": (manifest(seed=None), "dataset.json"),
    "manifest with a word as seed": (manifest(seed="seven"), "dataset.json"),
    "manifest with a strange entry": (manifest(colour="red"), "dataset.json"),
    "manifest of another layout": (manifest(layout="hdf5"), "dataset.json"),
    "manifest without splits": (manifest(splits={}), "dataset.json"),
    "manifest with a strange split": (manifest(splits={"train": 3}), "dataset.json"),
    "truth that is no table": (ours(truth__train_DOT_parquet=b"x" * 100), "the table of truth"),
    "pickle as truth": (ours(truth__train_DOT_parquet=TRAP), "the table of truth"),
    "empty truth": (ours(truth__train_DOT_parquet=b""), "the table of truth"),
    "shard of ours cut short": (
        ours(layout="webdataset", train__000000_DOT_tar=cut_tar()),
        "unexpected end of data",
    ),
}

SMALL = ["--count", "3", *SMALL_OPTIONS]

GENERATE: dict[str, tuple[Maker, list[str], int, str]] = {
    "a file in its place": (lambda out: out.write_text("mine"), SMALL, 1, "found the file"),
    "a folder of something else": (image_file(jpeg()), SMALL, 1, "no data set of umnist"),
    "another data set": (ours(), ["--seed", "4", *SMALL], 1, "seed is 3 there and 4 here"),
    "a damaged manifest": (ours(dataset_DOT_json=b'{"for'), ["--seed", "3", *SMALL], 1, "restore"),
    "a manifest of the future": (manifest(format_version=2), ["--seed", "3", *SMALL], 1, "update"),
    "made by another version": (
        manifest(umnist="0.0.1"),
        ["--seed", "3", *SMALL],
        1,
        "umnist is 0.0.1 there",
    ),
    "no count": (lambda out: None, SMALL_OPTIONS, 2, "--count"),
    "count 0": (lambda out: None, ["--count", "0"], 2, "1<=x"),
    "negative count": (lambda out: None, ["--count", "-3"], 2, "1<=x"),
    "absurd count": (lambda out: None, ["--count", "1" + "0" * 30], 2, "x<=10000000"),
    "fraction of an image": (lambda out: None, ["--count", "1.5"], 2, "not a valid integer"),
    "negative seed": (lambda out: None, [*SMALL, "--seed", "-1"], 2, "0<=x"),
    "absurd seed": (lambda out: None, [*SMALL, "--seed", "9" * 40], 2, "0<=x"),
    "unknown format": (lambda out: None, [*SMALL, "--format", "hdf5"], 2, "webdataset"),
    "unknown image": (lambda out: None, [*SMALL, "--image", "gif"], 2, "jpeg"),
    "unknown preset": (lambda out: None, [*SMALL, "--preset", "relaesed"], 2, "released"),
    "unknown split": (lambda out: None, [*SMALL, "--split", "val"], 2, "train"),
    "unknown study": (lambda out: None, [*SMALL, "--study", "noses"], 2, "noise"),
    "no jobs": (lambda out: None, [*SMALL, "--jobs", "0"], 2, "1<=x"),
    "setting without a value": (lambda out: None, [*SMALL, "--set", "shear"], 2, "NAME=VALUE"),
    "setting that is NaN": (lambda out: None, [*SMALL, "--set", "shear=nan"], 2, "-80 to 80"),
    "setting without end": (lambda out: None, [*SMALL, "--set", "zoom=inf"], 2, "0.1 to 10"),
    "range the wrong way": (lambda out: None, [*SMALL, "--set", "circles=4..2"], 2, "0 to 50"),
    "setting of another preset": (
        lambda out: None,
        ["--count", "3", "--preset", "megapixel", "--set", "shear=3"],
        2,
        "noise_count",
    ),
    "setting of strokes for UltraMNIST": (
        lambda out: None,
        [*SMALL, "--set", "noise_count=3"],
        2,
        "shape_pairs",
    ),
    "canvas beyond a file": (
        lambda out: None,
        ["--count", "3", "--set", "canvas=200000"],
        2,
        "at most 32768 px",
    ),
    "digits larger than the canvas": (
        lambda out: None,
        ["--count", "3", "--set", "canvas=100", "--set", "factor=9"],
        2,
        "does not fit",
    ),
    "digits that find no place": (
        lambda out: None,
        ["--count", "3", "--set", "canvas=28", "--set", "factor=1", "--set", "digits=2"],
        1,
        "no place",
    ),
}


@pytest.mark.parametrize("case", INSPECT)
@pytest.mark.parametrize("quick", [False, True])
def test_malformed_data_set_is_one_sentence_and_runs_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    case: str,
    quick: bool,
) -> None:
    """Listed or refused with code 1; the quick look may only overlook what is inside an image."""
    make, said = INSPECT[case]
    code, sentences = inspect_made(make, tmp_path, monkeypatch, capfd, quick=quick)
    if quick and code == 0:
        assert case in ("jpeg with a hole",)
        return
    assert code == 1
    assert said in " ".join(sentences)
    # The same damage may stand before each image that it touches.
    assert len({sentence.partition(": ")[2] for sentence in sentences}) == 1
    assert len(sentences[0]) < 500


@pytest.mark.parametrize("case", GENERATE)
def test_wrong_generate_is_one_sentence_and_changes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    case: str,
) -> None:
    """Code 2 for a wrong command, 1 for what cannot be done; what was there stays."""
    make, arguments, code, said = GENERATE[case]
    make(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    before = hashes(tmp_path)
    assert run(["generate", "a", "--jobs", "1", *arguments], monkeypatch) == code
    errors = capfd.readouterr().err
    assert said in errors
    assert "Traceback" not in errors
    last = [line for line in errors.splitlines() if line]
    assert len(last) == 1 or last[-1].startswith("Error: ")
    if case != "digits that find no place":  # found out on the way
        assert hashes(tmp_path) == before


def test_npy_that_is_a_pickle_is_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even beside images, and not by any reader."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.jpeg").write_bytes(jpeg())
    for name in ("train.npy", "test.npy", "truth-train.npy", "a.pkl"):
        (tmp_path / "a" / name).write_bytes(TRAP)
    monkeypatch.chdir(tmp_path)
    assert run(["datasets", "inspect", "a"], monkeypatch) == 0
    assert not (tmp_path / "unpickled").exists()
    pickle.loads(TRAP)  # the trap is a trap
    assert (tmp_path / "unpickled").exists()
