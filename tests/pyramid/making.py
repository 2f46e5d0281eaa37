"""Image files of every kind, written byte by byte where no library writes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

ORIENTATIONS = range(1, 9)
SUFFIXES = ("jpg", "png", "tif", "webp")

MIN_IS_WHITE, MIN_IS_BLACK, RGB, CIELAB = 0, 1, 2, 8
UNSIGNED, SIGNED, FLOAT = 1, 2, 3

READ_BY_CHOICE = [
    "2 of 5 images are turned, as the file's orientation says.",
    "1 of 5 images is with transparent parts drawn on white or black.",
    "1 of 5 images is of a file with several pages, the first of them.",
]
"""What is said of the images of `write_read_by_choice`."""

_TAGS = {"short": (3, "<H"), "long": (4, "<I")}


def write_oriented(path: Path, pixels: NDArray[np.uint8], orientation: int) -> Path:
    """Write a JPEG, PNG, TIFF or WebP that asks to be turned; all but JPEG without loss."""
    image = Image.fromarray(pixels)
    if path.suffix == ".tif":
        image.save(path, tiffinfo={274: orientation})
        return path
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
    image.save(path, exif=exif, **options)
    return path


def upright(path: Path) -> NDArray[np.uint8]:
    """Return what Pillow, an independent reader, shows of a file with an orientation."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image))


def write_tiff(
    path: Path,
    pixels: NDArray[Any],
    photometric: int = MIN_IS_BLACK,
    kind: int = UNSIGNED,
    extra: int | None = None,
) -> Path:
    """Write an uncompressed TIFF of one strip, of any numbers that NumPy has."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = pixels.tobytes()
    tags: list[tuple[int, str, Sequence[int]]] = [
        (256, "long", [width]),
        (257, "long", [height]),
        (258, "short", [pixels.itemsize * 8] * channels),
        (259, "short", [1]),
        (262, "short", [photometric]),
        (273, "long", [0]),
        (277, "short", [channels]),
        (278, "long", [height]),
        (279, "long", [len(data)]),
        *([] if extra is None else [(338, "short", [extra])]),
        (339, "short", [kind] * channels),
    ]
    after = 8 + 2 + 12 * len(tags) + 4
    sizes = [struct.calcsize(_TAGS[one][1]) * len(values) for _, one, values in tags]
    start = after + sum(size for size in sizes if size > 4)
    entries = values_after = b""
    for (tag, one, values), size in zip(tags, sizes, strict=True):
        code, form = _TAGS[one]
        raw = b"".join(struct.pack(form, start if tag == 273 else value) for value in values)
        if size > 4:
            raw, values_after = struct.pack("<I", after + len(values_after)), values_after + raw
        entries += struct.pack("<HHI", tag, code, len(values)) + raw.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    path.write_bytes(head + entries + struct.pack("<I", 0) + values_after + data)
    return path


def write_pages(path: Path, pages: Sequence[NDArray[np.uint8]]) -> Path:
    """Write a TIFF of several pages."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=others)
    return path


def write_read_by_choice(data: Path) -> Path:
    """Write five images of sum 1: two turned, one partly clear, one of two pages, one plain."""
    folder = data / "train"
    folder.mkdir(parents=True)
    grey: NDArray[np.uint8] = np.zeros((96, 64), np.uint8)
    grey[20:60, 30:40] = 255
    write_oriented(folder / "a.jpg", grey, 6)
    write_oriented(folder / "b.png", grey, 3)
    Image.fromarray(np.dstack([grey] * 4), "RGBA").save(folder / "c.png")
    write_pages(folder / "d.tif", [grey, grey])
    Image.fromarray(grey).save(folder / "e.png")
    (data / "train.csv").write_text("id,digit_sum\n" + "".join(f"{one},1\n" for one in "abcde"))
    return data
