"""What the baselines of the UltraMNIST paper share: one reduced image in, 28 logits out.

Gupta et al., "UltraMNIST Classification", Scientific Data 2024, doi
10.1038/s41597-024-03587-4, section "Deep CNN models": "the output from the backbone is mapped
to 28 predefined classes using two fully-connected layers with a ReLU activation mapping between
them"; the hidden 100 units are those of the released training code. Differs from that code,
which attaches the two layers to an attribute that its networks never call and so trains their
1000-way heads: here they take the place of the backbone's own head.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn
from torchvision.models import WeightsEnum

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import SUM_CLASSES, Model, ModelOutput
from umnist_core.models.papers.grad_cam import NEEDS_CAPTUM, grad_cam, has_grad_cam
from umnist_core.models.reduced import (
    ReducedBatch,
    ReducedImage,
    check_side,
    collate_reduced,
    normalised,
    prepare_reduced,
)
from umnist_core.pyramid import TileSource

HIDDEN = 100
"""Units between the two layers of the head."""


@dataclass(frozen=True)
class ConvNetConfig:
    """Settings of a baseline.

    Attributes
    ----------
    side_px
        Side of the reduced image that the network sees, 32 or more.
    hidden
        Units between the two layers of the head, 1 or more.
    """

    side_px: int = 512
    hidden: int = HIDDEN

    def __post_init__(self) -> None:
        check_side(self.side_px)
        if self.hidden < 1:
            raise InvalidValueError(f"hidden is 1 or more; got {self.hidden}.")


def sum_head(features: int, hidden: int) -> nn.Sequential:
    """Return the documented head: two linear layers with a ReLU between, (B, features) in."""
    return nn.Sequential(
        nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, SUM_CLASSES)
    )  # (B, 28)


class CamNet(Model):
    """A network from images to the logits of one task, with Grad-CAM maps of what it says.

    Parameters
    ----------
    net
        From what `images` returns to logits (B, classes) of the one task.

    Attributes
    ----------
    backbone_weights
        Torchvision's published weights of the backbone, None where there are none.
    head_prefixes
        Beginnings of the names of parameters in ``net`` that no published weights fill.
    """

    backbone_weights: WeightsEnum | None = None
    head_prefixes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @property
    @abstractmethod
    def cam_layer(self) -> nn.Module:
        """Layer of the network that Grad-CAM reads, the last with rows and columns."""

    @abstractmethod
    def images(self, batch: ReducedBatch) -> Tensor:
        """Return what the network takes, float32 (B, C, S, S), on its device."""

    @property
    def backbone(self) -> nn.Module:
        """The part of the network that published weights are for."""
        return self.net

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits (B, classes) of the one task."""
        logits: Tensor = self.net(self.images(batch))  # (B, classes)
        return ModelOutput(
            {self.tasks[0].name: logits}, no_attention="Attention is worked out by attend alone."
        )

    def attend(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits, and the Grad-CAM map of the class that they say."""
        output = self.forward(batch)
        if not has_grad_cam():
            return replace(output, no_attention=NEEDS_CAPTUM)
        classes = output.logits[self.tasks[0].name].argmax(dim=1)
        maps = self.cam_maps(self.images(batch), classes, batch.sizes)
        return replace(output, attention=maps, no_attention="")

    def cam_maps(
        self, images: Tensor, classes: Tensor, sizes: tuple[tuple[int, int], ...]
    ) -> tuple[AttentionMap, ...]:
        """Return the Grad-CAM map of each image for one class; see `grad_cam`."""
        return grad_cam(
            self.net, self.cam_layer, images, classes, sizes=sizes, task=self.tasks[0].name
        )


class ConvNet(CamNet):
    """A classifier of the reduced image.

    Parameters
    ----------
    config
        Its settings.
    net
        As of `CamNet`.
    """

    config: ConvNetConfig

    def __init__(self, config: ConvNetConfig, net: nn.Module) -> None:
        super().__init__(net)
        self.config = config

    def prepare(self, source: TileSource) -> ReducedImage:
        """Reduce the image to the side that the network sees."""
        return prepare_reduced(source, self.config.side_px)

    def collate(self, prepared: Sequence[ReducedImage]) -> ReducedBatch:
        """Join reduced images."""
        return collate_reduced(prepared)

    def images(self, batch: ReducedBatch) -> Tensor:
        """Return what the network takes, float32 (B, 3, S, S) from -1 to 1, on its device."""
        return normalised(batch, self.config.side_px, self.device)
