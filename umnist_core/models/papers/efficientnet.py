"""EfficientNet-B0, B3 and B7 on the reduced image: the baselines ENB0, ENB3 and EffNetTPU.

Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
arXiv 1905.11946, as torchvision builds it; head and input of `umnist_core.models.papers.convnet`.
The backbone's own dropout before the head stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import nn
from torchvision.models import (
    EfficientNet_B0_Weights,
    EfficientNet_B3_Weights,
    EfficientNet_B7_Weights,
    WeightsEnum,
    efficientnet_b0,
    efficientnet_b3,
    efficientnet_b7,
)

from umnist_core.models.papers.convnet import ConvNet, ConvNetConfig, sum_head
from umnist_core.models.registry import register_model


class EfficientNet(ConvNet):
    """An EfficientNet with the documented head in place of its own."""

    paper: ClassVar[str] = "Tan and Le 2019, arXiv 1905.11946"
    head_prefixes: ClassVar[tuple[str, ...]] = ("classifier.",)
    build: ClassVar[Callable[[], nn.Module]]

    def __init__(self, config: ConvNetConfig) -> None:
        net = type(self).build()
        dropout, own_head = net.get_submodule("classifier").children()
        assert isinstance(own_head, nn.Linear)
        net.classifier = nn.Sequential(dropout, sum_head(own_head.in_features, config.hidden))
        super().__init__(config, net)

    @property
    def cam_layer(self) -> nn.Module:
        """The last convolution, (B, channels, S / 32, S / 32)."""
        return self.net.get_submodule("features")


@register_model("efficientnet-b0", ConvNetConfig)
class EfficientNetB0(EfficientNet):
    """EfficientNet-B0, 4 million parameters."""

    backbone_weights: WeightsEnum | None = EfficientNet_B0_Weights.IMAGENET1K_V1
    build = staticmethod(efficientnet_b0)


@register_model("efficientnet-b3", ConvNetConfig)
class EfficientNetB3(EfficientNet):
    """EfficientNet-B3, 11 million parameters."""

    backbone_weights: WeightsEnum | None = EfficientNet_B3_Weights.IMAGENET1K_V1
    build = staticmethod(efficientnet_b3)


@register_model("efficientnet-b7", ConvNetConfig)
class EfficientNetB7(EfficientNet):
    """EfficientNet-B7, 64 million parameters."""

    backbone_weights: WeightsEnum | None = EfficientNet_B7_Weights.IMAGENET1K_V1
    build = staticmethod(efficientnet_b7)
