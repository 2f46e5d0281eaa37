"""The additive pyramid: a model for the full resolution that learns from sums alone.

Our own, after no paper; the selection in rounds follows IPS (Bergner, Lippert and Mahendran,
2023, arXiv 2210.13007) and the additive read-out the idea of MNIST addition (Manhaeve et al.,
2018, arXiv 1805.10872). On every level of the pyramid, places where corners heap up are found
without a net (`heaps`), and each is read off its staircase (`staircase`): that much is
geometry and sees no label. A net gives each patch a distribution over the ten digits and
nothing; in rounds of a fixed size the patches that are most likely digits are kept, those
under a better one dropped, and the ones left are encoded again, with gradient. The sum's
distribution is the convolution of theirs, so cross-entropy on the sum teaches what a digit
is. Memory is fixed at any image size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.attention import AttentionMap
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import LABELS_ONLY, FoundDigit, Model, ModelOutput
from umnist_core.models.edge_levels import Bits, level_count
from umnist_core.models.finder_nets import MARGIN_CELLS, NOTHING, GlyphNet, glyph_input
from umnist_core.models.heaps import find_heaps
from umnist_core.models.registry import register_model
from umnist_core.models.spots import block_steps
from umnist_core.models.staircase import Reading, read_staircase
from umnist_core.models.sums import sum_log_probabilities
from umnist_core.pyramid import TileSource

OVERLAP = 0.15
"""Of the smaller of two squares: above it, the two mean one digit."""


@dataclass(frozen=True)
class AdditivePyramidConfig:
    """Settings of the additive pyramid.

    Attributes
    ----------
    width
        Channels of the net's first block.
    heaps
        Places of each level that are read.
    small_heaps
        Places that are read as digits of 14 px, on the finest level.
    bar_heaps
        Places of each other level that are read as a plain 1.
    memory
        Patches that are kept.
    chunk
        Patches that are looked at in a round.
    fewest_digits, most_digits
        How many digits an image has.
    """

    width: int = 16
    heaps: int = 12
    small_heaps: int = 6
    bar_heaps: int = 4
    memory: int = 10
    chunk: int = 16
    fewest_digits: int = 3
    most_digits: int = 5

    def __post_init__(self) -> None:
        places = (self.heaps, self.small_heaps, self.bar_heaps)
        if min(self.width, *places, self.memory, self.chunk) < 1:
            raise InvalidValueError(
                "width, heaps, small_heaps, bar_heaps, memory and chunk are 1 or more; got less."
            )
        if not 0 <= self.fewest_digits <= self.most_digits <= self.memory:
            raise InvalidValueError(
                "Expected fewest_digits <= most_digits <= memory, all 0 or more; got "
                f"{self.fewest_digits}, {self.most_digits}, {self.memory}."
            )


@dataclass(frozen=True)
class Patches:
    """What was read in an image, without a net.

    Attributes
    ----------
    glyphs
        uint8 (P, 2, 28, 28) of 0 and 1: ink, and the pixels as they are.
    boxes
        float32 (P, 4): row0, col0, row1, col1 in image px.
    height, width
        Of the image, px.
    """

    glyphs: Bits
    boxes: NDArray[np.float32]
    height: int
    width: int


@register_model("additive-pyramid", AdditivePyramidConfig)
class AdditivePyramid(Model):
    """Adds up what patches of every level are, taught by sums."""

    sees = LABELS_ONLY

    def __init__(self, config: AdditivePyramidConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = GlyphNet(config.width)

    def prepare(self, source: TileSource) -> Patches:
        """Read the patches of every level; their number depends on that of the levels alone.

        Raises
        ------
        InvalidValueError
            If the image is smaller than a glyph.
        """
        if min(source.height, source.width) < GLYPH_PX:
            raise InvalidValueError(
                f"The additive pyramid takes images of {GLYPH_PX} px and more a side; got "
                f"{source.width} x {source.height} px."
            )
        readings: dict[tuple[float, float, float], Reading] = {}
        steps = block_steps(source)
        most = (self.config.heaps, self.config.small_heaps, self.config.bar_heaps)
        for level in range(level_count(source.height, source.width)):
            for spot in find_heaps(source, level, *most, steps=steps):
                one = read_staircase(source, spot.row, spot.col, spot.side_px)
                if one is not None:
                    readings[(one.factor, one.row, one.col)] = one
        return _patches(list(readings.values()), source)

    def collate(self, prepared: Sequence[Patches]) -> tuple[Patches, ...]:
        """Return the images' patches as a tuple; each has its own number of them."""
        return tuple(prepared)

    def forward(self, batch: tuple[Patches, ...]) -> ModelOutput:
        """Return logits, the map of the patches kept, its rounds, and what they are."""
        chosen, rounds = zip(*(self.select(one) for one in batch), strict=True)
        counts = [len(places) for places in chosen]
        probabilities = self._encode(
            np.concatenate([one.glyphs[places] for one, places in zip(batch, chosen, strict=True)])
        ).softmax(dim=1)  # (sum of counts, 11)
        padded = probabilities.new_zeros(len(batch), self.config.memory, NOTHING + 1)
        padded[:, :, NOTHING] = 1  # a place that is not taken holds nothing
        maps, found = [], []
        for place, own in enumerate(torch.split(probabilities, counts)):
            padded[place, : len(own)] = own
            one, kept = batch[place], chosen[place]
            maps.append(_patch_map(one, kept, 1 - own[:, NOTHING].detach()))
            found.append(_found(one.boxes[kept], own.detach().cpu().tolist()))
        logits = sum_log_probabilities(
            padded, self.config.fewest_digits, self.config.most_digits
        )  # (B, M, 11) -> (B, 28)
        return ModelOutput({"sum": logits}, tuple(maps), found=tuple(found), rounds=rounds)

    @torch.no_grad()
    def select(self, patches: Patches) -> tuple[list[int], tuple[AttentionMap, ...]]:
        """Choose the patches to keep, in rounds, in evaluation mode and without gradients.

        Returns
        -------
        tuple
            Places of at most ``memory`` patches, and the map after each round.
        """
        was_training = self.reader.training
        self.reader.eval()
        kept: list[int] = []
        chances = np.zeros(len(patches.glyphs))
        rounds = []
        for first in range(0, len(chances), self.config.chunk):
            places = range(first, min(first + self.config.chunk, len(chances)))
            seen = self._encode(patches.glyphs[places.start : places.stop]).softmax(dim=1)
            chances[places.start : places.stop] = 1 - seen[:, NOTHING].cpu().numpy()
            kept = self._keep(patches.boxes, chances, [*kept, *places])
            rounds.append(_patch_map(patches, kept, torch.from_numpy(chances[kept])))
        self.reader.train(was_training)
        return kept, tuple(rounds)

    def _keep(
        self, boxes: NDArray[np.float32], chances: NDArray[np.float64], places: list[int]
    ) -> list[int]:
        kept: list[int] = []
        for place in sorted(places, key=lambda one: -chances[one]):
            if len(kept) == self.config.memory:
                break
            if all(_overlap(boxes[place], boxes[other]) <= OVERLAP for other in kept):
                kept.append(place)
        return kept

    def _encode(self, glyphs: Bits) -> Tensor:
        """Return logits (P, 11) of patches uint8 (P, 2, 28, 28)."""
        if len(glyphs) == 0:  # nothing to read, and still a way for gradients of 0
            return sum(one.sum() for one in self.reader.parameters()) * torch.zeros(
                0, NOTHING + 1, device=self.device
            )
        both = torch.from_numpy(np.ascontiguousarray(glyphs)).to(self.device)
        logits: Tensor = self.reader(glyph_input(both[:, 0], both[:, 1]))
        return logits.float()  # sums of products of chances want 32 bits, in mixed precision too


