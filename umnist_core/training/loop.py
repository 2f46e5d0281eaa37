"""A course of one phase in epochs: train on images, validate, keep the best.

A run is a pure function of its configuration on one kind of machine: the order of the images
follows from seed and epoch, and whatever a model draws (dropout) from seed, epoch, step and
process. How its steps are done, and gone on with after a kill, `umnist_core.training.course`
says for all models.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from umnist_core.errors import InvalidValueError
from umnist_core.files import write_whole
from umnist_core.models.base import CLASS, Model
from umnist_core.models.cards import RUN_FILE
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.papers.backbones import load_backbone
from umnist_core.models.registry import create_model
from umnist_core.training.bars import Bars
from umnist_core.training.config import ModelPart, TrainConfig
from umnist_core.training.course import Course, Phase, PhaseRun, Report
from umnist_core.training.data import Batch, ModelInputs, Samples, iter_batches
from umnist_core.training.distributed import Group, joined_group
from umnist_core.training.failures import failures_said
from umnist_core.training.like_shapes import ShapeOrder
from umnist_core.training.memory import cap_memory, find_batch_size, parse_budget
from umnist_core.training.metrics import MetricsWriter, Row
from umnist_core.training.order import EpochDraws, epoch_order, inversion
from umnist_core.training.photograph_samples import open_for_run
from umnist_core.training.schedule import Plateau, learning_rate_at
from umnist_core.training.state import PHASE, STATE_FILE, PhaseProgress, find_progress
from umnist_core.training.validate import ValidationFigures, chunks, to_device, validate

_NO_MEMORY = (
    "free some there, raise run.accumulate in another folder, or search with "
    "`umnist train --memory-budget`"
)

BEST, LAST, RUN = RUN_FILE, "last.safetensors", "run.json"
"""Files of a run beside its metrics and its state."""


Also = Callable[["Trainer"], Row]
"""Measures more of a run between two epochs, as names and numbers."""


@dataclass(frozen=True)
class TrainResult:
    """What a run left.

    Attributes
    ----------
    best, last
        Checkpoints of the best epoch, by validation, and of the last.
    rows
        Metrics of each epoch.
    batch_size
        Images of a step, as set or searched for.
    is_first
        Whether this is the process that wrote it, of several.
    """

    best: Path
    last: Path
    rows: tuple[Row, ...]
    batch_size: int
    is_first: bool = True


def train(
    config: TrainConfig,
    out: Path,
    *,
    command: str = "",
    shows_progress: bool = True,
    also: Also | None = None,
) -> TrainResult:
    """Train a model, or go on where a run in the same folder stopped.

    Parameters
    ----------
    config
        All that the run follows from.
    out
        Its folder, made if it is not there.
    command
        The command line, for the card.
    shows_progress
        Whether standard error tells how far it is.
    also
        What else is measured after each epoch, with the weights at its end: further columns of its
        row. Every process of the group calls it.

    Raises
    ------
    InvalidValueError
        If the configuration does not go with the data, the machine or the run in the folder.
    TooLargeError
        If the model or a step does not fit into the memory budget, or the device.
    DeviceLostError
        If the device can compute nothing more; the same command goes on from what was saved.
    DamagedFileError, MissingFileError, WriteError
        If a file cannot be read or written.
    """
    out.mkdir(parents=True, exist_ok=True)
    with joined_group(config.run.device) as group:
        bars = Bars(shows_progress and group.is_first)
        saying = partial(
            failures_said,
            group.hardware,
            advice=_NO_MEMORY,
            memory=config.run.memory_budget,
            state=out / STATE_FILE,
        )
        with saying("The model"):
            trainer = Trainer(config, out, group, command, bars.show, also=also)
        with saying(f"A step of {trainer.batch_size} images"), closing(bars):
            return trainer.run()


def build_model(part: ModelPart, seed: int) -> tuple[Model, str]:
    """Return the model that a run begins with, and where its weights are from.

    Raises
    ------
    NotFoundError, InvalidValueError
        If there is no such model or setting.
    MissingFileError, DamagedFileError
        If weights cannot be read.
    """
    torch.manual_seed(seed)
    model = create_model(part.name, part.settings)
    if not part.initial:
        return model, load_backbone(model, part.pretrained)
    earlier, card = load_checkpoint(Path(part.initial))
    try:
        model.load_state_dict(earlier.state_dict())
    except RuntimeError as error:
        raise InvalidValueError(
            f"model.initial is a checkpoint of {part.name}, found one of {card.model} with other "
            "shapes; choose a checkpoint of the same model."
        ) from error
    return model, f"weights of {Path(part.initial).name} (sha256 {card.sha256[:12]})"


def _check_select(config: TrainConfig, model: Model) -> None:
    if config.run.select == "accuracy" and all(task.asks != CLASS for task in model.tasks):
        raise InvalidValueError(
            f"Expected run.select = 'loss', since {config.model.name} says no class that could be "
            "right, got 'accuracy'; set it."
        )


class Trainer:
    """One run; see `train`."""

    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        group: Group,
        command: str,
        report: Report,
        *,
        also: Also | None = None,
    ) -> None:
        self.config, self.out, self.group = config, out, group
        self._also = also
        self.model, origin = build_model(config.model, config.run.seed)
        _check_select(config, self.model)
        self.samples, self.train_places, self.validation_places = open_for_run(
            config.data, self.model
        )
        self.shapes = ShapeOrder.find(self.samples, self.model)
        # Workers read with a copy that never leaves the CPU.
        is_shared = group.hardware.is_processor and self.samples.context is None
        self.reader = self.model if is_shared else self.model.copy_reader()
        group.hardware.place(self.model)
        self.course = Course(
            config=config,
            command=command,
            origin=origin,
            out=out,
            settings=config.to_dict(),
            group=group,
            wanted=config.run.precision,
            save_minutes=config.run.save_minutes,
            report=report,
        )
        self.batch_size = self._find_batch_size()
        self._batches: Iterator[Batch] = iter(())
        start = PhaseProgress(batch_size=self.batch_size)
        self.phase_run = PhaseRun(self._phase(), self.course, start)
        self.progress = self.phase_run.progress

    # -- before the first step -----------------------------------------------------------

    def _find_batch_size(self) -> int:
        run, world = self.config.run, self.group.world
        if run.memory_budget:
            cap_memory(parse_budget(run.memory_budget), self.group.hardware)
        before = find_progress(self.out / STATE_FILE)
        size = before.batch_size if before else run.batch_size or self._search_batch_size()
        if size % (world * run.accumulate) or not 0 < size <= len(self.train_places):
            raise InvalidValueError(
                f"A step takes at most the {len(self.train_places)} training images, and as many "
                f"for each of {world} processes x {run.accumulate} parts; got "
                f"run.batch_size = {size}; set another."
            )
        return size

    def _search_batch_size(self) -> int:
        run, share = self.config.run, self.group.world * self.config.run.accumulate
        prepared, targets = ModelInputs(self.samples, self.reader)[self.train_places[0]]
        budget = parse_budget(run.memory_budget)
        found = find_batch_size(self.model, prepared, targets, budget, precision=run.precision)
        counts = torch.zeros(self.group.world, dtype=torch.int64, device=self.group.device)
        counts[self.group.rank] = found
        # The smallest of all processes; no more than the data set has.
        least = int(self.group.sum(counts).min())
        return min(least, len(self.train_places) // share) * share

    def _phase(self) -> Phase:
        return Phase(
            name=PHASE,
            net=self.model,
            steps=len(self.train_places) // self.batch_size,
            draw=self._draw,
            loss_of=lambda net, batch, targets: net.loss(net(batch), targets),
            rate_at=self._rate_at,
            optimizer=self.config.optimizer,
            parts=self.config.run.accumulate,
            images=self._part_size,
        )

    @property
    def _part_size(self) -> int:
        """Images of a part of a step of one process."""
        return self.batch_size // self.group.world // self.config.run.accumulate

    # -- the run ------------------------------------------------------------------------

    def run(self) -> TrainResult:
        """Train to the end."""
        if self.group.is_first:
            self._write_run()
        writer = MetricsWriter(self.out, self.progress.rows) if self.group.is_first else None
        found: ValidationFigures | None = None
        while not self._is_over():
            loss = self._train_epoch()
            self._average_buffers()
            found = self._validate()
            more = {} if self._also is None else self._also(self)
            is_best = self._note_epoch(loss, found, more)
            if writer is not None:
                # Before the state: a kill in between costs the epoch and repeats the rest.
                if is_best:
                    self._save(BEST, found)
                writer.write(self.progress.rows)
                self.phase_run.save()
            self.group.wait()
        last = self._validate() if found is None and not self._has_last() else found
        if writer is not None:
            writer.close()
            if last is not None:
                self._save(LAST, last)
        self.group.wait()
        return TrainResult(
            best=self.out / BEST,
            last=self.out / LAST,
            rows=tuple(self.progress.rows),
            batch_size=self.batch_size,
            is_first=self.group.is_first,
        )

    def _has_last(self) -> bool:
        return (self.out / LAST).is_file()

    def _is_over(self) -> bool:
        run, progress = self.config.run, self.progress
        is_stopped = 0 < run.patience <= progress.waited
        return progress.epoch >= run.epochs or is_stopped

    def _train_epoch(self) -> float:
        """Do what is left of the running epoch and return its loss."""
        progress = self.progress
        # Closed, so that the processes that read end with the epoch, also where it is stopped.
        with closing(self._iter_train_batches()) as self._batches:
            self.phase_run.go(f"epoch {progress.epoch + 1}/{self.config.run.epochs}")
        sums = torch.tensor(
            [progress.loss_sum, progress.seen], dtype=torch.float64, device=self.group.device
        )
        loss_sum, seen = self.group.sum(sums).tolist()
        return float(loss_sum / seen)

    def _iter_train_batches(self) -> Generator[Batch, None, None]:
        """Yield this process's parts of the steps that are left of the epoch."""
        config, progress, size = self.config, self.progress, self.batch_size
        order = self._order(progress.epoch)
        share, part = size // self.group.world, self._part_size
        parts: list[list[int]] = []
        for step in range(progress.step, len(order) // size):
            first = step * size + self.group.rank * share
            parts += [order[at : at + part] for at in range(first, first + share, part)]
        inverted = inversion(config.run.seed, progress.epoch) if config.data.invert else None
        draws = EpochDraws(config.run.seed, progress.epoch)
        inputs = ModelInputs(self.samples, self.reader, inverted, draws)
        return self._read(inputs, parts)

    def _order(self, epoch: int) -> list[int]:
        """Return the training images in the order of an epoch; steps are of like shape in it."""
        seed, places = self.config.run.seed, self.train_places
        if self.shapes is None:
            return epoch_order(places, seed, epoch)
        return self.shapes.order(places, self.batch_size, seed, epoch)

    def _read(
        self, inputs: ModelInputs, batches: Sequence[Sequence[int]]
    ) -> Generator[Batch, None, None]:
        is_pinned = self.group.hardware.is_fed_from_pinned
        return iter_batches(inputs, batches, self.config.data.workers, is_pinned=is_pinned)

    def _draw(self, progress: PhaseProgress, part: int) -> Batch:
        batch, targets = next(self._batches)
        words = (self.config.run.seed, self.group.rank, progress.epoch, progress.step, part)
        torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        return batch, to_device(targets, self.group.hardware)

    def _rate_at(self, progress: PhaseProgress) -> float:
        config = self.config
        return learning_rate_at(
            config.schedule,
            config.optimizer.learning_rate,
            progress.epoch + progress.step / self.phase_run.phase.steps,
            config.run.epochs,
            Plateau(**progress.plateau),
        )

    # -- between epochs -----------------------------------------------------------------

    def _average_buffers(self) -> None:
        """Give every process the mean of what batch normalisation learned on each."""
        if self.group.world == 1:
            return
        for buffer in self.model.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.group.sum(buffer.clone()) / self.group.world)

    def _validate(self) -> ValidationFigures:
        return self.measure(self.samples, self.validation_places, self.shapes)

    def measure(
        self, samples: Samples, places: Sequence[int], shapes: ShapeOrder | None
    ) -> ValidationFigures:
        """Return loss and right answers of the weights as they are, in evaluation mode.

        Parameters
        ----------
        samples, places
            Of which images; all processes of the group share them.
        shapes
            Of ``samples``; None where all are alike.
        """
        own = places[self.group.rank :: self.group.world]
        size = self._part_size
        batches = chunks(own, size) if shapes is None else shapes.batches(own, size)
        read = self._read(ModelInputs(samples, self.reader), batches)
        return validate(self.model, read, self.group, precision=self.phase_run.precision)

    def _note_epoch(self, loss: float, found: ValidationFigures, more: Row) -> bool:
        """Add the epoch to the progress; return whether it is the best."""
        progress, run = self.progress, self.config.run
        progress.seconds = self.phase_run.seconds
        progress.epoch += 1
        before = progress.rows[-1]["seconds"] if progress.rows else 0.0
        row: Row = {
            "epoch": progress.epoch,
            "learning_rate": self.phase_run.optimizer.param_groups[0]["lr"],
            "train_loss": loss,
            "validation_loss": found.loss,
        }
        row |= {f"validation_{task}": share for task, share in found.accuracies.items()}
        row |= more
        if self.shapes is not None:
            order, part = self._order(progress.epoch - 1), self._part_size
            row["padding"] = self.shapes.padding(chunks(order, part))
        images = len(self.train_places) + len(self.validation_places)
        row["images_per_s"] = round(images / max(progress.seconds - before, 1e-9), 2)
        row["seconds"] = round(progress.seconds, 2)
        row["peak_bytes"] = self.group.hardware.peak_bytes()
        progress.rows.append(row)
        progress.step, progress.loss_sum, progress.seen = 0, 0.0, 0
        plateau = Plateau(**progress.plateau)
        progress.plateau = dataclasses.asdict(
            plateau.after_epoch(found.loss, self.config.schedule.patience)
        )
        figure = found.accuracy if run.select == "accuracy" else -found.loss
        is_best = progress.best is None or figure > progress.best
        progress.best = figure if is_best else progress.best
        progress.waited = 0 if is_best else progress.waited + 1
        return is_best

    # -- what is written ----------------------------------------------------------------

    def _save(self, name: str, found: ValidationFigures) -> None:
        figures = {
            "epochs": self.progress.epoch,
            "validation": dataclasses.asdict(found) | {"accuracies": found.accuracies},
            "peak_bytes": self.group.hardware.peak_bytes(),
        }
        data = self.samples.describe() | {
            "training_images": len(self.train_places),
            "validation_images": len(self.validation_places),
            "split_seed": self.config.data.split_seed,
            "run": self.config.to_dict(),
        }
        card = self.course.card(data, figures, self.progress.seconds)
        save_checkpoint(self.out / name, self.model, card)

    def _write_run(self) -> None:
        text = self.course.facts() | {
            "parameters": sum(one.numel() for one in self.model.parameters()),
            "batch_size": self.batch_size,
            "processes": self.group.world,
            "data": self.samples.describe(),
        }
        write_whole(self.out / RUN, (json.dumps(text, indent=2) + "\n").encode())
