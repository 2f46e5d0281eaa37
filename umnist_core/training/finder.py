"""Train the digit finder: its net of places, its reader of glyphs, and then its judge.

The parts learn apart, each from what it sees: windows of scenes, glyphs, and the candidates
that the first two find. A run keeps its state beside the checkpoint every few minutes, and
one that was stopped goes on from there; what a step draws depends on the seed and the number
of the step alone.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.digits import GlyphSet
from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.errors import InvalidValueError
from umnist_core.models.finder import EVIDENCE, Candidate, DigitFinder, DigitFinderConfig, evidence
from umnist_core.models.finder_nets import NOTHING, SpotNet
from umnist_core.pyramid.sources import HeldScene
from umnist_core.scenes import Scene, plan_scene
from umnist_core.training.finder_glyphs import draw_glyph_batch
from umnist_core.training.finder_spots import Windows, draw_windows, spot_loss, turn_windows
from umnist_core.training.state import Progress, load_state, save_state

WARM_UP_STEPS = 100
AVERAGE = 0.996
"""Weights are kept as a running mean over about 250 steps."""

LARGEST_GRADIENT = 2.0
WEIGHT_DECAY = 0.02
SMOOTHING = 0.03
SCENES_AT_ONCE = 8
JUDGE_STEPS = 600

JUDGE_FACTORS = ("0.5..75", "0.5..3", "0.5..75")
"""In turn, as small digits are rare in ``released`` and hard to judge."""

Report = Callable[[str, int, float], None]
"""Called with the part, its steps done and its loss."""


@dataclass(frozen=True)
class FinderTraining:
    """How the digit finder is trained.

    Attributes
    ----------
    seed
        Of the scenes and of everything else that is drawn.
    scenes
        Whose windows the net of places sees.
    steps_per_scene
        Steps between two scenes that join; later steps see all of them.
    spot_steps, spot_batch
        Of the net of places.
    glyph_steps, glyph_batch
        Of the reader of glyphs.
    judge_scenes
        Whose candidates the judge is fitted on.
    learning_rate
        Its height; it warms up over 100 steps and ends along a cosine.
    save_minutes
        Between two saved states.
    """

    seed: int = 501
    scenes: int = 240
    steps_per_scene: int = 5
    spot_steps: int = 1800
    spot_batch: int = 32
    glyph_steps: int = 5000
    glyph_batch: int = 128
    judge_scenes: int = 60
    learning_rate: float = 3e-3
    save_minutes: float = 3.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < (0 if name in ("seed", "save_minutes") else 1) and name != "learning_rate":
                raise InvalidValueError(f"{name} of the finder's training is too small: {value}.")


def train_finder(
    config: DigitFinderConfig,
    training: FinderTraining,
    glyphs: GlyphSet,
    out: Path,
    *,
    report: Report = lambda part, step, loss: None,
) -> DigitFinder:
    """Train a digit finder, or go on where a run in the same folder was stopped.

    Parameters
    ----------
    config, training
        Of the model, and how.
    glyphs
        Digits of the training subset.
    out
        Folder for the states.
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
    torch.manual_seed(training.seed)
    model = DigitFinder(config)
    if model.spots.head.bias is not None:
        nn.init.constant_(model.spots.head.bias[:2], -3.0)  # most places are empty
    spots = Part("spots", training.spot_steps, _Pool(glyphs, training).loss)
    reader = Part("glyphs", training.glyph_steps, _glyph_loss(glyphs, training))
    model.spots.load_state_dict(train_part(spots, model.spots, training, out, report).state_dict())
    model.glyphs.load_state_dict(
        train_part(reader, model.glyphs, training, out, report).state_dict()
    )
    fit_judge(model.eval(), glyphs, training)
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
            first, self._scenes = self._scenes, self._scenes + SCENES_AT_ONCE
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


@dataclass(frozen=True)
class Part:
    """A net that is trained by itself: its name, steps, and the loss of a step.

    Attributes
    ----------
    loss_of
        Takes the net, the number of the step, and a generator of that step's own.
    """

    name: str
    steps: int
    loss_of: Callable[[nn.Module, int, np.random.Generator], Tensor]


