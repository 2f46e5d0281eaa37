"""Every variant of MNIST Large Scale that was seen in the wild opens, one made file each."""

from __future__ import annotations

import pickle
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.datasets.large_scale_files import (
    COUNTS,
    MADE,
    NAME,
    images_of,
    in_units,
    label_form,
    labels_of,
    write_file,
)
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.large_scale.reader import LargeScaleReader
from umnist_core.datasets.large_scale.rescaling import as_grey, soft_threshold
from umnist_core.datasets.large_scale.stored import HdfImages, WholeImages
from umnist_core.datasets.read import open_dataset
from umnist_core.errors import NotFoundError

ENDS = tuple(soft_threshold(np.array([0, 255], np.float32)).tolist())

IDS = (*"01234", "val/0", "val/1", "val/2", "test/0", "test/1", "test/2", "test/3")


def opened(path: Path) -> LargeScaleReader:
    """Open a path as any data set."""
    reader = open_dataset(path)
    assert isinstance(reader, LargeScaleReader)
    return reader


def check_all(path: Path, atol: float = 0) -> LargeScaleReader:
    """Expect the images and labels of all three partitions, whatever the layout is."""
    reader = opened(path)
    assert reader.kind == "large-scale"
    assert reader.ids == IDS
    assert [reader.get_split(name) for name in reader.ids] == (
        ["train"] * 5 + ["val"] * 3 + ["test"] * 4
    )
    pixels = np.concatenate([as_grey(images_of(split), *ENDS) for split in COUNTS])
    labels = np.concatenate([labels_of(split) for split in COUNTS])
    for name, image, label in zip(reader.ids, pixels, labels, strict=True):
        assert reader.read_size(name) == (112, 112)
        np.testing.assert_allclose(reader.read_image(name).astype(int), image, atol=atol)
        assert (reader.label(name), reader.digit_sum(name)) == (label, label)
        assert reader.truth(name) is None
    return reader


@pytest.mark.parametrize(
    ("channel", "labels", "packing"),
    list(
        product(
            ["last", "none", "first", "flat"],
            ["vector", "column", "one-hot"],
            [{}, {"compression": "gzip", "compression_opts": 9}],
        )
    ),
)
def test_every_shape_of_images_and_labels_opens_plain_and_packed(
    tmp_path: Path, channel: str, labels: str, packing: dict[str, Any]
) -> None:
    """Four axes, three, channels first, rows; labels as vector, column, one-hot."""
    check_all(write_file(tmp_path / NAME, channel=channel, labels=labels, **packing))


@pytest.mark.parametrize("labels", ["vector", "column", "one-hot"])
@pytest.mark.parametrize(
    "label_type", [np.uint8, np.int8, np.int32, np.int64, np.float32, np.float64, ">i4"]
)
def test_every_type_of_labels_opens(tmp_path: Path, label_type: Any, labels: str) -> None:
    """Whole numbers of any width, and floats that are whole."""
    check_all(write_file(tmp_path / NAME, label_type=label_type, labels=labels))


@pytest.mark.parametrize(
    ("image_type", "unit", "atol"),
    [
        (np.float32, "signed", 0),
        (np.float64, "signed", 0),
        (np.float32, "unit", 1),
        (np.float64, "unit", 1),
        (np.float16, "signed", 1),
        (">f4", "signed", 0),
        (np.uint8, "bytes", 1),
        (np.float32, "bytes", 1),
    ],
)
def test_every_type_and_range_of_intensities_opens(
    tmp_path: Path, image_type: Any, unit: str, atol: float
) -> None:
    """Float32 and float64 of -0.76 to 0.76 and of 0 to 1, and bytes."""
    check_all(write_file(tmp_path / NAME, image_type=image_type, unit=unit), atol)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        (NAME, 2.0),
        ("mnist_large_scale_tr50000_vl10000_te10000_outsize112-112_sctr1-4_scte1-4.h5", None),
        (
            "mnist_large_scale_tr50000_vl10000_te10000_outsize112-112"
            "_sctr1p000-4p000_scte1p000-4p000.h5",
            None,
        ),
        (NAME.replace(".h5", "-1.h5"), 2.0),
        ("mnist_large_scale_te10000_outsize112-112_sctr0p500_scte0p500.h5", 0.5),
        ("digits.h5", None),
        ("DIGITS.HDF5", None),
    ],
)
def test_every_name_opens_as_a_file_and_in_its_folder(
    tmp_path: Path, name: str, scale: float | None
) -> None:
    """Both names of the mixed set, a second download, an early internal one, an unknown one."""
    path = write_file(tmp_path / name)
    for place in (path, tmp_path):
        reader = check_all(place)
        assert reader.known("0").scale == reader.known("test/0").scale == scale


