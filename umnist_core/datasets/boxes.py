"""Boxes that others drew around digits: Pascal VOC and COCO, in the frame that people see.

One rule for every file that has an orientation: boxes are of the image *as it is shown*,
whatever size the annotation names. It is what the labeling tools do:

- CVAT (since 2022) turns an image by its tag when it is uploaded. Boxes and named sizes are
  those of the turned image; exported images are turned and have no tag, and originals that
  are put beside exported annotations have it still.
- Label Studio shows images in the browser, which turns them, and counts boxes in per cent
  of what it shows. Its VOC names the size as shown; its COCO names the size as *stored*,
  with boxes in px of the image as shown.

So a box must lie in the image as shown. Where it does not, its writer ignored the tag (or the
box is of another image), and that is said rather than guessed.

Both tools count from 0, in Pascal VOC too, where the development kit counts from 1 and both
corners belong to the box. Ours are written as the kit says, and read so where the manifest of
a data set says that they are ours; those of other writers may be one px off. Formats: see
`umnist_core.datasets.annotations`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from umnist_core.datasets.labels import read_json, read_voc
from umnist_core.datasets.tables import is_digit
from umnist_core.errors import DamagedFileError

_SLACK_PX = 1.0
"""So far a box may stick out: rounding, and those that count from 1."""

_REASONS = (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True)
class DrawnBox:
    """A box that somebody drew.

    Attributes
    ----------
    name
        What is in it; for a digit ``"0"`` to ``"9"``.
    x, y, width, height
        In px of the image as shown, from its top left; x is the column.
    note
        What else is said of it, such as ``"OCCLUDED"``; empty where nothing is.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    note: str = ""

    @property
    def is_digit(self) -> bool:
        """Whether it is around a digit."""
        return is_digit(self.name)

    def lies_in(self, height: int, width: int) -> bool:
        """Return whether it lies in an image of this size, but for rounding."""
        return (
            min(self.x, self.y) >= -_SLACK_PX
            and self.x + self.width <= width + _SLACK_PX
            and self.y + self.height <= height + _SLACK_PX
        )


def voc_boxes(path: Path, *, first_px: int = 0) -> tuple[DrawnBox, ...]:
    """Return the boxes of a Pascal VOC annotation.

    Parameters
    ----------
    path
        The file.
    first_px
        Number of the first pixel: 0 in the files of labeling tools, whose second corner lies
        behind the box; 1 in ours, whose second corner belongs to it.

    Raises
    ------
    DamagedFileError
        If the file is none, or a box has no four numbers.
    """
    try:
        return tuple(_voc_box(one, first_px) for one in read_voc(path).iter("object"))
    except _REASONS as error:
        raise _damaged(path, "a Pascal VOC annotation", error) from error


def coco_boxes(path: Path, number: Any) -> tuple[DrawnBox, ...]:
    """Return the boxes of one image of a COCO file.

    Parameters
    ----------
    path
        The file; the last ones are remembered for as long as they do not change.
    number
        ``id`` of the image in it.

    Raises
    ------
    DamagedFileError
        If the file is none, or a box has no four numbers.
    """
    try:
        stat = path.stat()
        return _read_coco(path, stat.st_mtime_ns, stat.st_size).get(number, ())
    except _REASONS as error:
        raise _damaged(path, "a COCO file", error) from error


def find_boxes(
    drawn: tuple[Path, Any] | None, annotation: Path | None, *, first_px: int = 0
) -> tuple[DrawnBox, ...] | None:
    """Return the boxes of an image by what speaks of it; None where nothing does.

    Parameters
    ----------
    drawn
        COCO file that names the image, and its ``id`` there.
    annotation
        Its file of Pascal VOC, which counts where no COCO file names it.
    first_px
        As of `voc_boxes`.

    Raises
    ------
    DamagedFileError
        If the annotation is damaged.
    """
    if drawn is not None:
        return coco_boxes(*drawn)
    return None if annotation is None else voc_boxes(annotation, first_px=first_px)


def check_boxes(boxes: Iterable[DrawnBox], height: int, width: int, name: str) -> None:
    """Make sure that boxes lie in their image.

    Parameters
    ----------
    boxes
        Of one image.
    height, width
        Of the image as shown.
    name
        Of the image, for the message.

    Raises
    ------
    DamagedFileError
        If one does not.
    """
    for box in boxes:
        if not box.lies_in(height, width):
            raise DamagedFileError(
                f"{name} is shown with {width} x {height} px, and its box of {box.name[:20]!r} at "
                f"x {box.x:g}, y {box.y:g} with {box.width:g} x {box.height:g} px lies outside. "
                "Boxes are of the image as it is shown: if they were drawn on pixels that were not "
                "turned, remove the orientation from the file."
            )


def _voc_box(item: ElementTree.Element, first_px: int) -> DrawnBox:
    x0, y0, x1, y1 = (
        float(item.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    x0, y0 = x0 - first_px, y0 - first_px
    return DrawnBox(item.findtext("name", "").strip(), x0, y0, x1 - x0, y1 - y0)


@lru_cache(maxsize=4)
def _read_coco(path: Path, _mtime_ns: int, _size: int) -> Mapping[Any, tuple[DrawnBox, ...]]:
    data = read_json(path)
    names = {category["id"]: str(category["name"]).strip() for category in data["categories"]}
    found: dict[Any, list[DrawnBox]] = defaultdict(list)
    for annotation in data["annotations"]:
        x, y, width, height = map(float, annotation["bbox"])
        box = DrawnBox(names[annotation["category_id"]], x, y, width, height)
        found[annotation["image_id"]].append(box)
    return {number: tuple(boxes) for number, boxes in found.items()}


def _damaged(path: Path, expected: str, error: Exception) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: expected {expected} with boxes, found something else ({error}); copy or make it "
        "again."
    )
