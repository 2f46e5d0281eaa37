"""Faster R-CNN with a ResNet-50-FPN, the detector of the paper's noise study.

Ren, He, Girshick, Sun, "Faster R-CNN", NeurIPS 2015, arXiv 1506.01497, as torchvision builds
it; input, score threshold and classes from Gupta et al., "UltraMNIST Classification",
Scientific Data 2024, doi 10.1038/s41597-024-03587-4, section "FasterRCNN implementation".
Differs from the paper's in that batch normalisation is trained and not frozen, as without
published weights it must be, and that the digits found are also added up to a sum. With
another backbone or fewer channels it is a smaller one of the same kind, for a CPU alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum
from torchvision.models.detection import FasterRCNN, FasterRCNN_ResNet50_FPN_Weights
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import FeaturePyramidNetwork

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import (
    SUM_CLASSES,
    SUM_TASK,
    UNCONSTRAINED,
    FoundDigit,
    Model,
    ModelOutput,
)
from umnist_core.models.reduced import (
    ReducedBatch,
    ReducedImage,
    check_side,
    collate_reduced,
    normalised,
    prepare_reduced,
)
from umnist_core.models.registry import register_model
from umnist_core.models.targets import BOXES, CLASSES, NO_DIGIT
from umnist_core.pyramid import TileSource

OTHER_SUM = -10.0
"""Logit of every sum that the digits found do not add up to, whose own logit is 0."""

BACKBONES = ("resnet50", "resnet18")
PUBLISHED_CHANNELS = 256

_LOSS_SEED = 0
"""A loss is of a random half of the candidates; in validation it is always the same half."""


@dataclass(frozen=True)
class FasterRcnnConfig:
    """Settings of the detector.

    Attributes
    ----------
    side_px
        Side of the image that it sees; 4000 leaves the paper's images as they are.
    min_score
        Digits of a lower score are not found, 0 to 1.
    proposals
        Regions of each image that the second stage looks at, 1 or more; twice as many in training.
    samples
        Those of them that its loss is worked out from, 1 or more.
    backbone
        ``resnet50`` as in the paper, or ``resnet18``, which has no published weights here.
    channels
        Of each level of the feature pyramid, 8 or more; 256 in the paper.
    anchor_px
        Side of the smallest boxes that it begins with, in px that it sees, 4 or more; each of the
        four levels above has twice the side. 32 in the paper.
    """

    side_px: int = 4000
    min_score: float = 0.4
    proposals: int = 1000
    samples: int = 512
    backbone: str = "resnet50"
    channels: int = 256
    anchor_px: int = 32

    def __post_init__(self) -> None:
        check_side(self.side_px)
        if not 0 <= self.min_score <= 1:
            raise InvalidValueError(f"min_score is 0 to 1; got {self.min_score}.")
        if min(self.proposals, self.samples) < 1:
            raise InvalidValueError(
                f"proposals and samples are 1 or more; got {self.proposals} and {self.samples}."
            )
        if self.backbone not in BACKBONES or self.channels < 8 or self.anchor_px < 4:
            raise InvalidValueError(
                f"backbone is one of {', '.join(BACKBONES)}, channels 8 or more and anchor_px 4 or "
                f"more; got {self.backbone!r:.40}, {self.channels} and {self.anchor_px}."
            )

    @property
    def is_published(self) -> bool:
        """Whether the network has the shape that there are published weights of."""
        return self.backbone == "resnet50" and self.channels == PUBLISHED_CHANNELS


@dataclass(frozen=True)
class DetectorOutput(ModelOutput):
    """Also what the loss is worked out from: features of the pyramid, each (B, C, h, w)."""

    features: dict[str, Tensor] | None = None
    images: ImageList | None = None
    scales: tuple[float, ...] = ()
    """Px of the network's input for one px of each image."""


