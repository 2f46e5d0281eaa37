"""Encoders of patches, and the same with batch norms folded into their convolutions.

``resnet18``
    He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv
    1512.03385, cut off after some of its four stages, as in IPS (arXiv 2210.13007).
``compact``
    umnist: four convolutions of stride 2, a ninth of the work of two stages of ResNet-18 on
    patches of 50 px, so that a CPU alone can train it.
"""

from __future__ import annotations

import copy
import itertools

from torch import Tensor, nn
from torchvision.models import resnet18

from umnist_core.errors import InvalidValueError
from umnist_core.models.fused import fuse

RESNET18, COMPACT = "resnet18", "compact"
ENCODERS = (RESNET18, COMPACT)

RESNET18_WIDTHS = {1: 64, 2: 128, 3: 256, 4: 512}
"""Stages that are kept -> width of the embedding."""

_COMPACT_CHANNELS = (24, 48, 96)


class PatchEncoder(nn.Module):
    """Patches (n, C, height, width), scaled to 0 to 1 -> embeddings (n, D).

    Parameters
    ----------
    layers
        From patches to feature maps (n, D, rows, cols), which are averaged.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, patches: Tensor) -> Tensor:
        """Encode patches."""
        features: Tensor = self.layers(patches)  # (n, D, rows, cols)
        return features.mean(dim=(2, 3))


def make_encoder(kind: str, channels: int, blocks: int, width: int) -> PatchEncoder:
    """Make an encoder with fresh weights.

    Parameters
    ----------
    kind
        One of `ENCODERS`.
    channels
        Of the patches.
    blocks
        Stages of ``resnet18`` that are kept, 1 to 4; without a meaning for ``compact``.
    width
        D; that of ``resnet18`` follows from ``blocks``.

    Raises
    ------
    InvalidValueError
        If there is no such encoder.
    """
    if kind == COMPACT:
        return PatchEncoder(_compact_layers(channels, width))
    if kind != RESNET18:
        raise InvalidValueError(f"encoder is one of {', '.join(ENCODERS)}; got {kind!r}.")
    if RESNET18_WIDTHS.get(blocks) != width:
        raise InvalidValueError(
            f"Expected blocks and width of resnet18 to be one of {RESNET18_WIDTHS}; got {blocks} "
            f"and {width}."
        )
    whole = resnet18(weights=None)
    if channels != 3:
        whole.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    stages = (whole.layer1, whole.layer2, whole.layer3, whole.layer4)[:blocks]
    return PatchEncoder(
        nn.Sequential(whole.conv1, whole.bn1, nn.ReLU(inplace=True), whole.maxpool, *stages)
    )


def named_backbone(encoder: PatchEncoder) -> nn.Module:
    """Return the layers of a ``resnet18`` under torchvision's names; weights are shared."""
    named = nn.Module()
    named.conv1, named.bn1 = encoder.layers[0], encoder.layers[1]
    for stage, layer in enumerate(list(encoder.layers)[4:], 1):
        named.add_module(f"layer{stage}", layer)
    return named


def _compact_layers(channels: int, width: int) -> nn.Sequential:
    widths = (channels, *_COMPACT_CHANNELS, width)
    layers: list[nn.Module] = []
    for step, (before, after) in enumerate(itertools.pairwise(widths)):
        side = 5 if step == 0 else 3
        layers += [
            nn.Conv2d(before, after, side, stride=2, padding=side // 2, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def fold_encoder(encoder: PatchEncoder) -> PatchEncoder:
    """Return a copy for evaluation, with norms folded in, laid out with channels last.

    A batch norm of running statistics is a line for each channel, and so is what a
    convolution before it adds and multiplies; the copy does both at once. It gives the same
    but for rounding (some 1e-6), and does not follow later changes of ``encoder``.
    """
    folded = copy.deepcopy(encoder).eval().requires_grad_(False)
    fuse(folded)
    return folded
