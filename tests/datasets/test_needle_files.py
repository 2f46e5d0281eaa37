"""Needle MNIST in its original layout: written, read in every form, and whatever is damaged."""

from __future__ import annotations

import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.datasets.making import hashes, run
from tests.datasets.test_malformed import TRAP
from umnist_core.datasets import open_dataset
from umnist_core.datasets.needle import NeedleReader, write_needle
from umnist_core.datasets.needle.image_file import read_picture, write_image_file
from umnist_core.datasets.needle.write import patch_map_of
from umnist_core.digits import load_glyphs
from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    TooLargeError,
)
from umnist_core.rendering import render
from umnist_core.scenes import NeedleTasks, SceneRef

COUNT = 4
GREYS = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8) * 5


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of four images of each split, 128 px a side."""
    folder = tmp_path_factory.mktemp("needle") / "128_28"
    report = write_needle(folder, canvas=128, count=COUNT)
    assert (report.counts, report.drawn) == (dict.fromkeys(("train", "val", "test"), COUNT), 12)
    return folder


def _opened(folder: Path) -> NeedleReader:
    reader = open_dataset(folder)
    assert isinstance(reader, NeedleReader)
    return reader


# -- written ----------------------------------------------------------------------


def test_numpy_alone_reads_what_is_written(written: Path) -> None:
    """Greys of 0 to 1 as 64-bit numbers, and a patch map with a 1 where the needle is."""
    splits = {"train": ("train", "training"), "val": ("train", "validation"), "test": ("test",) * 2}
    for split, (of_scenes, part) in splits.items():
        glyphs = load_glyphs(of_scenes)
        chosen = {"canvas": "128"} | ({"digits_from": part} if part != "test" else {})
        for number in range(COUNT):
            ref = SceneRef.of("needle", chosen, seed=1234, split=of_scenes, index=number)
            scene = ref.plan(glyphs)
            with np.load(written / f"{split}_{number}.npz", allow_pickle=False) as arrays:
                assert arrays.files == ["arr_0", "arr_1"]
                picture, patch_map = arrays["arr_0"], arrays["arr_1"]
            assert (picture.dtype, picture.shape) == (np.float64, (128, 128))
            np.testing.assert_array_equal(picture, render(scene, glyphs) / 255)
            np.testing.assert_array_equal(patch_map, patch_map_of(scene))
            assert patch_map.shape == (2, 2)
            assert patch_map.sum() == scene.label == 1 - number % 2


def test_tables_name_every_image_and_whether_it_has_a_needle(written: Path) -> None:
    """They take turns; and beside them stands what the set was made from."""
    for split in ("train", "val", "test"):
        rows = (written / f"{split}.csv").read_text().splitlines()
        assert rows[0] == "img_path,label"
        assert rows[1:] == [f"{split}_{number}.npz,{1 - number % 2}" for number in range(COUNT)]
    args = (written / "args").read_text()
    assert '"canvas": 128' in args
    assert '"distortion_num": 6' in args
    assert '"seed": 1234' in args


def test_a_run_that_was_interrupted_is_gone_on_with(written: Path, tmp_path: Path) -> None:
    """Images that are there stay as they are, and the folder becomes the same, byte for byte."""
    folder = tmp_path / "again"
    write_needle(folder, canvas=128, count=COUNT)
    assert hashes(folder) == hashes(written)
    for name in ("train_2.npz", "test_0.npz", "val.csv"):
        (folder / name).unlink()
    assert write_needle(folder, canvas=128, count=COUNT).drawn == 2
    assert hashes(folder) == hashes(written)


def test_folder_of_something_else_is_left_alone(written: Path, tmp_path: Path) -> None:
    """Files of anybody's, and sets of another canvas, seed or number of images."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConflictError, match=r"1 files that are not .* \(notes.txt"):
        write_needle(tmp_path, canvas=128, count=COUNT)
    before = hashes(written)
    same: dict[str, Any] = {"canvas": 128, "count": COUNT}
    for other in ({"canvas": 64}, {"seed": 2}, {"count": 5}):
        with pytest.raises(ConflictError, match="Choose a new or an empty folder"):
            write_needle(written, **same | other)
    assert hashes(written) == before


