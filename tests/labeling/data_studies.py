"""Small studies of images whose sums nobody knows, for tests of the labels they give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.labeling.making import come_in, post
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.memory import MemoryLog

Boxes = list[dict[str, Any]]

SUMS = ((5, 5, 5), (7, 7, 8), (1, 2, 3), (0, 0, 0))
"""What three people say of the four images, in the order of their ids."""

THREE: Boxes = [{"label": 3, "x": 10.5, "y": 20.0, "width": 30.0, "height": 40.0}]
EIGHT: Boxes = [{**THREE[0], "label": 8, "x": 12.5}]
DRAWN: tuple[tuple[Boxes, ...], ...] = (
    (THREE, THREE, THREE),
    (THREE, THREE, EIGHT),
    (THREE, EIGHT, []),
    ([], [], []),
)


def photographs(folder: Path) -> Path:
    """Write images of several formats and sizes, one of them in a folder below; return it."""
    (folder / "below").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.jpg", "below/c.tif", "below/d.png")):
        cv2.imwrite(str(folder / name), np.full((90 + number, 120), 40 * number, np.uint8))
    return folder


def open_data(lab: Path, folder: Path, /, **changes: Any) -> tuple[StudyService, str]:
    """Return a service with a study without truth of four images, and its id."""
    service = StudyService(MemoryLog(), lab)
    return service, create_study(service, data_spec(folder, **changes), jobs=1)


def data_spec(folder: Path, /, **changes: Any) -> StudySpec:
    """Return the settings of a study of four images without truth."""
    values: dict[str, Any] = {
        "name": "Labels",
        "folder": str(folder),
        "stimuli": 4,
        "images_per_annotator": 4,
        "labels_per_image": 3,
        "pools": ("unguided",),
        "practice": 0,
        "has_truth": False,
        **changes,
    }
    return StudySpec.from_dict(values)


def said(lab: Path, words: Sequence[Sequence[Any]], **changes: Any) -> tuple[StudyService, str]:
    """Return a study in which three people have said this of its images."""
    service, study = open_data(lab / "lab", photographs(lab / "photographs"), **changes)
    say(service, study, words)
    return service, study


def say(service: StudyService, study: str, words: Sequence[Sequence[Any]]) -> None:
    """Let three people say this of the images of a study, in the order of the images' ids."""
    images = sorted(service.state(study).stimuli)
    for number in range(3):
        me = come_in(service, study)
        while (trial := service.annotator_view(study, me).trial) is not None:
            state = service.state(study)
            word = words[images.index(state.assignments[trial.key].stimulus)][number]
            boxed = isinstance(word, list)
            answer = sum(box["label"] for box in word) if boxed else word
            more = {"boxes": word} if boxed else {}
            service.answer(study, me, post(trial.key, answer, **more))
