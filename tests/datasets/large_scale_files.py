"""Files of MNIST Large Scale as they are found in the wild, made small for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale.sets import LargeScaleSet

COUNTS = {"train": 5, "val": 3, "test": 4}
NAME = "mnist_large_scale_tr5_vl3_te4_outsize112-112_sctr2p000_scte2p000.h5"
MADE = LargeScaleSet(2, 2, COUNTS)


def images_of(split: str) -> NDArray[np.float32]:
    """Return the images of a partition, float32 (N, 112, 112)."""
    return MADE.draw(split, 0, COUNTS[split])


def labels_of(split: str) -> NDArray[np.uint8]:
    """Return the labels of a partition."""
    return MADE.labels(split)


def write_file(
    path: Path,
    *,
    channel: str = "last",
    labels: str = "vector",
    label_type: Any = np.int32,
    image_type: Any = np.float32,
    unit: str = "signed",
    splits: tuple[str, ...] = ("train", "val", "test"),
    **options: Any,
) -> Path:
    """Write one file.

    Parameters
    ----------
    path
        Where to.
    channel
        ``last``, ``first`` or ``none``: where the axis of the channel is; ``flat`` for rows.
    labels
        ``vector``, ``column`` or ``one-hot``.
    label_type, image_type
        Of the numbers.
    unit
        ``signed`` for the original's -0.76 to 0.76, ``unit`` for 0 to 1, ``bytes`` for 0 to 255.
    splits
        Which partitions.
    options
        Of h5py, such as ``compression``.
    """
    with h5py.File(path, "w") as file:
        for split in splits:
            x, y = in_units(images_of(split), unit), labels_of(split)
            shapes = {"last": (-1, 112, 112, 1), "first": (-1, 1, 112, 112), "flat": (-1, 112**2)}
            shaped = x.reshape(shapes[channel]) if channel in shapes else x
            file.create_dataset(f"x_{split}", data=shaped.astype(image_type), **options)
            file[f"y_{split}"] = label_form(y, labels).astype(label_type)
    return path


def label_form(labels: NDArray[np.uint8], form: str) -> NDArray[Any]:
    """Return labels as a vector, a column or one-hot rows."""
    if form == "one-hot":
        return np.eye(10)[labels]
    return labels[:, None] if form == "column" else labels


def in_units(images: NDArray[np.float32], unit: str) -> NDArray[Any]:
    """Return images in a range of intensities."""
    low, high = images.min(), images.max()
    share = (images - low) / (high - low)
    found: NDArray[Any] = {"signed": images, "unit": share, "bytes": np.rint(share * 255)}[unit]
    return found
