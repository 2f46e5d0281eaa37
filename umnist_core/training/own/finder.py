"""The course of the digit finder: its net of places, its reader of glyphs, and then its judge.

The nets learn apart, each from what it sees: windows of scenes, glyphs, and the candidates
that the first two find. On candidates of scenes, true ones and false ones, the reader is then
tuned, and the judge fitted; candidates are kept in files (`shards`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.own.finder import DigitFinder
from umnist_core.training.course import Phase, Report
from umnist_core.training.own.finder_candidates import (
    HARDEST,
    JUDGING,
    TUNING,
    Candidates,
    fit_judge,
    gather_candidates,
    hardest_glyphs,
    judge_evidence,
    tuning_batches,
)
from umnist_core.training.own.finder_glyphs import draw_glyph_batch
from umnist_core.training.own.finder_spots import Windows, draw_windows, spot_loss, turn_windows
from umnist_core.training.own.phases import SHORT_STEPS, CourseSettings, DrawBatch, make_phase

SCENES_AT_ONCE = 8
SMOOTHING = 0.03
TUNING_SHARE = 0.2
"""Of the learning rate, for tuning the reader."""


@dataclass(frozen=True, kw_only=True)
class FinderTraining(CourseSettings):
    """How the digit finder is trained.

    Attributes
    ----------
    scenes
        Whose windows the net of places sees.
    steps_per_scene
        Steps between two scenes that join; later steps see all of them.
    spot_steps, spot_batch
        Of the net of places.
    glyph_steps, glyph_batch
        Of the reader of glyphs.
    tuning_scenes
        On whose candidates the reader is tuned, beside drawn glyphs.
    tuning_steps
        Of that; ``glyph_batch`` glyphs each.
    judge_scenes
        Whose candidates the judge is fitted on.
    """

    scenes: int = 480
    steps_per_scene: int = 5
    spot_steps: int = 6000
    spot_batch: int = 32
    glyph_steps: int = 20_000
    glyph_batch: int = 128
    tuning_scenes: int = 480
    tuning_steps: int = 8000
    judge_scenes: int = 240
    precision: str = "mixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = asdict(self)
        for name in ("scenes", "steps_per_scene", "spot_batch", "glyph_batch"):
            if counts[name] < 1:
                raise InvalidValueError(f"{name} is 1 or more; got {counts[name]}.")
        for name in ("spot_steps", "glyph_steps", "tuning_scenes", "tuning_steps", "judge_scenes"):
            if counts[name] < 0:
                raise InvalidValueError(f"{name} is 0 or more; got {counts[name]}.")

    def shortened(self) -> FinderTraining:
        """Return the course with a scene and `SHORT_STEPS` steps a phase at most, and no judge."""
        return replace(
            super().shortened(),
            scenes=1,
            tuning_scenes=min(1, self.tuning_scenes),
            judge_scenes=0,
            spot_steps=min(SHORT_STEPS, self.spot_steps),
            glyph_steps=min(SHORT_STEPS, self.glyph_steps),
            tuning_steps=min(SHORT_STEPS, self.tuning_steps),
        )


def expect_empty_places(model: DigitFinder) -> None:
    """Let a fresh net of places begin with hardly any digit anywhere, as it is."""
    if model.spots.head.bias is not None:
        nn.init.constant_(model.spots.head.bias[:2], -3.0)


def finder_phases(
    model: DigitFinder, training: FinderTraining, glyphs: GlyphSet, out: Path, report: Report
) -> Iterator[Phase]:
    """Yield what a digit finder learns; at the end its judge is fitted.

    Parameters
    ----------
    model
        Where it begins; it learns in place.
    training
        How.
    glyphs
        Digits of the training subset.
    out
        Folder for candidates of scenes.
    report
        Told of every scene.

    Raises
    ------
    DamagedFileError, WriteError
        If candidates cannot be read or written.
    """

    def gather(
        kind: str, kinds: tuple[Mapping[str, str], ...], scenes: int, seed: int
    ) -> Candidates:
        return gather_candidates(
            *(model.eval(), glyphs, kinds, scenes),
            seed=seed,
            out=out,
            # The reader learns from all specks; the judge from what the finder will meet.
            is_thorough=kind == "tuning",
            workers=training.workers,
            report=lambda done: report(f"{kind} scenes", done, scenes, 0.0),
        )

    windows = WindowPool(glyphs, training).draw_batch
    look = partial(make_phase, training, loss_of=spot_loss)
    read = partial(make_phase, training, loss_of=glyph_loss)
    yield look("spots", model.spots, training.spot_steps, windows)
    drawn = glyph_batches(glyphs, training.glyph_batch)
    yield read("glyphs", model.glyphs, training.glyph_steps, drawn)
    if training.tuning_steps and training.tuning_scenes:
        seen = gather("tuning", TUNING, training.tuning_scenes, training.seed + 2)
        hard = hardest_glyphs(model.glyphs, glyphs, HARDEST)
        drawn = tuning_batches(seen, glyphs, hard, training.glyph_batch)
        yield read("tuning", model.glyphs, training.tuning_steps, drawn, rate_share=TUNING_SHARE)
    if training.judge_scenes:
        judged = gather("judge", JUDGING, training.judge_scenes, training.seed + 1)
        fit_judge(model.judge, *judge_evidence(model.eval(), judged))


class WindowPool:
    """Windows of scenes, of which more join as the training goes on."""

    def __init__(self, glyphs: GlyphSet, training: FinderTraining) -> None:
        self._glyphs, self._training = glyphs, training
        self._parts: list[Windows] = []
        self._scenes = 0

    def draw_batch(self, step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return a batch of windows, as `spot_loss` takes them."""
        wanted = min(self._training.scenes, SCENES_AT_ONCE + step // self._training.steps_per_scene)
        while self._scenes < wanted:
            first = self._scenes
            self._scenes = min(first + SCENES_AT_ONCE, self._training.scenes)
            self._parts.append(draw_windows(self._glyphs, self._training.seed, first, self._scenes))
        ends = np.cumsum([len(part) for part in self._parts])
        chosen = rng.integers(0, ends[-1], self._training.spot_batch)
        parts = np.searchsorted(ends, chosen, side="right")
        places = chosen - np.concatenate([[0], ends])[parts]
        taken = [(self._parts[part], place) for part, place in zip(parts, places, strict=True)]
        edges, kinds, shapes = (
            torch.from_numpy(np.stack([getattr(part, name)[place] for part, place in taken]))
            for name in ("edges", "kinds", "shapes")
        )
        return turn_windows(edges.float() / 255, kinds, shapes, rng)


def glyph_batches(glyphs: GlyphSet, batch: int) -> DrawBatch:
    """Return what draws so many of all glyphs, and their classes."""

    def draw_batch(step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return draw_glyph_batch(glyphs, rng.integers(0, len(glyphs), batch), rng)

    return draw_batch


def glyph_loss(net: nn.Module, seen: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of a batch of glyphs, float (B, 2, 28, 28), and classes, int64 (B,)."""
    return nn.functional.cross_entropy(net(seen), labels, label_smoothing=SMOOTHING)
