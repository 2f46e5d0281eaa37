"""An image with what is known of it, and what a model is to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.known import Known
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import UNCONSTRAINED, Model, Task
from umnist_core.models.targets import (
    drawn_targets,
    known_targets,
    label_targets,
    scene_targets,
    task_targets,
)
from umnist_core.pyramid import TileSource
from umnist_core.scenes import Digit, Scene, Tasks


@dataclass(frozen=True)
class Sample:
    """An image with what is known of it.

    Attributes
    ----------
    image_id
        As on Kaggle.
    source
        Its pixels.
    scene
        What is in it; None for the data sets of others.
    label
        The sum of its digits; None where nothing says it.
    tasks
        Its answers, if it is one of Megapixel or Needle MNIST of which no scene is known.
    digits
        Where the digits of the scene lie in these pixels, if they were moved; None if they lie
        where the scene says.
    known
        What its data set says of a photograph; None of images of digits.
    boxes
        What people or tools drew in it; None where no annotation speaks of it, and of scenes,
        whose digits say it.
    """

    image_id: str
    source: TileSource
    scene: Scene | None
    label: int | None
    tasks: Tasks | None = None
    digits: tuple[Digit, ...] | None = None
    known: Known | None = None
    boxes: tuple[DrawnBox, ...] | None = None


def targets_of(sample: Sample, model: Model) -> dict[str, Tensor]:
    """Return what a model is to say of an image, and the digits where it may see them.

    Raises
    ------
    InvalidValueError
        If it is not known.
    """
    targets = find_targets(sample, model.tasks, with_digits=model.sees == UNCONSTRAINED)
    if targets is None:
        raise InvalidValueError(
            f"Expected a label of image {sample.image_id}, found none; use a data set with "
            "train.csv or a table of truth."
        )
    return targets


def find_targets(
    sample: Sample, tasks: Sequence[Task], *, with_digits: bool = False
) -> dict[str, Tensor] | None:
    """Return the answers to tasks; None where nothing is known of an image.

    Raises
    ------
    InvalidValueError
        If what is known answers other tasks.
    """
    if sample.known is not None:
        return known_targets(sample.known, tasks)
    if sample.scene is not None:
        return scene_targets(sample.scene, tasks, with_digits)
    if with_digits and sample.boxes is not None:
        source = sample.source
        return drawn_targets(sample.boxes, source.height, source.width, tasks)
    if sample.tasks is not None:
        return task_targets(sample.tasks, tasks)
    return None if sample.label is None else label_targets(sample.label, tasks)
