"""Boxes for detectors: Pascal VOC's XML and COCO's JSON. The box of a digit is its square.

Formats: Everingham et al., "The PASCAL Visual Object Classes Challenge 2012 Development
Kit", section 3.3: pixels count from 1 and both corners belong to the box. Lin et al.,
"Microsoft COCO: Common Objects in Context", 2014: x, y, width and height count from 0.
In both x is the column; the files of the released noise study have the row there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from umnist_core.geometry import Box
from umnist_core.scenes import Scene

VOC_END = b"</annotation>\n"


def voc_xml(scene: Scene, file_name: str, folder: str) -> str:
    """Return the Pascal VOC annotation of a scene."""
    digits = [(one.label, one.box) for one in scene.digits]
    return voc_text(digits, (scene.height, scene.width), file_name, folder)


def voc_text(
    digits: Iterable[tuple[int, Box]], size: tuple[int, int], file_name: str, folder: str
) -> str:
    """Return the Pascal VOC annotation of an image.

    Parameters
    ----------
    digits
        Class and box of each, px from 0; the lower right corner is exclusive.
    size
        Height and width of the image, px.
    file_name, folder
        Of the image.
    """
    height, width = size
    objects = "".join(
        f"  <object>\n    <name>{label}</name>\n    <pose>Unspecified</pose>\n"
        "    <truncated>0</truncated>\n    <difficult>0</difficult>\n"
        f"    <bndbox><xmin>{box.col0 + 1}</xmin><ymin>{box.row0 + 1}</ymin>"
        f"<xmax>{box.col1}</xmax><ymax>{box.row1}</ymax></bndbox>\n  </object>\n"
        for label, box in digits
    )
    return (
        f"<annotation>\n  <folder>{escape(folder)}</folder>\n"
        f"  <filename>{escape(file_name)}</filename>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>1</depth>"
        f"</size>\n  <segmented>0</segmented>\n{objects}{VOC_END.decode()}"
    )


# Category 0 is the background to many readers of this format.
COCO_CATEGORIES = [{"id": digit + 1, "name": str(digit)} for digit in range(10)]

COCO_COLUMNS = ["index", "id", "height", "width", "label", "digits"]


def iter_coco_json(
    images: Iterable[dict[str, Any]],
    annotations: Iterable[dict[str, Any]],
    *,
    split: str,
    image: str,
) -> Iterator[str]:
    """Yield the text of a COCO file, piece by piece.

    Parameters
    ----------
    images, annotations
        The rows of the truth, with `COCO_COLUMNS`, twice: the format wants all images
        before the boxes, and this way nothing is held.
    split
        Folder of the images.
    image
        Their suffix.
    """
    yield '{"info": {"description": "umnist ' + split + '"},\n"licenses": [],\n"categories": '
    yield json.dumps(COCO_CATEGORIES)
    yield ',\n"images": [\n'
    yield from _joined(_image_entry(row, split, image) for row in images)
    yield '\n],\n"annotations": [\n'
    yield from _joined(_iter_annotations(annotations))
    yield "\n]}\n"


def _joined(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        yield (",\n" if number else "") + json.dumps(entry)


def _image_entry(row: dict[str, Any], split: str, image: str) -> dict[str, Any]:
    file_name = f"{split}/{row['id']}.{image}"
    return coco_image(row["index"], file_name, (row["height"], row["width"]), row["label"])


def coco_image(
    number: int, file_name: str, size: tuple[int, int], label: int | None
) -> dict[str, Any]:
    """Return the entry of an image, of height and width `size`, whose digits' sum is the label."""
    height, width = size
    return {"id": number, "file_name": file_name, "height": height, "width": width, "label": label}


def _iter_annotations(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    number = 0
    for row in rows:
        for digit in row["digits"]:
            number += 1
            side_px = digit["side_px"]
            sides = [digit["col"], digit["row"], side_px, side_px]
            yield coco_box(number, row["index"], digit["label"], sides)


def coco_box(number: int, image: int, label: int, sides: list[Any]) -> dict[str, Any]:
    """Return the entry of a digit in an image: x, y, width and height in px."""
    return {
        "id": number,
        "image_id": image,
        "category_id": label + 1,
        "bbox": sides,
        "area": round(sides[2] * sides[3], 2),
        "iscrowd": 0,
    }
