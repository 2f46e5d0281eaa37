"""Labels from others' annotations: Pascal VOC, COCO, WebDataset. A label is a sum of digits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from umnist_core.datasets.tables import is_digit
from umnist_core.errors import DamagedFileError
from umnist_core.parsing import parse_json
from umnist_core.paths import check_file, read_file

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
    return _sum_of_digits(item.findtext("name", "") for item in read_voc(path).iter("object"))


def voc_file_name(path: Path) -> str:
    """Return the name of the image file that an annotation gives; empty where it gives none.

    Raises
    ------
    DamagedFileError
        As `voc_label`.
    """
    return read_voc(path).findtext("filename", "").strip()


def read_voc(path: Path) -> ElementTree.Element:
    """Return the root of a Pascal VOC annotation.

    Raises
    ------
    DamagedFileError
        As `voc_label`.
    """
    try:
        _check_bytes(path, _MAX_XML_BYTES)
        root = ElementTree.fromstring(read_file(path))
        if root.tag != "annotation":
            raise ValueError(f"its root is {root.tag[:40]!r}")
        return root
    except (*_REASONS, ElementTree.ParseError) as error:
        raise DamagedFileError(
            f"{path}: expected a Pascal VOC annotation, found something else ({error}); copy or "
            "make it again."
        ) from error


@dataclass(frozen=True)
class CocoImage:
    """What a COCO file says of an image.

    Attributes
    ----------
    number
        Its ``id`` in that file.
    name
        Its ``file_name``.
    label
        Sum of its objects; None where one of them is no digit, or there is none.
    """

    number: Any
    name: str
    label: int | None


def is_coco(path: Path, *, damaged: bool = False) -> bool:
    """Return whether a JSON file of any name is one of COCO's; ``damaged`` if it is no JSON."""
    try:
        data = read_json(path)
    except (OSError, ValueError):
        return damaged
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        return False
    return isinstance(data.get("categories"), list) and isinstance(data.get("annotations"), list)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, is none, or is too large to be read.
    """
    _check_bytes(path, _MAX_JSON_BYTES)
    return parse_json(read_file(path))


def read_coco(path: Path) -> list[CocoImage]:
    """Return the images of a COCO file, in its order.

    Raises
    ------
    DamagedFileError
        If the file is no COCO annotation file.
    """
    try:
        data = read_json(path)
        names = {category["id"]: category["name"] for category in data["categories"]}
        of_image = defaultdict(list)
        for annotation in data["annotations"]:
            of_image[annotation["image_id"]].append(names[annotation["category_id"]])
        return [
            CocoImage(
                image["id"], image["file_name"].strip(), _sum_of_digits(of_image[image["id"]])
            )
            for image in data["images"]
        ]
    except _REASONS as error:
        raise DamagedFileError(
            f"{path}: expected COCO's JSON with images, annotations and categories, found "
            f"something else ({error!r}); copy or make it again."
        ) from error


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
    # Some exporters write a name on a line of its own.
    listed = [str(name).strip() for name in names]
    if not listed or not all(map(is_digit, listed)):
        return None
    return sum(map(int, listed))


def _check_bytes(path: Path, most: int) -> None:
    if (size := check_file(path).st_size) > most:
        raise ValueError(f"{size} bytes, and more than {most} are not read")