def test_one_sample_without_its_first_axis_in_a_file_to_test_with_is_left_out(
    tmp_path: Path,
) -> None:
    """The original's test files, whose one training and validation sample is not to be used."""
    name = "mnist_large_scale_te4_outsize112-112_scte2p000.h5"
    path = write_file(tmp_path / name, splits=("test",))
    with h5py.File(path, "a") as file:
        for split in ("train", "val"):
            file[f"x_{split}"] = images_of(split)[0][..., None]
            file[f"y_{split}"] = labels_of(split)[:1]
    reader = opened(path)
    assert reader.ids == tuple("0123")
    assert {reader.get_split(name) for name in reader.ids} == {"test"}
    assert "to test with; the one image in train and val is not to be used" in reader.notes[0]


def test_file_to_test_with_of_one_image_has_that_image(tmp_path: Path) -> None:
    """Where all partitions have one, the name says which is to be used."""
    path = tmp_path / "mnist_large_scale_te1_outsize112-112_scte2p000.h5"
    with h5py.File(path, "w") as file:
        for split in COUNTS:
            file[f"x_{split}"], file[f"y_{split}"] = images_of(split)[:1], labels_of(split)[:1]
    reader = opened(path)
    assert [reader.get_split(name) for name in reader.ids] == ["test"]
    assert len(opened(path.rename(tmp_path / "other.h5")).ids) == 3


def test_bytes_go_to_255_where_the_first_images_are_dark(tmp_path: Path) -> None:
    """Ones in them are no ink, as they would be of images from 0 to 1."""
    x = np.ones((12, 112, 112), np.uint8)
    x[11] = 200
    with h5py.File(tmp_path / "dark.h5", "w") as file:
        file["x_test"], file["y_test"] = x, np.zeros(12, np.uint8)
    reader = opened(tmp_path)
    assert [reader.read_image(name).max() for name in ("0", "11")] == [1, 200]


@pytest.mark.parametrize("shape", [(112, 112, 1), (1, 112, 112, 1), (1, 112, 112)])
@pytest.mark.parametrize("label_shape", [(), (1,), (1, 1), (10,), (1, 10)])
def test_one_sample_alone_opens_in_every_form(
    tmp_path: Path, shape: tuple[int, ...], label_shape: tuple[int, ...]
) -> None:
    """Also where it has no first axis, and its label is a number alone or ten of them."""
    label = labels_of("test")[:1]
    stored = np.eye(10)[label] if 10 in label_shape else label
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["x_test"] = images_of("test")[:1].reshape(shape)
        file["y_test"] = stored.reshape(label_shape)
    reader = opened(tmp_path)
    assert (reader.ids, reader.label("0")) == (("0",), label[0])
    np.testing.assert_array_equal(reader.read_image("0"), as_grey(images_of("test")[0], *ENDS))


def test_as_many_images_as_pixels_are_no_single_image(tmp_path: Path) -> None:
    """112 images of 112 by 112 px without a channel are not taken for one."""
    with h5py.File(tmp_path / "many.h5", "w") as file:
        file["x_test"] = np.zeros((112, 112, 112), np.float32)
        file["y_test"] = np.arange(112) % 10
    assert len(opened(tmp_path).ids) == 112


def test_ten_labels_of_ten_images_are_no_single_row(tmp_path: Path) -> None:
    """A vector of ten labels is ten labels, even where it looks like one image's ten numbers."""
    labels = np.array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    with h5py.File(tmp_path / "ten.h5", "w") as file:
        file["x_test"], file["y_test"] = np.zeros((10, 112, 112, 1), np.float32), labels
    reader = opened(tmp_path)
    assert [reader.label(name) for name in reader.ids] == labels.tolist()


def test_the_synthetic_remake_opens_and_its_masks_are_named(tmp_path: Path) -> None:
    """One-hot float labels, 0 to 1, gzip of level 9, and keys that the original has not."""
    path = write_file(
        tmp_path / "synthetic_mnist_large_scale_scale2_v1000.h5",
        labels="one-hot",
        label_type=np.float32,
        unit="unit",
        compression="gzip",
        compression_opts=9,
    )
    with h5py.File(path, "a") as file:
        for split in COUNTS:
            file[f"mask_{split}"] = images_of(split) > 0
    reader = check_all(path, 1)
    assert reader.notes == (f"mask_test, mask_train, mask_val of {path.name} is not read.",)


def test_what_public_loaders_do_gives_the_same_numbers(tmp_path: Path) -> None:
    """Cast to float32, labels to int32 vectors: as the data set's description says to load it."""
    path = write_file(tmp_path / NAME, image_type=np.float64, labels="column", label_type=np.int8)
    reader = opened(path)
    with h5py.File(path, "r") as file:
        images = np.array(file["/x_val"], dtype=np.float32)
        labels = np.array(file["/y_val"], dtype=np.int32).reshape(-1)
    values = reader.read_values(["val/0", "val/1", "val/2"]).astype(np.float32)
    np.testing.assert_array_equal(values, images[..., 0])
    assert [reader.label(f"val/{number}") for number in range(3)] == labels.tolist()


