"""One loop for every model: train, validate, keep the best, go on after a kill.

A run is a pure function of its configuration on one kind of machine: the order of the images
follows from seed and epoch, and whatever a model draws (dropout) from seed, epoch, step and
process. So a run that was killed and resumed ends with the same bits on the CPU as one that
was not, wherever it was killed.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.files import write_whole
from umnist_core.models.base import Model
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.papers.backbones import load_backbone
from umnist_core.models.registry import create_model
from umnist_core.training.bars import progress_bar
from umnist_core.training.config import ModelPart, TrainConfig
from umnist_core.training.data import (
    Batch,
    ModelInputs,
    epoch_order,
    inversion,
    iter_batches,
    open_samples,
    split_places,
)
from umnist_core.training.distributed import Group, joined_group
from umnist_core.training.memory import cap_memory, find_batch_size, parse_budget, peak_bytes
from umnist_core.training.metrics import MetricsWriter, Row
from umnist_core.training.precision import find_precision, mixed
from umnist_core.training.provenance import describe_hardware, find_commit, find_versions
from umnist_core.training.schedule import Plateau, learning_rate_at
from umnist_core.training.state import STATE_FILE, Progress, load_state, save_state
from umnist_core.training.validate import Validation, chunks, to_device, validate

BEST, LAST, RUN = "best.safetensors", "last.safetensors", "run.json"
"""Files of a run beside its metrics and its state."""


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
    config: TrainConfig, out: Path, *, command: str = "", shows_progress: bool = True
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

    Raises
    ------
    InvalidValueError
        If the configuration does not go with the data, the machine or the run in the folder.
    TooLargeError
        If the model does not fit into the memory budget.
    DamagedFileError, MissingFileError, WriteError
        If a file cannot be read or written.
    """
    out.mkdir(parents=True, exist_ok=True)
    with joined_group(config.run.device) as group:
        trainer = Trainer(config, out, group, command, shows_progress)
        try:
            return trainer.run()
        except torch.OutOfMemoryError as error:
            raise TooLargeError(
                f"A step of {trainer.progress.batch_size} images does not fit into the memory of "
                f"{config.run.memory_budget or 'this device'}; raise run.accumulate, or search "
                "with `umnist train --memory-budget`."
            ) from error


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


