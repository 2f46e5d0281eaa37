"""Made folders of MetH and MAMe: tables as theirs, and small photographs of every shape."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

METH_HEADER = ("ID", "Label", "Image_file", "Width", "Height", "Product_size", "Ratio", "Split")
MAME_HEADER = (
    "Image file",
    "Medium",
    "Museum",
    "Museum-based instance ID",
    "Subset",
    "Width",
    "Height",
    "Product size",
    "Aspect ratio",
)

Row = tuple[str, str, str, tuple[int, int]]
"""File, target, split, and width and height."""

ROWS: tuple[Row, ...] = (
    ("436018.jpg", "Woodcut", "train", (20, 30)),
    ("11779.jpg", "Silk", "train", (31, 17)),
    ("19022.jpg", "Gold", "validation", (16, 16)),
    ("435883.jpg", "Silk", "test", (12, 40)),
)


def photograph(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return a smooth picture in colour, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[0:height, 0:width]
    phases, speeds = rng.random((2, 3)) * 6, 0.05 + rng.random((2, 3)) * 0.2
    waves = [
        np.sin(rows * speeds[0, band] + cols * speeds[1, band] + phases[0, band])
        for band in range(3)
    ]
    return np.asarray(np.stack(waves, 2) * 100 + 127, np.uint8)


def write_photograph(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write a picture; a PNG, where the name ends so, is exactly `photograph`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photograph(width, height, seed)).save(path)
    return path


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def meth_cells(rows: Sequence[Row]) -> list[list[object]]:
    """Return rows by the positions of MetH's columns."""
    return [
        [number, target, file, width, height, width * height, width / height, split]
        for number, (file, target, split, (width, height)) in enumerate(rows)
    ]


def mame_cells(rows: Sequence[Row]) -> list[list[object]]:
    """Return rows as MAMe has them: sizes as floats, ratios with four decimals, ``val``."""
    return [
        [
            file,
            target,
            "The Cleveland Museum of Art",
            f"1962.371.{number}",
            split.replace("validation", "val"),
            float(width),
            float(height),
            float(width * height),
            round(width / height, 4),
        ]
        for number, (file, target, split, (width, height)) in enumerate(rows)
    ]


def write_images(folder: Path, rows: Sequence[Row]) -> None:
    """Write the image of each row, of its size."""
    for number, (file, _, _, (width, height)) in enumerate(rows):
        name = file.strip().replace("\\", "/")
        write_photograph(folder / name, width, height, seed=number)


def write_meth(
    root: Path, rows: Sequence[Row] = ROWS, *, header: Sequence[str] = METH_HEADER
) -> Path:
    """Write a folder of MetH that is called as the data set: ``MetH-X/MetH-X.csv`` and ``data``."""
    write_table(root / f"{root.name}.csv", header, meth_cells(rows))
    write_images(root / "data", rows)
    return root


def write_mame(root: Path, rows: Sequence[Row] = ROWS, *, images: str = "data") -> Path:
    """Write a folder of MAMe: ``MAMe_dataset.csv`` and ``data``."""
    write_table(root / "MAMe_dataset.csv", MAME_HEADER, mame_cells(rows))
    write_images(root / images, rows)
    return root