def train_part(
    part: Part, net: nn.Module, training: FinderTraining, out: Path, report: Report
) -> nn.Module:
    """Return the running mean of a net's weights after its steps; a stopped run goes on."""
    pair = nn.ModuleDict({"net": net, "mean": copy.deepcopy(net)})
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=WEIGHT_DECAY)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{part.name}.safetensors"
    settings = {"training": asdict(training)}
    progress = Progress()
    if path.exists():
        progress, _ = load_state(path, pair, optimizer, settings)
    saved_at = time.monotonic()
    while progress.step < part.steps:
        loss = _step(part, pair, optimizer, progress.step, training)
        progress.step += 1
        report(part.name, progress.step, loss)
        minutes = (time.monotonic() - saved_at) / 60
        if minutes >= training.save_minutes or progress.step == part.steps:
            save_state(path, pair, optimizer, scaler={}, progress=progress, config=settings)
            saved_at = time.monotonic()
    return pair["mean"]


def _step(
    part: Part,
    pair: nn.ModuleDict,
    optimizer: torch.optim.Optimizer,
    step: int,
    training: FinderTraining,
) -> float:
    net = pair["net"].train()
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    height = 0.5 * (1 + math.cos(math.pi * step / part.steps)) + 1e-3
    for group in optimizer.param_groups:
        group["lr"] = training.learning_rate * warm * height
    rng = np.random.default_rng((training.seed, len(part.name), step))
    torch.manual_seed(int(rng.integers(2**31)))  # for dropout
    loss = part.loss_of(net, step, rng)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
    optimizer.step()
    average_into(pair["mean"], net, min(AVERAGE, (1 + step) / (10 + step)))
    return float(loss.detach())


@torch.no_grad()
def average_into(mean: nn.Module, net: nn.Module, kept: float) -> None:
    """Move the running mean of weights towards a net's by ``1 - kept``."""
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.dtype.is_floating_point:
            own.lerp_(new, 1 - kept)
        else:
            own.copy_(new)


# -- the judge --------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What the judge sees of candidates, float (N, 6), and whether each is a digit."""

    seen: Tensor
    is_digit: Tensor


def fit_judge(model: DigitFinder, glyphs: GlyphSet, training: FinderTraining) -> None:
    """Fit the judge by logistic regression on the candidates of scenes of its own."""
    parts = []
    for index in range(training.judge_scenes):
        overrides = {"factor": JUDGE_FACTORS[index % len(JUDGE_FACTORS)]}
        scene = plan_scene(
            "released", training.seed + 1, "train", index, glyphs=glyphs, overrides=overrides
        )
        parts.append(judge_scene(model, scene, glyphs))
    seen = torch.cat([part.seen for part in parts])
    is_digit = torch.cat([part.is_digit for part in parts])
    fit_logistic(model.judge, seen, is_digit)


@torch.no_grad()
def judge_scene(model: DigitFinder, scene: Scene, glyphs: GlyphSet) -> Judged:
    """Return what the judge sees of a scene's candidates."""
    candidates, _ = model.find_candidates(HeldScene(scene, glyphs))
    if not candidates:
        return Judged(torch.zeros(0, EVIDENCE), torch.zeros(0))
    seen = evidence(candidates, model.glyphs(model.glyph_batch(candidates)))
    labels = [true_label(one, scene) != NOTHING for one in candidates]
    return Judged(seen, torch.tensor(labels, dtype=torch.float32))


def fit_logistic(judge: nn.Linear, seen: Tensor, is_digit: Tensor) -> None:
    """Fit a logistic regression with a little weight decay, from where it stands."""
    optimizer = torch.optim.Adam(judge.parameters(), lr=0.05, weight_decay=1e-4)
    for _ in range(JUDGE_STEPS):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(judge(seen)[:, 0], is_digit)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def true_label(candidate: Candidate, scene: Scene) -> int:
    """Return the class of the digit that a candidate reads, 10 if it reads none.

    It reads a digit if it has its factor, and its square is at most two cells off (2 px for
    the smallest): a glyph's centre of mass tells its square no better.
    """
    reading = candidate.reading
    for digit in scene.digits:
        factor = digit.side_px / GLYPH_PX
        off = max(abs(reading.row - digit.row), abs(reading.col - digit.col))
        if reading.factor == factor and off <= 2.01 * max(1.0, factor):
            return digit.label
    return NOTHING
