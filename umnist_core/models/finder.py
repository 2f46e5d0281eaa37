"""The digit finder: finds each digit at every scale, reads it off its staircase, and adds up.

Our own, after no paper. A small convolutional net looks at long axis-parallel edges on every
level of the pyramid (`edge_levels`, `spots`) and says where a digit may be centred. There its
factor, offset and ink are read off its own staircase (`staircase`), on each grid that its edges
may mean, and a second small net reads the glyph. A third, of a few numbers, judges from both
nets and the grid whether it is a digit. The sum's probability is the convolution of the digits'
(`sums`), under the prior of 3 to 5 digits an image. Nets are trained on digits' boxes and
classes: ``unconstrained``.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import UNCONSTRAINED, FoundDigit, Model, ModelOutput
from umnist_core.models.finder_nets import (
    MARGIN_CELLS,
    NOTHING,
    STRIDE_PX,
    GlyphNet,
    SpotNet,
    glyph_input,
)
from umnist_core.models.registry import register_model
from umnist_core.models.spots import Look, Spot, iter_looks, merge_spots, spots_of
from umnist_core.models.staircase import Reading, read_staircases
from umnist_core.models.sums import sum_log_probabilities
from umnist_core.pyramid import TileSource

SHOWN_SCORE = 0.02
"""Places with a smaller score are left out of the map."""

MOST_SHOWN = 1024
"""Places in the map, the best ones."""

EVIDENCE = 6
"""Numbers from which it is judged whether a digit is there."""

OVERLAP = 0.15
"""Of the smaller of two squares; digits of a scene do not overlap at all."""

SMALLER_SIDE = 0.85
"""Of the side that a place says, where nothing is read: too large a window holds more of the
ground than of the digit."""

LARGER_SIDE, LARGER_FROM_PX = 1.75, 4 * GLYPH_PX
"""Of the side that a place says, tried as well if that is 112 px or more: of a large plain 1
the net of places may see a part."""


@dataclass(frozen=True)
class DigitFinderConfig:
    """Settings of the digit finder.

    Attributes
    ----------
    spot_width, glyph_width
        Channels of the first block of either net.
    least_score
        Of a place that is read, 0 to 1.
    most_spots
        Places that are read in an image, the best ones.
    fewest_digits, most_digits
        How many digits an image has.
    """

    spot_width: int = 12
    glyph_width: int = 16
    least_score: float = 0.1
    most_spots: int = 64
    fewest_digits: int = 3
    most_digits: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.fewest_digits <= self.most_digits <= self.most_spots:
            raise InvalidValueError(
                "Expected fewest_digits <= most_digits <= most_spots, all 0 or more; got "
                f"{self.fewest_digits}, {self.most_digits}, {self.most_spots}."
            )
        if not 0 < self.least_score < 1:
            raise InvalidValueError(f"least_score is between 0 and 1; got {self.least_score}.")


@dataclass(frozen=True)
class Candidate:
    """A place with what was read there."""

    spot: Spot
    reading: Reading


@register_model("digit-finder", DigitFinderConfig)
class DigitFinder(Model):
    """Finds digits and adds them up; a batch is a tuple of sources, read tile by tile."""

    sees = UNCONSTRAINED

    def __init__(self, config: DigitFinderConfig) -> None:
        super().__init__()
        self.config = config
        self.spots = SpotNet(config.spot_width)
        self.glyphs = GlyphNet(config.glyph_width)
        self.judge = nn.Linear(EVIDENCE, 1)
        with torch.no_grad():  # until it is fitted: as likely as both nets think
            self.judge.weight.copy_(torch.tensor([[0.5, 1.0, 0.0, 0.0, 0.0, 0.0]]))
            self.judge.bias.zero_()

    def prepare(self, source: TileSource) -> TileSource:
        """Return the source itself: nothing of it is read before it is needed.

        Raises
        ------
        InvalidValueError
            If the image is smaller than a glyph.
        """
        if min(source.height, source.width) < GLYPH_PX:
            raise InvalidValueError(
                f"The digit finder takes images of {GLYPH_PX} px and more a side; got "
                f"{source.width} x {source.height} px."
            )
        return source

    def collate(self, prepared: Sequence[TileSource]) -> tuple[TileSource, ...]:
        """Return the sources as a tuple."""
        return tuple(prepared)

    def forward(self, batch: tuple[TileSource, ...]) -> ModelOutput:
        """Return logits, the digits found, and the map of scores.

        Gradients reach the reader of glyphs and the judge, not the net of places, whose choice
        of places is not differentiable; it has a loss of its own in training.
        """
        logits, maps, found = [], [], []
        for source in batch:
            candidates, score_map = self.find_candidates(source)
            kept, probabilities = self.read_candidates(candidates)
            logits.append(
                sum_log_probabilities(
                    probabilities[None], self.config.fewest_digits, self.config.most_digits
                )
            )
            maps.append(score_map)
            found.append(_found(kept, probabilities))
        return ModelOutput({"sum": torch.cat(logits)}, tuple(maps), found=tuple(found))

    def find_candidates(self, source: TileSource) -> tuple[list[Candidate], AttentionMap]:
        """Find places where a digit may stand, read what stands there, and map the scores."""
        shown: list[tuple[float, int, tuple[float, float, float, float]]] = []
        spots: list[Spot] = []
        was_training = self.spots.training
        self.spots.eval()  # windows of one image are no fair batch for its statistics
        for look in iter_looks(self.spots, source):
            spots = [*spots, *spots_of(look, self.config.least_score)]
            if len(spots) > 8 * self.config.most_spots:
                spots = merge_spots(spots, 4 * self.config.most_spots)
            _keep_shown(shown, look)
        self.spots.train(was_training)
        found: dict[tuple[float, float, float], Candidate] = {}
        for spot in merge_spots(spots, self.config.most_spots):
            for one in readings_at(source, spot):  # places a little apart may be the same digit's
                found.setdefault((one.factor, one.row, one.col), Candidate(spot, one))
        return list(found.values()), _score_map(shown, source)

    def read_candidates(self, candidates: list[Candidate]) -> tuple[list[Candidate], Tensor]:
        """Read glyphs, and drop those that lie on better ones.

        Returns
        -------
        tuple
            The candidates that are left, N of them, and float (N, 11): the probabilities of
            the ten digits and of nothing.
        """
        weights = self.judge.weight
        if not candidates:
            return [], torch.zeros(0, NOTHING + 1, device=weights.device) + 0 * weights.sum()
        logits = self.glyphs(self.glyph_batch(candidates))  # (N, 2, 28, 28) -> (N, 11)
        is_there = self.judge(evidence(candidates, logits))[:, 0].sigmoid()  # (N,)
        digits = logits[:, :NOTHING].softmax(dim=1) * is_there[:, None]  # (N, 10)
        probabilities = torch.cat([digits, 1 - is_there[:, None]], dim=1)
        kept = _without_overlaps(candidates, is_there.detach().tolist())
        return [candidates[place] for place in kept], probabilities[kept]

    def glyph_batch(self, candidates: list[Candidate]) -> Tensor:
        """Return what the reader of glyphs sees; float (N, 2, 28, 28)."""
        ink = np.stack([one.reading.ink for one in candidates])
        seen = np.stack([one.reading.seen for one in candidates])
        return glyph_input(torch.from_numpy(ink), torch.from_numpy(seen)).to(self.device)


def readings_at(source: TileSource, spot: Spot) -> tuple[Reading, ...]:
    """Return what may stand at a place, on each grid and at each side that it may have."""
    row, col, side_px = spot.row, spot.col, spot.side_px
    found = read_staircases(source, row, col, side_px)
    found = found or read_staircases(source, row, col, SMALLER_SIDE * side_px)
    if side_px >= LARGER_FROM_PX:
        found += read_staircases(source, row, col, LARGER_SIDE * side_px)
    return found


def evidence(candidates: list[Candidate], logits: Tensor) -> Tensor:
    """Return the numbers that the judge sees of each candidate; float (N, 6).

    Those of `grid_evidence` and, in the second place, the log odds of the reader of glyphs.
    """
    return join_evidence(grid_evidence(candidates).to(logits), logits)


def join_evidence(known: Tensor, logits: Tensor) -> Tensor:
    """Return the numbers that the judge sees from (N, 5) and the reader's logits, (N, 11)."""
    of_digit = logits[:, :NOTHING].logsumexp(dim=1) - logits[:, NOTHING]  # (N,)
    return torch.cat([known[:, :1], of_digit.clamp(-12, 12)[:, None], known[:, 1:]], dim=1)


