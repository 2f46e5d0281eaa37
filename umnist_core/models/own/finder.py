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

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import UNCONSTRAINED, Doubt, FoundDigit, Model, ModelOutput
from umnist_core.models.own.edge_levels import level_count
from umnist_core.models.own.finder_nets import (
    NOTHING,
    GlyphNet,
    SpotNet,
    glyph_input,
)
from umnist_core.models.own.finder_search import Candidate, Search, Shown, reading_boxes
from umnist_core.models.own.overlaps import without_overlaps
from umnist_core.models.own.sums import sum_log_probabilities
from umnist_core.models.own.trust import (
    Readable,
    SumConfig,
    as_readable,
    can_scale_back,
    check_holds_a_glyph,
    find_quarters,
    may_be_turned,
    scaled_back,
    turned,
    weigh_answers,
)
from umnist_core.models.own.views import view_of_level
from umnist_core.models.registry import register_model
from umnist_core.models.views import DigitView, Ends
from umnist_core.pyramid import TileSource

PLAIN, BY_SIZE = "plain", "by-size"
EVIDENCE = {PLAIN: 6, BY_SIZE: 12}
"""Kind of judge -> numbers from which it judges whether a digit is there."""

SCALED = Doubt(
    "rescaled",
    "Expected digits of repeated pixels; found some only after the image was scaled to 4000 px.",
)

THOROUGH_SPOTS = 24
"""Places of a level that are read for training, where none is left out."""


@dataclass(frozen=True)
class DigitFinderConfig(SumConfig):
    """Settings of the digit finder, besides those of `SumConfig`.

    Attributes
    ----------
    spot_width, glyph_width
        Channels of the first block of either net.
    least_score
        Of a place that is read, 0 to 1.
    most_spots
        Places that are read on a level, the best ones.
    judge
        One of `EVIDENCE`.
    """

    spot_width: int = 12
    glyph_width: int = 16
    least_score: float = 0.1
    most_spots: int = 64
    judge: str = PLAIN

    def __post_init__(self) -> None:
        self.check_digits("most_spots", self.most_spots)
        if self.judge not in EVIDENCE:
            raise InvalidValueError(
                f"judge is one of {', '.join(EVIDENCE)}; got {self.judge[:40]!r}."
            )
        if not 0 < self.least_score < 1:
            raise InvalidValueError(f"least_score is between 0 and 1; got {self.least_score}.")