@pytest.mark.parametrize("wrong", [{"canvas": 100}, {"count": 0}, {"seed": -1}])
def test_what_cannot_be_written_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Before anything is."""
    with pytest.raises(InvalidValueError, match=f"{next(iter(wrong))} is"):
        write_needle(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


# -- read -------------------------------------------------------------------------


def test_images_labels_and_places_come_by_their_ids(written: Path) -> None:
    """Train before val before test, by their numbers; a task and no sum; the cell as a box."""
    data = _opened(written)
    assert data.kind == "needle"
    splits = ("train", "val", "test")
    assert [data.get_split(name) for name in data.ids] == [s for s in splits for _ in range(COUNT)]
    glyphs = load_glyphs()
    for number, name in enumerate(data.ids[:COUNT]):
        scene = SceneRef.of("needle", {"canvas": "128"}, seed=1234, index=number).plan(glyphs)
        np.testing.assert_array_equal(data.read_image(name), render(scene, glyphs))
        assert data.read_size(name) == (128, 128)
        assert data.label(name) == scene.label
        assert data.tasks(name) == NeedleTasks(scene.label)
        assert (data.digit_sum(name), data.truth(name)) == (None, None)
        boxes = data.known(name).boxes
        assert len(boxes) == len(scene.digits)
        for box, digit in zip(boxes, scene.digits, strict=True):
            assert (box.name, box.width, box.height) == ("3", 64, 64)
            assert box.x <= digit.col <= digit.col + 28 <= box.x + 64
            assert box.y <= digit.row <= digit.row + 28 <= box.y + 64
    with pytest.raises(NotFoundError, match="12 images, none of them 'train_9'"):
        data.read_image("train_9")


def test_twelve_images_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """The tenth comes after the ninth, and not after the first."""
    write_needle(tmp_path, canvas=64, count=12)
    assert _opened(tmp_path).ids[:12] == tuple(f"train_{number}" for number in range(12))


def _save(path: Path, **arrays: Any) -> None:
    np.savez(path, **arrays)


FORMS: dict[str, Callable[[NDArray[np.float64]], NDArray[Any]]] = {
    "float64": lambda greys: greys,
    "float32": lambda greys: greys.astype(np.float32),
    "big-endian": lambda greys: greys.astype(">f8"),
    "columns first": np.asfortranarray,
    "a plane in front": lambda greys: greys[None],
    "a channel behind": lambda greys: greys[..., None],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_form_of_an_array_is_read(
    tmp_path: Path, form: str, save: Callable[..., None]
) -> None:
    """As NumPy saves it, compressed or not, with a patch map or without."""
    path = tmp_path / "train_0.npz"
    save(path, FORMS[form](GREYS / 255))
    np.testing.assert_array_equal(read_picture(path), GREYS)
    (tmp_path / "train.csv").write_text("img_path,label\ntrain_0.npz,1\n")
    data = _opened(tmp_path)
    assert (data.read_patch_map("train_0"), data.known("train_0").boxes) == (None, ())
    assert data.read_size("train_0") == (6, 8)
    for patch_map in (
        np.eye(3, dtype=np.int64),
        np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3)),
    ):
        save(path, GREYS / 255, patch_map)
        found = data.read_patch_map("train_0")
        assert found is not None
        np.testing.assert_array_equal(found, patch_map)


@pytest.mark.parametrize(
    "written_as",
    [
        "train_0.npz",
        "/checkpoint/needle/mnist/64_28/train_0.npz",
        "data/out/train_0.npz",
        "C:\\needle\\train_0.npz",
    ],
)
def test_paths_of_another_machine_are_followed(tmp_path: Path, written_as: str) -> None:
    """An image beside its table is meant by its name, in whichever folder it was written."""
    _save(tmp_path / "train_0.npz", arr_0=GREYS / 255)
    (tmp_path / "labels.csv").write_text(f"\ufeffimg_path,label\n{written_as},1\n")
    data = _opened(tmp_path)
    assert (data.ids, data.label("train_0")) == (("train_0",), 1)
    assert tuple(data.iter_missing()) == ()


def test_images_in_folders_keep_their_own_labels(tmp_path: Path) -> None:
    """Two canvases under one table: no image gets the label of another of its name."""
    for folder in ("64_28", "128_28"):
        (tmp_path / folder).mkdir()
        _save(tmp_path / folder / "train_0.npz", arr_0=GREYS / 255)
    (tmp_path / "all.csv").write_text(
        "label,img_path\n1,64_28/train_0.npz\n0,/other/128_28/train_0.npz\n1,train_7.npz\n"
    )
    data = _opened(tmp_path)
    labels = {data.get_identity(name).path: data.label(name) for name in data.ids}
    assert labels == {"64_28/train_0.npz": 1, "128_28/train_0.npz": 0}
    assert tuple(data.iter_missing()) == ("train_7.npz",)


def test_set_without_its_tables_is_read_without_labels(tmp_path: Path) -> None:
    """What its ``args`` stand beside."""
    write_needle(tmp_path, canvas=64, count=1)
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.csv").unlink()
    data = _opened(tmp_path)
    assert [data.label(name) for name in data.ids] == [None] * 3
    assert [data.digit_sum(name) for name in data.ids] == [None] * 3


def test_memory_does_not_grow_with_the_numbers(tmp_path: Path) -> None:
    """Of 3072 x 3072 numbers, 72 MiB, written and read a band at a time."""
    pixels = np.random.default_rng(0).integers(0, 256, (3072, 3072), np.uint8)
    pixels[1000:] = 0
    path = tmp_path / "train_0.npz"
    for do in (
        partial(write_image_file, path, pixels, np.zeros((48, 48))),
        partial(read_picture, path),
    ):
        tracemalloc.start()
        try:
            do()
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak_bytes < 48 * 2**20
    np.testing.assert_array_equal(read_picture(path), pixels)


# -- damaged ----------------------------------------------------------------------


def _zip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def _header(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _garbled(path: Path) -> None:
    _save(path, arr_0=GREYS / 255)
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    _save(path, arr_0=GREYS / 255)
    path.write_bytes(path.read_bytes()[:-30])


def _objects(path: Path) -> None:
    array = np.empty((1, 1), object)
    _zip(path, arr_0=_header((1, 1), "|O") + pickle.dumps(array) + TRAP)


def _bytes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _array_alone(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, GREYS / 255)


IMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no archive": (_bytes(b"\x89PNG and more" * 20), "not a zip"),
    "nothing": (_bytes(b""), "not a zip"),
    "an array alone": (_array_alone, "not a zip"),
    "cut short": (_cut, "not a zip"),
    "garbled": (_garbled, "Bad CRC-32"),
    "other arrays": (lambda path: _save(path, picture=GREYS / 255), "no arr_0"),
    "objects": (_objects, "objects, which may hold code"),
    "whole numbers": (lambda path: _save(path, arr_0=GREYS), "an array of uint8"),
    "complex numbers": (lambda path: _save(path, arr_0=GREYS * 1j), "an array of complex128"),
    "greys above white": (lambda path: _save(path, arr_0=GREYS / 1.0), "greys of 0 to 235"),
    "no numbers": (lambda path: _save(path, arr_0=GREYS * np.nan), "greys of nan to nan"),
    "colours": (lambda path: _save(path, arr_0=np.zeros((4, 4, 3))), "shape (4, 4, 3)"),
    "a row": (lambda path: _save(path, arr_0=np.zeros(9)), "shape (9,)"),
    "no pixel": (lambda path: _save(path, arr_0=np.zeros((0, 9))), "shape (0, 9)"),
    "fewer numbers": (lambda path: _zip(path, arr_0=_header((9, 9)) + bytes(8)), "9 x 9 numbers"),
    "more numbers": (lambda path: _zip(path, arr_0=_header((1, 1)) + bytes(99)), "more numbers"),
    "a long header": (
        lambda path: _zip(path, arr_0=b"\x93NUMPY\x02\x00\xff\xff\xff\x7f"),
        "a header of 2147483647 bytes",
    ),
    "a header that does not end": (
        lambda path: _zip(path, arr_0=_header((9, 9)).replace(b"(9", b")9")),
        "a header that is none",
    ),
    "a header of code": (
        lambda path: _zip(path, arr_0=b"\x93NUMPY\x01\x00\x10\x00__import__('os')"),
        "found something else",
    ),
}


@pytest.mark.parametrize("case", IMAGES)
def test_damaged_image_is_one_sentence_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """What was expected, what was found, and what to do; the rest of the set is read."""
    monkeypatch.chdir(tmp_path)
    make, said = IMAGES[case]
    make(tmp_path / "train_0.npz")
    _save(tmp_path / "train_1.npz", arr_0=GREYS / 255)
    (tmp_path / "train.csv").write_text("img_path,label\ntrain_0.npz,1\ntrain_1.npz,0\n")
    data = _opened(tmp_path)
    with pytest.raises(DamagedFileError) as caught:
        data.read_image("train_0")
    assert said in str(caught.value)
    assert str(tmp_path / "train_0.npz") in str(caught.value)
    assert "copy or make it again" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "unpickled").exists()
    np.testing.assert_array_equal(data.read_image("train_1"), GREYS)


@pytest.mark.parametrize(
    ("patch_map", "said"),
    [
        (np.full((2, 2), np.inf), "a patch map of other numbers"),
        (np.zeros((1025, 1024), np.uint8), "a patch map of 1025 x 1024"),
        (np.array([["a"]]), "an array of <U1"),
    ],
)
def test_damaged_patch_map_is_one_sentence(
    tmp_path: Path, patch_map: NDArray[Any], said: str
) -> None:
    """The image itself can be read."""
    _save(tmp_path / "train_0.npz", arr_0=GREYS / 255, arr_1=patch_map)
    (tmp_path / "train.csv").write_text("img_path,label\ntrain_0.npz,1\n")
    data = _opened(tmp_path)
    np.testing.assert_array_equal(data.read_image("train_0"), GREYS)
    with pytest.raises(DamagedFileError, match=said):
        data.known("train_0")


def test_enormous_image_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A header of a few bytes can promise any size."""
    _zip(tmp_path / "train_0.npz", arr_0=_header((10**6, 10**6)))
    (tmp_path / "train.csv").write_text("img_path,label\ntrain_0.npz,1\n")
    with pytest.raises(TooLargeError, match="UMNIST_MAX_FILE_MPX"):
        _opened(tmp_path).read_image("train_0")


