"""Damaged, empty, strange and hostile files of MNIST Large Scale: one sentence each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.datasets.large_scale_files import COUNTS, NAME, images_of, labels_of, write_file
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.read import open_dataset
from umnist_core.errors import DamagedFileError, MissingFileError, UmnistError

ORDINARY = "digits.h5"


def changed(folder: Path, change: Callable[[Any], object], name: str = ORDINARY) -> Path:
    """Write a file and change something in it."""
    path = write_file(folder / name)
    with h5py.File(path, "a") as file:
        change(file)
    return path


def replaced(key: str, value: Any, **options: Any) -> Callable[[Any], object]:
    """Return what puts another data set in the place of one."""

    def change(file: Any) -> None:
        del file[key]
        file.create_dataset(key, data=value, **options)

    return change


def removed(*keys: str) -> Callable[[Any], object]:
    """Return what removes data sets."""
    return lambda file: [file.pop(key) for key in keys]


def linked(key: str, link: Any) -> Callable[[Any], object]:
    """Return what puts a link in the place of a data set."""

    def change(file: Any) -> None:
        del file[key]
        file[key] = link

    return change


def grouped(file: Any) -> None:
    """Put a group in the place of a data set."""
    del file["x_val"]
    file.create_group("x_val")


def external(file: Any) -> None:
    """Have the numbers lie in another file."""
    del file["x_val"]
    file.create_dataset(
        "x_val", (3, 112, 112, 1), np.float32, external=[("other.raw", 0, h5py.h5f.UNLIMITED)]
    )


def virtual(file: Any) -> None:
    """Have the numbers come from other files."""
    del file["x_val"]
    layout = h5py.VirtualLayout((3, 112, 112, 1), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 112, 112, 1))
    file.create_virtual_dataset("x_val", layout)


def huge(file: Any) -> None:
    """Claim more images than there can be, without storing any."""
    del file["x_val"]
    file.create_dataset("x_val", (10**12, 112, 112, 1), np.float32, chunks=(1, 112, 112, 1))


def large_chunk(file: Any) -> None:
    """Have one image cost the unpacking of more than memory should hold."""
    del file["x_val"]
    file.create_dataset(
        "x_val", (60_000, 112, 112, 1), np.float32, chunks=(60_000, 112, 112, 1), compression="gzip"
    )


NONE = np.zeros((0, 112, 112, 1), np.float32)
NO_NUMBERS = np.full((3, 112, 112, 1), np.nan, np.float32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (removed("x_val"), "partition x_val in digits.h5, found none"),
        (removed("y_val"), "partition y_val in digits.h5, found none"),
        (replaced("x_val", NONE), "digits.h5 x_val: expected images, found none"),
        (replaced("x_val", np.zeros((3, 112, 112, 3))), r"found the shape \(3, 112, 112, 3\)"),
        (replaced("x_val", np.zeros(7)), r"found the shape \(7,\)"),
        (replaced("x_val", 3.0), r"found the shape \(\)"),
        (replaced("x_val", np.zeros((3, 13))), r"found the shape \(3, 13\)"),
        (replaced("x_val", np.array([b"a", b"b"])), "expected numbers in the file itself"),
        (replaced("x_val", np.zeros((3, 112, 112, 1), complex)), "found complex128"),
        (replaced("x_val", h5py.Empty("f")), "found nothing"),
        (replaced("x_val", NO_NUMBERS), "found nan to nan"),
        (replaced("x_val", np.full((3, 112, 112, 1), 4000.0)), "found 4000 to 4000"),
        (replaced("x_val", np.full((3, 112, 112, 1), -1, np.int16)), "found -1 to -1"),
        (replaced("y_val", [1, 2]), r"expected 3 labels, one for each image, found the shape \(2,"),
        (replaced("y_val", [1, 2, 10]), "labels from 0 to 9, found others"),
        (replaced("y_val", [1, -1, 2]), "labels from 0 to 9, found others"),
        (replaced("y_val", [1, 2.5, 2]), "labels from 0 to 9, found others"),
        (replaced("y_val", [1, np.nan, 2]), "labels from 0 to 9, found others"),
        (replaced("y_val", [b"1", b"2", b"3"]), "expected numbers in the file itself"),
        (replaced("y_val", np.ones((3, 10))), "one of them 1 and the others 0"),
        (replaced("y_val", np.zeros((3, 10))), "one of them 1 and the others 0"),
        (linked("x_val", h5py.SoftLink("/x_train")), "found a link to elsewhere"),
        (linked("x_val", h5py.ExternalLink("other.h5", "/x")), "found a link to elsewhere"),
        (grouped, "found a group"),
        (external, "lie in another file"),
        (virtual, "lie in another file"),
        (huge, "expected at most"),
        (large_chunk, "has to be unpacked for each image"),
        (lambda file: file.attrs.update(umnist="{}"), "the attribute umnist"),
        (lambda file: file.attrs.update(umnist="["), "the attribute umnist"),
    ],
)
def test_damaged_partition_is_said_in_a_sentence_and_the_others_are_read(
    tmp_path: Path, change: Callable[[Any], object], said: str
) -> None:
    """Whoever opens it is told at once; whoever inspects it sees the rest."""
    path = changed(tmp_path, change)
    with pytest.raises(UmnistError, match=said) as caught:
        open_dataset(path)
    assert_one_sentence(str(caught.value))
    found = inspect_dataset(path)
    assert [sentence for sentence in found.damaged if re.search(said, sentence)]
    if "umnist" not in said:
        assert found.counts == {"train": 5, "test": 4}


def assert_one_sentence(text: str) -> None:
    """Expect one sentence that ends, without a traceback or the words of a library."""
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 400


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_partition_that_the_name_promises_and_that_is_missing_is_said(
    tmp_path: Path, split: str
) -> None:
    """In a file of the data set's name; one of another name has what it has."""
    change = removed(f"x_{split}", f"y_{split}")
    with pytest.raises(DamagedFileError, match=f"the partition x_{split} in {NAME}, found none"):
        open_dataset(changed(tmp_path, change, NAME))
    (tmp_path / NAME).unlink()
    counts = {one: count for one, count in COUNTS.items() if one != split}
    assert inspect_dataset(changed(tmp_path, change)).counts == counts


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "found an empty file"),
        (b"not HDF5 at all, but a text" * 40, "found something else"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "found"),
        (b"\x89HDF\r\n\x1a\n" + os.urandom(5000), "found"),
    ],
)
def test_file_that_is_no_hdf5_is_said_in_a_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    """Whatever its name is."""
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(DamagedFileError, match=f"expected a whole HDF5 file, {said}") as caught:
        open_dataset(tmp_path)
    assert_one_sentence(str(caught.value))


