"""What every model is and gives: logits of each task, and where it looked.

`Model.attend` returns attention in the frame of the image or says in a sentence why
there is none. It is part of the output, never read off a layer by name, because a fused
attention has no such layer and a hook on it would stay silent.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.models.reduced import ReducedBatch
from umnist_core.models.views import DigitView, Ends, view_reduced
from umnist_core.pyramid import TileSource

SUM_CLASSES = 28
"""Sums from 0 to 27, the classes of UltraMNIST."""

LABELS_ONLY = "labels-only"
UNCONSTRAINED = "unconstrained"
SEES = (LABELS_ONLY, UNCONSTRAINED)
"""What a model may be trained on: sums alone, or the boxes and classes of digits too."""

CLASS, NUMBER, IMAGE = "class", "number", "image"
ASKS = (CLASS, NUMBER, IMAGE)
"""What a task may ask for."""

DOUBTS = ("none-found", "count", "canvas", "rescaled", "turned", "photograph", "unsure")
"""Why an answer is in doubt: no digit was found; more or fewer digits than the model assumes;
another canvas; pixels that were made anew by scaling; an image that stands on its side or on its
head; grey values where there are two; and an answer that is hardly likelier than another."""

IMAGE_DOUBTS = ("no-digits", "blank", "colour", "ground")
"""What is found of an image before any model looks: that it holds no digit, or nothing at all;
that it has colours; and that its ground is not black, as that of grey digits is."""


@dataclass(frozen=True)
class Task:
    """One question that a model answers.

    Attributes
    ----------
    name
        For example ``"sum"`` or ``"majority"``.
    classes
        Number of logits.
    is_multi
        Whether several classes are right at once, each decided alone (sigmoid at 0.5).
    asks
        One of `ASKS`: a class; a number, whose one logit it is; or an image, whose values from 0
        to 1 stand in place of logits and which has no classes.

    Raises
    ------
    InvalidValueError
        If nothing is asked that there is.
    """

    name: str
    classes: int
    is_multi: bool = False
    asks: str = CLASS

    def __post_init__(self) -> None:
        if self.asks not in ASKS:
            raise InvalidValueError(
                f"A task asks for one of {', '.join(ASKS)}; got {self.asks[:40]!r}; choose one."
            )


SUM_TASK = Task("sum", SUM_CLASSES)

DIGIT_TASK = Task("digit", 10)
"""The class of an image's one digit, as of MNIST Large Scale."""

MEGAPIXEL_TASKS = (
    Task("majority", 10),
    Task("max", 10),
    Task("top", 10),
    Task("multi", 10, is_multi=True),
)
"""The four tasks of Megapixel MNIST, in the order of the original's query tokens."""

NEEDLE_TASK = Task("needle", 2)
"""Whether the digit that is looked for is there, as in Needle MNIST: 0 or 1."""

YEAR_TASK = Task("year", 1, asks=NUMBER)
"""The year of an image, as of MetH-Period."""

UPSCALED_TASK = Task("upscaled", 0, asks=IMAGE)
"""The image at a higher resolution, as of MetH-SR."""


def class_task(classes: int) -> Task:
    """Return the task of data sets whose images have one of so many named classes."""
    return Task(CLASS, classes)


@dataclass(frozen=True)
class FoundDigit:
    """A digit that a model says is there: class, score 0 to 1, box in image px."""

    label: int
    score: float
    row: float
    col: float
    height_px: float
    width_px: float


@dataclass(frozen=True)
class Doubt:
    """A reason why an answer may be wrong: the image is unlike those that the model knows.

    Attributes
    ----------
    kind
        One of `DOUBTS` or `IMAGE_DOUBTS`.
    sentence
        For people: what was expected, and what was found.

    Raises
    ------
    InvalidValueError
        If there is no such kind.
    """

    kind: str
    sentence: str

    def __post_init__(self) -> None:
        kinds = (*DOUBTS, *IMAGE_DOUBTS)
        if self.kind not in kinds:
            raise InvalidValueError(
                f"A doubt is one of {', '.join(kinds)}; got {self.kind[:40]!r}."
            )