def grid_evidence(candidates: list[Candidate]) -> Tensor:
    """Return what is known of each candidate before its glyph is read; float (N, 5).

    Log odds of the net of places, share of edges on the grid (0 for factors below 2, where it
    says nothing), how unlikely it is that they are by chance, in ten nats and at most 4,
    whether the factor is below 2, and below 4.
    """
    rows = []
    for one in candidates:
        score = min(max(one.spot.score, 1e-4), 1 - 1e-4)
        is_small = one.reading.factor < 2
        rows.append(
            (
                math.log(score / (1 - score)),
                0.0 if is_small else one.reading.on_grid,
                min(one.reading.surprise / 10, 4.0),
                float(is_small),
                float(one.reading.factor < 4),
            )
        )
    return torch.tensor(rows, dtype=torch.float32)


def _without_overlaps(candidates: list[Candidate], chances: list[float]) -> list[int]:
    kept: list[int] = []
    for place in sorted(range(len(candidates)), key=lambda one: -chances[one]):
        reading = candidates[place].reading
        if all(overlap_share(reading, candidates[other].reading) <= OVERLAP for other in kept):
            kept.append(place)
    return kept


def overlap_share(one: Reading, other: Reading) -> float:
    """Return the common area of two squares without their margins over that of the smaller."""
    inner = GLYPH_PX - 2 * MARGIN_CELLS
    common = 1.0
    for first, second in ((one.row, other.row), (one.col, other.col)):
        begin = max(first + MARGIN_CELLS * one.factor, second + MARGIN_CELLS * other.factor)
        end = min(
            first + (MARGIN_CELLS + inner) * one.factor,
            second + (MARGIN_CELLS + inner) * other.factor,
        )
        common *= max(0.0, end - begin)
    return common / (inner * min(one.factor, other.factor)) ** 2


