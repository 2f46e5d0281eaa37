"""Candidates of scenes, as the digit finder finds them: what its reader is tuned on, and its judge.

Which candidates there are follows from the net of places alone, so they are found once, kept
beside the run, and read again by a run that goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.own.finder import EVIDENCE, DigitFinder, grid_evidence, join_evidence
from umnist_core.models.own.finder_nets import NOTHING, glyph_input
from umnist_core.models.own.finder_search import Candidate
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.own.finder_glyphs import draw_glyph_batch
from umnist_core.training.own.phases import DrawBatch
from umnist_core.training.own.shards import iter_kept

SCENES_AT_ONCE = 8
SHIFT_SHARE = 0.3
JUDGE_STEPS = 600
SURPRISE = 3
"""Place of a grid's surprise among what the judge sees."""

LEAST_SURPRISE = 1.0
"""Its weight, at least, for ten nats. In the fit readings of a digit that are off its place count
as none, and they are on its grid as well; in use a better one of the same digit drops them."""

AT_ONCE = 256

HARDEST = 2000
"""Glyphs that the reader is shown more often in tuning: of MNIST's 60,000 about the 70 that it
misreads, and those that it is least sure of."""

KNOWN = 6
"""Numbers of `umnist_core.models.own.finder.grid_evidence`."""

UNSURE = -1
"""Label of a candidate that lies on a digit, on another grid than the digit's or off its place."""

SHARED = 20 / 28
"""Of a digit's side: squares whose centres are less apart than this share a part of the 20 x 20
cells into which MNIST fits a glyph's ink."""

SMALL = {"canvas": "2000", "factor": "0.5..3", "digits": "5..8", "label": "free"}
MEDIUM = {"canvas": "2000", "factor": "1..8", "digits": "5..8", "label": "free"}

TUNING: tuple[Mapping[str, str], ...] = ({}, SMALL, MEDIUM)
"""Overrides of the scenes that the reader is tuned on, in turn: small digits are rare in
``released``, and hard to tell from what the ground looks like."""

JUDGING: tuple[Mapping[str, str], ...] = ({}, {"factor": "0.5..3"}, {})
"""Of the scenes that the judge is fitted on: nearly as common as they are."""


@dataclass(frozen=True)
class Candidates:
    """Candidates of scenes.

    Attributes
    ----------
    glyphs
        uint8 (N, 2, 28, 28) of 0 and 1: ink, and pixels as they are.
    known
        float (N, 6), what the judge sees of each besides the reader's own opinion.
    labels
        int64 (N,): class of the digit, 10 for nothing, `UNSURE`.
    """

    glyphs: Tensor
    known: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@torch.no_grad()
def scene_candidates(
    model: DigitFinder, scene: Scene, glyphs: GlyphSet, *, is_thorough: bool = False
) -> Candidates:
    """Find the candidates of a scene; see `DigitFinder.find_candidates`."""
    found, _ = model.find_candidates(HeldScene(scene, glyphs), is_thorough=is_thorough)
    if not found:
        shapes = (0, 2, GLYPH_PX, GLYPH_PX), (0, KNOWN), (0,)
        kinds = torch.uint8, torch.float32, torch.int64
        return Candidates(*(torch.zeros(*s, dtype=k) for s, k in zip(shapes, kinds, strict=True)))
    pairs = [np.stack([one.reading.ink, one.reading.seen]) for one in found]
    labels = [candidate_label(one, scene) for one in found]
    return Candidates(torch.from_numpy(np.stack(pairs)), grid_evidence(found), torch.tensor(labels))


def gather_candidates(
    model: DigitFinder,
    glyphs: GlyphSet,
    overrides: tuple[Mapping[str, str], ...],
    scenes: int,
    *,
    seed: int,
    out: Path,
    is_thorough: bool = False,
    workers: int = 0,
    report: Callable[[int], None] = lambda scenes: None,
) -> Candidates:
    """Find the candidates of many scenes, or read them where an earlier run kept them.

    Parameters
    ----------
    model
        In evaluation mode.
    glyphs
        Of the digits.
    overrides
        Of the preset ``released``, in turn.
    scenes
        How many.
    seed
        Of the scenes.
    out
        Folder, in which they are kept.
    is_thorough
        Whether one looks at what the finder leaves out as well: the specks of digits.
    workers
        Processes; 0 to find them in this one.
    report
        Told how many scenes are done.

    Raises
    ------
    DamagedFileError, WriteError
        If what was kept cannot be read, or cannot be written.
    """
    make = partial(_find_tensors, model, glyphs, overrides, seed, is_thorough=is_thorough)
    name = f"candidates-{seed}"
    parts = []
    for done, kept in iter_kept(
        out, name, make, count=scenes, at_once=SCENES_AT_ONCE, workers=workers
    ):
        parts.append(Candidates(**kept))
        report(done)
    return _join(parts)


def _find_tensors(
    model: DigitFinder,
    glyphs: GlyphSet,
    overrides: tuple[Mapping[str, str], ...],
    seed: int,
    indices: range,
    *,
    is_thorough: bool,
) -> dict[str, Tensor]:
    found = []
    for index in indices:
        own = overrides[index % len(overrides)]
        scene = plan_scene("released", seed, "train", index, glyphs=glyphs, overrides=own)
        found.append(scene_candidates(model, scene, glyphs, is_thorough=is_thorough))
    return vars(_join(found))


