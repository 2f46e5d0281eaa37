"""Scale-channel networks FovAvg, FovMax and SWMax: one small network reads an image at many scales.

Jansson and Lindeberg, "Scale-invariant scale-channel networks: Deep networks that generalise to
previously unseen scales", Journal of Mathematical Imaging and Vision 64, 2022, doi
10.1007/s10851-022-01082-2 (shorter: ICPR 2020, arXiv 2004.01536).

verified in the papers' abstracts
    channels see the image at several scales, weights are shared between them, the maximum or the
    mean over their outputs is the answer; in foveated networks the channels "process increasingly
    larger parts of the image with decreasing resolution"
recalled, not verified here
    17 channels spaced by 2^(1/4); blocks of a 3x3 convolution, batch normalisation and ReLU with
    16, 16, 32 and 32 features, strides 1, 2, 1, 2, then 100 units and the classes; SWMax slides
    the network over the whole rescaled image and takes the maximum over places and channels
ours, as nothing says it
    channels from an eighth to twice the image's resolution, so that each of the 17 test scales
    meets the one that shows it as the network learned it at scale 1; a window of 29 px, which is
    what four unpadded blocks and the 100 units see without a rest; no padding; resampling by a
    tent as wide as a pixel of the coarser side; batch normalisation over all channels at once;
    beyond its edges an image goes on as they are (mirroring is recalled of the papers, but shows
    coarse channels parts of further digits)

The channel of factor f shows the point u of its window, counted from the middle, what lies at
u / f in the image. So an image that is enlarged by the spacing of the channels looks in each
channel as the original does in the next finer one, apart from sampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import DIGIT_TASK, ModelOutput
from umnist_core.models.papers.grad_cam import KIND, cam_grids, cam_shares
from umnist_core.models.papers.large_scale_cnn import (
    LargeScaleConfig,
    LargeScaleModel,
    sides_px,
    stride_of,
)
from umnist_core.models.reduced import ReducedBatch
from umnist_core.models.registry import register_model

WIDTHS = (16, 16, 32, 32)
"""Features of the blocks."""

STEP_PX = 4
"""Between two places of the sliding window: the product of the strides."""

LEAST_WINDOW_PX = 13
"""What one output of the four blocks sees."""

MAX_CHANNELS = 64

WINDOW = "winning window"
"""Kind of SWMax's maps."""


@dataclass(frozen=True)
class ScaleChannelConfig(LargeScaleConfig):
    """Settings of a scale-channel network.

    Attributes
    ----------
    side_px, hidden
        See `umnist_core.models.papers.convnet.ConvNetConfig`.
    channels
        How many, 1 to `MAX_CHANNELS`.
    spacing
        Factor between neighbours, above 1 and at most 4.
    coarsest
        Factor of the first channel, above 0: at 1/8 a pixel of it is as long as 8 of the image.
    window_px
        Side of what the shared network reads at once: 13 and any number of fours.

    Raises
    ------
    InvalidValueError
        If a setting is not allowed, or the finest channel enlarges more than eightfold.
    """

    channels: int = 17
    spacing: float = 2**0.25
    coarsest: float = 0.125
    window_px: int = 29

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.channels <= MAX_CHANNELS or not 1 < self.spacing <= 4:
            raise InvalidValueError(
                f"channels is 1 to {MAX_CHANNELS} and spacing above 1 and at most 4; got "
                f"{self.channels} and {self.spacing}."
            )
        if not self.coarsest > 0 or self.factors[-1] > 8:
            raise InvalidValueError(
                "coarsest is above 0 and the finest channel's factor at most 8; got "
                f"{self.coarsest} and {self.factors[-1]:.4g}."
            )
        is_whole = (self.window_px - LEAST_WINDOW_PX) % STEP_PX == 0
        if not is_whole or not LEAST_WINDOW_PX <= self.window_px <= 2 * self.side_px:
            raise InvalidValueError(
                f"window_px is {LEAST_WINDOW_PX} and any number of fours, at most twice side_px; "
                f"got {self.window_px}."
            )

    @property
    def factors(self) -> tuple[float, ...]:
        """Pixels of each channel on one of the image, coarsest first."""
        return tuple(self.coarsest * self.spacing**place for place in range(self.channels))


def resampling(factor: float, size_px: int, side_px: int) -> Tensor:
    """Return the matrix that resamples one axis of an image about its middle.

    Parameters
    ----------
    factor
        Pixels of the result on one of the image, above 0.
    size_px
        Of the result; where it reaches beyond the image, the image goes on as its edge.
    side_px
        Of the image, 2 or more.

    Returns
    -------
    float32 (size_px, side_px); each row sums to 1.
    """
    places = (np.arange(size_px) - (size_px - 1) / 2) / factor + (side_px - 1) / 2
    half = max(1.0, 1 / factor)
    nearest = np.floor(places).astype(int)
    offsets = np.arange(-math.ceil(half), math.ceil(half) + 2)
    sources = nearest[:, None] + offsets  # (size, taps)
    weights = np.clip(1 - np.abs(sources - places[:, None]) / half, 0, None)
    inside = np.clip(sources, 0, side_px - 1)
    matrix = np.zeros((size_px, side_px))
    np.add.at(matrix, (np.arange(size_px)[:, None], inside), weights)
    return torch.from_numpy((matrix / matrix.sum(axis=1, keepdims=True)).astype(np.float32))


