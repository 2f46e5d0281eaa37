"""Train the digit finder: its net of places, its reader of glyphs, and then its judge.

The parts learn apart, each from what it sees: windows of scenes, glyphs, and the candidates
that the first two find. On candidates of scenes, true ones and false ones, the reader is then
tuned, and the judge fitted. A run that was stopped goes on where it was (`parts`, `shards`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.models.own.finder import DigitFinder
from umnist_core.models.own.finder_nets import SpotNet
from umnist_core.training.own.finder_candidates import (
    HARDEST,
    JUDGING,
    SMOOTHING,
    TUNING,
    Candidates,
    fit_judge,
    gather_candidates,
    hardest_glyphs,
    judge_evidence,
    tuning_loss,
)
from umnist_core.training.own.finder_glyphs import draw_glyph_batch
from umnist_core.training.own.finder_spots import Windows, draw_windows, spot_loss, turn_windows
from umnist_core.training.own.parts import Pace, Part, Report, train_part

SCENES_AT_ONCE = 8
TUNING_SHARE = 0.2
"""Of the learning rate, for tuning the reader."""


@dataclass(frozen=True, kw_only=True)
class FinderTraining(Pace):
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


def expect_empty_places(model: DigitFinder) -> None:
    """Let a fresh net of places begin with hardly any digit anywhere, as it is."""
    if model.spots.head.bias is not None:
        nn.init.constant_(model.spots.head.bias[:2], -3.0)


def train_finder(
    model: DigitFinder,
    training: FinderTraining,
    glyphs: GlyphSet,
    out: Path,
    *,
    report: Report = lambda part, step, steps, loss: None,
) -> DigitFinder:
    """Train a digit finder, or go on where a run in the same folder was stopped.

    Parameters
    ----------
    model
        Where it begins; it learns in place.
    training
        How.
    glyphs
        Digits of the training subset.
    out
        Folder for the states, made if it is not there.
    report
        Told of every step.

    Returns
    -------
    DigitFinder
        In evaluation mode; `umnist_core.models.checkpoints.save_checkpoint` keeps it.

    Raises
    ------
    InvalidValueError, DamagedFileError
        If the folder holds a run with other settings, or no state.
    WriteError
        If a state cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)

    def train_net(part: Part, net: nn.Module) -> None:
        net.load_state_dict(train_part(part, net, training, out, report).state_dict())

    train_net(Part("spots", training.spot_steps, _Pool(glyphs, training).loss), model.spots)
    train_net(Part("glyphs", training.glyph_steps, _glyph_loss(glyphs, training)), model.glyphs)

    def gather(name: str, scenes: int, seed: int) -> Candidates:
        def told(done: int) -> None:
            report(name, done, scenes, 0.0)

        # The reader learns from all specks; the judge from what the finder will meet.
        is_tuning = name == "tuning scenes"
        kinds = TUNING if is_tuning else JUDGING
        model.eval()
        return gather_candidates(
            *(model, glyphs, kinds, scenes),
            seed=seed,
            out=out,
            is_thorough=is_tuning,
            workers=training.workers,
            report=told,
        )

    if training.tuning_steps and training.tuning_scenes:
        seen = gather("tuning scenes", training.tuning_scenes, training.seed + 2)
        hard = hardest_glyphs(model.glyphs, glyphs, HARDEST)
        loss = tuning_loss(seen, glyphs, hard, training.glyph_batch)
        train_net(Part("tuning", training.tuning_steps, loss, TUNING_SHARE), model.glyphs)
    if training.judge_scenes:
        judged = gather("judge scenes", training.judge_scenes, training.seed + 1)
        fit_judge(model.judge, *judge_evidence(model.eval(), judged))
    return model.eval()


class _Pool:
    """Windows of scenes, of which more join as the training goes on."""

    def __init__(self, glyphs: GlyphSet, training: FinderTraining) -> None:
        self._glyphs, self._training = glyphs, training
        self._parts: list[Windows] = []
        self._scenes = 0

    def loss(self, net: nn.Module, step: int, rng: np.random.Generator) -> Tensor:
        """Return the loss of a batch of windows."""
        assert isinstance(net, SpotNet)
        wanted = min(self._training.scenes, SCENES_AT_ONCE + step // self._training.steps_per_scene)
        while self._scenes < wanted:
            first = self._scenes
            self._scenes = min(first + SCENES_AT_ONCE, self._training.scenes)
            self._parts.append(draw_windows(self._glyphs, self._training.seed, first, self._scenes))
        ends = np.cumsum([len(part) for part in self._parts])
        chosen = rng.integers(0, ends[-1], self._training.spot_batch)
        parts = np.searchsorted(ends, chosen, side="right")
        places = chosen - np.concatenate([[0], ends])[parts]
        batch = [
            torch.from_numpy(
                np.stack(
                    [getattr(self._parts[p], name)[i] for p, i in zip(parts, places, strict=True)]
                )
            )
            for name in ("edges", "kinds", "shapes")
        ]
        return spot_loss(net, *turn_windows(batch[0].float() / 255, batch[1], batch[2], rng))


def _glyph_loss(
    glyphs: GlyphSet, training: FinderTraining
) -> Callable[[nn.Module, int, np.random.Generator], Tensor]:
    def loss(net: nn.Module, step: int, rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(0, len(glyphs), training.glyph_batch)
        seen, labels = draw_glyph_batch(glyphs, chosen, rng)
        return nn.functional.cross_entropy(net(seen), labels, label_smoothing=SMOOTHING)

    return loss
