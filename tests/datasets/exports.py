"""Exports of others, written with images of ours: where files lie and what names them.

The layouts are those that Datumaro 1.13 (which CVAT exports through) and the converter of
Label Studio's SDK 2.1 wrote for the same images.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np

Digits = Sequence[int]


def write_image(path: Path, ink: int = 0) -> None:
    """Write a small grey image; ``ink`` tells one from another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image_bytes(ink, path.suffix))


def image_bytes(ink: int = 0, suffix: str = ".png") -> bytes:
    """Return the file of a small grey image."""
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []  # 101: without loss
    return cv2.imencode(suffix, np.full((16, 16), ink, np.uint8), options)[1].tobytes()


def write_shard(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a tar file of members, named as they are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def coco(path: Path, images: Mapping[str, Digits], *, first: int = 1) -> None:
    """Write a COCO file with the objects of each file name; categories count from ``first``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = list(images.items())
    annotations = [
        {"image_id": number, "category_id": digit + first, "bbox": [0, 0, 4, 4], "iscrowd": 0}
        for number, (_, digits) in enumerate(listed, first)
        for digit in digits
    ]
    data = {
        "images": [
            {"id": number, "file_name": name, "width": 16, "height": 16}
            for number, (name, _) in enumerate(listed, first)
        ],
        "categories": [{"id": digit + first, "name": str(digit)} for digit in range(10)],
        "annotations": [{"id": number, **one} for number, one in enumerate(annotations, 1)],
    }
    path.write_text(json.dumps(data))


def voc(path: Path, file_name: str, digits: Digits, *, space: str = "") -> None:
    """Write a Pascal VOC file; ``space`` stands around each text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(
        f"<object><name>{space}{digit}{space}</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
        "<xmax>4</xmax><ymax>4</ymax></bndbox><attributes><attribute><name>id</name>"
        "<value>7</value></attribute></attributes></object>"
        for digit in digits
    )
    path.write_text(
        f"<annotation><folder></folder><filename>{space}{escape(file_name)}{space}</filename>"
        f"{objects}</annotation>"
    )


def coco_of_twins(root: Path) -> None:
    """Write a COCO file whose one name two images have."""
    for split in ("train", "test"):
        write_image(root / split / "twin.png")
    coco(root / "annotations.json", {"twin.png": (1, 2, 3)})


def cvat_coco(
    root: Path, subsets: Mapping[str, Mapping[str, Digits]], *, images: bool = True
) -> None:
    """Write COCO as CVAT does: names below ``images/SUBSET``; images may be left out."""
    for subset, named in subsets.items():
        coco(root / "annotations" / f"instances_{subset}.json", named)
        for name, digits in named.items() if images else ():
            write_image(root / "images" / subset / name, sum(digits))


def cvat_voc(
    root: Path, subsets: Mapping[str, Mapping[str, Digits]], *, images: bool = True
) -> None:
    """Write Pascal VOC as CVAT does: one folder for all subsets, and a list of each."""
    for subset, named in subsets.items():
        stems = []
        for name, digits in named.items():
            stems.append(str(Path(name).with_suffix("")))
            voc(root / "Annotations" / f"{stems[-1]}.xml", name, digits)
            if images:
                write_image(root / "JPEGImages" / name, sum(digits))
        lists = root / "ImageSets" / "Main" / f"{subset}.txt"
        lists.parent.mkdir(parents=True, exist_ok=True)
        lists.write_text("".join(f"{stem}\n" for stem in stems))
        (lists.parent / f"3_{subset}.txt").write_text("".join(f"{stem}  1\n" for stem in stems))
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n3:1,2,3::\n")