def _found(kept: list[Candidate], probabilities: Tensor) -> tuple[FoundDigit, ...]:
    found = []
    for one, chances in zip(kept, probabilities.detach().cpu().tolist(), strict=True):
        score = 1 - chances[NOTHING]
        if score >= 0.5:
            label = max(range(NOTHING), key=lambda digit: chances[digit])
            side = one.reading.side_px
            found.append(FoundDigit(label, score, one.reading.row, one.reading.col, side, side))
    return tuple(found)


def _keep_shown(
    shown: list[tuple[float, int, tuple[float, float, float, float]]], look: Look
) -> None:
    """Put the places of a tile into a heap of the best ones."""
    scores = look.scores.max(axis=0)
    step = STRIDE_PX << look.level
    for down, right in zip(*np.nonzero(scores >= SHOWN_SCORE), strict=True):
        row, col = (look.row << look.level) + int(down) * step, (look.col << look.level)
        col += int(right) * step
        box = (float(row), float(col), float(row + step), float(col + step))
        one = (float(scores[down, right]), -look.level, box)
        if len(shown) < MOST_SHOWN:
            heapq.heappush(shown, one)
        else:
            heapq.heappushpop(shown, one)


def _score_map(
    shown: list[tuple[float, int, tuple[float, float, float, float]]], source: TileSource
) -> AttentionMap:
    """Return the map of scores; no place at all where no digit may stand."""
    limit = (source.height, source.width, source.height, source.width)
    boxes = np.array([np.minimum(box, limit) for _, _, box in shown], np.float32).reshape(-1, 4)
    scores = np.array([score for score, _, _ in shown], np.float32)
    weights = scores / max(float(scores.sum()), 1e-9)
    return AttentionMap(
        weights.astype(np.float32)[None, None],
        boxes,
        source.height,
        source.width,
        ("sum",),
        "score of a digit centred here",
    )