@pytest.mark.parametrize(
    "names",
    [
        ("{}Features.npy", "{}Labels.npy", str.title),
        ("{}_features.npy", "{}_labels.npy", str.lower),
        ("x_{}.npy", "y_{}.npy", str.lower),
    ],
)
@pytest.mark.parametrize("labels", ["vector", "column", "one-hot"])
@pytest.mark.parametrize("unit", ["signed", "unit"])
def test_flattened_arrays_open_as_the_files_they_were_copied_from(
    tmp_path: Path, names: Any, labels: str, unit: str
) -> None:
    """TrainFeatures.npy with TrainLabels.npy, a row for each image."""
    images, of_labels, case = names
    for split in COUNTS:
        rows = in_units(images_of(split), unit).reshape(COUNTS[split], -1)
        np.save(tmp_path / images.format(case(split)), rows)
        np.save(tmp_path / of_labels.format(case(split)), label_form(labels_of(split), labels))
    reader = check_all(tmp_path, 1 if unit == "unit" else 0)
    assert reader.get_identity("test/1").path == f"{images.format(case('test'))}/1"


def test_a_folder_of_all_sets_tells_their_images_apart(tmp_path: Path) -> None:
    """The file's name is in front, partitions of all files in order, and training first."""
    write_file(tmp_path / NAME)
    other = NAME.replace("2p000", "4p000")
    write_file(tmp_path / other)
    reader = opened(tmp_path)
    stem, other_stem = NAME.removesuffix(".h5"), other.removesuffix(".h5")
    assert len(reader.ids) == 24
    assert reader.ids[0] == f"{stem}/0"
    assert reader.ids[5] == f"{other_stem}/0"
    assert reader.ids[-1] == f"test/{other_stem}/3"
    assert [reader.known(name).scale for name in (reader.ids[0], reader.ids[-1])] == [2.0, 4.0]
    assert reader.get_identity(reader.ids[-1]).path == f"{other}/x_test/3"


def test_weights_of_a_model_beside_images_are_no_data_set(tmp_path: Path) -> None:
    """A folder of pictures stays one."""
    from PIL import Image

    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "3.png")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["layer"] = np.zeros(3)
    assert open_dataset(tmp_path).kind == "images"


@pytest.mark.parametrize("packing", [{}, {"chunks": (2, 112, 112, 1)}, {"compression": "lzf"}])
def test_images_are_read_the_same_at_their_place_and_by_h5py_in_any_order(
    tmp_path: Path, packing: dict[str, Any]
) -> None:
    """Reading at their place and reading by h5py agree, also in a reader that was sent over."""
    reader = opened(write_file(tmp_path / NAME, **packing))
    kinds = {type(part.images) for _, part in reader.parts.values()}
    assert kinds == {HdfImages if packing else WholeImages}
    sent = pickle.loads(pickle.dumps(reader))
    order = ["test/3", "0", "1", "2", "val/2", "4", "0"]
    for one in (reader, sent, reader):
        values = one.read_values(order)
        expected = [MADE.draw("test", 3, 4), MADE.draw("train", 0, 3)]
        expected += [MADE.draw("val", 2, 3), MADE.draw("train", 4, 5), MADE.draw("train", 0, 1)]
        np.testing.assert_array_equal(values, np.concatenate(expected))


def test_a_chunk_of_all_images_is_unpacked_once(tmp_path: Path) -> None:
    """Remakes have 10,000 images in one; reading each must not unpack all of them again."""
    count = 400
    with h5py.File(tmp_path / "chunk.h5", "w") as file:
        x = np.zeros((count, 112, 112, 1), np.float32)
        x[:, 50:60, 50:60] = 1
        file.create_dataset("x_test", data=x, chunks=x.shape, compression="gzip")
        file["y_test"] = np.zeros(count, np.int32)
    reader = opened(tmp_path)
    reader.read_image("0")
    images = reader.parts[""][1].images
    assert isinstance(images, HdfImages)
    path = tmp_path / "chunk.h5"
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + bytes(len(whole) - 2000))  # what is unpacked stays so
    assert reader.read_image("399").max() == 255


@pytest.mark.parametrize("name", ["5", "val/3", "test/-1", "test/01", "train/0", "", "x", "val/"])
def test_images_that_are_not_there_are_said_not_to_be(tmp_path: Path, name: str) -> None:
    """One sentence with the number of images."""
    reader = opened(write_file(tmp_path / NAME))
    with pytest.raises(NotFoundError, match="holds 12 images, none of them"):
        reader.read_image(name)


def test_inspect_counts_images_labels_and_says_what_else_is_known(tmp_path: Path) -> None:
    """As of any data set."""
    write_file(tmp_path / NAME, compression="gzip")
    found = inspect_dataset(tmp_path)
    assert (found.kind, found.is_sound, found.check) == ("large-scale", True, "decoded")
    assert found.counts == {"train": 5, "val": 3, "test": 4}
    assert sum(found.labels.values()) == 12
    assert found.sizes == {"112x112": 12}