@pytest.mark.parametrize("packing", [{}, {"compression": "gzip"}])
def test_file_that_is_cut_short_anywhere_is_said_in_a_sentence(
    tmp_path: Path, packing: dict[str, Any]
) -> None:
    """A download that stopped."""
    path = write_file(tmp_path / NAME, **packing)
    whole = path.read_bytes()
    for share in (0.001, 0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DamagedFileError, match="expected a whole HDF5 file, found") as caught:
            open_dataset(tmp_path)
        assert_one_sentence(str(caught.value))


@pytest.mark.parametrize("packing", [{}, {"compression": "gzip"}, {"chunks": (1, 112, 112, 1)}])
def test_random_bytes_in_a_file_give_a_sentence_or_an_image_and_no_other_error(
    tmp_path: Path, packing: dict[str, Any]
) -> None:
    """Whatever HDF5 makes of them."""
    rng = np.random.default_rng(18)
    path = write_file(tmp_path / ORDINARY, **packing)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(25):
        bytes_now = whole.copy()
        # HDF5 keeps its tables at the file's beginning and between the partitions.
        places = rng.integers(0, len(whole), 40) // rng.choice([1, 10, 100, 1000], 40)
        bytes_now[places] = rng.integers(0, 256, 40)
        path.write_bytes(bytes_now.tobytes())
        try:
            inspect_dataset(path, jobs=1)
        except UmnistError as error:
            assert_one_sentence(str(error))


