"""Writing IDX files for tests, on its own terms: nothing of the reader is used."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRAIN_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST_NAMES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_bytes(array: NDArray[np.uint8], *, kind: int = 8) -> bytes:
    """Return the plain IDX file of ``array``; ``kind`` is the announced element type."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.tobytes()


def write_idx(path: Path, array: NDArray[np.uint8]) -> Path:
    """Write ``array`` as an IDX file, gzipped if the name ends in ``.gz``."""
    data = idx_bytes(array)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def random_digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return uint8 images (count, 28, 28) and labels (count,), 0 to 9."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, rng.integers(0, 10, count, dtype=np.uint8)


def write_mnist(folder: Path, *, train: int = 30, test: int = 20, suffix: str = ".gz") -> Path:
    """Write a small set of MNIST's four files, or two where a count is 0, into ``folder``."""
    for names, count, seed in ((TRAIN_NAMES, train, 1), (TEST_NAMES, test, 2)):
        if count:
            for name, array in zip(names, random_digits(count, seed), strict=True):
                write_idx(folder / f"{name}{suffix}", array)
    return folder