def _patches(readings: list[Reading], source: TileSource) -> Patches:
    glyphs = np.zeros((len(readings), 2, GLYPH_PX, GLYPH_PX), np.uint8)
    boxes = np.zeros((len(readings), 4), np.float32)
    for place, one in enumerate(readings):
        glyphs[place] = one.ink, one.seen
        boxes[place] = one.row, one.col, one.row + one.side_px, one.col + one.side_px
    return Patches(glyphs, boxes, source.height, source.width)


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the common area of two boxes without their margins over that of the smaller."""
    first, second = _inner(one), _inner(other)
    size = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    smaller = min(np.prod(first[2:] - first[:2]), np.prod(second[2:] - second[:2]))
    return float(np.prod(np.maximum(size, 0)) / smaller)


def _inner(box: NDArray[np.float32]) -> NDArray[np.float32]:
    margin = MARGIN_CELLS / GLYPH_PX * (box[2:] - box[:2])
    return np.concatenate([box[:2] + margin, box[2:] - margin])


def _patch_map(patches: Patches, kept: list[int], chances: Tensor) -> AttentionMap:
    weights = chances.float().cpu().numpy()
    weights = weights / max(float(weights.sum()), 1e-9)
    # A glyph whose ink ends at the image's edge may have a square that goes beyond it.
    ends = np.array([patches.height, patches.width] * 2, np.float32)
    return AttentionMap(
        weights.astype(np.float32)[None, None],
        np.clip(patches.boxes[kept], 0, ends),
        patches.height,
        patches.width,
        ("sum",),
        "chance that a digit stands here",
    )


def _found(boxes: NDArray[np.float32], chances: list[list[float]]) -> tuple[FoundDigit, ...]:
    found = []
    for (row0, col0, row1, col1), own in zip(boxes.tolist(), chances, strict=True):
        if own[NOTHING] < 0.5:
            label = max(range(NOTHING), key=lambda digit: own[digit])
            found.append(FoundDigit(label, 1 - own[NOTHING], row0, col0, row1 - row0, col1 - col0))
    return tuple(found)
