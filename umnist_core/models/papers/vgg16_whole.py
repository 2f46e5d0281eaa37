"""VGG16 on whole photographs in their own shape, pooled to a fixed number of features.

The convolutions of Simonyan and Zisserman (arXiv 1409.1556) with one of two poolings in place of
the square that VGG16 takes:

vgg16-gap
    the mean over all places of an image (Lin, Chen and Yan, "Network In Network", ICLR 2014, arXiv
    1312.4400), and one linear layer
vgg16-spp
    the maxima of grids of 1, 2, 3 and 6 rows and columns over an image (He, Zhang, Ren and Sun,
    "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition", 2014, arXiv
    1406.4729), and the linear layers of VGG16; no last max pool, as there

Differs from both in that images are not of one or a few sizes: those of a batch are of like shape
(`umnist_core.training.like_shapes`) and padded. After every layer what is beyond an image is set
to 0, so that an image has the same features, to rounding, whichever share its batch.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import ModelOutput
from umnist_core.models.forms import Undeformed
from umnist_core.models.papers.vgg16 import (
    DEEPEST,
    PhotographConfig,
    PhotographModel,
    classify,
    vgg_classifier,
    vgg_features,
)
from umnist_core.models.photographs import (
    Photograph,
    PhotographBatch,
    as_planes,
    inside_mask,
    read_colour,
)
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

LEAST_PX = 32
"""Side of the smallest image: VGG16 halves it five times."""

LEVELS = (1, 2, 3, 6)
"""Rows and columns of the grids."""

Sizes = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class WholeConfig(PhotographConfig):
    """Settings of a model of undeformed photographs; see `PhotographConfig`.

    Attributes
    ----------
    most_px
        Most pixels of an image, `LEAST_PX` squared or more; a larger one is reduced in proportion.
    """

    most_px: int = 360_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most_px < LEAST_PX**2:
            raise InvalidValueError(f"most_px is {LEAST_PX**2} or more; got {self.most_px}.")


class WholeNet(nn.Module):
    """Convolutions, a pooling of each image over its own places, and a classifier."""

    def __init__(
        self, width: int, classifier: nn.Sequential, *, has_last_pool: bool = True
    ) -> None:
        super().__init__()
        features = vgg_features(width)
        self.features = features if has_last_pool else features[:-1]
        self.classifier = classifier

    @abstractmethod
    def pool(self, features: Tensor, sizes: Sizes) -> Tensor:
        """Return what is kept of features (B, 512, h, w) of images of these sizes there."""

    def forward(self, images: Tensor, sizes: Sizes | None = None) -> Tensor:
        """Return logits (B, outputs).

        Parameters
        ----------
        images
            float32 (B, 3, H, W), 0 beyond each image.
        sizes
            Height and width of each; None if they fill the batch.
        """
        whole = (images.shape[2], images.shape[3])
        own = sizes or (whole,) * len(images)
        seen, mask = images, None
        if any(one != whole for one in own):
            mask = inside_mask(own, whole, images.device)
        for layer in self.features:
            seen = layer(seen)
            if isinstance(layer, nn.MaxPool2d):
                own = tuple((rows // 2, cols // 2) for rows, cols in own)
                if mask is not None:
                    mask = inside_mask(own, (seen.shape[2], seen.shape[3]), images.device)
            # A ReLU leaves 0 as it is.
            if mask is not None and not isinstance(layer, nn.ReLU):
                seen = seen * mask.to(seen.dtype)
        return classify(self.classifier, self.pool(seen, own))


class MeanNet(WholeNet):
    """The mean over the places of an image."""

    def __init__(self, width: int, outputs: int) -> None:
        last = nn.Linear(DEEPEST * width, outputs)
        nn.init.normal_(last.weight, 0, 0.01)
        nn.init.zeros_(last.bias)
        super().__init__(width, nn.Sequential(last))

    def pool(self, features: Tensor, sizes: Sizes) -> Tensor:
        """Return means (B, 512)."""
        places = torch.tensor([rows * cols for rows, cols in sizes], device=features.device)
        return features.float().sum(dim=(2, 3)) / places[:, None]


class PyramidNet(WholeNet):
    """The maxima of the cells of grids over an image."""

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        cells = sum(level**2 for level in LEVELS)
        classifier = vgg_classifier(DEEPEST * width * cells, hidden, outputs)
        super().__init__(width, classifier, has_last_pool=False)

    def pool(self, features: Tensor, sizes: Sizes) -> Tensor:
        """Return maxima (B, 512 * 50)."""
        pooled = [
            torch.cat(
                [
                    nn.functional.adaptive_max_pool2d(one[:, :rows, :cols], level).flatten()
                    for level in LEVELS
                ]
            )
            for one, (rows, cols) in zip(features, sizes, strict=True)
        ]
        return torch.stack(pooled)


class WholeModel(PhotographModel):
    """A model of photographs in their own shape."""

    config: WholeConfig
    net: WholeNet

    def find_input_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the image's own size, or a smaller one in proportion."""
        return Undeformed(most_px=self.config.most_px).size(height, width)

    def prepare(self, source: TileSource) -> Photograph:
        """Read an image, and reduce it in proportion where it is too large.

        Raises
        ------
        InvalidValueError
            If a side is then less than `LEAST_PX`.
        """
        form = Undeformed(most_px=self.config.most_px)
        pixels = form.shape(read_colour(source, 4 * self.config.most_px), None)
        if min(pixels.shape[:2]) < LEAST_PX:
            raise InvalidValueError(
                f"Expected an image with sides of {LEAST_PX} px or more in {self.config.most_px:,} "
                f"px, found {pixels.shape[1]} x {pixels.shape[0]} px; leave it out, or set "
                "model.settings.most_px higher."
            )
        height, width = source.height, source.width
        return Photograph(as_planes(pixels), height, width, (0, 0, height, width))

    def forward(self, batch: PhotographBatch) -> ModelOutput:
        """Return logits (B, classes), or years (B, 1)."""
        logits = self.net(self.images(batch), batch.sizes)
        return ModelOutput(
            {self.tasks[0].name: logits}, no_attention="Attention is worked out by attend alone."
        )

    @property
    def cam_layer(self) -> nn.Module:
        """The ReLU of the last convolution, a cell for 16 px."""
        return [one for one in self.net.features if isinstance(one, nn.ReLU)][-1]


@register_model("vgg16-gap", WholeConfig)
class Vgg16Gap(WholeModel):
    """Pooled by the mean; ``hidden`` is no matter."""

    paper: ClassVar[str] = "Lin, Chen, Yan 2014, arXiv 1312.4400"

    def __init__(self, config: WholeConfig) -> None:
        super().__init__(config)
        self.net = MeanNet(config.width, self.tasks[0].classes)


@register_model("vgg16-spp", WholeConfig)
class Vgg16Spp(WholeModel):
    """Pooled by the maxima of a pyramid."""

    paper: ClassVar[str] = "He et al. 2014, arXiv 1406.4729"

    def __init__(self, config: WholeConfig) -> None:
        super().__init__(config)
        self.net = PyramidNet(config.width, config.hidden, self.tasks[0].classes)
