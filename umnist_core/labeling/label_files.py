"""Labels of images without truth as a data set: images with a table of sums, COCO or Pascal VOC.

COCO counts px from 0: ``bbox`` is x, y, width and height from the upper left corner of the
image, and the category of a digit is one more than it. Pascal VOC counts from 1 and both corners
belong to the box; its numbers are whole, so boxes are rounded outward. `datasets.annotations`
names the sources. What the data set is, and where each label is from, lies beside it.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from umnist_core import __version__
from umnist_core.datasets.annotations import COCO_CATEGORIES, coco_box, coco_image, voc_text
from umnist_core.datasets.label_mark import LABEL_FORMATS, LABELS_FILE, LABELS_FORMAT
from umnist_core.datasets.tables import COLUMNS, LABEL_FILE
from umnist_core.errors import ConflictError, InvalidValueError, MissingFileError, WriteError
from umnist_core.geometry import Box
from umnist_core.labeling.labels import (
    ImageLabel,
    agreement_of,
    labels_of,
    provenance_counts,
)
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.service import StudyService
from umnist_core.scoring.consensus import MarkedBox
from umnist_core.spreadsheets import csv_text

PROVENANCE_FILE = "provenance.csv"
PROVENANCE_COLUMNS = (
    *("image", "source", "provenance", "people", "dispute", "answer", "digits", "took"),
    "said",
)
"""Image and its name in the folder that the study was made of; where its label is from, how many
people gave one and the share of pairs that differ; the label; whose answers a decision took; and
what each person said."""

_SPLIT = "train"


@dataclass(frozen=True)
class LabelReport:
    """What was written.

    Attributes
    ----------
    folder
        Where it lies.
    labelled, open
        Images with a label, which are there, and without one, which are not.
    boxes
        Of all images.
    """

    folder: Path
    labelled: int
    open: int
    boxes: int


def export_labels(
    service: StudyService, study: str, folder: Path, kind: str = "csv", *, is_linked: bool = False
) -> LabelReport:
    """Write the labels of a study of images without truth as a data set, all of it or nothing.

    Parameters
    ----------
    service, study
        Where the study is, and its id.
    folder
        Made by this; the one above it must exist.
    kind
        One of `umnist_core.datasets.label_mark.LABEL_FORMATS`.
    is_linked
        Whether images are links to the study's own files, which then must stay, instead of copies.

    Raises
    ------
    ConflictError
        If the folder is there already.
    InvalidValueError
        If the kind is another, needs boxes and there are none, the truth of the images is known,
        or none is labelled.
    MissingFileError
        If an image is missing.
    NotFoundError, DamagedFileError, StoreError
        As of `umnist_core.labeling.results.load_answers`.
    WriteError
        If something cannot be written.
    """
    if kind not in LABEL_FORMATS:
        raise InvalidValueError(
            f"Labels are written as {', '.join(LABEL_FORMATS)}; got {kind[:20]!r}; choose one."
        )
    if folder.exists():
        raise ConflictError(f"There is {folder} already, unchanged; choose another folder.")
    with service.log.snapshot() as log:
        folded = FoldedStudy.of(log, study)
    labels = labels_of(folded)
    settled = sorted((one for one in labels if one.is_settled), key=lambda one: one.stimulus)
    _check_can_be_written(folded, settled, kind)
    with _whole_folder(folder) as making:
        images = making / ("JPEGImages" if kind == "voc" else _SPLIT)
        images.mkdir()
        for one in settled:
            _put_image(service.stimulus_file(study, one.stimulus), images, is_linked=is_linked)
        writers = {"csv": _write_sums, "coco": _write_coco, "voc": _write_voc}
        writers[kind](making, folded, settled)
        (making / PROVENANCE_FILE).write_text(provenance_text(folded, labels))
        (making / LABELS_FILE).write_text(_about(folded, labels, kind))
    boxes = sum(len(one.boxes or ()) for one in settled)
    return LabelReport(folder, len(settled), len(labels) - len(settled), boxes)


def _check_can_be_written(folded: FoldedStudy, settled: Sequence[ImageLabel], kind: str) -> None:
    if not settled:
        raise InvalidValueError(
            "No image has a label yet; wait for people's answers, or settle what they disagree on."
        )
    if kind != "csv" and not folded.state.spec.ask_boxes:
        raise InvalidValueError(
            f"{kind.upper()} holds boxes, which this study did not ask for; take csv, or make a "
            "study with --ask-boxes."
        )


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder that gets its name when the block ends well, and is gone otherwise."""
    try:
        making = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".labels-"))
        try:
            yield making
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise WriteError(
            f"The labels could not be written to {folder} ({error.strerror or error}); choose a "
            "folder that can be made and has room."
        ) from error