TABLES = {
    "another label": ("img_path,label\ntrain_0.npz,2\n", "line 2: expected an image that comes"),
    "no label": ("img_path,label\ntrain_0.npz,1\ntrain_1.npz\n", "line 3: expected an image"),
    "twice": ("img_path,label\ntrain_0.npz,1\ntrain_0.npz,1\n", "line 3: expected an image"),
    "two rows of one image": (
        "img_path,label\ntrain_0.npz,1\n/there/train_0.npz,0\n",
        "Expected one row for train_0.npz",
    ),
    "a very long cell": (f"img_path,label\ntrain_0.npz,1\n{'a' * 200_000},1\n", "cannot be read"),
}


@pytest.mark.parametrize("case", TABLES)
def test_damaged_table_is_one_sentence(tmp_path: Path, case: str) -> None:
    """With its line."""
    text, said = TABLES[case]
    _save(tmp_path / "train_0.npz", arr_0=GREYS / 255)
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(DamagedFileError, match=said) as caught:
        open_dataset(tmp_path)
    assert "\n" not in str(caught.value)


def test_table_without_images_is_told(tmp_path: Path) -> None:
    """And what images are called."""
    (tmp_path / "train.csv").write_text("img_path,label\ntrain_0.npz,1\n")
    with pytest.raises(MissingFileError, match=r"named as train_0\.npz"):
        open_dataset(tmp_path)


