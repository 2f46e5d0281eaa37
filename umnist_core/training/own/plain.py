"""The course of the plain CNN: sums alone, from one large digit to several among noise.

The first lessons have small canvases with one digit, whose sum is its class, so that a step sees
many digits for little; later ones have more digits and larger canvases, at the same reduction. No
lesson tells a box or a class. Scenes are drawn at the reduced size as they are needed, none twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from umnist_core.digits import GlyphSet
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.files import write_whole
from umnist_core.models.own.sums import sum_log_probabilities
from umnist_core.models.plain_cnn import PlainCnn, likeliest_places
from umnist_core.models.reduced import DEVIATION, MEAN
from umnist_core.parsing import parse_json
from umnist_core.rendering import render
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.course import Phase, Report
from umnist_core.training.data import one_thread_worker
from umnist_core.training.own.phases import SHORT_STEPS, CourseSettings, DrawBatch, make_phase

FINER = 4
"""Pixels that are looked at along a side of each px of a reduced scene."""

AT_ONCE = 40
"""Scenes of the curve that are answered in one go."""

CURVE_FILE = "curve.json"

CURVE_SEED = 98
"""Added to a course's seed for the scenes of the curve."""

CLEAN = "released-clean"
"""Preset of the lessons: the JPEG of the digits leaves specks of a few px, of which a reduced
image shows next to nothing, and takes most of the time of drawing."""


@dataclass(frozen=True)
class PlainLesson:
    """A kind of scenes to learn from.

    Attributes
    ----------
    overrides
        Of the preset `CLEAN`.
    side_px
        Of the reduced scene.
    steps, batch
        Of the optimiser, and images of each.
    fewest, most
        Digits of an image of this kind, whose number the net is told no closer. Where the fewest
        is 0, one image of ``most + 1`` has its digits taken away and keeps its noise, so that the
        net has to learn whether there is a digit and not only which.
    earlier
        Share of the steps that are of earlier lessons, 0 to 1.
    rate
        Share of the course's learning rate, above 0.
    """

    overrides: Mapping[str, str]
    side_px: int
    steps: int
    batch: int
    fewest: int = 3
    most: int = 5
    earlier: float = 0.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        if min(self.side_px, self.steps, self.batch) < 1:
            raise InvalidValueError(
                "A lesson has side_px, steps and batch of 1 or more; got "
                f"{self.side_px}, {self.steps} and {self.batch}."
            )
        if not 0 <= self.fewest <= self.most:
            raise InvalidValueError(
                "A lesson has a fewest of 0 or more and a most of no less; got "
                f"{self.fewest} and {self.most}."
            )
        if not 0 <= self.earlier <= 1 or self.rate <= 0:
            raise InvalidValueError(
                "A lesson has an earlier of 0 to 1 and a rate above 0; got "
                f"{self.earlier} and {self.rate}."
            )


LARGE = {
    "canvas": "1000",
    "factor": "8..30",
    "digits": "1",
    "label": "free",
    "checkerboard": "0",
    "circles": "0",
    "triangles": "0",
}

QUARTER = {
    "canvas": "1000",
    "factor": "3..32",
    "digits": "1",
    "label": "free",
    "checkerboard": "3..6",
    "circles": "0..1",
    "triangles": "0..1",
}

EIGHTH = {
    "canvas": "500",
    "factor": "2..14",
    "digits": "1",
    "label": "free",
    "checkerboard": "2..3",
    "circles": "0..1",
    "triangles": "0..1",
}

HALF = {
    "canvas": "2000",
    "factor": "2..70",
    "digits": "1..3",
    "label": "free",
    "checkerboard": "6..12",
    "circles": "0..2",
    "triangles": "0..2",
}

LESSONS = (
    PlainLesson(LARGE, 64, 400, 128, 1, 1),
    PlainLesson(QUARTER, 64, 1200, 128, 0, 1),
    PlainLesson(EIGHTH, 32, 1000, 256, 0, 1, earlier=0.15),
    PlainLesson({**HALF, "digits": "1"}, 128, 1200, 48, 0, 1, earlier=0.15),
    PlainLesson(HALF, 128, 1800, 48, 0, 3, earlier=0.25),
    PlainLesson({}, 256, 500, 16, 3, 5, earlier=0.25, rate=0.3),
)


