"""Train the additive pyramid on sums alone, from easy scenes to those of the benchmark.

The first lessons have one digit an image, whose sum is its class, and little noise; the later
ones 3 to 5 digits and the full noise, on canvases that grow. No lesson tells a box or a class.
What a patch shows does not depend on the net, so images are read once and kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.own import AdditivePyramid, AdditivePyramidConfig, Patches
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import plan_scene
from umnist_core.training.finder import average_into

LARGEST_GRADIENT = 2.0
WARM_UP_STEPS = 100
SHIFT_SHARE = 0.5
"""Of the images whose patches are moved by a cell, as they are when a centre is read off."""

Report = Callable[[int, float], None]
"""Called with the steps done and their loss."""


@dataclass(frozen=True)
class Lesson:
    """A kind of scenes to learn from.

    Attributes
    ----------
    overrides
        Of the preset ``released``.
    images
        How many are drawn.
    fewest, most
        Digits of an image of this kind.
    """

    overrides: Mapping[str, str]
    images: int
    fewest: int = 3
    most: int = 5


ONE_DIGIT = {
    "canvas": "400",
    "factor": "2..6",
    "digits": "1",
    "label": "free",
    "circles": "0..1",
    "triangles": "0..1",
}

LESSONS = (
    Lesson(ONE_DIGIT, 4000, 1, 1),
    Lesson({"canvas": "1200", "factor": "2..12"}, 4000),
    Lesson({}, 20_000),
)
"""The full recipe: 28,000 images in all, as many as the official training set has."""


@dataclass(frozen=True)
class AdditiveTraining:
    """How the additive pyramid is trained.

    Attributes
    ----------
    seed
        Of the scenes and of everything else that is drawn.
    lessons
        One after the other; later ones keep what earlier ones taught in half of their batches.
    steps
        Of each lesson.
    batch
        Images of a step.
    learning_rate
        Its height in each lesson.
    """

    seed: int = 701
    lessons: tuple[Lesson, ...] = field(default=LESSONS)
    steps: int = 4000
    batch: int = 16
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        if not self.lessons or self.steps < 1 or self.batch < 1:
            raise InvalidValueError("Expected at least one lesson, one step and one image a batch.")


@dataclass(frozen=True)
class ReadImage:
    """An image as it was read, and all that is told of it: its sum."""

    patches: Patches
    label: int


def read_lesson(
    model: AdditivePyramid, lesson: Lesson, number: int, seed: int, glyphs: GlyphSet
) -> list[ReadImage]:
    """Draw and read the images of a lesson."""
    read = []
    for index in range(lesson.images):
        scene = plan_scene(
            "released", seed + number, "train", index, glyphs=glyphs, overrides=lesson.overrides
        )
        read.append(ReadImage(model.prepare(HeldScene(scene, glyphs)), scene.label))
    return read


def train_additive(
    config: AdditivePyramidConfig,
    training: AdditiveTraining,
    glyphs: GlyphSet,
    *,
    report: Report = lambda step, loss: None,
) -> AdditivePyramid:
    """Train the additive pyramid on the sums of its lessons.

    Returns
    -------
    AdditivePyramid
        In evaluation mode, with the running mean of its weights.
    """
    torch.manual_seed(training.seed)
    model, mean = AdditivePyramid(config), AdditivePyramid(config)
    mean.load_state_dict(model.state_dict())
    taught: list[tuple[Lesson, list[ReadImage]]] = []
    for number, lesson in enumerate(training.lessons):
        images = read_lesson(model, lesson, number, training.seed, glyphs)
        taught.append((lesson, images))
        teach(model, mean, taught, training, report=report)
    mean.config = config
    return mean.eval()


def teach(
    model: AdditivePyramid,
    mean: AdditivePyramid,
    taught: list[tuple[Lesson, list[ReadImage]]],
    training: AdditiveTraining,
    *,
    report: Report = lambda step, loss: None,
) -> None:
    """Take the steps of the last lesson; every second batch is of an earlier one."""
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    usual = model.config
    for step in range(training.steps):
        rng = np.random.default_rng((training.seed, len(taught), step))
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        height = 0.5 * (1 + math.cos(math.pi * step / training.steps)) + 1e-3
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * warm * height
        lesson, images = taught[-1 if step % 2 == 0 else int(rng.integers(len(taught)))]
        chosen = [images[place] for place in rng.integers(0, len(images), training.batch)]
        model.config = replace(usual, fewest_digits=lesson.fewest, most_digits=lesson.most)
        output = model.train()(tuple(move_patches(one.patches, rng) for one in chosen))
        labels = torch.tensor([one.label for one in chosen])
        loss = nn.functional.cross_entropy(output.logits["sum"], labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        average_into(mean, model, min(0.995, (1 + step) / (10 + step)))
        report(step + 1, float(loss.detach()))
    model.config = usual


def move_patches(patches: Patches, rng: np.random.Generator) -> Patches:
    """Move the glyphs of some images by a cell; their margins are mostly empty."""
    if rng.random() >= SHIFT_SHARE:
        return patches
    shift = tuple(int(n) for n in rng.integers(-1, 2, 2))
    return replace(patches, glyphs=np.roll(patches.glyphs, shift, axis=(2, 3)))
