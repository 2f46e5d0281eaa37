"""A small network that enlarges photographs: the learned baseline of MetH-SR, x2 to x16.

Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network", CVPR 2016, arXiv 1609.05158: convolutions of 5, 3 and 3 px with 64
and 32 features and tanh between, all at the low resolution, whose last features are the pixels of
the high one (pixel shuffle), learned by the mean squared error.

Differs from the paper in that it is told the colours and not the luminance alone, and that what it
says is added to the bicubic enlargement: before it has learned anything it is bicubic. The paper
has x3 and x4; larger factors are ours. MetH publishes no baseline of MetH-SR.

Large images are enlarged tile by tile, each with a margin that its pixels depend on, which gives
what the whole image gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.datasets.meth.layout import FACTORS
from umnist_core.datasets.meth.pairs import reduce_image
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.hardware import hardware_of
from umnist_core.models.base import UPSCALED_TASK, Model, ModelOutput, Task
from umnist_core.models.forms import draw_patch
from umnist_core.models.photographs import as_planes, frame_map, in_colour
from umnist_core.models.progress import report_progress
from umnist_core.models.registry import register_model
from umnist_core.pyramid import TileSource

BICUBIC = "bicubic (Keys, a = -0.5), no antialiasing, which enlarging needs none of"
"""How images are enlarged here, for tables."""

MAP_KIND = "difference from bicubic"
MAP_CELLS = 16
"""Most rows and columns of a map."""

MARGIN_PX = 8
"""Of a tile, at the low resolution: the convolutions reach 4 px, the cubic kernel 2."""

TILE_PX = 256
"""Side of a tile without its margin, at the low resolution."""

WIDTHS = (64, 32)


@dataclass(frozen=True)
class EspcnConfig:
    """Settings.

    Attributes
    ----------
    factor
        One of `FACTORS`.
    patch_px
        Side of a square of the low image that is learned from, 8 or more.
    """

    factor: int = 4
    patch_px: int = 48

    def __post_init__(self) -> None:
        if self.factor not in FACTORS or self.patch_px < 8:
            raise InvalidValueError(
                f"Expected a factor of {', '.join(map(str, FACTORS))} and patches of 8 px or more, "
                f"got {self.factor} and {self.patch_px}; choose others."
            )


@dataclass(frozen=True)
class Enlargement:
    """A photograph to be enlarged, or several of one size.

    Attributes
    ----------
    low
        uint8 (3, h, w) in RGB; of several (B, 3, h, w).
    high
        uint8 (3, H, W), what is to come out, likewise; None where that is not known.
    """

    low: Tensor
    high: Tensor | None = None

    def pin_memory(self) -> Enlargement:
        """Return it in memory that a GPU copies from; a batch has no ``high``."""
        return replace(self, low=self.low.pin_memory())


def enlarge(low: Tensor, factor: int) -> Tensor:
    """Return images enlarged by `BICUBIC`, float32 (B, 3, H, W) of (B, 3, h, w)."""
    size = (low.shape[2] * factor, low.shape[3] * factor)
    # antialias: PyTorch then has a = -0.5, as Pillow does, and -0.75 without. Enlarging, the kernel
    # is as wide either way.
    return nn.functional.interpolate(low, size, mode="bicubic", antialias=True)


@register_model("espcn", EspcnConfig)
class Espcn(Model):
    """The network."""

    tasks: tuple[Task, ...] = (UPSCALED_TASK,)
    paper: ClassVar[str] = "Shi et al. 2016, arXiv 1609.05158"
    sees_colour: ClassVar[bool] = True
    config: EspcnConfig

    def __init__(self, config: EspcnConfig) -> None:
        super().__init__()
        self.config = config
        first, second = WIDTHS
        last = nn.Conv2d(second, 3 * config.factor**2, 3, padding=1)
        # So that it begins as bicubic.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.net = nn.Sequential(
            nn.Conv2d(3, first, 5, padding=2),
            nn.Tanh(),
            nn.Conv2d(first, second, 3, padding=1),
            nn.Tanh(),
            last,
            nn.PixelShuffle(config.factor),
        )  # (B, 3, H, W)

    def prepare(self, source: TileSource) -> Enlargement:
        """Read an image that is to be enlarged."""
        return Enlargement(as_planes(in_colour(source.read_whole())))

    def prepare_to_learn(self, source: TileSource, rng: np.random.Generator | None) -> Enlargement:
        """Reduce an image, and return a square of it at both resolutions.

        Raises
        ------
        InvalidValueError
            If no square fits.
        TooLargeError
            As `TileSource.read_whole`.
        """
        factor, side = self.config.factor, self.config.patch_px
        pair = reduce_image(in_colour(source.read_whole()), factor)
        found = draw_patch(pair.low, pair.high, factor, side, rng)
        if found is None:
            raise InvalidValueError(
                f"Expected an image of {side * factor} px a side or more, found {source.width} x "
                f"{source.height} px; set model.settings.patch_px to less, or leave it out."
            )
        low, high = found
        return Enlargement(as_planes(low), as_planes(high))

    def find_own_targets(self, prepared: Enlargement) -> dict[str, Tensor] | None:
        """Return the large image, float32 (3, H, W) from 0 to 1."""
        if prepared.high is None:
            return None
        return {UPSCALED_TASK.name: prepared.high.float() / 255}

    def collate(self, prepared: Sequence[Enlargement]) -> Enlargement:
        """Join images of one size; ``high`` is left to the targets.

        Raises
        ------
        InvalidValueError
            If they differ in size.
        """
        sizes = {tuple(one.low.shape[1:]) for one in prepared}
        if len(sizes) > 1:
            raise InvalidValueError(
                f"Expected images of one size in a batch, found {len(sizes)}; enlarge them one by "
                "one."
            )
        return Enlargement(torch.stack([one.low for one in prepared]))

    def forward(self, batch: Enlargement) -> ModelOutput:
        """Return images (B, 3, H, W), 0 to 1 but for what the kernel overshoots."""
        low = self._values(batch)
        high = enlarge(low, self.config.factor) + self.net(low).float()
        return ModelOutput(
            {UPSCALED_TASK.name: high}, no_attention="The map is worked out by attend alone."
        )

    def _values(self, batch: Enlargement) -> Tensor:
        return hardware_of(self.device).send(batch.low).float() / 255

    def attend(self, batch: Enlargement) -> ModelOutput:
        """Return images, and where they differ from bicubic ones: what the network adds."""
        output = self.forward(batch)
        low = self._values(batch)
        added = (output.logits[UPSCALED_TASK.name] - enlarge(low, self.config.factor)).abs()
        cells = (min(MAP_CELLS, low.shape[2]), min(MAP_CELLS, low.shape[3]))
        grids = nn.functional.adaptive_avg_pool2d(added.mean(1, keepdim=True), cells)[:, 0]
        whole = (low.shape[2], low.shape[3])
        maps = tuple(
            frame_map(
                np.asarray(grid.detach().float().cpu().numpy(), np.float32),
                whole,
                (0, 0, *whole),
                task=UPSCALED_TASK.name,
                kind=MAP_KIND,
            )
            for grid in grids
        )
        return replace(output, attention=maps, no_attention="")

    def loss(self, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        """Return the mean squared error of values from 0 to 1."""
        name = UPSCALED_TASK.name
        return nn.functional.mse_loss(output.logits[name], targets[name])


@torch.no_grad()
def enlarge_whole(
    image: NDArray[np.uint8], factor: int, model: Espcn | None, tile_px: int = TILE_PX
) -> NDArray[np.uint8]:
    """Return an image enlarged tile by tile, as a file would hold it.

    Parameters
    ----------
    image
        uint8 (h, w, 3) in RGB, of any size.
    factor
        That of the model, where there is one.
    model
        On its device, in evaluation mode; None for bicubic.
    tile_px
        Side of a tile without its margin, 1 or more.

    Returns
    -------
    ndarray
        uint8 (factor * h, factor * w, 3), rounded and cut to 0 to 255.
    """
    height, width = image.shape[:2]
    high = np.empty((height * factor, width * factor, 3), np.uint8)
    for box, values in iter_tiles(image, factor, model, tile_px):
        levels = values.mul(255).round().clamp(0, 255).byte()
        high[box.slices] = levels.permute(1, 2, 0).cpu().numpy()
    return high


@torch.no_grad()
def iter_tiles(
    image: NDArray[np.uint8], factor: int, model: Espcn | None, tile_px: int = TILE_PX
) -> Iterator[tuple[Box, Tensor]]:
    """Yield the tiles of an enlarged image: where each lies, and its values, float32 (3, h, w).

    Parameters
    ----------
    image, factor, model, tile_px
        As of `enlarge_whole`; boxes are in px of the enlarged image.
    """
    height, width = image.shape[:2]
    device = torch.device("cpu") if model is None else model.device
    starts = [(row, col) for row in range(0, height, tile_px) for col in range(0, width, tile_px)]
    for done, (row, col) in enumerate(starts):
        report_progress(done, len(starts))
        tile = Box(row, col, min(row + tile_px, height), min(col + tile_px, width))
        seen = Box(
            max(0, tile.row0 - MARGIN_PX),
            max(0, tile.col0 - MARGIN_PX),
            min(height, tile.row1 + MARGIN_PX),
            min(width, tile.col1 + MARGIN_PX),
        )
        low = as_planes(image[seen.slices])[None]
        if model is None:
            high = enlarge(hardware_of(device).send(low).float() / 255, factor)
        else:
            high = model(Enlargement(low)).logits[UPSCALED_TASK.name]
        own = tile.shifted(-seen.row0, -seen.col0)
        rows, cols = (
            slice(first * factor, last * factor)
            for first, last in ((own.row0, own.row1), (own.col0, own.col1))
        )
        box = Box(*(factor * side for side in (tile.row0, tile.col0, tile.row1, tile.col1)))
        yield box, high[0, :, rows, cols]