class _Step(nn.Module):
    """From a batch to its loss, so that one forward pass is all that processes share."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Any, targets: dict[str, Tensor]) -> Tensor:
        return self.model.loss(self.model(batch), targets)


class Trainer:
    """One run; see `train`."""

    def __init__(
        self, config: TrainConfig, out: Path, group: Group, command: str, shows_progress: bool
    ) -> None:
        self.config, self.out, self.group, self.command = config, out, group, command
        self.shows_progress = shows_progress and group.is_first
        self.model, self.origin = build_model(config.model, config.run.seed)
        self.samples = open_samples(config.data)
        self.train_places, self.validation_places = split_places(
            len(self.samples), config.data.validation_share, config.data.split_seed
        )
        is_cuda = group.device.type == "cuda"
        # Workers read with a copy that never leaves the CPU.
        self.reader = copy.deepcopy(self.model) if is_cuda else self.model
        self.model.to(group.device).train()
        if not is_cuda:  # twice as fast with the small channels of these models
            self.model.to(memory_format=torch.channels_last)
        self.precision = find_precision(config.run.precision, group.device)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.precision is torch.float16)
        self.optimizer = _optimizer(config, self.model)
        self.progress = self._begin_or_resume()
        self.step: nn.Module = _Step(self.model)
        if group.world > 1:
            # Buffers are averaged once an epoch: those of one process would forget the others'.
            self.step = DistributedDataParallel(self.step, broadcast_buffers=False)
        self._started = time.monotonic() - self.progress.seconds
        self._saved = time.monotonic()

    # -- before the first step -----------------------------------------------------------

    def _begin_or_resume(self) -> Progress:
        run, world = self.config.run, self.group.world
        if run.memory_budget:
            cap_memory(parse_budget(run.memory_budget), self.group.device)
        path = self.out / STATE_FILE
        if path.is_file():
            progress, scaler = load_state(path, self.model, self.optimizer, self.config.to_dict())
            if scaler:
                self.scaler.load_state_dict(scaler)
        else:
            progress = Progress(batch_size=run.batch_size or self._search_batch_size())
        share = world * run.accumulate
        if progress.batch_size % share or progress.batch_size > len(self.train_places):
            raise InvalidValueError(
                f"A step takes at most the {len(self.train_places)} training images, and as many "
                f"for each of {world} processes x {run.accumulate} parts; got "
                f"run.batch_size = {progress.batch_size}; set another."
            )
        return progress

    def _search_batch_size(self) -> int:
        run, share = self.config.run, self.group.world * self.config.run.accumulate
        prepared, targets = ModelInputs(self.samples, self.reader)[self.train_places[0]]
        found = find_batch_size(self.model, prepared, targets, parse_budget(run.memory_budget))
        counts = torch.zeros(self.group.world, dtype=torch.int64, device=self.group.device)
        counts[self.group.rank] = found
        # The smallest of all processes; no more than the data set has.
        least = int(self.group.sum(counts).min())
        return min(least, len(self.train_places) // share) * share

    # -- the run ------------------------------------------------------------------------

    def run(self) -> TrainResult:
        """Train to the end."""
        if self.group.is_first:
            self._write_run()
        writer = MetricsWriter(self.out, self.progress.rows) if self.group.is_first else None
        found: Validation | None = None
        while not self._is_over():
            loss = self._train_epoch()
            self._average_buffers()
            found = self._validate()
            is_best = self._note_epoch(loss, found)
            if writer is not None:
                # Before the state: a kill in between costs the epoch and repeats the rest.
                if is_best:
                    self._save(BEST, found)
                writer.write(self.progress.rows)
                self._save_state()
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
            batch_size=self.progress.batch_size,
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
        progress, accumulate = self.progress, self.config.run.accumulate
        steps = len(self.train_places) // progress.batch_size
        self.model.train()
        epoch = f"epoch {progress.epoch + 1}/{self.config.run.epochs}"
        with progress_bar(steps, epoch, done=progress.step, shown=self.shows_progress) as bar:
            batches = self._iter_train_batches()
            while progress.step < steps:
                self._set_learning_rate(progress.epoch + progress.step / steps)
                self.optimizer.zero_grad(set_to_none=True)
                for part in range(accumulate):
                    self._add_gradients(next(batches), part)
                self.scaler.step(self.optimizer)
                self.scaler.update()
                progress.step += 1
                bar.update()
                self._maybe_save_state(progress.step < steps)
        sums = torch.tensor(
            [progress.loss_sum, progress.seen], dtype=torch.float64, device=self.group.device
        )
        loss_sum, seen = self.group.sum(sums).tolist()
        return float(loss_sum / seen)

    def _iter_train_batches(self) -> Iterator[Batch]:
        """Yield this process's parts of the steps that are left of the epoch."""
        config, progress, group = self.config, self.progress, self.group
        order = epoch_order(self.train_places, config.run.seed, progress.epoch)
        size = progress.batch_size
        share, part = size // group.world, size // group.world // config.run.accumulate
        parts: list[list[int]] = []
        for step in range(progress.step, len(order) // size):
            first = step * size + group.rank * share
            parts += [order[at : at + part] for at in range(first, first + share, part)]
        inverted = inversion(config.run.seed, progress.epoch) if config.data.invert else None
        inputs = ModelInputs(self.samples, self.reader, inverted)
        return iter_batches(inputs, parts, config.data.workers)

    def _add_gradients(self, batch_and_targets: Batch, part: int) -> None:
        batch, targets = batch_and_targets
        run, progress = self.config.run, self.progress
        torch.manual_seed(
            _step_seed(run.seed, self.group.rank, progress.epoch, progress.step, part)
        )
        with self._sync(part == run.accumulate - 1), mixed(self.group.device, self.precision):
            loss = self.step(batch, to_device(targets, self.group.device))
            self.scaler.scale(loss / run.accumulate).backward()
        images = len(next(iter(targets.values())))
        progress.loss_sum += float(loss.detach()) * images
        progress.seen += images

    def _sync(self, is_last: bool) -> AbstractContextManager[Any]:
        if isinstance(self.step, DistributedDataParallel) and not is_last:
            return self.step.no_sync()
        return nullcontext()

    def _set_learning_rate(self, epochs_done: float) -> None:
        config = self.config
        rate = learning_rate_at(
            config.schedule,
            config.optimizer.learning_rate,
            epochs_done,
            config.run.epochs,
            Plateau(**self.progress.plateau),
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    # -- between epochs -----------------------------------------------------------------

    def _average_buffers(self) -> None:
        """Give every process the mean of what batch normalisation learned on each."""
        if self.group.world == 1:
            return
        for buffer in self.model.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.group.sum(buffer.clone()) / self.group.world)

    def _validate(self) -> Validation:
        places = self.validation_places[self.group.rank :: self.group.world]
        size = max(1, self.progress.batch_size // self.group.world // self.config.run.accumulate)
        inputs = ModelInputs(self.samples, self.reader)
        batches = iter_batches(inputs, chunks(places, size), self.config.data.workers)
        return validate(self.model, batches, self.group, precision=self.precision)

    def _note_epoch(self, loss: float, found: Validation) -> bool:
        """Add the epoch to the progress; return whether it is the best."""
        progress, run = self.progress, self.config.run
        progress.seconds = time.monotonic() - self._started
        progress.epoch += 1
        before = progress.rows[-1]["seconds"] if progress.rows else 0.0
        row: Row = {
            "epoch": progress.epoch,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_loss": loss,
            "validation_loss": found.loss,
        }
        row |= {f"validation_{task}": share for task, share in found.accuracies.items()}
        images = len(self.train_places) + len(self.validation_places)
        row["images_per_s"] = round(images / max(progress.seconds - before, 1e-9), 2)
        row["seconds"] = round(progress.seconds, 2)
        row["peak_bytes"] = peak_bytes(self.group.device)
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

    def _maybe_save_state(self, is_amid_epoch: bool) -> None:
        # Several processes save between epochs alone: each has a sum of losses of its own.
        if not is_amid_epoch or self.group.world > 1:
            return
        if time.monotonic() - self._saved >= 60 * self.config.run.save_minutes:
            self._save_state()

    def _save_state(self) -> None:
        self.progress.seconds = time.monotonic() - self._started
        save_state(
            self.out / STATE_FILE,
            self.model,
            self.optimizer,
            scaler=self.scaler.state_dict(),
            progress=self.progress,
            config=self.config.to_dict(),
        )
        self._saved = time.monotonic()

    def _save(self, name: str, found: Validation) -> None:
        save_checkpoint(self.out / name, self.model, self._card(found))

    def _card(self, found: Validation) -> Card:
        config = self.config
        figures: dict[str, Any] = {
            "epochs": self.progress.epoch,
            "validation": dataclasses.asdict(found) | {"accuracies": found.accuracies},
            "peak_bytes": peak_bytes(self.group.device),
        }
        data = self.samples.describe() | {
            "training_images": len(self.train_places),
            "validation_images": len(self.validation_places),
            "split_seed": config.data.split_seed,
        }
        return Card(
            model=config.model.name,
            data=data | {"run": config.to_dict()},
            commit=find_commit(),
            figures=figures,
            hardware=describe_hardware(self.group.device),
            seconds=self.progress.seconds,
            command=self.command,
            versions=find_versions(),
            notes=self._notes(data),
        )

    def _notes(self, data: dict[str, Any]) -> tuple[str, ...]:
        notes = [f"Weights at the start: {self.origin}."]
        if data.get("stand_in"):
            notes.append("The digits are the bundled stand-in, not MNIST.")
        if self.config.run.precision == "mixed" and self.precision is None:
            notes.append("Mixed precision was asked for; this processor has none: it was float32.")
        return tuple(notes)

    def _write_run(self) -> None:
        parameters = sum(p.numel() for p in self.model.parameters())
        text = {
            "config": self.config.to_dict(),
            "command": self.command,
            "weights": self.origin,
            "parameters": parameters,
            "batch_size": self.progress.batch_size,
            "processes": self.group.world,
            "precision": "float32" if self.precision is None else str(self.precision),
            "data": self.samples.describe(),
            "commit": find_commit(),
            "versions": find_versions(),
            "hardware": describe_hardware(self.group.device),
        }
        write_whole(self.out / RUN, (json.dumps(text, indent=2) + "\n").encode())


def _step_seed(seed: int, rank: int, epoch: int, step: int, part: int) -> int:
    """Return the seed of what a model draws in one part of a step of one process."""
    return int(np.random.SeedSequence((seed, rank, epoch, step, part)).generate_state(1)[0])


def _optimizer(config: TrainConfig, model: Model) -> torch.optim.Optimizer:
    part = config.optimizer
    kind = torch.optim.Adam if part.name == "adam" else torch.optim.AdamW
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    return kind(learned, lr=part.learning_rate, weight_decay=part.weight_decay)
