"""The course of the additive pyramid: sums alone, from easy scenes to those of the benchmark.

The first lesson has one digit an image, whose sum is its class, and little noise; the next ones 3
to 5 digits and the full noise, on canvases that grow; the last many small images, for the reading
alone. No lesson tells a box or a class. What a patch shows does not depend on the net, so images
are read once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.own.pyramid import AdditivePyramid, ReadPatches
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import plan_scene
from umnist_core.training.course import Phase, Report
from umnist_core.training.own.finder_glyphs import bend
from umnist_core.training.own.phases import SHORT_STEPS, CourseSettings, DrawBatch, make_phase
from umnist_core.training.own.shards import iter_kept

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class Lesson:
    """A kind of scenes to learn from.

    Attributes
    ----------
    overrides
        Of the preset ``released``.
    images
        How many are drawn.
    steps
        Of the optimiser.
    fewest, most
        Digits of an image of this kind.
    """

    overrides: Mapping[str, str]
    images: int
    steps: int
    fewest: int = 3
    most: int = 5

    def __post_init__(self) -> None:
        if self.images < 1 or self.steps < 1:
            raise InvalidValueError(
                f"A lesson has 1 or more images and steps; got {self.images} and {self.steps}."
            )


ONE_DIGIT = {
    "canvas": "400",
    "factor": "2..6",
    "digits": "1",
    "label": "free",
    "circles": "0..1",
    "triangles": "0..1",
}

MANY_DIGITS = {**ONE_DIGIT, "canvas": "480", "digits": "3..5"}

LESSONS = (
    Lesson(ONE_DIGIT, 2500, 800, 1, 1),
    Lesson({"canvas": "1200", "factor": "0.5..8"}, 2500, 1600),
    Lesson({}, 1300, 1600),
    Lesson(MANY_DIGITS, 14_000, 6500),
)


@dataclass(frozen=True, kw_only=True)
class AdditiveTraining(CourseSettings):
    """How the additive pyramid is trained.

    Attributes
    ----------
    lessons
        One after the other; later ones keep what earlier ones taught in half of their batches.
    batch
        Images of a step.
    """

    seed: int = 701
    lessons: tuple[Lesson, ...] = LESSONS
    batch: int = 16
    learning_rate: float = 2e-3
    precision: str = "mixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lessons or self.batch < 1:
            raise InvalidValueError("Expected at least one lesson and one image a batch.")

    def shortened(self) -> AdditiveTraining:
        """Return the course with two images and `SHORT_STEPS` steps a lesson."""
        lessons = tuple(replace(one, images=2, steps=SHORT_STEPS) for one in self.lessons)
        return replace(super().shortened(), lessons=lessons)


@dataclass(frozen=True)
class ReadImages:
    """Images as they were read, and all that is told of them: their sums.

    Attributes
    ----------
    glyphs
        uint8 (P, 196): the two pictures of each patch of all images, eight px a byte.
    boxes
        float32 (P, 4), as of `ReadPatches`.
    counts, labels
        int64 (N,): patches of each image, and its sum.
    sizes
        int64 (N, 2): height and width of each image, px.
    """

    glyphs: Tensor
    boxes: Tensor
    counts: Tensor
    labels: Tensor
    sizes: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def patches(self, place: int) -> ReadPatches:
        """Return the patches of an image."""
        first = int(self.counts[:place].sum())
        some = slice(first, first + int(self.counts[place]))
        bits = np.unpackbits(self.glyphs[some].numpy(), axis=1)
        glyphs = bits.reshape(-1, 2, GLYPH_PX, GLYPH_PX)
        height, width = self.sizes[place].tolist()
        return ReadPatches(glyphs, self.boxes[some].numpy(), height, width)


def read_images(
    model: AdditivePyramid, lesson: Lesson, indices: range, seed: int, glyphs: GlyphSet
) -> ReadImages:
    """Draw and read some images of a lesson, those of the training split with these indices."""
    patches, labels = [], []
    for index in indices:
        scene = plan_scene(
            "released", seed, "train", index, glyphs=glyphs, overrides=lesson.overrides
        )
        patches.append(model.prepare(HeldScene(scene, glyphs)))
        labels.append(scene.label)
    return ReadImages(
        torch.from_numpy(np.concatenate([_packed(one) for one in patches])),
        torch.from_numpy(np.concatenate([one.boxes for one in patches])),
        torch.tensor([len(one.glyphs) for one in patches]),
        torch.tensor(labels),
        torch.tensor([[one.height, one.width] for one in patches]),
    )


def _read_tensors(
    model: AdditivePyramid, lesson: Lesson, seed: int, glyphs: GlyphSet, indices: range
) -> dict[str, Tensor]:
    return vars(read_images(model, lesson, indices, seed, glyphs))


def _packed(patches: ReadPatches) -> NDArray[np.uint8]:
    return np.packbits(patches.glyphs.reshape(len(patches.glyphs), -1), axis=1)


def read_lesson(
    model: AdditivePyramid,
    lesson: Lesson,
    number: int,
    training: AdditiveTraining,
    glyphs: GlyphSet,
    *,
    out: Path,
    report: Report,
) -> ReadImages:
    """Read the images of a lesson, or take them from where an earlier run kept them."""
    name = f"lesson-{number + 1}-images"
    make = partial(_read_tensors, model, lesson, training.seed + number, glyphs)
    count, workers = lesson.images, training.workers
    parts = []
    for done, kept in iter_kept(
        out, name, make, count=count, at_once=IMAGES_AT_ONCE, workers=workers
    ):
        parts.append(ReadImages(**kept))
        report(f"images of lesson {number + 1}", done, count, 0.0)
    names = ("glyphs", "boxes", "counts", "labels", "sizes")
    return ReadImages(*(torch.cat([getattr(one, name) for one in parts]) for name in names))


def pyramid_phases(
    model: AdditivePyramid, training: AdditiveTraining, glyphs: GlyphSet, out: Path, report: Report
) -> Iterator[Phase]:
    """Yield the lessons of an additive pyramid.

    Parameters
    ----------
    model
        Where it begins; it learns in place.
    training
        How.
    glyphs
        Digits of the training subset.
    out
        Folder for what was read in images.
    report
        Told of every image.

    Raises
    ------
    DamagedFileError, WriteError
        If what was read cannot be read again, or not written.
    """
    taught: list[tuple[Lesson, ReadImages]] = []
    for number, lesson in enumerate(training.lessons):
        images = read_lesson(model, lesson, number, training, glyphs, out=out, report=report)
        taught.append((lesson, images))
        drawn = lesson_batches(list(taught), training.batch)
        name = f"lesson-{number + 1}"
        yield make_phase(training, name, model, lesson.steps, drawn, loss_of=lesson_loss)


def lesson_batches(taught: list[tuple[Lesson, ReadImages]], batch: int) -> DrawBatch:
    """Return what draws batches of the last lesson; every second is of any of them."""

    def draw_batch(
        step: int, rng: np.random.Generator
    ) -> tuple[tuple[ReadPatches, ...], Tensor, Lesson]:
        lesson, images = taught[-1 if step % 2 == 0 else int(rng.integers(len(taught)))]
        chosen = [int(one) for one in rng.integers(0, len(images), batch)]
        patches = tuple(bend_patches(images.patches(place), rng) for place in chosen)
        return patches, images.labels[chosen], lesson

    return draw_batch


def lesson_loss(
    net: AdditivePyramid, patches: tuple[ReadPatches, ...], labels: Tensor, lesson: Lesson
) -> Tensor:
    """Return the loss of some images and their sums, int64 (B,)."""
    usual = net.config
    # The prior of a lesson's images, which is not that of the benchmark.
    net.config = replace(usual, fewest_digits=lesson.fewest, most_digits=lesson.most)
    try:
        return nn.functional.cross_entropy(net(patches).logits["sum"], labels)
    finally:
        net.config = usual


def bend_patches(patches: ReadPatches, rng: np.random.Generator) -> ReadPatches:
    """Bend the glyphs of some patches a little and move them, as the finder's reader sees them."""
    glyphs = torch.from_numpy(patches.glyphs).float()  # (P, 2, 28, 28)
    return replace(patches, glyphs=(bend(glyphs, rng) > 0.5).numpy().astype(np.uint8))
