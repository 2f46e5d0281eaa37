"""Annotations of traffic signs as others write them, and small images beside them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.datasets.exports import write_image
from umnist_core.datasets.signs.grammar import SIGN_NAMES

Corners = tuple[object, object, object, object]

BOX: Corners = ("616.957210", "718.303048", "580.957210", "679.303048")
"""Lower right corner first, as in the files."""

CLASSES = ("EMPTY", "50_SIGN", "70_SIGN", "80_SIGN")


def sign(
    name: str = "50_SIGN",
    visibility: str = "VISIBLE",
    corners: Corners = BOX,
    kind: str = "PROHIBITORY",
) -> str:
    """Return a sign as it stands in a line."""
    return f"{visibility}, {', '.join(map(str, corners))}, {kind}, {name}"


def line(name: str, *signs: str) -> str:
    """Return the line of an image."""
    return f"{name}:{''.join(f'{one};' for one in signs)}"


def box_of(side: int, *, at: int = 100) -> Corners:
    """Return the corners of a square."""
    return (at + side, at + side, at, at)


def write_annotations(path: Path, lines: Sequence[str], end: str = "\n") -> Path:
    """Write an annotation file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(one + end for one in lines).encode())
    return path


def write_set(
    root: Path, lines: Sequence[str], *, annotations: str = "annotations.txt", images: str = ""
) -> Path:
    """Write annotations and a small image for each of their lines."""
    write_annotations(root / annotations, lines)
    for number, one in enumerate(lines):
        write_image(root / images / one.partition(":")[0].rpartition("/")[2], ink=number)
    return root


def published_lines(counts: Sequence[int], total: int, seed: int = 0) -> list[str]:
    """Return lines of which both filters keep these counts, in any order.

    The rest are those that filters leave out: other signs alone, and limits that are not visible.
    Kept images have other signs and worse seen limits beside the one that counts.
    """
    lines = []
    others = [name for name in SIGN_NAMES if name not in CLASSES]
    for place, count in enumerate(counts):
        for number in range(count):
            limit = sign(CLASSES[place], corners=box_of(20 + number % 50))
            beside = [sign(others[number % len(others)]), "MISC_SIGNS", sign("70_SIGN", "BLURRED")]
            kept = [limit, *beside[: number % 4]]
            empty = ["MISC_SIGNS"] * (number % 2)
            lines.append(empty if place == 0 else kept)
    for number in range(total - sum(counts)):
        hidden = sign(CLASSES[1 + number % 3], ("OCCLUDED", "BLURRED", "SIDE_ROAD")[number % 3])
        lines.append([hidden] if number % 2 else [sign(others[number % len(others)])])
    order = np.random.default_rng(seed).permutation(len(lines))
    return [line(f"12771{at:05}Image{at:06}.jpg", *lines[place]) for at, place in enumerate(order)]


def record(image: bytes, label: int, *, packed: bool = True) -> bytes:
    """Return a record of TensorFlow's with an image and a label."""
    numbers = _field(1, _varint(label)) if packed else b"\x08" + _varint(label)
    features = {b"image": _field(1, _field(1, image)), b"label": _field(3, numbers)}
    example = _field(
        1,
        b"".join(_field(1, _field(1, key) + _field(2, one)) for key, one in features.items()),
    )
    return struct.pack("<QI", len(example), 0) + example + bytes(4)


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    more = []
    while number > 127:
        more.append(number & 127 | 128)
        number >>= 7
    return bytes([*more, number])
