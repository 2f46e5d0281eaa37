"""A detector learns from boxes that people drew: from the study to what it finds."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from click.testing import CliRunner

from tests.labeling.data_studies import data_spec
from tests.labeling.making import come_in, post
from umnist_core.cli import root as umnist
from umnist_core.datasets.boxes import DrawnBox
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.label_files import export_labels
from umnist_core.labeling.memory import MemoryLog
from umnist_core.models.base import SUM_TASK
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.registry import create_model
from umnist_core.models.targets import BOXES, CLASSES, drawn_targets
from umnist_core.rendering import render
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.config import DataPart
from umnist_core.training.data import Collate, ModelInputs, open_samples
from umnist_core.training.evaluate import evaluate

IMAGES = 4
SCENES = {
    **{"canvas": "128", "factor": "2", "digits": "2", "label": "free"},
    **{"checkerboard": "0", "shape_pairs": "0"},
}
TINY = {"side_px": 64, "channels": 16, "proposals": 20, "samples": 16}
SHORT = ("run.batch_size=2", "run.epochs=1", "run.device=cpu")
STEPS = 60


def scenes(folder: Path) -> dict[str, Scene]:
    """Write images without any label, and return what is in each by name."""
    folder.mkdir()
    glyphs = load_glyphs()
    found = {}
    for index in range(IMAGES):
        scene = plan_scene("released", 3, "train", index, glyphs=glyphs, overrides=SCENES)
        cv2.imwrite(str(folder / f"{index}.png"), render(scene, glyphs))
        found[f"{index}.png"] = scene
    return found


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the export of a study in which somebody drew a box around each digit."""
    lab = tmp_path_factory.mktemp("lab")
    known = scenes(lab / "scans")
    service = StudyService(MemoryLog(), lab / "studies")
    spec = data_spec(lab / "scans", ask_boxes=True, labels_per_image=1)
    study = create_study(service, spec, jobs=1)
    truth = service.log.read_truth(study)
    me = come_in(service, study)
    while (trial := service.annotator_view(study, me).trial) is not None:
        text = truth[service.state(study).assignments[trial.key].stimulus]
        (scene,) = (one for name, one in known.items() if f'"{name}"' in text)
        boxes = [
            {
                "label": one.label,
                **{"x": one.ink_box.col0, "y": one.ink_box.row0},
                **{"width": one.ink_box.width, "height": one.ink_box.height},
            }
            for one in scene.digits
        ]
        total = sum(one.label for one in scene.digits)
        service.answer(study, me, post(trial.key, total, boxes=boxes))
    export_labels(service, study, lab / "out", "coco")
    return lab / "out"


def test_labels_that_were_exported_train_a_detector_by_one_command(
    labelled: Path, tmp_path: Path
) -> None:
    """From the export to a checkpoint, and to figures of what it finds."""
    settings = [f"model.settings.{name}={value}" for name, value in TINY.items()]
    changes = [f"data.folder={labelled}", *settings, *SHORT]
    words = [word for one in changes for word in ("--set", one)]
    result = CliRunner().invoke(
        umnist, ["train", "faster-rcnn-compact", *words, "--out", str(tmp_path / "run")]
    )
    assert result.exit_code == 0, result.output
    model, card = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert card.model == "faster-rcnn"
    found = evaluate(
        model, open_samples(DataPart(folder=str(labelled), count=0)), with_attention=False
    ).summary()
    precision = found["digits"]["average_precision"]
    assert (precision["images"], precision["digits"]) == (IMAGES, 2 * IMAGES)
    assert 0 <= precision["mean"] <= precision["at_half"] <= 1


def test_detector_finds_what_people_drew_after_some_steps(labelled: Path) -> None:
    """The loss falls to less than half, and many boxes of the training images are found."""
    torch.manual_seed(0)
    model = create_model("faster-rcnn", TINY | {"backbone": "resnet18", "anchor_px": 8})
    samples = open_samples(DataPart(folder=str(labelled), count=0))
    inputs = ModelInputs(samples, model)
    batch, targets = Collate(model)([inputs[place] for place in range(IMAGES)])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(STEPS):
        loss = model.loss(model(batch), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    found = evaluate(model, samples, with_attention=False).summary()
    assert losses[-1] < losses[0] / 2
    assert found["digits"]["average_precision"]["at_half"] > 0.25


def test_boxes_are_told_to_models_that_may_see_them() -> None:
    """Row before column; what names no digit is left out, what sticks out is cut off."""
    boxes = [
        DrawnBox("7", 10, 20, 30, 40),
        DrawnBox("2", 80, -0.5, 20.5, 10),
        DrawnBox("cat", 0, 0, 5, 5),
    ]
    targets = drawn_targets(boxes, 90, 100, [SUM_TASK])
    assert targets[BOXES].tolist() == [[20, 10, 60, 40], [0, 80, 9.5, 100]]
    assert targets[CLASSES].tolist() == [7, 2]
    assert targets["sum"] == 9
    assert drawn_targets([], 90, 100, [SUM_TASK])[BOXES].shape == torch.Size([0, 4])
    with pytest.raises(InvalidValueError, match="found 36"):
        drawn_targets([DrawnBox("9", 0, 0, 5, 5)] * 4, 90, 100, [SUM_TASK])