def _put_image(file: Path, images: Path, *, is_linked: bool) -> None:
    if not file.is_file():
        raise MissingFileError(
            f"Expected the image {file}, found none; the study came without images."
        )
    target = images / file.name
    if is_linked:
        target.symlink_to(file.resolve())
        return
    shutil.copyfile(file, target)


# -- formats ----------------------------------------------------------------------


def _file_of(folded: FoldedStudy, one: ImageLabel) -> str:
    return f"{one.stimulus}{folded.state.suffixes[one.stimulus]}"


def _write_sums(folder: Path, folded: FoldedStudy, settled: Sequence[ImageLabel]) -> None:
    rows = [dict(zip(COLUMNS, (one.stimulus, one.answer), strict=True)) for one in settled]
    (folder / LABEL_FILE).write_text(csv_text(COLUMNS, rows))


def _write_coco(folder: Path, folded: FoldedStudy, settled: Sequence[ImageLabel]) -> None:
    drawn = [(number, box) for number, one in enumerate(settled, 1) for box in one.boxes or ()]
    content = {
        "info": {"description": folded.state.spec.name, "version": __version__},
        "licenses": [],
        "categories": COCO_CATEGORIES,
        "images": [_coco_image(folded, number, one) for number, one in enumerate(settled, 1)],
        "annotations": [_coco_box(number, *pair) for number, pair in enumerate(drawn, 1)],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / f"instances_{_SPLIT}.json").write_text(_json(content))


def _coco_image(folded: FoldedStudy, number: int, one: ImageLabel) -> dict[str, Any]:
    file_name = f"{_SPLIT}/{_file_of(folded, one)}"
    return coco_image(number, file_name, folded.state.sizes[one.stimulus], one.answer)


def _coco_box(number: int, image: int, box: MarkedBox) -> dict[str, Any]:
    sides = [round(side, 2) for side in (box.x, box.y, box.width, box.height)]
    return coco_box(number, image, box.label, sides)


def _write_voc(folder: Path, folded: FoldedStudy, settled: Sequence[ImageLabel]) -> None:
    (folder / "Annotations").mkdir()
    for one in settled:
        (folder / "Annotations" / f"{one.stimulus}.xml").write_text(_voc_text(folded, one))
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / f"{_SPLIT}.txt").write_text("".join(f"{one.stimulus}\n" for one in settled))


def _voc_text(folded: FoldedStudy, one: ImageLabel) -> str:
    size = folded.state.sizes[one.stimulus]
    digits = [(box.label, _outward(box, size)) for box in one.boxes or ()]
    return voc_text(digits, size, _file_of(folded, one), "JPEGImages")


def _outward(box: MarkedBox, size: tuple[int, int]) -> Box:
    """Return a box in whole px, rounded outward, within its image."""
    height, width = size
    row1 = min(math.ceil(box.y + box.height), height)
    col1 = min(math.ceil(box.x + box.width), width)
    return Box(math.floor(box.y), math.floor(box.x), row1, col1)


# -- what lies beside -------------------------------------------------------------


def provenance_text(folded: FoldedStudy, labels: Sequence[ImageLabel]) -> str:
    """Return where each label is from, open images too, as CSV."""
    rows = (_provenance_row(folded, one) for one in sorted(labels, key=lambda one: one.stimulus))
    return csv_text(PROVENANCE_COLUMNS, rows)


def _provenance_row(folded: FoldedStudy, one: ImageLabel) -> Mapping[str, Any]:
    boxes = one.boxes
    return {
        "image": one.stimulus,
        "source": folded.truth[one.stimulus]["source"].get("path"),
        "provenance": one.provenance,
        "people": one.consensus.people,
        "dispute": round(one.consensus.dispute, 4),
        "answer": one.answer,
        "digits": None if boxes is None else " ".join(str(box.label) for box in boxes),
        "took": "" if one.ruling is None else " ".join(one.ruling.took),
        "said": " ".join(f"{person}:{said.answer}" for person, said in one.said.items()),
    }


def _about(folded: FoldedStudy, labels: Sequence[ImageLabel], kind: str) -> str:
    assert folded.state.head is not None
    agreement = agreement_of(labels)
    return _json(
        {
            "format": LABELS_FORMAT,
            "layout": kind,
            "umnist": __version__,
            "study": folded.study,
            "name": folded.state.spec.name,
            "head_hash": folded.state.head.hash,
            "images": provenance_counts(labels),
            "alpha": [_plain(asdict(one)) for one in agreement.alphas],
            "mean_iou": _number(agreement.mean_iou),
            "people": {one.person: _number(one.share) for one in agreement.people},
        }
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _number(value) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=1, allow_nan=False)}\n"
