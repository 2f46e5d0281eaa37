"""Labels from others' annotations: Pascal VOC, COCO, WebDataset. A label is a sum of digits."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from umnist_core.errors import DamagedFileError

_MAX_XML_BYTES = 2**20
_MAX_JSON_BYTES = 2**30
_REASONS = (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError)


def voc_label(path: Path) -> int | None:
    """Return the sum of an image's objects; None where one of them is no digit.

    Raises
    ------
    DamagedFileError
        If the file is no Pascal VOC annotation.
    """
    try:
        _check_bytes(path, _MAX_XML_BYTES)
        root = ElementTree.fromstring(path.read_bytes())
        if root.tag != "annotation":
            raise ValueError(f"its root is {root.tag[:40]!r}")
        return _sum_of_digits(item.findtext("name", "") for item in root.iter("object"))
    except (*_REASONS, ElementTree.ParseError) as error:
        raise DamagedFileError(
            f"{path}: expected a Pascal VOC annotation, found something else ({error}); copy or "
            "make it again."
        ) from error


def coco_labels(path: Path) -> dict[str, int]:
    """Return the sum of the objects of each image whose objects are all digits, by its stem.

    Raises
    ------
    DamagedFileError
        If the file is no COCO annotation file.
    """
    try:
        _check_bytes(path, _MAX_JSON_BYTES)
        data = json.loads(path.read_bytes())
        names = {category["id"]: category["name"] for category in data["categories"]}
        of_image = defaultdict(list)
        for annotation in data["annotations"]:
            of_image[annotation["image_id"]].append(names[annotation["category_id"]])
        sums = {
            Path(image["file_name"]).stem: _sum_of_digits(of_image[image["id"]])
            for image in data["images"]
        }
    except _REASONS as error:
        raise DamagedFileError(
            f"{path}: expected COCO's JSON with images, annotations and categories, found "
            f"something else ({error!r}); copy or make it again."
        ) from error
    return {stem: label for stem, label in sums.items() if label is not None}


def class_label(text: bytes, name: str) -> int:
    """Read a ``.cls`` member of a WebDataset.

    Raises
    ------
    DamagedFileError
        If it is no whole number.
    """
    if not text.isdigit() or len(text) > 9:
        raise DamagedFileError(
            f"{name}: expected a whole number as class, found {text[:20]!r}; make it again."
        )
    return int(text)


def _sum_of_digits(names: Iterable[str]) -> int | None:
    listed = list(names)
    if not listed or not all(len(name) == 1 and name in "0123456789" for name in listed):
        return None
    return sum(map(int, listed))


def _check_bytes(path: Path, most: int) -> None:
    if (size := path.stat().st_size) > most:
        raise ValueError(f"{size} bytes, and more than {most} are not read")