@register_model("faster-rcnn", FasterRcnnConfig)
class FasterRcnn(Model):
    """Finds digits and reads them; their sum is the answer."""

    sees: ClassVar[str] = UNCONSTRAINED
    paper: ClassVar[str] = "Ren et al. 2015, arXiv 1506.01497"
    backbone_weights: WeightsEnum | None = FasterRCNN_ResNet50_FPN_Weights.COCO_V1
    head_prefixes: ClassVar[tuple[str, ...]] = ("roi_heads.box_predictor.",)
    config: FasterRcnnConfig

    def __init__(self, config: FasterRcnnConfig) -> None:
        super().__init__()
        self.config = config
        if not config.is_published:
            self.backbone_weights = None
        self.net: Any = FasterRCNN(
            _feature_pyramid(config.backbone, config.channels),
            num_classes=11,  # the first is the ground
            rpn_anchor_generator=_anchors(config.anchor_px),
            box_score_thresh=config.min_score,
            box_batch_size_per_image=config.samples,
            rpn_post_nms_top_n_test=config.proposals,
            rpn_post_nms_top_n_train=2 * config.proposals,
        )

    @property
    def backbone(self) -> nn.Module:
        """All but the layer that tells classes apart."""
        net: nn.Module = self.net
        return net

    def prepare(self, source: TileSource) -> ReducedImage:
        """Reduce the image to the side that the network sees."""
        return prepare_reduced(source, self.config.side_px)

    def collate(self, prepared: Sequence[ReducedImage]) -> ReducedBatch:
        """Join reduced images."""
        return collate_reduced(prepared)

    def forward(self, batch: ReducedBatch) -> DetectorOutput:
        """Return logits (B, 28) of the sum, and the digits of each image.

        In training mode nothing is searched for, and the logits are all 0.
        """
        side_px = self.config.side_px
        pixels = normalised(batch, side_px, self.device)  # (B, 3, S, S)
        images = ImageList(pixels, [(side_px, side_px)] * len(pixels))
        output = DetectorOutput(
            {SUM_TASK.name: torch.zeros(len(pixels), SUM_CLASSES, device=self.device)},
            no_attention="The detector searches in evaluation mode alone.",
            features=dict(self.net.backbone(pixels)),
            images=images,
            scales=tuple(side_px / max(size) for size in batch.sizes),
        )
        return output if self.training else self._detect(output, batch.sizes)

    def _detect(self, output: DetectorOutput, sizes: tuple[tuple[int, int], ...]) -> DetectorOutput:
        images, features = output.images, output.features
        assert images is not None
        proposals, _ = self.net.rpn(images, features)
        raw, _ = self.net.roi_heads(features, proposals, images.image_sizes)
        found = tuple(
            _found_digits(one, scale) for one, scale in zip(raw, output.scales, strict=True)
        )
        logits = torch.full_like(output.logits[SUM_TASK.name], OTHER_SUM)  # (B, 28)
        for row, digits in zip(logits, found, strict=True):
            row[min(sum(digit.label for digit in digits), SUM_CLASSES - 1)] = 0.0
        maps = tuple(_map(digits, size) for digits, size in zip(found, sizes, strict=True))
        return replace(
            output, logits={SUM_TASK.name: logits}, found=found, attention=maps, no_attention=""
        )

    def loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the sum of the detector's four losses.

        Parameters
        ----------
        output
            Of `forward`, in training or in evaluation mode.
        targets
            With `BOXES` and `CLASSES`.
        """
        assert isinstance(output, DetectorOutput)
        images, features = output.images, output.features
        assert images is not None
        if BOXES not in targets:
            raise InvalidValueError(
                "A detector learns from the boxes of digits, found labels alone; use scenes, or a "
                "data set with its table of truth."
            )
        truth = [
            self._truth(boxes, classes, scale)
            for boxes, classes, scale in zip(
                targets[BOXES], targets[CLASSES], output.scales, strict=True
            )
        ]
        with _parts_in_training(self.net.rpn, self.net.roi_heads, self.training):
            proposals, of_proposals = self.net.rpn(images, features, truth)
            _, of_boxes = self.net.roi_heads(features, proposals, images.image_sizes, truth)
        losses: list[Tensor] = [*of_proposals.values(), *of_boxes.values()]
        return torch.stack(losses).sum()

    def _truth(self, boxes: Tensor, classes: Tensor, scale: float) -> dict[str, Tensor]:
        is_digit = classes != NO_DIGIT
        kept = boxes[is_digit].to(self.device) * scale  # (digits, 4)
        # Torchvision's boxes are x before y; its class 0 is the ground.
        return {
            "boxes": kept[:, [1, 0, 3, 2]],
            "labels": classes[is_digit].to(self.device) + 1,
        }


def _feature_pyramid(backbone: str, channels: int) -> Any:
    net: Any = resnet_fpn_backbone(
        backbone_name=backbone, weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5
    )
    if channels != PUBLISHED_CHANNELS:
        levels = [conv[0].in_channels for conv in net.fpn.inner_blocks]
        net.fpn = FeaturePyramidNetwork(levels, channels, extra_blocks=net.fpn.extra_blocks)
        net.out_channels = channels
    return net


def _anchors(least_px: int) -> AnchorGenerator:
    sizes = tuple((least_px * 2**level,) for level in range(5))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


@contextmanager
def _parts_in_training(rpn: nn.Module, heads: nn.Module, is_training: bool) -> Iterator[None]:
    """Let the parts work out losses; they have no layer that would notice the mode otherwise."""
    rpn.train()
    heads.train()
    try:
        if is_training:
            yield
        else:
            device = next(rpn.parameters()).device
            with torch.random.fork_rng(hardware_of(device).generators):
                torch.manual_seed(_LOSS_SEED)
                yield
    finally:
        rpn.train(is_training)
        heads.train(is_training)


def _found_digits(raw: dict[str, Any], scale: float) -> tuple[FoundDigit, ...]:
    boxes = (raw["boxes"].detach().float().cpu().numpy() / scale).tolist()
    labels, scores = raw["labels"].tolist(), raw["scores"].tolist()
    return tuple(
        FoundDigit(label - 1, score, row0, col0, row1 - row0, col1 - col0)
        for (col0, row0, col1, row1), label, score in zip(boxes, labels, scores, strict=True)
    )


def _map(digits: tuple[FoundDigit, ...], size: tuple[int, int]) -> AttentionMap:
    scores = np.array([digit.score for digit in digits], np.float64)
    boxes = np.array(
        [(d.row, d.col, d.row + d.height_px, d.col + d.width_px) for d in digits], np.float32
    ).reshape(-1, 4)
    share = scores / scores.sum() if scores.sum() > 0 else scores
    return AttentionMap(
        share.astype(np.float32)[None, None], boxes, *size, (SUM_TASK.name,), "digits found"
    )
