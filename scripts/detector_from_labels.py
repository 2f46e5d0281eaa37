"""Train detectors on boxes that simulated people drew, and on the true ones, and compare them.

Run by hand, some CPU minutes for each training; docs/training.md has the figures. All
goes the way that people's labels go: a folder of images, a study without truth, answers over HTTP,
consensus, `umnist study labels --format coco`, `umnist train`. A stopped run goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from umnist_core.datasets import open_dataset
from umnist_core.datasets.annotations import COCO_CATEGORIES, coco_box
from umnist_core.digits import load_glyphs
from umnist_core.geometry import Box
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.events import SIMULATED
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.label_files import export_labels
from umnist_core.labeling.labels import ImageLabel, agreement_of, labels_of, provenance_counts
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.sql import open_log
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.pyramid import scene_source
from umnist_core.scenes import plan_scene
from umnist_core.scoring.consensus import MarkedBox
from umnist_core.server.labeling import create_label_app
from umnist_core.simulation.people import Crowd, Person, Reply, draw_people
from umnist_core.simulation.report import serve_in_thread
from umnist_core.simulation.run import Pace, Run, run_people
from umnist_core.simulation.traces import Shown, overview, response_json
from umnist_core.training.config import load_config
from umnist_core.training.data import FolderSamples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.loop import train

SEED = 22
CANVAS_PX = 384
CONFIG = "faster-rcnn-compact"
SCENES = {
    **{
        "canvas": str(CANVAS_PX),
        "factor": "2..4",
        "scale_distribution": "uniform",
        "digit_jpeg": "0",
    },
    **{"checkerboard": "0", "circles": "0..2", "triangles": "0..2"},
}
EACH = 30
"""Images of each person."""

KINDS = ("true", "consensus", "one")
"""The true boxes, the consensus of three people, and one person's of each image alone."""

LOOKALIKES = {0: 6, 1: 7, 2: 7, 3: 8, 4: 9, 5: 3, 6: 0, 7: 1, 8: 3, 9: 4}

LEAST_PX = 4
"""Nobody draws a smaller side."""

Boxes = Sequence[MarkedBox]
Point = NDArray[np.float64]


# -- images -----------------------------------------------------------------------


def make_images(folder: Path, split: str, count: int) -> dict[str, Boxes]:
    """Write images without any label, and return the boxes around their digits' ink by name."""
    folder.mkdir(parents=True, exist_ok=True)
    glyphs = load_glyphs(split)
    truth: dict[str, Boxes] = {}
    for index in range(count):
        scene = plan_scene("released", SEED, split, index, glyphs=glyphs, overrides=SCENES)
        name = f"{split}-{index:04}.png"
        whole = Box(0, 0, scene.height, scene.width)
        if not (folder / name).is_file():
            cv2.imwrite(str(folder / name), scene_source(scene, glyphs).read_region(whole, 1))
        truth[name] = [
            MarkedBox(one.label, box.col0, box.row0, box.width, box.height)
            for one in scene.digits
            for box in [one.ink_box]
        ]
    return truth


