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
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.attention import AttentionMap
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.base import LABELS_ONLY, Doubt, FoundDigit, Model, ModelOutput
from umnist_core.models.own.edge_levels import Bits, level_count
from umnist_core.models.own.edge_planes import PackedLevels
from umnist_core.models.own.finder_nets import NOTHING, GlyphNet, glyph_input
from umnist_core.models.own.heaps import find_heaps
from umnist_core.models.own.overlaps import without_overlaps
from umnist_core.models.own.spots import Spot, search_steps, within
from umnist_core.models.own.staircase import Reading, read_staircase
from umnist_core.models.own.sums import sum_log_probabilities
from umnist_core.models.own.trust import (
    Readable,
    SumConfig,
    as_readable,
    check_holds_a_glyph,
    find_quarters,
    may_be_turned,
    turned,
    weigh_answers,
)
from umnist_core.models.own.views import view_of_patch
from umnist_core.models.registry import register_model
from umnist_core.models.views import DigitView, Ends
from umnist_core.pyramid import TileSource

PLAIN_NATS, PLAIN_SHARE = 30.0, 0.7
"""Surprise and share of edges on the grid from which a reading is a plain staircase: of 152
readings of digits of 56 px and more 127 were, and of readings of none 25, all but four of them
off their place on a digit."""

AT_ONCE = 128
"""Patches that the net looks at in one go; what it says of one does not depend on the others."""


@dataclass(frozen=True)
class AdditivePyramidConfig(SumConfig):
    """Settings of the additive pyramid, besides those of `SumConfig`.

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
    """

    width: int = 16
    heaps: int = 12
    small_heaps: int = 6
    bar_heaps: int = 4
    memory: int = 10
    chunk: int = 16

    def __post_init__(self) -> None:
        places = (self.heaps, self.small_heaps, self.bar_heaps)
        if min(self.width, *places, self.memory, self.chunk) < 1:
            raise InvalidValueError(
                "width, heaps, small_heaps, bar_heaps, memory and chunk are 1 or more; got less."
            )
        self.check_digits("memory", self.memory)


@dataclass(frozen=True)
class ReadPatches:
    """What was read in an image, without a net.

    Attributes
    ----------
    glyphs
        uint8 (P, 2, 28, 28) of 0 and 1: ink, and the pixels as they are.
    boxes
        float32 (P, 4): row0, col0, row1, col1 in image px.
    height, width
        Of the image, px.
    doubts
        What its pixels say against it.
    scale
        Px that were read to a px of the image, along the side where that is more.
    """

    glyphs: Bits
    boxes: NDArray[np.float32]
    height: int
    width: int
    doubts: tuple[Doubt, ...] = ()
    scale: float = 1.0

    def turned(self, quarters: int) -> ReadPatches:
        """Return the patches with their pictures turned clockwise, where they are."""
        return replace(self, glyphs=turned(self.glyphs, quarters)) if quarters else self


