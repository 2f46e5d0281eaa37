"""VGG16 on squares of photographs: the baselines of MetH-Medium, -Cultures and -Period.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR
2015, arXiv 1409.1556, as torchvision builds it, without published weights. Parés et al., "MetH: A
family of high-resolution and variable-shape image challenges", 2019 (below: the document), change
its outputs alone: as many as there are classes, or one for the year.

as the document and its published code have it
    256x256 px whatever the shape; a crop of 224 drawn in training and central otherwise; mean and
    standard deviation 0.5; dropout of 0.5 after each of the two hidden layers; for years the mean
    squared error of a batch
where the two differ
    the code sums the cross-entropy of a batch (``loss = "sum"``), and never leaves training mode,
    so its dropout is on in validation and test (``evaluates_with_dropout``); the document has
    neither
ours
    what dropout drops in evaluation follows from an image's own pixels, so that a run can be
    repeated and no image's answer depends on those beside it; in the code it is drawn anew. An
    image's orientation is honoured.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import CLASS, YEAR_TASK, Model, ModelOutput, Task, class_task
from umnist_core.models.forms import Squared
from umnist_core.models.papers.grad_cam import KIND, NEEDS_CAPTUM, cam_grids, has_grad_cam
from umnist_core.models.photographs import (
    Frame,
    Photograph,
    PhotographBatch,
    as_planes,
    as_values,
    collate_photographs,
    frame_map,
    read_colour,
)
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

DEEPEST = 8
"""The last convolution has so many times the features of the first."""

POOLED = 7
"""Rows and columns that the last features are averaged to."""

DROPOUT = 0.5
SUM, MEAN = "sum", "mean"


@dataclass(frozen=True)
class PhotographConfig:
    """What a model of photographs is asked.

    Attributes
    ----------
    answers
        ``"class"`` or ``"year"``.
    classes
        How many: 23 in MetH-Medium, 15 in MetH-Cultures; no matter for years.
    width
        Features of the first convolution, 8 or more; later ones have up to eight times as many.
        64 in VGG16.
    hidden
        Units of each hidden layer, 1 or more.
    loss
        ``"mean"`` or ``"sum"`` of the cross-entropy of a batch; years always have the mean.
    """

    answers: str = CLASS
    classes: int = 23
    width: int = 64
    hidden: int = 4096
    loss: str = MEAN

    def __post_init__(self) -> None:
        if self.answers not in (CLASS, YEAR_TASK.name) or self.loss not in (SUM, MEAN):
            raise InvalidValueError(
                f"Expected answers of {CLASS} or {YEAR_TASK.name} and a loss of {MEAN} or {SUM}, "
                f"got {self.answers!r:.40} and {self.loss!r:.40}; choose of these."
            )
        if self.classes < 2 or self.hidden < 1 or self.width < 8:
            raise InvalidValueError(
                "classes is 2 or more, hidden 1 or more and width 8 or more; got "
                f"{self.classes}, {self.hidden} and {self.width}."
            )

    @property
    def task(self) -> Task:
        """What is answered."""
        return class_task(self.classes) if self.answers == CLASS else YEAR_TASK


@dataclass(frozen=True)
class Vgg16Config(PhotographConfig):
    """Settings of the baselines; see `PhotographConfig`.

    Attributes
    ----------
    resized_px
        Side of the square that an image is resized to.
    crop_px
        Side of the crop, 32 or more.
    evaluates_with_dropout
        Whether dropout is on in evaluation, as in the published code.
    """

    resized_px: int = 256
    crop_px: int = 224
    evaluates_with_dropout: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 32 <= self.crop_px <= self.resized_px:
            raise InvalidValueError(
                f"crop_px is 32 or more and at most resized_px; got {self.crop_px} and "
                f"{self.resized_px}."
            )


def vgg_features(width: int) -> nn.Sequential:
    """Return the 13 convolutions of VGG16 with their pools, initialised as torchvision does."""
    plan = [one if isinstance(one, str) else one * width // cfgs["D"][0] for one in cfgs["D"]]
    features: nn.Sequential = make_layers(plan, batch_norm=False)
    last = [layer for layer in features if isinstance(layer, nn.ReLU)][-1]
    last.inplace = False  # Grad-CAM reads its output, and the gradient of what came before
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return features


def vgg_classifier(width: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return the three linear layers of VGG16 with dropout between, (B, width) in."""
    sides = pairwise((width, hidden, hidden, outputs))
    # Their own beginnings would be drawn for nothing, a hundred million numbers.
    made = (nn.utils.skip_init(nn.Linear, *both) for both in sides)  # type: ignore[no-untyped-call]
    first, second, last = made
    for layer in (first, second, last):
        nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(
        first, nn.ReLU(), nn.Dropout(DROPOUT), second, nn.ReLU(), nn.Dropout(DROPOUT), last
    )