def write_coco(folder: Path, images: Path, boxes: Mapping[str, Boxes], split: str) -> Path:
    """Write a data set in COCO's layout of some of the images of a folder, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / split).mkdir(parents=True)
    (folder / "annotations").mkdir()
    for name in boxes:
        shutil.copyfile(images / name, folder / split / name)
    numbers = {name: number for number, name in enumerate(boxes, 1)}
    drawn = [(numbers[name], one) for name, own in boxes.items() for one in own]
    content = {
        "categories": COCO_CATEGORIES,
        "images": [
            {"id": number, "file_name": f"{split}/{name}", "height": CANVAS_PX, "width": CANVAS_PX}
            for name, number in numbers.items()
        ],
        "annotations": [
            coco_box(number, image, one.label, [one.x, one.y, one.width, one.height])
            for number, (image, one) in enumerate(drawn, 1)
        ],
    }
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return folder


# -- people -----------------------------------------------------------------------


@dataclass(frozen=True)
class Care:
    """How people err with boxes.

    Attributes
    ----------
    missed, misread, extra
        Share of digits that are not drawn, that get the label of one that looks alike, and of
        images with a box around nothing; of a person each is up to twice or down to none of it.
    edge_px, edge_share
        Standard deviation of each edge: px, and share of the digit's longer side.
    """

    missed: float = 0.10
    misread: float = 0.08
    extra: float = 0.05
    edge_px: float = 2.0
    edge_share: float = 0.05


class Drawing:
    """Boxes around digits as people draw them, by the truth that the study does not know."""

    def __init__(self, service: StudyService, study: str, truth: Mapping[str, Boxes]) -> None:
        self._service, self._study, self._care = service, study, Care()
        texts = service.log.read_truth(study)
        paths = {name: json.loads(text)["source"]["path"] for name, text in texts.items()}
        self._truth = {name: truth[Path(path).name] for name, path in paths.items()}
        self.gate: Sequence[str] = ()
        self._threads = ThreadPoolExecutor(1)

    async def reply(self, person: Person, pool: str, shown: Shown) -> Reply:
        """Return what a person answers to an image."""
        loop = asyncio.get_running_loop()
        name = await loop.run_in_executor(self._threads, self._image_of, shown.key)
        rng = person.rng(1, shown.number)
        careless = float(person.rng(5).uniform(0, 2))
        boxes = draw_boxes(self._truth[name], shown, self._care, careless, rng=rng)
        views = [overview(shown, person.pane)]
        total = sum(one["label"] for one in boxes)
        response = response_json(views, 8000.0, person.pane, rng=rng)
        return Reply(total, None, "drawn", 80, tuple(views), response, tuple(boxes))

    def _image_of(self, assignment: str) -> str:
        return self._service.state(self._study).assignments[assignment].stimulus


def draw_boxes(
    truth: Boxes, shown: Shown, care: Care, careless: float, *, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return what somebody draws: most digits, some misread, every edge a little off."""
    drawn = []
    size = np.array([shown.width, shown.height])
    for one in truth:
        if rng.random() < care.missed * careless:
            continue
        is_misread = rng.random() < care.misread * careless
        off = rng.normal(0, care.edge_px + care.edge_share * max(one.width, one.height), (2, 2))
        first = np.array([one.x, one.y]) + off[0]
        last = np.array([one.x + one.width, one.y + one.height]) + off[1]
        drawn.append(_sent(LOOKALIKES[one.label] if is_misread else one.label, first, last, size))
    if rng.random() < care.extra * careless:
        first = rng.uniform(0, size - 60)
        drawn.append(_sent(int(rng.integers(10)), first, first + 50, size))
    while sum(one["label"] for one in drawn) > SUM_MAX:
        drawn.pop()
    return drawn


def _sent(label: int, first: Point, last: Point, size: NDArray[np.int64]) -> dict[str, Any]:
    x, y = np.clip(first, 0, size - LEAST_PX).round(1).tolist()
    width, height = np.clip(last - (x, y), LEAST_PX, size - (x, y)).round(1).tolist()
    return {"label": label, "x": x, "y": y, "width": width, "height": height}


def label_images(out: Path, truth: Mapping[str, Boxes]) -> tuple[StudyService, str]:
    """Make a study of the folder ``scans`` and let three people label each image, over HTTP."""
    service = StudyService(open_log(f"sqlite:///{out / 'lab.sqlite'}"), out / "lab")
    if studies := service.log.studies():
        return service, studies[0]
    spec = {
        **{"name": "Scans", "folder": str(out / "scans"), "stimuli": len(truth)},
        **{"images_per_annotator": EACH, "labels_per_image": 3, "pools": ("unguided",)},
        **{"practice": 0, "has_truth": False, "ask_boxes": True, "ask_digits": False},
    }
    study = create_study(service, StudySpec.from_dict(spec), jobs=1)
    count = 3 * len(truth) // EACH
    tokens = [one.token or "" for one in service.invite(study, count, origin=SIMULATED)]
    with serve_in_thread(create_label_app(service)) as origin:
        run = Run(origin, Drawing(service, study, truth), Pace(fetches_tiles=False))
        run_people(run, draw_people(count, Crowd(), SEED), tokens)
    return service, study