@register_model("additive-pyramid", AdditivePyramidConfig)
class AdditivePyramid(Model):
    """Adds up what patches of every level are, taught by sums."""

    sees = LABELS_ONLY

    def __init__(self, config: AdditivePyramidConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = GlyphNet(config.width)

    def prepare(self, source: TileSource) -> ReadPatches:
        """Read the patches of every level; their number depends on that of the levels alone.

        Raises
        ------
        InvalidValueError
            If the image is smaller than a glyph.
        """
        check_holds_a_glyph(source, "The additive pyramid")
        readable = as_readable(source)
        return _patches(self._read(readable), readable, source)

    def _read(self, readable: Readable) -> list[Reading]:
        """Read from the coarsest level to the finest, and not again within a plain staircase."""
        readings: dict[tuple[float, float, float], Reading] = {}
        plain: list[tuple[float, Box]] = []
        source = readable.source
        packed = PackedLevels(source, readable.scale)
        steps = search_steps(packed)
        most = (self.config.heaps, self.config.small_heaps, self.config.bar_heaps)

        def is_known(canvas_boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
            return within([box for _, box in plain], canvas_boxes)

        for level in reversed(range(level_count(source.height, source.width))):
            new = []
            for spot in find_heaps(packed, level, *most, steps=steps, is_known=is_known):
                if not any(_is_part(spot, side_px, box) for side_px, box in plain):
                    new.append(read_staircase(source, spot.row, spot.col, spot.side_px))
            for one in new:
                if one is not None:
                    readings[(one.factor, one.row, one.col)] = one
                    if one.surprise >= PLAIN_NATS and one.on_grid >= PLAIN_SHARE:
                        plain.append((one.side_px, one.ink_area))
        return list(readings.values())

    def collate(self, prepared: Sequence[ReadPatches]) -> tuple[ReadPatches, ...]:
        """Return the images' patches as a tuple; each has its own number of them."""
        return tuple(prepared)

    def view_place(self, batch: tuple[ReadPatches, ...], canvas_box: Ends) -> DigitView | None:
        """Return the patch that was read at a place; None where none was."""
        return view_of_patch(batch[0], canvas_box)

    def forward(self, batch: tuple[ReadPatches, ...]) -> ModelOutput:
        """Return logits, the map of the patches kept, its rounds, and what they are."""
        chances = self.look_at(batch)
        seen = [self._see(one, own) for one, own in zip(batch, chances, strict=True)]
        turns = [quarters for _, _, quarters in seen]
        upright = tuple(one.turned(by) for one, by in zip(batch, turns, strict=True))
        chosen, rounds = [kept for kept, _, _ in seen], tuple(maps for _, maps, _ in seen)
        counts = [len(places) for places in chosen]
        probabilities = self._encode(
            np.concatenate(
                [one.glyphs[places] for one, places in zip(upright, chosen, strict=True)]
            )
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
        confidence, doubts = weigh_answers(
            logits,
            found,
            self.config,
            [(one.doubts, one.scale, by) for one, by in zip(batch, turns, strict=True)],
        )
        return ModelOutput(
            {"sum": logits},
            tuple(maps),
            found=tuple(found),
            rounds=rounds,
            doubts=doubts,
            confidence=confidence,
        )

    def _see(
        self, patches: ReadPatches, chances: Tensor
    ) -> tuple[list[int], tuple[AttentionMap, ...], int]:
        """Choose patches of an image, and by how many quarters they must be turned to be read."""
        kept, rounds = self.select(patches, chances)
        if self.training or not may_be_turned(chances[kept], self.config.fewest_digits):
            return kept, rounds, 0
        turns = [patches.turned(by) for by in (1, 2, 3)]
        every = [chances, *self.look_at(turns)]
        chosen = [(kept, rounds), *map(self.select, turns, every[1:])]
        quarters = find_quarters(
            [own[places] for own, (places, _) in zip(every, chosen, strict=True)]
        )
        return *chosen[quarters], quarters

    @torch.no_grad()
    def look_at(self, batch: Sequence[ReadPatches]) -> list[Tensor]:
        """Return what all patches of images are, each (P, 11), in evaluation mode, no gradients."""
        was_training = self.reader.training
        self.reader.eval()
        glyphs = np.concatenate([one.glyphs for one in batch])
        parts = [
            self._encode(glyphs[first : first + AT_ONCE]).softmax(dim=1)
            for first in range(0, max(1, len(glyphs)), AT_ONCE)
        ]
        self.reader.train(was_training)
        return list(torch.split(torch.cat(parts), [len(one.glyphs) for one in batch]))

    def select(
        self, patches: ReadPatches, chances: Tensor
    ) -> tuple[list[int], tuple[AttentionMap, ...]]:
        """Choose the patches to keep, in rounds.

        Parameters
        ----------
        patches
            P of an image.
        chances
            float (P, 11), what each is, of `look_at`.

        Returns
        -------
        tuple
            Places of at most ``memory`` patches, and the map after each round.
        """
        is_digit = (1 - chances[:, NOTHING].cpu().numpy()).astype(np.float64)
        kept: list[int] = []
        rounds = []
        for first in range(0, len(is_digit), self.config.chunk):
            places = range(first, min(first + self.config.chunk, len(is_digit)))
            free = without_overlaps(patches.boxes, is_digit, [*kept, *places])
            kept = free[: self.config.memory]
            rounds.append(_patch_map(patches, kept, torch.from_numpy(is_digit[kept])))
        return kept, tuple(rounds)

    def _encode(self, glyphs: Bits) -> Tensor:
        """Return logits (P, 11) of patches uint8 (P, 2, 28, 28)."""
        if len(glyphs) == 0:  # nothing to read, and still a way for gradients of 0
            return sum(one.sum() for one in self.reader.parameters()) * torch.zeros(
                0, NOTHING + 1, device=self.device
            )
        both = torch.from_numpy(np.ascontiguousarray(glyphs)).to(self.device)
        logits: Tensor = self.reader(glyph_input(both[:, 0], both[:, 1]))
        return logits.float()  # sums of products of chances want 32 bits, in mixed precision too


def _is_part(spot: Spot, side_px: float, ink_area: Box) -> bool:
    """Return whether a place is at most half as large as a digit within whose ink it lies."""
    is_inside = (
        ink_area.row0 <= spot.row < ink_area.row1 and ink_area.col0 <= spot.col < ink_area.col1
    )
    return is_inside and 2 * spot.side_px <= side_px


def _patches(readings: list[Reading], readable: Readable, source: TileSource) -> ReadPatches:
    glyphs = np.zeros((len(readings), 2, GLYPH_PX, GLYPH_PX), np.uint8)
    boxes = np.zeros((len(readings), 4), np.float32)
    for place, one in enumerate(readings):
        glyphs[place] = one.ink, one.seen
        boxes[place] = one.row, one.col, one.row + one.side_px, one.col + one.side_px
    boxes /= np.array(readable.scale * 2, np.float32)
    scale = max(readable.scale)
    return ReadPatches(glyphs, boxes, source.height, source.width, readable.doubts, scale)


def _patch_map(patches: ReadPatches, kept: list[int], chances: Tensor) -> AttentionMap:
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