@dataclass(frozen=True, kw_only=True)
class PlainTraining(CourseSettings):
    """How the plain CNN is trained.

    Attributes
    ----------
    lessons
        One after the other.
    curve_images, curve_steps
        Scenes on which the accuracy over images is measured, and every how many steps; 0 for none.
    """

    seed: int = 901
    lessons: tuple[PlainLesson, ...] = LESSONS
    learning_rate: float = 3e-3
    precision: str = "mixed"
    workers: int = 1
    check_images: int = 280
    curve_images: int = 280
    curve_steps: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lessons or self.curve_images < 1 or self.curve_steps < 0:
            raise InvalidValueError(
                "Expected at least one lesson, one image for the curve and curve_steps of 0 or "
                "more."
            )

    def shortened(self) -> PlainTraining:
        """Return the course with `SHORT_STEPS` steps a lesson, and no curve."""
        lessons = tuple(replace(one, steps=SHORT_STEPS) for one in self.lessons)
        return replace(super().shortened(), lessons=lessons, curve_steps=0)


def draw_reduced(scene: Scene, glyphs: GlyphSet, side_px: int) -> NDArray[np.uint8]:
    """Draw a scene at a reduced size, uint8 (side_px, side_px).

    Of each reduced px about `FINER` x `FINER` places are looked at and averaged, where
    `umnist_core.pyramid.seen_by_model` averages every canvas px; the two differ at edges alone.
    """
    reduction = max(1, round(scene.width / (FINER * side_px)))
    seen = render(scene, glyphs, reduction=reduction, pyramid_filter="nearest")
    reduced = cv2.resize(seen, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


@dataclass(frozen=True)
class Batches(Dataset[tuple[Tensor, Tensor, PlainLesson]]):
    """Batches of the last of some lessons, and of those before, each drawn from its number."""

    lessons: tuple[PlainLesson, ...]
    seed: int
    glyphs: GlyphSet = field(repr=False)

    def __len__(self) -> int:
        return self.lessons[-1].steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor, PlainLesson]:
        rng = np.random.default_rng((self.seed, step))
        lesson = self.lessons[-1]
        if len(self.lessons) > 1 and rng.random() < lesson.earlier:
            lesson = self.lessons[int(rng.integers(len(self.lessons) - 1))]
        batch = self.lessons[-1].batch
        indices = range(batch * step, batch * (step + 1))
        images, labels = draw_lesson(lesson, self.seed, indices, self.glyphs)
        inverted = rng.random(len(images)) < 0.5
        images[inverted] = 255 - images[inverted]
        return torch.from_numpy(images), torch.from_numpy(labels), lesson