class Vgg16Net(nn.Module):
    """VGG16 with the names that torchvision gives its parts, so that weights are the same."""

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.features = vgg_features(width)
        self.avgpool = nn.AdaptiveAvgPool2d(POOLED)
        self.classifier = vgg_classifier(DEEPEST * width * POOLED**2, hidden, outputs)

    def forward(self, images: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
        """Return logits (B, outputs).

        Parameters
        ----------
        images
            float32 (B, 3, S, S).
        kept
            In evaluation, what takes the place of each dropout: float32 (B, hidden), 0 where a
            unit is dropped; none to drop nothing.
        """
        seen = self.avgpool(self.features(images)).flatten(1)  # (B, 512 * 49)
        return classify(self.classifier, seen, kept)


def classify(classifier: nn.Sequential, seen: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
    """Return what the layers make of features; see `Vgg16Net.forward` of ``kept``."""
    masks = iter(kept)
    for layer in classifier[:-1]:
        is_replaced = bool(kept) and isinstance(layer, nn.Dropout)
        seen = seen * next(masks) if is_replaced else layer(seen)
    # In full: 16 bits would round 1900 to a multiple of 8.
    with torch.autocast(seen.device.type, enabled=False):
        logits: Tensor = classifier[-1](seen.float())  # (B, outputs)
    return logits


class PhotographModel(Model):
    """A model of one task on photographs; what it shows is Grad-CAM of the class it says.

    Of years the map shows what makes the answer later.
    """

    sees_colour: ClassVar[bool] = True
    config: Any
    net: Any

    def __init__(self, config: PhotographConfig) -> None:
        super().__init__()
        self.config = config
        self.tasks = (config.task,)

    def copy_reader(self) -> PhotographModel:
        """Return the model without its weights, which are much to hand to a process."""
        reader = copy.copy(self)
        reader._modules = {}
        return reader

    def collate(self, prepared: Sequence[Photograph]) -> PhotographBatch:
        """Join photographs."""
        return collate_photographs(prepared)

    def loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the loss that is configured; see `PhotographConfig`."""
        return self._loss(output, targets, self.config.loss)

    def validation_loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the mean over the images of cross-entropy or of the squared error in years."""
        return self._loss(output, targets, MEAN)

    def _loss(self, output: ModelOutput, targets: dict[str, Tensor], reduction: str) -> Tensor:
        name = self.tasks[0].name
        logits, target = output.logits[name], targets[name]
        if name == YEAR_TASK.name:
            return nn.functional.mse_loss(logits[:, 0], target)
        return nn.functional.cross_entropy(logits, target, reduction=reduction)

    @property
    @abstractmethod
    def cam_layer(self) -> nn.Module:
        """Layer of the network that Grad-CAM reads: the last convolution."""

    def images(self, batch: PhotographBatch) -> Tensor:
        """Return what the network takes, float32 (B, 3, H, W) from -1 to 1, on its device."""
        return as_values(batch, self.device)

    def find_grid(self, batch: PhotographBatch, place: int, answer: Tensor) -> NDArray[np.float32]:
        """Return the Grad-CAM map of an image, without its padding and with nothing dropped."""
        rows, cols = batch.sizes[place]
        images = self.images(batch)[place : place + 1, :, :rows, :cols]
        return np.asarray(cam_grids(self.net, self.cam_layer, images, answer)[0])

    def attend(self, batch: PhotographBatch) -> ModelOutput:
        """Return logits, and the Grad-CAM map of what they say."""
        output = self.forward(batch)
        if not has_grad_cam():
            return replace(output, no_attention=NEEDS_CAPTUM)
        name = self.tasks[0].name
        answers = output.logits[name].argmax(dim=1)  # 0 of years
        maps = tuple(
            frame_map(
                self.find_grid(batch, place, answers[place : place + 1]),
                batch.wholes[place],
                batch.frames[place],
                task=name,
                kind=KIND,
            )
            for place in range(len(batch.sizes))
        )
        return replace(output, attention=maps, no_attention="")


@register_model("vgg16", Vgg16Config)
class Vgg16(PhotographModel):
    """The baseline."""

    paper: ClassVar[str] = "Simonyan and Zisserman 2015, arXiv 1409.1556"
    config: Vgg16Config

    def __init__(self, config: Vgg16Config) -> None:
        super().__init__(config)
        self.net = Vgg16Net(config.width, config.hidden, self.tasks[0].classes)

    @cached_property
    def form(self) -> Squared:
        """What is done to an image."""
        side = self.config.resized_px
        return Squared(resized_px=(side, side), crop_px=self.config.crop_px)

    def prepare(self, source: TileSource) -> Photograph:
        """Resize an image, and take the middle."""
        return self.prepare_to_learn(source, None)

    def prepare_to_learn(self, source: TileSource, rng: np.random.Generator | None) -> Photograph:
        """Resize an image, and draw a crop of it, or take the middle."""
        resized, crop = self.config.resized_px, self.config.crop_px
        pixels = as_planes(self.form.shape(read_colour(source, 4 * resized**2), rng))
        # Where a drawn crop lies is not kept: maps are asked for in evaluation.
        start = round((resized - crop) / 2)
        shares = start / resized, (start + crop) / resized
        height, width = source.height, source.width
        frame: Frame = shares[0] * height, shares[0] * width, shares[1] * height, shares[1] * width
        return Photograph(pixels, height, width, frame)

    def forward(self, batch: PhotographBatch) -> ModelOutput:
        """Return logits (B, classes), or years (B, 1)."""
        kept: Sequence[Tensor] = ()
        if self.config.evaluates_with_dropout and not self.training:
            kept = self._draw_kept(batch)
        logits = self.net(self.images(batch), kept)
        return ModelOutput(
            {self.tasks[0].name: logits}, no_attention="Attention is worked out by attend alone."
        )

    def _draw_kept(self, batch: PhotographBatch) -> list[Tensor]:
        """Return for each dropout what of each image's units is kept, (B, hidden)."""
        shape = 2, self.config.hidden
        draws = torch.stack(
            [
                torch.rand(shape, generator=torch.Generator().manual_seed(one))
                for one in batch.checksums
            ]
        )  # (B, 2, hidden)
        kept = hardware_of(self.device).send((draws >= DROPOUT).float() / (1 - DROPOUT))
        return list(kept.unbind(1))

    @property
    def cam_layer(self) -> nn.Module:
        """The ReLU of the last convolution, 14 x 14 of 224 px."""
        layer: nn.Module = self.net.features[-2]
        return layer