def test_file_that_changes_after_it_was_opened_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Cut short, or gone, while somebody trains."""
    path = write_file(tmp_path / NAME)
    reader = open_dataset(path)
    with path.open("rb+") as file:
        file.truncate(3000)
    with pytest.raises(DamagedFileError, match="found what cannot be read"):
        reader.read_image("test/3")
    fresh = write_file(tmp_path / ORDINARY)
    reader = open_dataset(fresh)
    fresh.unlink()
    assert reader.read_image("0").shape == (112, 112)  # what is open stays


def test_intensity_that_is_no_number_is_said_with_its_image(tmp_path: Path) -> None:
    """Deep in a file, where only who reads or inspects it comes."""
    x = np.concatenate([images_of("test")] * 3)
    x[11, 3, 3] = np.nan
    y = np.concatenate([labels_of("test")] * 3)
    with h5py.File(tmp_path / ORDINARY, "w") as file:
        file["x_test"], file["y_test"] = x, y
    found = inspect_dataset(tmp_path)
    assert found.damaged == (
        "digits.h5 x_test: expected intensities, found what is no number in image 11; make the "
        "file again.",
    )


def test_folder_says_which_of_its_files_is_damaged_and_keeps_the_others(tmp_path: Path) -> None:
    """One bad download among 21."""
    write_file(tmp_path / NAME)
    other = tmp_path / NAME.replace("2p000", "4p000")
    other.write_bytes(b"<html>")
    found = inspect_dataset(tmp_path)
    assert found.counts == {"train": 5, "val": 3, "test": 4}
    assert len(found.damaged) == 1
    assert found.damaged[0].startswith(f"{other.name}: expected a whole HDF5 file")


def test_hdf5_of_something_else_and_no_file_at_all_are_said(tmp_path: Path) -> None:
    """With what is in it."""
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["layer_1"] = np.zeros(3)
    with pytest.raises(MissingFileError, match=r"x_test of weights\.h5, found layer_1"):
        open_dataset(tmp_path / "weights.h5")
    with pytest.raises(MissingFileError):
        open_dataset(tmp_path / NAME)
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(DamagedFileError, match="found a pipe"):
        open_dataset(tmp_path / "pipe.h5")


def save_arrays(folder: Path, **changes: Any) -> None:
    """Save the arrays of one partition, some of them changed; None leaves one out."""
    arrays = {"TrainFeatures": images_of("train").reshape(5, -1), "TrainLabels": labels_of("train")}
    for name, array in {**arrays, **changes}.items():
        if isinstance(array, bytes):
            (folder / f"{name}.npy").write_bytes(array)
        elif array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=True)


FORTRAN = np.asfortranarray(np.zeros((5, 12544)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TrainFeatures": np.array([{"a": 1}], object)}, "pickled Python objects"),
        ({"TrainLabels": np.array([{"a": 1}], object)}, "pickled Python objects"),
        ({"TrainFeatures": None}, "Expected images beside TrainLabels.npy"),
        ({"TrainLabels": None}, "Expected labels beside TrainFeatures.npy"),
        ({"TrainFeatures": b""}, "expected a NumPy array, found something else"),
        ({"TrainFeatures": b"\x80\x04]."}, "expected a NumPy array, found something else"),
        ({"TrainLabels": b"\x93NUMPY\x01\x00\x20\x00{'descr': "}, "expected a NumPy array"),
        ({"TrainFeatures": np.zeros((5, 12545), np.uint8)}, r"found the shape \(5, 12545\)"),
        ({"TrainFeatures": np.zeros((0, 12544))}, "expected images, found none"),
        ({"TrainFeatures": np.array(["a"] * 5)}, "found <U1"),
        ({"TrainFeatures": FORTRAN}, "in Fortran's order"),
        ({"TrainLabels": np.zeros(4, int)}, r"expected 5 labels, one for each image"),
    ],
)
def test_damaged_arrays_are_said_in_a_sentence(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    """A pickle is never opened, whatever it is called."""
    save_arrays(tmp_path, **changes)
    with pytest.raises(UmnistError, match=said) as caught:
        open_dataset(tmp_path)
    assert_one_sentence(str(caught.value).replace(str(tmp_path), "."))


def test_array_that_is_cut_short_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Before an image is asked for."""
    save_arrays(tmp_path)
    path = tmp_path / "TrainFeatures.npy"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match="found the file's end before theirs"):
        open_dataset(tmp_path)