def _join(parts: list[Candidates]) -> Candidates:
    names = ("glyphs", "known", "labels")
    return Candidates(*(torch.cat([getattr(one, name) for one in parts]) for name in names))


def candidate_label(candidate: Candidate, scene: Scene) -> int:
    """Return the class of the digit that a candidate reads, 10 if it reads none, or `UNSURE`.

    It reads a digit if it has its factor, and its square is at most two cells off (2 px for
    the smallest): a glyph's centre of mass tells its square no better. Otherwise, if its
    centre is near the digit's and it is about as large, or if it has the digit's cells and
    shares a part of its ink's area, either answer will do: it may show most of a plain 1.
    """
    reading = candidate.reading
    label = NOTHING
    for digit in scene.digits:
        factor = digit.side_px / GLYPH_PX
        off = max(abs(reading.row - digit.row), abs(reading.col - digit.col))
        if reading.factor == factor and off <= 2.01 * max(1.0, factor):
            return digit.label
        apart = [
            abs(corner + reading.side_px / 2 - other - digit.side_px / 2)
            for corner, other in ((reading.row, digit.row), (reading.col, digit.col))
        ]
        ratio = reading.side_px / digit.side_px
        has_its_cells = reading.factor == factor and max(apart) < SHARED * digit.side_px
        if has_its_cells or (max(apart) < 0.3 * digit.side_px and 1 / 1.6 < ratio < 1.6):
            label = UNSURE
    return label


# -- the reader ---------------------------------------------------------------------


@torch.no_grad()
def hardest_glyphs(net: nn.Module, glyphs: GlyphSet, count: int) -> NDArray[np.int64]:
    """Return the indices of the plain glyphs that a reader finds hardest, the hardest first.

    Parameters
    ----------
    net
        Takes what `draw_glyph_batch` draws; is left in evaluation mode.
    glyphs
        To choose from.
    count
        How many, or all if there are fewer.

    Returns
    -------
    ndarray
        int64 (count,).
    """
    net.eval()
    losses = []
    for first in range(0, len(glyphs), AT_ONCE):
        chosen = np.arange(first, min(first + AT_ONCE, len(glyphs)))
        rng = np.random.default_rng((HARDEST, first))  # for thresholds
        seen, labels = draw_glyph_batch(glyphs, chosen, rng, plain=True)
        losses.append(nn.functional.cross_entropy(net(seen), labels, reduction="none"))
    order = torch.argsort(torch.cat(losses), descending=True, stable=True)
    hardest: NDArray[np.int64] = order[:count].numpy()
    return hardest


def tuning_batches(
    candidates: Candidates, glyphs: GlyphSet, hard: NDArray[np.int64], batch: int
) -> DrawBatch:
    """Return what draws batches of tuning: half glyphs, a quarter digits of scenes, a quarter none.

    Half of the glyphs are any, half are those of ``hard``.
    """
    labels = candidates.labels.numpy()
    digits = np.flatnonzero((labels >= 0) & (labels < NOTHING))
    others = np.flatnonzero(labels == NOTHING)

    def draw_batch(step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        drawn = rng.integers(0, len(glyphs), batch // 2)
        drawn[: batch // 4] = rng.choice(hard, batch // 4)
        seen, told = draw_glyph_batch(glyphs, drawn, rng)
        chosen = [rng.choice(one, batch // 4) for one in (digits, others) if len(one)]
        places = torch.from_numpy(np.concatenate(chosen or [np.zeros(0, np.int64)]))
        pairs = _shifted(candidates.glyphs[places], rng)
        own = glyph_input(pairs[:, 0], pairs[:, 1])
        return torch.cat([seen, own]), torch.cat([told, candidates.labels[places]])

    return draw_batch


def _shifted(pairs: Tensor, rng: np.random.Generator) -> Tensor:
    """Move some glyphs by a cell; uint8 (N, 2, 28, 28), same shape."""
    moved = pairs.clone()
    for place in np.flatnonzero(rng.random(len(pairs)) < SHIFT_SHARE):
        shift = [int(one) for one in rng.integers(-1, 2, 2)]
        moved[place] = pairs[place].roll(shift, (1, 2))
    return moved


# -- the judge ----------------------------------------------------------------------


@torch.no_grad()
def judge_evidence(model: DigitFinder, candidates: Candidates) -> tuple[Tensor, Tensor]:
    """Return what the judge sees of candidates, (N, `EVIDENCE`), and whether each is a digit."""
    sure = candidates.labels != UNSURE
    pairs, known = candidates.glyphs[sure], candidates.known[sure]
    kind = model.config.judge
    parts = [torch.zeros(0, EVIDENCE[kind])]
    for first in range(0, len(pairs), AT_ONCE):
        some, own = pairs[first : first + AT_ONCE], known[first : first + AT_ONCE]
        parts.append(join_evidence(own, model.glyphs(glyph_input(some[:, 0], some[:, 1])), kind))
    return torch.cat(parts), (candidates.labels[sure] != NOTHING).float()


def fit_judge(judge: nn.Linear, seen: Tensor, is_digit: Tensor) -> None:
    """Fit a logistic regression with a little weight decay, from where it stands."""
    if not len(seen):
        return
    optimizer = torch.optim.Adam(judge.parameters(), lr=0.05, weight_decay=1e-4)
    for _ in range(JUDGE_STEPS):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(judge(seen)[:, 0], is_digit)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            judge.weight[:, SURPRISE].clamp_(min=LEAST_SURPRISE)