def resample(images: Tensor, matrix: Tensor) -> Tensor:
    """Return images (B, 1, S, S) as (B, 1, F, F), resampled along both axes by an (F, S) matrix."""
    return matrix @ images @ matrix.T


class _SharedNet(nn.Module):
    """The network that all channels share, on images of several sizes at once.

    Batch normalisation is over all channels, so that they are one network while it learns, too.
    """

    def __init__(self, config: ScaleChannelConfig) -> None:
        super().__init__()
        pairs = list(pairwise((1, *WIDTHS)))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, width, 3, stride_of(place), bias=False)
            for place, (before, width) in enumerate(pairs)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        # What is read last; a place of its own for Grad-CAM.
        self.last = nn.Identity()
        reach = sides_px(config.window_px, len(WIDTHS))
        # Two layers as convolutions, so that they can slide.
        self.head = nn.Sequential(
            nn.Conv2d(WIDTHS[-1], config.hidden, reach),
            nn.ReLU(),
            nn.Conv2d(config.hidden, DIGIT_TASK.classes, 1),
        )

    def forward(self, images: list[Tensor]) -> list[Tensor]:
        """Return logits (N, 10, rows, cols) of each window of each (N, 1, H, W)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            images = _normed([convolution(one) for one in images], norm)
        return [self.head(self.last(one)) for one in images]


def _normed(images: list[Tensor], norm: nn.Module) -> list[Tensor]:
    """Normalise images of several sizes by what they have in common, and cut at 0."""
    if len(images) == 1:
        return [torch.relu(norm(images[0]))]
    flat = torch.cat([one.flatten(2) for one in images], dim=2)  # (N, C, places)
    flat = torch.relu(norm(flat.unsqueeze(3))).squeeze(3)
    parts = torch.split(flat, [one.shape[2] * one.shape[3] for one in images], dim=2)
    return [part.reshape(one.shape) for part, one in zip(parts, images, strict=True)]


class FoveatedNet(nn.Module):
    """Channels that show a window of one size about the middle, larger parts of it more coarsely.

    Parameters
    ----------
    config
        Its settings.
    is_max
        Whether the answer is the maximum over the channels, or else their mean.
    """

    def __init__(self, config: ScaleChannelConfig, *, is_max: bool) -> None:
        super().__init__()
        self.shared, self.is_max = _SharedNet(config), is_max
        size_px, side_px = config.window_px, config.side_px
        matrices = [resampling(factor, size_px, side_px) for factor in config.factors]
        # They follow from the settings, so no checkpoint holds them.
        self.register_buffer("matrices", torch.stack(matrices), persistent=False)  # (K, F, S)

    def channel_logits(self, images: Tensor) -> Tensor:
        """Return what each channel says of images (B, 1, S, S): (B, K, 10), coarsest first."""
        matrices = self.get_buffer("matrices")
        windows = matrices @ images @ matrices.mT  # (B, K, F, F)
        logits = self.shared([windows.flatten(0, 1).unsqueeze(1)])[0]  # (B * K, 10, 1, 1)
        by_image: Tensor = logits.reshape(len(images), len(matrices), -1)
        return by_image

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 10)."""
        logits = self.channel_logits(images)
        return logits.amax(dim=1) if self.is_max else logits.mean(dim=1)


