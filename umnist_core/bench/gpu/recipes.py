"""Published recipes, begun or gone on with for as long as there is time.

The steps are those of every training here (`umnist_core.training.course`), with the recipe's own
data, schedule, seed and memory budget. What differs: images come from `DrawnImages`, weights begin
fresh since nothing can be fetched, and a state of at most 16 MiB is kept.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from umnist_core.bench.gpu.drawers import DrawnImage, DrawnImages, DrawOrder, drawing_pool
from umnist_core.bench.gpu.figures import RECIPES, STATE_MAX_BYTES
from umnist_core.bench.gpu.report import STATES
from umnist_core.bench.gpu.small_state import (
    LOST,
    SmallState,
    go_on_from,
    load_small_state,
    save_small_state,
)
from umnist_core.bench.gpu.work import Work
from umnist_core.datasets.recipe import Recipe
from umnist_core.errors import WorkerError
from umnist_core.models.base import Model
from umnist_core.models.ips.model import IPS
from umnist_core.models.reduced import ReducedImage
from umnist_core.models.registry import create_model
from umnist_core.models.targets import collate_targets, label_targets, task_targets
from umnist_core.training.config import TrainConfig, load_config
from umnist_core.training.course import Course, Phase, PhaseRun
from umnist_core.training.data import Batch
from umnist_core.training.distributed import Group
from umnist_core.training.memory import cap_memory, parse_budget
from umnist_core.training.order import epoch_order, split_places
from umnist_core.training.runs import find_configs
from umnist_core.training.schedule import Plateau, learning_rate_at
from umnist_core.training.state import PHASE, PhaseProgress
from umnist_core.training.validate import chunks, to_device, validate

WARM_UP_STEPS = 3
"""Whose time says nothing: libraries choose how to compute meanwhile."""

ESTIMATE_STEPS = 12
"""After so many the time of the whole recipe is told."""

SAVE_EVERY_S = 45.0
LAST_LOSSES = 50
AHEAD = 512
"""Images that are drawn before they are wanted."""

FIGURES = tuple(
    f"recipes.{what}"
    for what in ("minutes", "images_per_s", "peak_gb", "loss", "accuracy", "state_mib")
)


class _Enough(BaseException):
    """The recipe's share of the time is over, or its steps are done."""


def run(work: Work) -> None:
    """Go on with the recipes of the given states, or begin all."""
    states = {state.recipe: (state, path) for state, path in _states(work)}
    names = [name for name in RECIPES if name in states] or [*RECIPES]
    for name in RECIPES:
        if name not in names:
            for figure in FIGURES:
                work.put(figure, name, None, why="another recipe was gone on with")
    workers = min(work.sizes.drawers, max(1, (os.cpu_count() or 1) - 1))
    with drawing_pool(workers) as pool:
        drawn: dict[str, DrawnImages] = {}
        for number, name in enumerate(names):
            work.check_time()
            ends = time.monotonic() + work.left_s / (len(names) - number)
            try:
                with work.trying(name, *FIGURES):
                    trained = RecipeRun(work, name, ends, *states.get(name, (None, None)))
                    order = trained.order
                    trained.go(drawn.setdefault(repr(order), DrawnImages(order, pool)))
                    del trained
            finally:
                work.hardware.cap(int(min(work.hardware.total_bytes, sys.maxsize)))


def _states(work: Work) -> Iterator[tuple[SmallState, Path]]:
    for path in work.resume:
        yield load_small_state(path), path


@dataclass
class _Told:
    """What is noted of the steps of a call."""

    losses: list[float] = field(default_factory=list)
    step_s: list[float] = field(default_factory=list)
    last: float = 0.0
    waited_s: float = 0.0
    saved: float = 0.0
    is_estimated: bool = False