@register_model("digit-finder", DigitFinderConfig)
class DigitFinder(Model):
    """Finds digits and adds them up; a batch is a tuple of sources, read tile by tile."""

    sees = UNCONSTRAINED

    def __init__(self, config: DigitFinderConfig) -> None:
        super().__init__()
        self.config = config
        self.spots = SpotNet(config.spot_width)
        self.glyphs = GlyphNet(config.glyph_width)
        self.judge = nn.Linear(EVIDENCE[config.judge], 1)
        with torch.no_grad():  # until it is fitted: as likely as both nets think
            self.judge.weight.zero_()
            self.judge.weight[0, :2] = torch.tensor([0.5, 1.0])
            self.judge.bias.zero_()

    def prepare(self, source: TileSource) -> Readable:
        """Return the image as it is read; little of it is read before it is needed.

        Raises
        ------
        InvalidValueError
            If the image is smaller than a glyph.
        """
        check_holds_a_glyph(source, "The digit finder")
        return as_readable(source)

    def collate(self, prepared: Sequence[Readable]) -> tuple[Readable, ...]:
        """Return the images as a tuple."""
        return tuple(prepared)

    def view_place(self, batch: tuple[Readable, ...], canvas_box: Ends) -> DigitView:
        """Return the window of the level on which a digit of this size is looked for."""
        return view_of_level(batch[0], canvas_box)

    def forward(self, batch: tuple[Readable, ...]) -> ModelOutput:
        """Return logits, the digits found, the map of scores, and what speaks against them.

        Gradients reach the reader of glyphs and the judge, not the net of places, whose choice
        of places is not differentiable; it has a loss of its own in training.
        """
        seen = [self._see(one) for one in batch]
        logits = torch.cat(
            [
                sum_log_probabilities(
                    one.probabilities[None], self.config.fewest_digits, self.config.most_digits
                )
                for one in seen
            ]
        )
        found = tuple(one.found() for one in seen)
        confidence, doubts = weigh_answers(
            logits,
            found,
            self.config,
            [(one.readable.doubts, max(one.readable.scale), one.quarters) for one in seen],
        )
        return ModelOutput(
            {"sum": logits},
            tuple(one.score_map() for one in seen),
            found=found,
            doubts=doubts,
            confidence=confidence,
        )

    def _see(self, readable: Readable) -> _Seen:
        """Read an image; one in which too little is found may have been scaled."""
        seen = self._see_once(readable)
        if len(seen.found()) >= self.config.fewest_digits or readable.scale != (1.0, 1.0):
            return seen
        if not can_scale_back(readable.source):
            return seen
        again = self._see_once(scaled_back(readable.source, (*readable.doubts, SCALED)))
        return again if len(again.found()) > len(seen.found()) else seen

    def _see_once(self, readable: Readable) -> _Seen:
        candidates, shown = self.find_candidates(readable.source, scale=readable.scale)
        kept, probabilities = self.read_candidates(candidates)
        seen = _Seen(readable, shown, kept, probabilities, 0)
        if self.training or not may_be_turned(probabilities, self.config.fewest_digits):
            return seen
        turns = [seen] + [
            _Seen(readable, shown, *self.read_candidates(candidates, quarters), quarters)
            for quarters in (1, 2, 3)
        ]
        return turns[find_quarters([one.probabilities for one in turns])]

    def find_candidates(
        self,
        source: TileSource,
        *,
        is_thorough: bool = False,
        scale: tuple[float, float] = (1.0, 1.0),
    ) -> tuple[list[Candidate], list[Shown]]:
        """Find places where a digit may stand, and read what stands there.

        Parameters
        ----------
        source
            The image.
        is_thorough
            Whether one looks everywhere, also where a digit is beyond doubt: what training learns
            from.
        scale
            Px of it to a px of the image that was asked about, for whoever watches.

        Returns
        -------
        tuple
            The candidates, and the places with the best scores.
        """
        search = Search(
            self.spots,
            source,
            scale=scale,
            least_score=self.config.least_score,
            most_spots=THOROUGH_SPOTS if is_thorough else self.config.most_spots,
            judge=None if is_thorough else self._chances,
        )
        was_training = self.training
        self.eval()  # windows of one image are no fair batch for its statistics
        for level in reversed(range(level_count(source.height, source.width))):
            search.search_level(level)
        self.train(was_training)
        return list(search.found.values()), search.shown

    def read_candidates(
        self, candidates: list[Candidate], quarters: int = 0
    ) -> tuple[list[Candidate], Tensor]:
        """Read glyphs, turned clockwise by quarters, and drop those that lie on better ones.

        Returns
        -------
        tuple
            The candidates that are left, N of them, and float (N, 11): the probabilities of
            the ten digits and of nothing.
        """
        weights = self.judge.weight
        if not candidates:
            return [], torch.zeros(0, NOTHING + 1, device=weights.device) + 0 * weights.sum()
        digits, is_there = self.judge_candidates(candidates, quarters)
        probabilities = torch.cat([digits * is_there[:, None], 1 - is_there[:, None]], dim=1)
        kept = without_overlaps(reading_boxes(candidates), is_there.detach().tolist())
        return [candidates[place] for place in kept], probabilities[kept]

    @torch.no_grad()
    def _chances(self, candidates: list[Candidate]) -> list[float]:
        chances: list[float] = self.judge_candidates(candidates)[1].tolist()
        return chances

    def judge_candidates(
        self, candidates: list[Candidate], quarters: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Return the probabilities of the ten digits, (N, 10), and that one is there, (N,)."""
        logits = self.glyphs(self.glyph_batch(candidates, quarters))  # (N, 2, 28, 28) -> (N, 11)
        is_there = self.judge(evidence(candidates, logits, self.config.judge))[
            :, 0
        ].sigmoid()  # (N,)
        return logits[:, :NOTHING].softmax(dim=1), is_there

    def glyph_batch(self, candidates: list[Candidate], quarters: int = 0) -> Tensor:
        """Return what the reader of glyphs sees; float (N, 2, 28, 28)."""
        ink = turned(np.stack([one.reading.ink for one in candidates]), quarters)
        seen = turned(np.stack([one.reading.seen for one in candidates]), quarters)
        return glyph_input(torch.from_numpy(ink), torch.from_numpy(seen)).to(self.device)


def evidence(candidates: list[Candidate], logits: Tensor, judge: str) -> Tensor:
    """Return the numbers that a kind of judge sees of each candidate; float (N, `EVIDENCE`)."""
    return join_evidence(grid_evidence(candidates).to(logits), logits, judge)


def join_evidence(known: Tensor, logits: Tensor, judge: str) -> Tensor:
    """Return what a kind of judge sees, from (N, 6) and the reader's logits, (N, 11).

    A plain judge sees the log odds of the net of places and of the reader, and the rest of what
    is known but for the last number. One by size sees as well whether a digit has 14 px, both
    log odds if so, those of the net of places for a small one, and how likely a 14-px or a small
    one is a 1: any edge of the ground may look like a small 1.
    """
    chances = logits.softmax(dim=1)
    odds = logits[:, :NOTHING].logsumexp(dim=1) - logits[:, NOTHING]  # (N,)
    odds = odds.clamp(-12, 12)
    spot, is_small, is_half = known[:, 0], known[:, 3], known[:, 5]
    seen = [spot, odds, *known[:, 1:5].unbind(dim=1)]
    if judge == BY_SIZE:
        is_one = chances[:, 1]
        seen += [is_half, is_half * spot, is_half * odds, is_small * spot]
        seen += [is_half * is_one, is_small * is_one]
    return torch.stack(seen, dim=1)


def grid_evidence(candidates: list[Candidate]) -> Tensor:
    """Return what is known of each candidate before its glyph is read; float (N, 6).

    Log odds of the net of places, share of edges on the grid (0 for factors below 2, where it
    says nothing), how unlikely it is that they are by chance, in ten nats and at most 4,
    whether the factor is below 2, below 4, and below 1.
    """
    rows = []
    for one in candidates:
        score = min(max(one.spot.score, 1e-4), 1 - 1e-4)
        factor = one.reading.factor
        rows.append(
            (
                math.log(score / (1 - score)),
                0.0 if factor < 2 else one.reading.on_grid,
                min(one.reading.surprise / 10, 4.0),
                float(factor < 2),
                float(factor < 4),
                float(factor < 1),
            )
        )
    return torch.tensor(rows, dtype=torch.float32)


@dataclass(frozen=True)
class _Seen:
    """What was read in an image.

    Attributes
    ----------
    readable
        The image as it was read.
    shown
        Places with the best scores, in px of the source.
    kept, probabilities
        Of `DigitFinder.read_candidates`.
    quarters
        By which the digits had to be turned.
    """

    readable: Readable
    shown: list[Shown]
    kept: list[Candidate]
    probabilities: Tensor
    quarters: int

    def found(self) -> tuple[FoundDigit, ...]:
        """Return the digits that are likelier there than not, in px of the image."""
        found = []
        down, across = self.readable.scale
        for one, chances in zip(self.kept, self.probabilities.detach().cpu().tolist(), strict=True):
            score = 1 - chances[NOTHING]
            if score >= 0.5:
                label = max(range(NOTHING), key=lambda digit: chances[digit])
                read = one.reading
                corner = read.row / down, read.col / across
                size = read.side_px / down, read.side_px / across
                found.append(FoundDigit(label, score, *corner, *size))
        return tuple(found)

    def score_map(self) -> AttentionMap:
        """Return the map of scores; no place at all where no digit may stand."""
        source, (down, across) = self.readable.source, self.readable.scale
        size = (source.height, source.width)
        scale = np.array((down, across) * 2, np.float32)
        # The last tiles of a level reach out of the image, and with them some of their places.
        inside = [one for one in self.shown if one[2][0] < size[0] and one[2][1] < size[1]]
        places = [np.minimum(box, size * 2) / scale for _, _, box in inside]
        boxes = np.array(places, np.float32).reshape(-1, 4)
        scores = np.array([score for score, _, _ in inside], np.float32)
        weights = scores / max(float(scores.sum()), 1e-9)
        return AttentionMap(
            weights.astype(np.float32)[None, None],
            boxes,
            round(source.height / down),
            round(source.width / across),
            ("sum",),
            "score of a digit centred here",
        )
