"""ResNet-50 on the reduced image: the baselines RN-256, RN-512 and RN-1024.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv
1512.03385, as torchvision builds it (stride in the 3 x 3 convolution); head and input of
`umnist_core.models.papers.convnet`.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn
from torchvision.models import ResNet50_Weights, WeightsEnum, resnet50

from umnist_core.models.papers.convnet import ConvNet, ConvNetConfig, sum_head
from umnist_core.models.registry import register_model


@register_model("resnet50", ConvNetConfig)
class ResNet50(ConvNet):
    """ResNet-50 with the documented head in place of its own."""

    paper: ClassVar[str] = "He et al. 2016, arXiv 1512.03385"
    backbone_weights: WeightsEnum | None = ResNet50_Weights.IMAGENET1K_V1
    head_prefixes: ClassVar[tuple[str, ...]] = ("fc.",)

    def __init__(self, config: ConvNetConfig) -> None:
        net = resnet50(weights=None)
        net.fc = sum_head(net.fc.in_features, config.hidden)
        super().__init__(config, net)

    @property
    def cam_layer(self) -> nn.Module:
        """The last stage, (B, 2048, S / 32, S / 32)."""
        return self.net.get_submodule("layer4")
