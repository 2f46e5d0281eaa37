"""The plain CNN that scale-channel networks are compared with on MNIST Large Scale.

Jansson and Lindeberg, "Scale-invariant scale-channel networks: Deep networks that generalise to
previously unseen scales", Journal of Mathematical Imaging and Vision 64, 2022, doi
10.1007/s10851-022-01082-2 (shorter: ICPR 2020, arXiv 2004.01536).

verified in the data set's description
    images of 112x112 px with one value a pixel; a plain ("vanilla") CNN is compared there
recalled, not verified here
    blocks of a 3x3 convolution, batch normalisation and ReLU with 16, 16, 16, 32, 32 and 32
    features, then 100 units with a ReLU, then the classes; every second block has a stride of 2,
    so that digits of any size are seen whole
ours, as nothing says it
    no padding of the convolutions
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from umnist_core.models.base import DIGIT_TASK, Task
from umnist_core.models.papers.convnet import ConvNet, ConvNetConfig
from umnist_core.models.reduced import ReducedBatch
from umnist_core.models.registry import register_model

WIDTHS = (16, 16, 16, 32, 32, 32)
"""Features of the blocks."""

LARGE_SCALE_PX = 112
"""Side of an image of the data set."""


@dataclass(frozen=True)
class LargeScaleConfig(ConvNetConfig):
    """Settings of a model of MNIST Large Scale; see `ConvNetConfig`."""

    side_px: int = LARGE_SCALE_PX


def stride_of(place: int) -> int:
    """Return the stride of a block, counted from 0: 2 of every second one."""
    return 2 if place % 2 else 1


def sides_px(side_px: int, blocks: int) -> int:
    """Return the side of what blocks make of an image with a side."""
    for place in range(blocks):
        side_px = (side_px - 3) // stride_of(place) + 1
    return side_px


class LargeScaleModel(ConvNet):
    """A model that reads the class of the one digit in a grey image."""

    tasks: tuple[Task, ...] = (DIGIT_TASK,)
    paper: ClassVar[str] = "Jansson and Lindeberg 2022, doi 10.1007/s10851-022-01082-2"

    def images(self, batch: ReducedBatch) -> Tensor:
        """Return what the network takes, float32 (B, 1, S, S) from -1 to 1, on its device."""
        return super().images(batch)[:, :1]


@register_model("large-scale-cnn", LargeScaleConfig)
class LargeScaleCnn(LargeScaleModel):
    """Six blocks and two layers."""

    def __init__(self, config: LargeScaleConfig) -> None:
        blocks = [
            nn.Sequential(
                nn.Conv2d(before, width, 3, stride_of(place), bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            )
            for place, (before, width) in enumerate(pairwise((1, *WIDTHS)))
        ]
        last = sides_px(config.side_px, len(WIDTHS))
        net = nn.Sequential(
            nn.Sequential(*blocks),  # (B, 32, last, last)
            nn.Flatten(),
            nn.Linear(WIDTHS[-1] * last**2, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, DIGIT_TASK.classes),
        )  # (B, 10)
        super().__init__(config, net)

    @property
    def cam_layer(self) -> nn.Module:
        """The last block, (B, 32, 11, 11) of 112 px."""
        return self.net.get_submodule("0")