class SlidingNet(nn.Module):
    """Channels that show the whole image, each over which the shared network slides.

    Parameters
    ----------
    config
        Its settings.
    """

    def __init__(self, config: ScaleChannelConfig) -> None:
        super().__init__()
        self.shared = _SharedNet(config)
        # The least that hold the image and have a window in their middle, so that neighbours see
        # an image that is enlarged at the same places.
        steps = [
            max(0, math.ceil((config.side_px * factor - config.window_px) / (2 * STEP_PX)))
            for factor in config.factors
        ]
        self.sizes_px = tuple(config.window_px + 2 * STEP_PX * count for count in steps)
        for place, factor in enumerate(config.factors):
            matrix = resampling(factor, self.sizes_px[place], config.side_px)
            self.register_buffer(f"matrix{place}", matrix, persistent=False)

    def channel_logits(self, images: Tensor) -> list[Tensor]:
        """Return what each channel says at each place of its window, (B, 10, rows, cols)."""
        matrices = [self.get_buffer(f"matrix{place}") for place in range(len(self.sizes_px))]
        logits: list[Tensor] = self.shared([resample(images, one) for one in matrices])
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 10)."""
        most = [one.amax(dim=(2, 3)) for one in self.channel_logits(images)]
        return torch.stack(most, dim=1).amax(dim=1)


class _Foveated(LargeScaleModel):
    """What FovAvg and FovMax share: Grad-CAM of every channel, in the frame of the image."""

    config: ScaleChannelConfig
    net: FoveatedNet

    @property
    def cam_layer(self) -> nn.Module:
        """What is read last, (B * K, 32, 5, 5) of windows of 29 px."""
        return self.net.shared.last

    def cam_maps(
        self, images: Tensor, classes: Tensor, sizes: tuple[tuple[int, int], ...]
    ) -> tuple[AttentionMap, ...]:
        """Return the map of each image, whose places are the cells of all channels.

        With a maximum only the cells of the channel that decided have a weight.
        """
        grids = cam_grids(self.net, self.cam_layer, images, classes)  # (B * K, rows, cols)
        weights = grids.reshape(len(images), -1)
        edges_px = np.linspace(0, self.config.window_px, grids.shape[1] + 1)
        cells = [
            _window_boxes(edges_px, self.config.window_px, factor, self.config.side_px)
            for factor in self.config.factors
        ]
        boxes = np.concatenate(cells)  # (K * rows * cols, 4)
        return tuple(
            _map(own, boxes * (max(size) / self.config.side_px), size, self.tasks[0].name, KIND)
            for own, size in zip(weights, sizes, strict=True)
        )


def _window_boxes(
    edges_px: NDArray[np.float64], size_px: int, factor: float, side_px: int
) -> NDArray[np.float64]:
    """Return the cells between edges in a channel's own px as boxes (cells, 4) in input px."""
    edges = (edges_px - size_px / 2) / factor + side_px / 2
    rows, cols = (grid.ravel() for grid in np.mgrid[: len(edges) - 1, : len(edges) - 1])
    return np.stack([edges[rows], edges[cols], edges[rows + 1], edges[cols + 1]], axis=1)


def _map(
    weights: NDArray[np.float32],
    boxes: NDArray[np.float64],
    size: tuple[int, int],
    task: str,
    kind: str,
) -> AttentionMap:
    """Return the map of an image from weights (places,) and boxes that may reach beyond it."""
    height, width = size
    cut = np.clip(boxes, 0, (height, width, height, width)).astype(np.float32)
    is_inside = (cut[:, 0] < cut[:, 2]) & (cut[:, 1] < cut[:, 3])
    share = cam_shares(weights[is_inside])
    return AttentionMap(share[None, None], cut[is_inside], height, width, (task,), kind)


@register_model("fov-avg", ScaleChannelConfig)
class FovAvg(_Foveated):
    """The mean over foveated channels."""

    def __init__(self, config: ScaleChannelConfig) -> None:
        super().__init__(config, FoveatedNet(config, is_max=False))


@register_model("fov-max", ScaleChannelConfig)
class FovMax(_Foveated):
    """The maximum over foveated channels."""

    def __init__(self, config: ScaleChannelConfig) -> None:
        super().__init__(config, FoveatedNet(config, is_max=True))


@register_model("sw-max", ScaleChannelConfig)
class SWMax(LargeScaleModel):
    """The maximum over places of a sliding window and channels."""

    config: ScaleChannelConfig
    net: SlidingNet

    def __init__(self, config: ScaleChannelConfig) -> None:
        super().__init__(config, SlidingNet(config))

    @property
    def cam_layer(self) -> nn.Module:
        """What is read last in each channel."""
        return self.net.shared.last

    def attend(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits, and the window in which the likeliest class was found."""
        channels = self.net.channel_logits(self.images(batch))
        logits = torch.stack([one.amax(dim=(2, 3)) for one in channels], dim=1).amax(dim=1)
        classes = logits.argmax(dim=1)
        maps = [
            self._window([one[place, label] for one in channels], batch.sizes[place])
            for place, label in enumerate(classes.tolist())
        ]
        return ModelOutput({self.tasks[0].name: logits}, attention=tuple(maps))

    def _window(self, channels: list[Tensor], size: tuple[int, int]) -> AttentionMap:
        """Return where a class is likeliest in the channels' (rows, cols) as a map of one place."""
        most = max(range(len(channels)), key=lambda place: channels[place].max().item())
        row, col = divmod(int(channels[most].argmax()), channels[most].shape[1])
        first = STEP_PX * np.array([row, col], np.float64)
        window = np.concatenate([first, first + self.config.window_px])
        middle_px = self.net.sizes_px[most] / 2
        box = (window - middle_px) / self.config.factors[most] + self.config.side_px / 2
        one = np.ones(1, np.float32)
        in_image = box[None] * (max(size) / self.config.side_px)
        return _map(one, in_image, size, self.tasks[0].name, WINDOW)
