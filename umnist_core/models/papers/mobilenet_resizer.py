"""MobileNet-V3 behind a learned resizer: the baseline MBNet-demir.

Resizer: Talebi, Milanfar, "Learning to Resize Images for Computer Vision Tasks", ICCV 2021,
arXiv 2103.09950, figure 2 and section 3.1 (16 channels, LeakyReLU of slope 0.2). Backbone:
Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv 1905.02244, as torchvision builds
it. Differs from the papers in that the resizer reduces 1280 px, the input that Gupta et al.
(2024) name, to a side that they do not: 640 px unless it is set. The document does not say
which MobileNet-V3 it was either; ours is the large one unless the small is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import (
    MobileNet_V3_Large_Weights,
    MobileNet_V3_Small_Weights,
    mobilenet_v3_large,
    mobilenet_v3_small,
)

from umnist_core.errors import InvalidValueError
from umnist_core.models.papers.convnet import ConvNet, ConvNetConfig, sum_head
from umnist_core.models.reduced import check_side
from umnist_core.models.registry import register_model

SLOPE = 0.2
VARIANTS = ("large", "small")


@dataclass(frozen=True)
class MobileNetResizerConfig(ConvNetConfig):
    """Settings of MobileNet-V3 with the learned resizer.

    Attributes
    ----------
    side_px
        Side of the image that the resizer sees.
    backbone_px
        Side that it makes of it for the backbone, 32 to ``side_px``.
    channels, blocks
        Of the resizer.
    variant
        One of `VARIANTS`.
    """

    side_px: int = 1280
    backbone_px: int = 640
    channels: int = 16
    blocks: int = 1
    variant: str = "large"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_side(self.backbone_px)
        if self.backbone_px > self.side_px:
            raise InvalidValueError(
                f"backbone_px is at most side_px, {self.side_px}; got {self.backbone_px}."
            )
        if self.channels < 1 or self.blocks < 0 or self.variant not in VARIANTS:
            raise InvalidValueError(
                f"channels is 1 or more, blocks 0 or more and variant one of "
                f"{', '.join(VARIANTS)}; got {self.channels}, {self.blocks} and {self.variant!r}."
            )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = features + self.body(features)
        return out


class Resizer(nn.Module):
    """From (B, 3, S, S) to (B, 3, s, s): bilinear reduction plus what the network adds."""

    def __init__(self, channels: int, blocks: int, side_px: int) -> None:
        super().__init__()
        self.side_px = side_px
        self.before = nn.Sequential(
            nn.Conv2d(3, channels, 7, padding=3),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(channels, channels, 1),
            nn.LeakyReLU(SLOPE),
            nn.BatchNorm2d(channels),
        )
        self.residual = nn.Sequential(*(_Residual(channels) for _ in range(blocks)))
        self.joint = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.after = nn.Conv2d(channels, 3, 7, padding=3)

    def forward(self, images: Tensor) -> Tensor:
        """Return the resized images."""
        features = self._resize(self.before(images))  # (B, channels, s, s)
        features = features + self.joint(self.residual(features))
        out: Tensor = self._resize(images) + self.after(features)  # (B, 3, s, s)
        return out

    def _resize(self, images: Tensor) -> Tensor:
        size = (self.side_px, self.side_px)
        return functional.interpolate(images, size, mode="bilinear", align_corners=False)


@register_model("mobilenet-v3-resizer", MobileNetResizerConfig)
class MobileNetResizer(ConvNet):
    """A learned resizer, MobileNet-V3 and the documented head."""

    paper: ClassVar[str] = "Talebi and Milanfar 2021, arXiv 2103.09950"
    head_prefixes: ClassVar[tuple[str, ...]] = ("classifier.",)

    def __init__(self, config: MobileNetResizerConfig) -> None:
        is_large = config.variant == "large"
        mobilenet = (mobilenet_v3_large if is_large else mobilenet_v3_small)(weights=None)
        features = mobilenet.classifier[0].in_features
        mobilenet.classifier = sum_head(features, config.hidden)
        resizer = Resizer(config.channels, config.blocks, config.backbone_px)
        super().__init__(config, nn.Sequential(resizer, mobilenet))
        large, small = MobileNet_V3_Large_Weights, MobileNet_V3_Small_Weights
        # Of this instance: the variants have weights of their own.
        self.backbone_weights = large.IMAGENET1K_V1 if is_large else small.IMAGENET1K_V1

    @property
    def backbone(self) -> nn.Module:
        """MobileNet-V3; nobody publishes weights of the resizer."""
        return self.net.get_submodule("1")

    @property
    def cam_layer(self) -> nn.Module:
        """The last convolution, (B, channels, s / 32, s / 32)."""
        return self.net.get_submodule("1.features")