@dataclass(frozen=True)
class ModelOutput:
    """What a model gives for a batch of B images.

    Attributes
    ----------
    logits
        Task name -> float (B, classes), before softmax or sigmoid; of a task that asks for an
        image float (B, 3, H, W).
    attention
        A map for each image; None where the model gives none.
    no_attention
        Why there is none; empty where there is some.
    found
        The digits of each image, for models that find them.
    rounds
        For each image, the maps of the rounds of an iterative selection, first to last.
    doubts
        For each image, what the model finds unlike the images that it knows; empty of models
        that do not look for it.
    confidence
        float (B,), 0 to 1: the calibrated chance that the answer to the first task is right;
        None of models that have none.
    """

    logits: dict[str, Tensor]
    attention: tuple[AttentionMap, ...] | None = None
    no_attention: str = ""
    found: tuple[tuple[FoundDigit, ...], ...] | None = None
    rounds: tuple[tuple[AttentionMap, ...], ...] = ()
    doubts: tuple[tuple[Doubt, ...], ...] = ()
    confidence: Tensor | None = None


class Model(nn.Module, ABC):
    """A model of the registry.

    Attributes
    ----------
    tasks
        What it answers.
    sees
        One of `SEES`.
    paper
        Authors, year and identifier of what it follows; ``"umnist"`` for our own.
    sees_colour
        Whether it reads photographs, and is asked for their class, year or pixels.
    """

    tasks: tuple[Task, ...] = (SUM_TASK,)
    sees: ClassVar[str] = LABELS_ONLY
    sees_colour: ClassVar[bool] = False
    paper: ClassVar[str] = "umnist"
    config: Any

    @abstractmethod
    def prepare(self, source: TileSource) -> Any:
        """Read what the model needs of one image, on the CPU and without gradients.

        Parameters
        ----------
        source
            The image, of any size; a model that cannot take its size says so.
        """

    def prepare_to_learn(self, source: TileSource, rng: np.random.Generator | None) -> Any:
        """Do what `prepare` does for training, where ``rng`` draws, or None for validation."""
        return self.prepare(source)

    def find_own_targets(self, prepared: Any) -> dict[str, Tensor] | None:
        """Return the targets that are in the image itself; None where they are told apart."""
        return None

    def copy_reader(self) -> Model:
        """Return a copy on the CPU that prepares and joins images in other processes."""
        return copy.deepcopy(self).cpu()

    def find_input_size(self, height: int, width: int) -> tuple[int, int] | None:
        """Return height and width that an image has in a batch, px; None where all are alike."""
        return None

    @abstractmethod
    def collate(self, prepared: Sequence[Any]) -> Any:
        """Join what `prepare` returned for several images into a batch."""

    @abstractmethod
    def forward(self, batch: Any) -> ModelOutput:
        """Return the logits of a batch, with gradients in training mode."""

    def attend(self, batch: Any) -> ModelOutput:
        """Return logits with attention, or with the reason why there is none."""
        return self.forward(batch)

    def view_place(self, batch: Any, canvas_box: Ends) -> DigitView | None:
        """Return a place of a batch's one image as the model got it, for people to look at.

        Parameters
        ----------
        batch
            Of `collate`, of one image.
        canvas_box
            row0, col0, row1, col1 in image px.

        Returns
        -------
        DigitView or None
            None where the model cannot say, or read nothing there.
        """
        if not isinstance(batch, ReducedBatch):
            return None
        return view_reduced(batch, canvas_box, batch.sizes[0])

    def loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the mean over the tasks of cross-entropy, or binary where several are right.

        Parameters
        ----------
        output
            Of `forward`.
        targets
            Task name -> int64 (B,), or float (B, classes) of 0 and 1 for a multi task.
        """
        losses = [
            nn.functional.binary_cross_entropy_with_logits(
                output.logits[task.name], targets[task.name]
            )
            if task.is_multi
            else nn.functional.cross_entropy(output.logits[task.name], targets[task.name])
            for task in self.tasks
        ]
        return torch.stack(losses).mean()

    def validation_loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return a mean over the images, where `loss` may be none; see there."""
        return self.loss(output, targets)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device