def compared_labels(
    labels: Sequence[ImageLabel], names: Mapping[str, str], truth: Mapping[str, Boxes]
) -> dict[str, Any]:
    """Return how the people agree, and how many true digits each kind of label has."""
    settled = {names[one.stimulus]: one.boxes or () for one in labels if one.is_settled}
    return {
        "images": provenance_counts(labels),
        "alphas": [asdict(one) for one in agreement_of(labels).alphas],
        "consensus": _right(settled, truth),
        "one person": _right(first_said(labels, names), truth),
    }


def first_said(labels: Sequence[ImageLabel], names: Mapping[str, str]) -> dict[str, Boxes]:
    """Return the boxes of one person of each image, as if nobody else had been asked."""
    return {
        names[one.stimulus]: next(iter(one.said.values())).boxes or () for one in labels if one.said
    }


def _right(labelled: Mapping[str, Boxes], truth: Mapping[str, Boxes]) -> dict[str, int | float]:
    found = [
        one.iou(true)
        for name, boxes in labelled.items()
        for true in truth[name]
        for one in boxes
        if one.label == true.label and one.iou(true) >= 0.5
    ]
    return {
        "images": len(labelled),
        "digits": sum(len(truth[name]) for name in labelled),
        "boxes": sum(map(len, labelled.values())),
        "right": len(found),
        "mean overlap": float(np.mean(found)),
    }


# -- detectors --------------------------------------------------------------------


def train_and_try(out: Path, folder: Path, test: Path, seed: int) -> dict[str, Any]:
    """Train on a folder of boxes as the command line does, and return the figures on the test."""
    changes = [f"data.folder={json.dumps(str(folder))}", f"run.seed={seed}", "run.device=cpu"]
    result = train(load_config(Path(CONFIG), changes), out, shows_progress=False)
    model, _ = load_checkpoint(result.last)
    reader = open_dataset(test)
    found = evaluate(model, FolderSamples(reader, reader.ids), with_attention=False).summary()
    return {
        "precision": found["digits"]["average_precision"],
        "sums": found["tasks"]["sum"]["accuracy"],
        "epochs": len(result.rows),
    }


def main() -> None:
    """Make images, let people label them, train on each kind of label, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="Folder of all that is made.")
    parser.add_argument("--images", type=int, default=240, help="To label, a multiple of 10.")
    parser.add_argument("--test", type=int, default=120, help="To try the detectors on.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="Of the trainings.")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS, help="Of labels.")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    out: Path = given.out.resolve()
    truth = make_images(out / "scans", "train", given.images)
    tested = make_images(out / "fresh", "test", given.test)
    service, study = label_images(out, truth)
    with service.log.snapshot() as log:
        folded = FoldedStudy.of(log, study)
    labels = labels_of(folded)
    names = {name: Path(one["source"]["path"]).name for name, one in folded.truth.items()}
    print(json.dumps(compared_labels(labels, names, truth)), flush=True)
    if not (out / "consensus").is_dir():
        export_labels(service, study, out / "consensus", "coco")
        write_coco(out / "true", out / "scans", truth, "train")
        write_coco(out / "one", out / "scans", first_said(labels, names), "train")
        write_coco(out / "test", out / "fresh", tested, "test")
    for seed in given.seeds:
        for kind in given.kinds:
            run = out / f"run-{kind}-{seed}"
            figures = train_and_try(run, out / kind, out / "test", seed)
            print(json.dumps({"labels": kind, "seed": seed, **figures}), flush=True)


if __name__ == "__main__":
    main()
