"""The CNN of Needle MNIST: a ResNet-50 whose features see small places alone, at full resolution.

Pawlowski et al., "Needles in Haystacks: On Classifying Tiny Objects in Large Images", 2019, arXiv
1908.06037. Its network follows BagNets: Brendel and Bethge, "Approximating CNNs with
Bag-of-local-Features models works surprisingly well on ImageNet", ICLR 2019, arXiv 1904.00760.
Written from the recipe, without the released code, whose licence forbids copies.

verified in the released code
    one channel of 0 to 1; a stem of a 1x1 and an unpadded 3x3 convolution to 64 features; four
    stages of 3, 4, 6 and 3 bottlenecks (1x1, 3x3 or 1x1, 1x1; expansion 4), of strides 2, 2, 2 and
    1; 3x3 in the first blocks of a stage alone, and two and a half times the features inside where
    a block has none; instance normalisation that is learned; a pooling over all places, by default
    the mean; one linear layer
not known here
    which stages had a 3x3 convolution in the published figures: the code's default gives features
    that see 9 px, ours is BagNet-33's, so that one sees a whole digit of 28 px
ours, so that a CPU alone can train it
    fewer and narrower blocks, batch normalisation and a stem of stride 2, where they are set
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import NEEDLE_TASK, Task
from umnist_core.models.papers.convnet import CamNet
from umnist_core.models.reduced import (
    ReducedBatch,
    ReducedImage,
    collate_reduced,
    prepare_reduced,
)
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

STRIDES = (2, 2, 2, 1)
"""Of the first block of each stage."""

EXPANSION = 4
"""Features of a block over those that its convolution inside would have."""

COMPENSATION = 2.5
"""The published factor of features inside a block that has no 3x3 convolution."""

NORMS = ("instance", "batch")
POOLINGS = ("mean", "max", "logsumexp")

LEAST_PX, MOST_PX = 64, 6144
"""Sides of the smallest and the largest published canvas."""


@dataclass(frozen=True)
class NeedleCnnConfig:
    """Settings of `NeedleCnn`; the defaults are published, but for ``kernels``.

    Attributes
    ----------
    width
        Features of the stem, 1 or more; a stage has 4, 8, 16 and 32 times as many.
    blocks
        Of the four stages, 1 or more each.
    kernels
        How many blocks of each stage have a 3x3 convolution, the first so many; see `field_px`.
    stem_stride
        Of the 3x3 convolution of the stem, 1 or 2.
    norm
        One of `NORMS`.
    pooling
        One of `POOLINGS`.
    is_compensated
        Whether a block without a 3x3 convolution has `COMPENSATION` times the features inside.
    """

    width: int = 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    kernels: tuple[int, ...] = (1, 1, 1, 1)
    stem_stride: int = 1
    norm: str = "instance"
    pooling: str = "mean"
    is_compensated: bool = True

    def __post_init__(self) -> None:
        for name in ("blocks", "kernels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON and TOML give lists
        if len(self.blocks) != len(STRIDES) or min(self.blocks) < 1 or self.width < 1:
            raise InvalidValueError(
                f"width is 1 or more, and blocks are {len(STRIDES)} numbers of 1 or more; got "
                f"{self.width} and {self.blocks}."
            )
        if len(self.kernels) != len(STRIDES) or not all(
            0 <= few <= many for few, many in zip(self.kernels, self.blocks, strict=True)
        ):
            raise InvalidValueError(
                f"kernels are {len(STRIDES)} numbers of 0 to those of blocks, {self.blocks}; got "
                f"{self.kernels}."
            )
        if self.stem_stride not in (1, 2):
            raise InvalidValueError(f"stem_stride is 1 or 2; got {self.stem_stride}.")
        for name, words in (("norm", NORMS), ("pooling", POOLINGS)):
            if getattr(self, name) not in words:
                raise InvalidValueError(
                    f"{name} is one of {', '.join(words)}; got {getattr(self, name)!r:.40}."
                )

    @property
    def field_px(self) -> int:
        """Side of the square of the image that one feature sees."""
        field, step = 3, self.stem_stride
        for few, stride in zip(self.kernels, STRIDES, strict=True):
            # The stride is in the first block, which is the first to have a 3x3 convolution.
            field += 2 * step * (few > 0) + 2 * step * stride * max(0, few - 1)
            step *= stride
        return field


@register_model("needle-cnn", NeedleCnnConfig)
class NeedleCnn(CamNet):
    """Whether there is a needle, from all places of an image of any size up to `MOST_PX`."""

    tasks: tuple[Task, ...] = (NEEDLE_TASK,)
    paper: ClassVar[str] = "Pawlowski et al. 2019, arXiv 1908.06037"
    config: NeedleCnnConfig

    def __init__(self, config: NeedleCnnConfig) -> None:
        features = config.width * EXPANSION * 2 ** (len(STRIDES) - 1)
        places = _Places(config)
        super().__init__(
            nn.Sequential(
                places, _OverPlaces(config.pooling), nn.Linear(features, NEEDLE_TASK.classes)
            )
        )
        self.config = config

    @property
    def cam_layer(self) -> nn.Module:
        """All before the pooling, (B, 32 width, rows, cols)."""
        return self.net.get_submodule("0")

    def prepare(self, source: TileSource) -> ReducedImage:
        """Read the image as it is; a wide or high one is padded with black to a square.

        Raises
        ------
        InvalidValueError
            If it is smaller than the smallest canvas.
        TooLargeError
            If it is larger than the largest.
        """
        longer = max(source.height, source.width)
        found = f"{source.width} x {source.height} px"
        if longer < LEAST_PX:
            raise InvalidValueError(
                f"This model takes images with a longer side of {LEAST_PX} px or more, got {found};"
                " choose a larger image."
            )
        if longer > MOST_PX:
            raise TooLargeError(
                f"This model reads images whole, up to {MOST_PX} px a side, got {found}; choose a "
                "smaller image or a model that reads patches."
            )
        return prepare_reduced(source, longer)

    def collate(self, prepared: Sequence[ReducedImage]) -> ReducedBatch:
        """Join images of one size.

        Raises
        ------
        InvalidValueError
            If their longer sides differ.
        """
        sides = sorted({one.pixels.shape[0] for one in prepared})
        if len(sides) != 1:
            raise InvalidValueError(
                "Expected images with one longer side in a batch; got "
                f"{', '.join(map(str, sides)) or 'none'} px; take one image at a time."
            )
        return collate_reduced(prepared)

    def images(self, batch: ReducedBatch) -> Tensor:
        """Return what the network takes, float32 (B, 1, S, S) from 0 to 1, on its device."""
        return hardware_of(self.device).send(batch.pixels).float().div(255).unsqueeze(1)


class _Places(nn.Sequential):
    """From images (B, 1, S, S) to features of places (B, 32 width, rows, cols)."""

    def __init__(self, config: NeedleCnnConfig) -> None:
        width = config.width
        layers: list[nn.Module] = [
            nn.Conv2d(1, width, 1, bias=False),
            nn.Conv2d(width, width, 3, config.stem_stride, bias=False),
            _norm(config, width),
            nn.ReLU(inplace=True),
        ]
        before = width
        for stage, stride in enumerate(STRIDES):
            inside = width * 2**stage
            for place in range(config.blocks[stage]):
                is_wide = place < config.kernels[stage]
                layers.append(
                    _Bottleneck(config, before, inside, 1 if place else stride, is_wide=is_wide)
                )
                before = EXPANSION * inside
        super().__init__(*layers)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


class _Bottleneck(nn.Module):
    """A block of three convolutions beside a way past them."""

    def __init__(
        self, config: NeedleCnnConfig, before: int, inside: int, stride: int, *, is_wide: bool
    ) -> None:
        super().__init__()
        after, kernel = EXPANSION * inside, 3 if is_wide else 1
        is_more = config.is_compensated and not is_wide
        middle = int(COMPENSATION * inside) if is_more else inside
        self.body = nn.Sequential(
            nn.Conv2d(before, inside, 1, bias=False),
            _norm(config, inside),
            nn.ReLU(inplace=True),
            nn.Conv2d(inside, middle, kernel, stride, kernel // 2, bias=False),
            _norm(config, middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, after, 1, bias=False),
            _norm(config, after),
        )
        is_same = before == after and stride == 1
        self.past = (
            nn.Identity()
            if is_same
            else nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), _norm(config, after)
            )
        )

    def forward(self, seen: Tensor) -> Tensor:
        """Return features (B, 4 inside, rows, cols)."""
        return torch.relu(self.body(seen) + self.past(seen))


class _OverPlaces(nn.Module):
    """From features of places (B, D, rows, cols) to those of an image (B, D)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, places: Tensor) -> Tensor:
        """Pool over all places."""
        if self.kind == "max":
            return places.amax(dim=(2, 3))
        if self.kind == "logsumexp":
            # In 32 bits: features of thousands of places are added.
            return places.float().logsumexp(dim=(2, 3))
        return places.mean(dim=(2, 3))


def _norm(config: NeedleCnnConfig, features: int) -> nn.Module:
    if config.norm == "batch":
        return nn.BatchNorm2d(features)
    return nn.InstanceNorm2d(features, affine=True)
