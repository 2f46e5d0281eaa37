"""The plain CNN: one pass over one reduced image, taught by sums alone.

Our own, of the kind of the papers' baselines (Gupta et al., Scientific Data 2024, doi
10.1038/s41597-024-03587-4): a convolutional net on the whole image reduced to a few hundred px.
Differs from them in its size and its head. On grids of 4, 8, 16 and 32 px each place has a
distribution over the ten digits and nothing; the sum's distribution is the convolution of those
of the places that are likeliest digits. So what it learned from images with one digit holds for
images with five, and cross-entropy on the sum teaches all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import ModelOutput
from umnist_core.models.own.sums import DIGIT_CLASSES, sum_log_probabilities
from umnist_core.models.papers.convnet import CamNet
from umnist_core.models.reduced import (
    ReducedBatch,
    ReducedImage,
    check_side,
    collate_reduced,
    normalised,
    prepare_reduced,
)
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

PATCH_PX = 4
"""Input px a side of a place of the finest grid."""

LEAST_SIDE_PX = 64

NOTHING_AT_FIRST = 6.0
"""Logit of nothing before anything is learned, so that of some thousand places few hold a digit."""


@dataclass(frozen=True)
class PlainCnnConfig:
    """Settings of the plain CNN.

    Attributes
    ----------
    side_px
        Side of the reduced image that it sees, a multiple of 64.
    width
        Channels of the finest grid; the coarsest has four times as many.
    blocks
        Residual blocks of each of the four grids.
    places
        Places that are added up.
    fewest_digits, most_digits
        Of an image, all numbers alike.
    """

    side_px: int = 256
    width: int = 32
    blocks: tuple[int, ...] = (1, 1, 2, 2)
    places: int = 16
    fewest_digits: int = 3
    most_digits: int = 5

    def __post_init__(self) -> None:
        check_side(self.side_px, LEAST_SIDE_PX)
        if self.side_px % LEAST_SIDE_PX:
            raise InvalidValueError(
                f"side_px is a multiple of {LEAST_SIDE_PX}; got {self.side_px}; round it."
            )
        if len(self.blocks) != 4 or min(self.width, self.places, *self.blocks) < 1:
            raise InvalidValueError(
                "width and places are 1 or more, and so are the four numbers of blocks; got "
                f"{self.width}, {self.places} and {list(self.blocks)}."
            )
        if not 0 <= self.fewest_digits <= self.most_digits <= self.places:
            raise InvalidValueError(
                "Expected fewest_digits <= most_digits <= places, all 0 or more; got "
                f"{self.fewest_digits}, {self.most_digits} and {self.places}."
            )


class Residual(nn.Module):
    """Two convolutions, and what went in added to what comes out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolved(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, seen: Tensor) -> Tensor:
        """Return (B, channels, H, W) of the same."""
        added: Tensor = self.second(self.first(seen)) + seen
        return added.relu()


def _convolved(channels_in: int, channels: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class PlacesNet(nn.Module):
    """From images to what each place of four grids shows."""

    def __init__(self, config: PlainCnnConfig) -> None:
        super().__init__()
        width = config.width
        channels = (width, 2 * width, 3 * width, 4 * width)
        before = (PATCH_PX**2, *channels[:-1])
        self.unshuffle = nn.PixelUnshuffle(PATCH_PX)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _convolved(one, own, stride=1 if place == 0 else 2),
                *(Residual(own) for _ in range(config.blocks[place])),
            )
            for place, (one, own) in enumerate(zip(before, channels, strict=True))
        )
        self.sideways = nn.ModuleList(nn.Conv2d(own, width, 1) for own in channels)
        self.mixed = nn.ModuleList(_convolved(width, width) for _ in channels)
        self.heads = nn.ModuleList(nn.Conv2d(width, DIGIT_CLASSES, 1) for _ in channels)
        for head in self.heads:
            assert isinstance(head, nn.Conv2d)
            assert head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            with torch.no_grad():
                head.bias[-1] = NOTHING_AT_FIRST

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, places, 11) of images (B, 1, S, S)."""
        seen = self.unshuffle(images)  # (B, 16, S/4, S/4)
        grids = []
        for stage in self.stages:
            seen = stage(seen)
            grids.append(seen)
        shown: list[Tensor] = []
        above: Tensor | None = None
        for place in reversed(range(len(grids))):
            own = self.sideways[place](grids[place])
            if above is not None:
                own = own + nn.functional.interpolate(above, scale_factor=2.0)
            above = self.mixed[place](own)
            shown.append(self.heads[place](above).flatten(2))  # (B, 11, places of the grid)
        return torch.cat(shown, dim=2).transpose(1, 2).float()


def likeliest_places(logits: Tensor, count: int) -> Tensor:
    """Return the distributions of the places that are likeliest digits.

    Parameters
    ----------
    logits
        (B, places, 11), of which the last is nothing.
    count
        How many; all of them where there are fewer.

    Returns
    -------
    Tensor
        (B, count, 11), each summing to 1.
    """
    chances = logits.softmax(dim=2)
    best = chances[:, :, -1].topk(min(count, chances.shape[1]), largest=False).indices
    return chances.gather(1, best[:, :, None].expand(-1, -1, chances.shape[2]))


class SumNet(nn.Module):
    """From images to the logarithm of each sum's probability.

    Attributes
    ----------
    digits
        Fewest and most of an image.
    """

    def __init__(self, config: PlainCnnConfig) -> None:
        super().__init__()
        self.places = PlacesNet(config)
        self.count = config.places
        self.digits = config.fewest_digits, config.most_digits

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 28) of images (B, 1, S, S)."""
        chances = likeliest_places(self.places(images), self.count)
        return sum_log_probabilities(chances, *self.digits)


@register_model("plain-cnn", PlainCnnConfig)
class PlainCnn(CamNet):
    """A small convolutional net that adds up what it sees, taught by sums."""

    config: PlainCnnConfig
    net: SumNet

    def __init__(self, config: PlainCnnConfig) -> None:
        super().__init__(SumNet(config))
        self.config = config

    @property
    def cam_layer(self) -> nn.Module:
        """The last features of the grid of 16 px, (B, channels, S / 16, S / 16)."""
        return self.net.places.stages[2]

    def prepare(self, source: TileSource) -> ReducedImage:
        """Reduce the image to the side that the net sees."""
        return prepare_reduced(source, self.config.side_px)

    def collate(self, prepared: Sequence[ReducedImage]) -> ReducedBatch:
        """Join reduced images."""
        return collate_reduced(prepared)

    def images(self, batch: ReducedBatch) -> Tensor:
        """Return what the net takes, float32 (B, 1, S, S) from -1 to 1, on its device."""
        return normalised(batch, self.config.side_px, self.device)[:, :1]

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return the logarithms of the sums' probabilities, (B, 28)."""
        # As the configuration has it now: it may be another for some answers.
        self.net.digits = self.config.fewest_digits, self.config.most_digits
        return super().forward(batch)