def test_tables_of_others_are_no_needle_mnist(tmp_path: Path) -> None:
    """Their columns may have the same names; their images are no NumPy files."""
    (tmp_path / "train.csv").write_text("img_path,label\nimages/a.png,1\n")
    with pytest.raises((MissingFileError, DamagedFileError)) as caught:
        open_dataset(tmp_path)
    assert "Needle" not in str(caught.value)


def test_inspection_lists_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A damaged image, and one that is not there; a sound set is said to be sound."""
    monkeypatch.chdir(tmp_path)
    command = ["datasets", "write-needle", "64_28", "--count", "2"]
    assert run(command, monkeypatch) == 0
    assert "train 2, val 2, test 2 images, 6 of them new" in capfd.readouterr().out
    assert run(["datasets", "inspect", "64_28"], monkeypatch) == 0
    shown = capfd.readouterr().out
    assert "64_28: needle" in shown
    assert "labels    0: 3  1: 3" in shown
    assert "sizes px  64x64: 6" in shown
    assert "sound" in shown
    _garbled(tmp_path / "64_28" / "val_0.npz")
    (tmp_path / "64_28" / "test_1.npz").unlink()
    assert run(["datasets", "inspect", "64_28"], monkeypatch) == 1
    shown = capfd.readouterr().out
    assert "missing   test_1.npz" in shown
    assert "Bad CRC-32" in shown