class RecipeRun:
    """One recipe in one call.

    Parameters
    ----------
    work
        What the part is given.
    name
        Of the recipe.
    ends
        When its share of the time is over, by `time.monotonic`.
    state, path
        From which it goes on, and where that was read.
    """

    def __init__(
        self,
        work: Work,
        name: str,
        ends: float,
        state: SmallState | None = None,
        path: Path | None = None,
    ) -> None:
        self.work, self.name, self._ends = work, name, ends
        changes = ("model.pretrained=none", *work.sizes.recipe_changes.get(name, ()))
        self.config: TrainConfig = load_config(find_configs()[name], changes)
        data = self.config.data
        recipe = Recipe(data.count, data.preset, data.seed, data.split, data.overrides)
        torch.manual_seed(self.config.run.seed)
        self.model: Model = create_model(self.config.model.name, self.config.model.settings)
        patch_px = self.model.config.patch_px if isinstance(self.model, IPS) else 0
        self.order = DrawOrder(recipe, patch_px)
        self._training, self._validation = split_places(
            data.count, data.validation_share, data.split_seed
        )
        self._group = Group(0, 1, work.device)
        self._told = _Told()
        self._run = self._begin(state, path)

    def _begin(self, state: SmallState | None, path: Path | None) -> PhaseRun:
        config, hardware = self.config, self.work.hardware
        if config.run.memory_budget:
            cap_memory(parse_budget(config.run.memory_budget), hardware)
        course = Course(
            config=config,
            command="scripts/gpu-check",
            origin="trained from scratch",
            out=self.work.out,
            settings=config.to_dict(),
            group=self._group,
            wanted=config.run.precision,
            save_minutes=math.inf,
            report=self._after_step,
        )
        start = PhaseProgress() if state is None else state.progress
        run = PhaseRun(self._phase(), course, start)
        if state is not None and path is not None:
            go_on_from(state, path, self.model, run.optimizer, config.to_dict())
        return run

    def _phase(self) -> Phase:
        run = self.config.run
        return Phase(
            name=PHASE,
            net=self.model,
            steps=len(self._training) // run.batch_size,
            draw=self._draw,
            loss_of=lambda net, batch, targets: net.loss(net(batch), targets),
            rate_at=self._rate_at,
            optimizer=self.config.optimizer,
            parts=run.accumulate,
            images=run.batch_size // run.accumulate,
        )

    def go(self, images: DrawnImages) -> None:
        """Do steps until there is enough, then validate, save, and put the figures."""
        self._images, told, progress = images, self._told, self._run.progress
        begun = progress.epoch * self._run.phase.steps + progress.step
        self.work.forget_peak()
        told.last = told.saved = time.monotonic()
        try:
            while progress.epoch < self.config.run.epochs:
                self._order = epoch_order(self._training, self.config.run.seed, progress.epoch)
                self._run.go(self.name)
                progress.epoch += 1
                progress.step, progress.loss_sum, progress.seen = 0, 0.0, 0
        except _Enough:
            pass
        finally:
            images.give_up()
        peak = self.work.hardware.peak_bytes()
        self._estimate()
        self._save()
        self._put(begun, peak)

    # -- steps ----------------------------------------------------------------------------

    def _places(self, progress: PhaseProgress, part: int) -> list[int]:
        size = self.config.run.batch_size
        share = size // self.config.run.accumulate
        first = progress.step * size + part * share
        self._images.ask_for(self._order[first : first + share + AHEAD])
        return self._order[first : first + share]

    def _draw(self, progress: PhaseProgress, part: int) -> Batch:
        batch, targets = self._join(self._images.get(self._places(progress, part)))
        words = (self.config.run.seed, progress.epoch, progress.step, part)
        torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        return batch, to_device(targets, self.work.hardware)

    def _join(self, images: list[DrawnImage]) -> Batch:
        model = self.model
        prepared: list[Any] = [
            one.pixels if self.order.patch_px else self._reduced(one) for one in images
        ]
        targets: list[dict[str, Tensor]] = [
            label_targets(one.total, model.tasks)
            if one.tasks is None
            else task_targets(one.tasks, model.tasks)
            for one in images
        ]
        return model.collate(prepared), collate_targets(targets)

    def _reduced(self, image: DrawnImage) -> ReducedImage:
        side_px = self.model.config.side_px
        pixels = np.asarray(image.pixels)
        if side_px != len(pixels):
            pixels = cv2.resize(pixels, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return ReducedImage(torch.from_numpy(pixels), image.height, image.width)

    def _rate_at(self, progress: PhaseProgress) -> float:
        config = self.config
        done = progress.epoch + progress.step / self._run.phase.steps
        return learning_rate_at(
            config.schedule, config.optimizer.learning_rate, done, config.run.epochs, Plateau()
        )

    def _after_step(self, _what: str, _step: int, _steps: int, loss: float) -> None:
        told, now = self._told, time.monotonic()
        step_s = now - told.last - (self._images.waited_s - told.waited_s)
        told.last, told.waited_s = now, self._images.waited_s
        if not loss:  # an epoch begins
            return
        told.losses.append(loss)
        told.step_s.append(step_s)
        done = len(told.losses)
        if done == ESTIMATE_STEPS + WARM_UP_STEPS and not told.is_estimated:
            self._estimate()
        if now - told.saved > SAVE_EVERY_S:
            self._save()
            told.last = time.monotonic()
        most = self.work.sizes.recipe_steps
        if now >= self._ends or (most and done >= most):
            raise _Enough

    # -- what is told ---------------------------------------------------------------------

    def _estimate(self) -> None:
        """Put how long the whole recipe takes on this device, from the steps so far."""
        told, run = self._told, self.config.run
        if not told.step_s:
            raise WorkerError("No step was done in its share of the time.", "too_late")
        told.is_estimated = True
        steady = told.step_s[WARM_UP_STEPS:] or told.step_s[-1:]
        step_s = float(np.median(steady))
        steps = run.epochs * self._run.phase.steps
        minutes = steps * step_s / 60
        card = self.work.hardware.title
        self.work.put(
            "recipes.minutes",
            self.name,
            minutes,
            steps=steps,
            step_ms=step_s * 1e3,
            card=card,
            without="drawing, which the first epoch waits for, and validation",
        )
        rates = [run.batch_size / one for one in steady]
        self.work.put("recipes.images_per_s", self.name, rates)
        self.work.say(f"{self.name} needs some {minutes:.0f} minutes of {card} ({steps} steps)")

    def _save(self) -> None:
        path = self.work.out / STATES / f"{self.name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        way, size = save_small_state(
            path,
            self.name,
            self.model,
            self._run.optimizer,
            progress=self._run.progress,
            settings=self.config.to_dict(),
            most_bytes=STATE_MAX_BYTES,
        )
        self._told.saved = time.monotonic()
        self.work.put(
            "recipes.state_mib", self.name, size / 2**20, file=path.name, way=way, lost=LOST[way]
        )

    def _put(self, begun: int, peak_bytes: int) -> None:
        told, progress, phase = self._told, self._run.progress, self._run.phase
        done = progress.epoch * phase.steps + progress.step
        self.work.put(
            "recipes.loss",
            self.name,
            float(np.mean(told.losses[-LAST_LOSSES:])),
            first=told.losses[0],
            steps_before=begun,
            steps=done,
            steps_of_recipe=self.config.run.epochs * phase.steps,
            images_drawn=self._images.count,
            waited_s=round(self._images.waited_s, 1),
        )
        self.work.put("recipes.peak_gb", self.name, peak_bytes / 1e9)
        size = self.config.run.batch_size // self.config.run.accumulate
        places = self._validation[: self.work.sizes.validation_images]
        batches = (self._join(self._images.get(one)) for one in chunks(places, size))
        found = validate(self.model, batches, self._group, precision=self._run.precision)
        self.work.put(
            "recipes.accuracy",
            self.name,
            found.accuracy,
            tasks=found.accuracies,
            images=found.images,
            loss=found.loss if math.isfinite(found.loss) else None,
            digits=self.work.glyphs.name,
        )