def draw_lesson(
    lesson: PlainLesson, seed: int, indices: range, glyphs: GlyphSet
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw images of a lesson, uint8 (B, side, side), and their sums, int64 (B,): no more."""
    images, labels = [], []
    for index in indices:
        scene = plan_scene(CLEAN, seed, "train", index, glyphs=glyphs, overrides=lesson.overrides)
        if lesson.fewest == 0 and index % (lesson.most + 1) == 0:
            scene = replace(scene, digits=())
        images.append(draw_reduced(scene, glyphs, lesson.side_px))
        labels.append(scene.label)
    return np.stack(images), np.array(labels, np.int64)


def plain_phases(
    model: PlainCnn, training: PlainTraining, glyphs: GlyphSet, out: Path, report: Report
) -> Iterator[Phase]:
    """Yield the lessons of a plain CNN.

    Parameters
    ----------
    model
        Where it begins; it learns in place.
    training
        How.
    glyphs
        Digits of the training subset.
    out
        Folder for the curve of accuracy over images.
    report
        Told of nothing but steps.

    Raises
    ------
    DamagedFileError, WriteError
        If the curve cannot be read again, or not written.
    """
    curve = LearningCurve(model, training, glyphs, out / CURVE_FILE)
    before = 0
    for number, lesson in enumerate(training.lessons):
        name = f"lesson-{number + 1}"
        batches = Batches(training.lessons[: number + 1], training.seed + number, glyphs)
        draw = lesson_batches(batches, training.workers, curve, (name, before))
        yield make_phase(
            training, name, model, lesson.steps, draw, loss_of=lesson_loss, rate_share=lesson.rate
        )
        before += lesson.steps * lesson.batch
    curve.measure(name, 0, before)  # of the mean that comes out


def lesson_batches(
    batches: Batches, workers: int, curve: LearningCurve, where: tuple[str, int]
) -> DrawBatch:
    """Return what gives a step its batch, drawn ahead by a worker where there is one.

    Parameters
    ----------
    batches
        Of a lesson.
    workers
        Processes that draw; what they draw does not follow from their number.
    curve
        Measured as images are seen.
    where
        Name of the lesson, and images of the lessons before it.
    """
    kept: dict[str, Any] = {"next": None, "iterator": iter(())}

    def draw_batch(step: int, _rng: np.random.Generator) -> tuple[Tensor, Tensor, PlainLesson]:
        name, before = where
        curve.measure(name, step, before + step * batches.lessons[-1].batch)
        if kept["next"] != step:
            kept["iterator"] = iter(_loader(batches, workers, step))
        kept["next"] = step + 1
        batch: tuple[Tensor, Tensor, PlainLesson] = next(kept["iterator"])
        if step + 1 == len(batches):
            kept.update(next=None, iterator=iter(()))  # ends the workers
        return batch

    return draw_batch


def _loader(batches: Batches, workers: int, first: int) -> DataLoader[Any]:
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, len(batches)),
        num_workers=workers,
        worker_init_fn=one_thread_worker,
        generator=torch.Generator().manual_seed(0),
    )


def as_input(images: Tensor, device: torch.device) -> Tensor:
    """Return what the net takes, float32 (B, 1, S, S) from -1 to 1, of uint8 (B, S, S)."""
    seen = images.to(device).float().div(255).sub(MEAN).div(DEVIATION)[:, None]
    return seen.contiguous(memory_format=torch.channels_last)


def lesson_loss(net: PlainCnn, images: Tensor, labels: Tensor, lesson: PlainLesson) -> Tensor:
    """Return the loss of some images, uint8 (B, S, S), and their sums, int64 (B,)."""
    logits: Tensor = net.net.places(as_input(images, net.device))
    chances = likeliest_places(logits, net.config.places)
    # The prior of a lesson's images, which is not that of the benchmark.
    sums = sum_log_probabilities(chances, lesson.fewest, lesson.most)
    return nn.functional.nll_loss(sums, labels)


class LearningCurve:
    """Accuracy on scenes of the benchmark over the images seen, kept in a file.

    The scenes are of the training digits, drawn as the lessons are, and not trained on. What is
    measured is the net as it is at a step, not the mean of its weights that comes out.
    """

    def __init__(
        self, model: PlainCnn, training: PlainTraining, glyphs: GlyphSet, path: Path
    ) -> None:
        self._model, self._every, self._path = model, training.curve_steps, path
        self._lesson = PlainLesson({}, model.config.side_px, 1, 1)
        self._which = training.seed + CURVE_SEED, range(training.curve_images)
        self._glyphs = glyphs
        self._scenes: tuple[Tensor, Tensor] | None = None

    def measure(self, phase: str, step: int, images: int) -> None:
        """Add a point if it is time for one; a run that goes on measures its last ones again."""
        if not self._every or step % self._every:
            return
        if self._scenes is None:
            seen, labels = draw_lesson(self._lesson, *self._which, self._glyphs)
            self._scenes = torch.from_numpy(seen), torch.from_numpy(labels)
        points = [one for one in read_curve(self._path) if one["images"] < images]
        points.append({"images": images, "accuracy": self._accuracy(), "phase": phase})
        write_whole(self._path, (json.dumps(points, indent=1) + "\n").encode())

    @torch.no_grad()
    def _accuracy(self) -> float:
        assert self._scenes is not None
        seen, labels = self._scenes
        model = self._model
        model.eval()
        parts = [seen[first : first + AT_ONCE] for first in range(0, len(seen), AT_ONCE)]
        said = [model.net(as_input(part, model.device)).argmax(dim=1).cpu() for part in parts]
        model.train()
        return float((torch.cat(said) == labels).float().mean())


def read_curve(path: Path) -> list[dict[str, Any]]:
    """Return the points of a curve, first to last; none where there is no file.

    Raises
    ------
    DamagedFileError
        If the file holds no curve.
    """
    if not path.is_file():
        return []
    try:
        points: list[dict[str, Any]] = parse_json(path.read_bytes())
        return [{name: one[name] for name in ("images", "accuracy", "phase")} for one in points]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path} holds no curve of accuracy over images; remove it to begin a new one."
        ) from error
