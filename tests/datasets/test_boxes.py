"""Boxes of COCO and Pascal VOC lie on the pixels that they were drawn around, turned or not.

The exports are written as CVAT (through Datumaro) and Label Studio (its SDK's converter)
write them of images with an orientation; `umnist_core.datasets.boxes` says how.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages._ui.shared.image_files import ChosenFile
from pages._ui.shared.known import box_data
from tests.datasets.making import small_recipe
from tests.pyramid.making import ORIENTATIONS, write_oriented
from umnist_core.datasets import open_image_folder
from umnist_core.datasets.read import open_files
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import DamagedFileError
from umnist_core.pyramid.files import file_source, read_image_header
from umnist_core.pyramid.orientation import turn

SHOWN = (60, 90)
"""Height and width of every image as it is shown, px."""

BOX = (50, 5, 30, 20)
"""x, y, width and height of the digit in it."""

_BACK = {6: 8, 8: 6}
"""What turns an image back; every other orientation is its own inverse."""


def _write_image(path: Path, orientation: int) -> tuple[int, int]:
    """Write an image that is shown with a white digit's box; return height and width stored."""
    shown = np.zeros(SHOWN, np.uint8)
    x, y, width, height = BOX
    shown[y : y + height, x : x + width] = 255
    stored = np.ascontiguousarray(turn(shown, _BACK.get(orientation, orientation)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_oriented(path, stored, orientation)
    return stored.shape[0], stored.shape[1]


def _coco(path: Path, file_name: str, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "images": [{"id": 0, "file_name": file_name, "height": size[0], "width": size[1]}],
        "categories": [{"id": 5, "name": "7"}],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 5, "bbox": list(BOX)}],
        "info": {},
    }
    path.write_text(json.dumps(data))


def _voc(path: Path, file_name: str, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    x, y, width, height = BOX
    path.write_text(
        f"<annotation><filename>{file_name}</filename><size><width>{size[1]}</width>"
        f"<height>{size[0]}</height><depth>3</depth></size><object><name>7</name><bndbox>"
        f"<xmin>{x}.0</xmin><ymin>{y}.0</ymin><xmax>{x + width}.0</xmax>"
        f"<ymax>{y + height}.0</ymax></bndbox></object></annotation>"
    )


def cvat_coco(root: Path, orientation: int) -> None:
    """Write sizes and boxes of the turned image, beside originals that still have their tag."""
    _write_image(root / "images" / "default" / "a.jpg", orientation)
    _coco(root / "annotations" / "instances_default.json", "a.jpg", SHOWN)


def cvat_voc(root: Path, orientation: int) -> None:
    """Write the same as Pascal VOC."""
    _write_image(root / "JPEGImages" / "a.jpg", orientation)
    _voc(root / "Annotations" / "a.xml", "a.jpg", SHOWN)


def label_studio_coco(root: Path, orientation: int) -> None:
    """Write the size of the stored pixels; the boxes are in px of the image as shown."""
    stored = _write_image(root / "images" / "a.jpg", orientation)
    _coco(root / "result.json", "images/a.jpg", stored)


def label_studio_voc(root: Path, orientation: int) -> None:
    """Write size and boxes of the image as shown."""
    _write_image(root / "images" / "a.jpg", orientation)
    _voc(root / "Annotations" / "a.xml", "a.jpg", SHOWN)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("write", [cvat_coco, cvat_voc, label_studio_coco, label_studio_voc])
def test_box_lies_on_the_digit_that_is_shown(
    tmp_path: Path, write: Callable[[Path, int], None], orientation: int
) -> None:
    """Where Explore draws it there is the digit, and nothing of it is outside."""
    write(tmp_path, orientation)
    folder = open_image_folder(tmp_path)
    (name,) = folder.ids
    sample = ChosenFile(
        folder.paths[name], name, folder.find_label(name), {}, boxes=folder.find_boxes(name)
    )
    header = read_image_header(sample.path)
    assert (header.height, header.width) == SHOWN
    (digit,), problem = box_data(sample, header)
    assert (sample.label, digit["label"], problem) == (7, 7, "")
    x, y, width, height = map(int, digit["box"])
    pixels = file_source(sample.path).read_whole()
    is_white = pixels > 127
    assert is_white[y : y + height, x : x + width].all()
    assert is_white.sum() == width * height


@pytest.mark.parametrize("layout", ["voc", "coco"])
@pytest.mark.parametrize("part", [".", "train"])
def test_boxes_of_ours_are_those_of_the_truth(tmp_path: Path, layout: str, part: str) -> None:
    """To the pixel, in each format, and where a split's folder alone is opened."""
    write_dataset(small_recipe(2, layout=layout), tmp_path)
    truth, folder = open_files(tmp_path), open_image_folder(tmp_path / part)
    assert len(folder.ids) == 2
    for name in folder.ids:
        scene = truth.truth(name)
        assert scene is not None
        digits = [(str(d.label), d.col, d.row, d.side_px, d.side_px) for d in scene.digits]
        found = [(b.name, b.x, b.y, b.width, b.height) for b in folder.find_boxes(name)]
        assert found == digits


def test_box_outside_of_the_shown_image_is_said(tmp_path: Path) -> None:
    """Its writer ignored the tag: the image opens, without boxes in the wrong places."""
    stored = _write_image(tmp_path / "images" / "a.jpg", 6)
    assert stored == (90, 60)
    _coco(tmp_path / "result.json", "images/a.jpg", stored)
    text = (tmp_path / "result.json").read_text().replace(str(list(BOX)), "[5, 65, 20, 20]")
    (tmp_path / "result.json").write_text(text)
    folder = open_image_folder(tmp_path)
    (name,) = folder.ids
    sample = ChosenFile(folder.paths[name], name, 7, {}, boxes=folder.find_boxes(name))
    digits, problem = box_data(sample, read_image_header(sample.path))
    assert digits == []
    assert "shown with 90 x 60 px" in problem
    assert "remove the orientation from the file" in problem


@pytest.mark.parametrize("bbox", ["[1, 2, 3]", '["a", 1, 2, 3]', "null"])
def test_damaged_box_is_an_error_in_a_sentence(tmp_path: Path, bbox: Any) -> None:
    """The file is named."""
    _write_image(tmp_path / "images" / "a.jpg", 1)
    _coco(tmp_path / "result.json", "images/a.jpg", SHOWN)
    text = (tmp_path / "result.json").read_text().replace(str(list(BOX)), bbox)
    (tmp_path / "result.json").write_text(text)
    folder = open_image_folder(tmp_path)
    with pytest.raises(DamagedFileError, match=r"result\.json: expected a COCO file with boxes"):
        folder.find_boxes(folder.ids[0])
