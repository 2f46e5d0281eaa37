"""Cells that train: a configuration with changes, measured after each epoch on three sets.

Training, validation and test images are measured alike, in evaluation mode with the weights at the
end of the epoch, so that no table can mix them up.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from umnist_core.datasets.large_scale.ref import any_ref
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.sweeps.plan import Resolved, Settings
from umnist_core.experiments.sweeps.running import CellOutcome
from umnist_core.hardware import find_hardware
from umnist_core.models.base import Model
from umnist_core.models.cards import get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.parsing import parse_json
from umnist_core.training.cell_evaluation import (
    ROOMS,
    answer_figures,
    checkpoint_facts,
    digit_facts,
    digits_subset,
    model_rooms,
)
from umnist_core.training.config import (
    DataPart,
    TrainConfig,
    config_from,
    load_config,
    settings_from,
)
from umnist_core.training.data import Samples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.like_shapes import ShapeOrder
from umnist_core.training.loop import RUN, Trainer, train
from umnist_core.training.metrics import Row
from umnist_core.training.own.courses import parse_course, train_course
from umnist_core.training.photograph_samples import open_for
from umnist_core.training.provenance import find_versions
from umnist_core.training.validate import ValidationFigures

TRAIN_ROOMS = (
    *("course", "loop", "data", "order", "schedule", "precision", "validate", "cell_training"),
)
"""Sources of the training that figures follow from."""

BATCH = 16
"""Images that are answered at once."""

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class HeldOutSettings:
    """The images of the test; all else is as of the training images.

    Attributes
    ----------
    count
        2 or more; of a folder 0 for all.
    split, seed
        Of them.
    overrides
        Parameters that differ from those of the training images.
    layer
        As of `umnist_core.training.config.DataPart`; empty for that of the training images.
    """

    count: int = 200
    split: str = "test"
    seed: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""


@dataclass(frozen=True)
class TrainSettings:
    """What is trained, and on what it is measured.

    Attributes
    ----------
    training
        Changes of the configuration ``from``, section by section.
    test
        The images of the test.
    tests
        Name -> overrides of further tests, which the weights at the end are given.
    train_measured
        How many training images are measured after each epoch, the first ones; 1 or more.
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    test: HeldOutSettings = field(default_factory=HeldOutSettings)
    tests: Mapping[str, Any] = field(default_factory=dict)
    train_measured: int = 200

    def __post_init__(self) -> None:
        if self.train_measured < 1:
            raise InvalidValueError(f"train_measured is 1 or more; got {self.train_measured}.")


class TrainKind:
    """See `umnist_core.experiments.sweeps.plan.CellKind`."""

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        """Return the whole configuration, and the images of the test."""
        name = settings.pop("from", None)
        if not isinstance(name, str):
            raise InvalidValueError(
                "Expected the name or file of a training configuration under base.from, found "
                "none; docs/training.md lists them."
            )
        found = settings_from(TrainSettings, settings, "base")
        plain = load_config(Path(name)).to_dict()
        changes = _with_seed(dict(found.training), bool(plain["recipe"]), seed)
        merge(plain, changes)
        config = config_from(plain)
        if config.recipe:
            parse_course(config)
        test = _test_part(config.data, found.test)
        resolved = {
            "training": config.to_dict(),
            "test": asdict(test),
            "tests": _further_tests(config.data, found.tests),
            "train_measured": found.train_measured,
        }
        return Resolved(resolved, _data(config, test), _rooms(config), _command(name, changes))


def merge(config: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put changes into nested settings, section by section."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value


def _with_seed(changes: dict[str, Any], has_recipe: bool, seed: int) -> dict[str, Any]:
    """Return changes with the cell's seed where they name none."""
    seeds: dict[str, Any] = {"run": {"seed": seed}, "data": {"seed": seed}}
    if has_recipe:
        seeds = {"recipe": {"seed": seed}}
    merge(seeds, changes)
    return seeds


def _test_part(data: DataPart, test: HeldOutSettings) -> DataPart:
    if test.count < (0 if data.folder else 2):
        raise InvalidValueError(f"test.count is 2 or more; got {test.count}; raise it.")
    is_plain = not data.folder and not data.turns
    overrides = {**data.overrides, **test.overrides} if is_plain else data.overrides
    return replace(
        data,
        split=test.split,
        seed=test.seed,
        count=test.count,
        overrides=overrides,
        layer=test.layer or data.layer,
        validation_split="",
        invert=False,
    )


def _further_tests(data: DataPart, tests: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the overrides of each further test, as texts."""
    if tests and (data.folder or data.turns):
        raise InvalidValueError(
            "tests are of scenes of one preset, as training.data.preset says; got training.data "
            "with a folder or turns; leave tests out."
        )
    found = {}
    for name, overrides in tests.items():
        part = {"preset": data.preset, "overrides": overrides}
        changed = settings_from(DataPart, part, f"base.tests.{name}").overrides
        found[name] = dict(changed)
        if not data.is_large_scale:
            any_ref(data.preset, {**data.overrides, **changed})  # says what no scene can be
    return found


def _data(config: TrainConfig, test: DataPart) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if config.data.folder:
        found["folder_sha256"] = _folder_sha256(Path(config.data.folder))
    else:
        presets = [turn.preset for turn in config.data.turns] or [config.data.preset]
        found |= digit_facts(digits_subset(presets[0], config.data.split))
        found["test_digits_sha256"] = digit_facts(digits_subset(presets[0], test.split))[
            "digits_sha256"
        ]
    if config.model.initial:
        found |= {
            name: value
            for name, value in checkpoint_facts(config.model.initial).items()
            if name != "model"
        }
    return found


def _folder_sha256(folder: Path) -> str:
    """Return the hash of the names and sizes of the files of a folder; reading all takes long."""
    names = sorted(
        f"{path.relative_to(folder).as_posix()} {path.stat().st_size}"
        for path in folder.rglob("*")
        if path.is_file()
    )
    return hashlib.sha256("\n".join(names).encode()).hexdigest() if names else ""


def _rooms(config: TrainConfig) -> tuple[str, ...]:
    files = tuple(f"training/{name}.py" for name in TRAIN_ROOMS)
    own = ("training/own",) if config.recipe else ()
    scales = ("datasets/large_scale",) if config.data.is_large_scale else ()
    return (*ROOMS, *model_rooms(config.model.name), *files, *own, *scales)


def _command(name: str, changes: Mapping[str, Any]) -> str:
    words = [f"{key}={json.dumps(value)}" for key, value in _leaves(changes)]
    return shlex.join(
        ["umnist", "train", name, *(one for word in words for one in ("--set", word))]
    )


def _leaves(changes: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in changes.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


# -- the training ---------------------------------------------------------------------


def run_train_cell(config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Train, or go on where a run in the folder stopped.

    Raises
    ------
    UmnistError
        As of `umnist_core.training.loop.train`.
    """
    training = config_from(config["training"])
    test = settings_from(DataPart, config["test"], "test")
    if training.model.initial:
        found = str(get_checkpoint(training.model.initial))
        training = replace(training, model=replace(training.model, initial=found))
    hardware = find_hardware(training.run.device)
    if training.recipe:
        figures = _train_course(training, test, config, folder)
    else:
        figures = _train_epochs(training, test, config, folder)
    cost = {"device": hardware.title, "hardware": hardware.description, "versions": find_versions()}
    return CellOutcome(figures, cost)


class EpochMeasures:
    """Measures training and test images between epochs; what `train` is given as ``also``."""

    def __init__(self, test: DataPart, train_measured: int) -> None:
        self._test, self._train_measured = test, train_measured
        self._opened: tuple[Samples, ShapeOrder | None] | None = None

    def __call__(self, trainer: Trainer) -> Row:
        """Return the columns of a row."""
        if self._opened is None:
            samples = open_for(self._test, trainer.model)
            self._opened = samples, ShapeOrder.find(samples, trainer.model)
        samples, shapes = self._opened
        places = trainer.train_places[: self._train_measured]
        row: Row = {"validation_images": len(trainer.validation_places)}
        row |= _columns("train", trainer.measure(trainer.samples, places, trainer.shapes))
        return row | _columns("test", trainer.measure(samples, range(len(samples)), shapes))


def _columns(part: str, found: ValidationFigures) -> Row:
    right = {f"{part}_right_{task}": count for task, count in found.correct.items()}
    return {f"{part}_measured_loss": found.loss, f"{part}_images": found.images, **right}


def _train_epochs(
    training: TrainConfig, test: DataPart, config: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    also = EpochMeasures(test, config["train_measured"])
    result = train(training, folder, shows_progress=False, also=also)
    epochs = [_epoch(row) for row in result.rows]
    told = parse_json((folder / RUN).read_bytes())
    by = training.run.select
    return {
        "epochs": epochs,
        "first": epochs[0],
        "best": _best(epochs, by),
        "final": epochs[-1],
        "chosen_by": by,
        "batch_size": result.batch_size,
        "parameters": told["parameters"],
        "weights": told["weights"],
        "precision": told["precision"],
        "course": [],
        **_answers(result.last, test, config, training.run.device),
    }


def _epoch(row: Row) -> dict[str, Any]:
    tasks = [name[len("test_right_") :] for name in row if name.startswith("test_right_")]
    images = row["validation_images"]
    shares = {task: row[f"validation_{task}"] for task in tasks}
    losses = {part: row[f"{part}_measured_loss"] for part in ("train", "test")}
    losses["validation"] = row["validation_loss"]
    right = {
        part: {task: row[f"{part}_right_{task}"] for task in tasks} for part in ("train", "test")
    }
    # Counts again, of which shares were made.
    right["validation"] = {task: round(share * images) for task, share in shares.items()}
    return {
        "epoch": row["epoch"],
        "learning_rate": row["learning_rate"],
        "running_loss": _finite(row["train_loss"]),
        **{
            part: {
                "images": row[f"{part}_images"],
                "loss": _finite(losses[part]),
                "right": right[part],
            }
            for part in PARTS
        },
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None  # JSON has no other numbers


def _best(epochs: list[dict[str, Any]], by: str) -> dict[str, Any]:
    """Return the epoch that validation chose, the first of several, as `train` does."""

    def figure(one: dict[str, Any]) -> float:
        found = one["validation"]
        if by == "accuracy":
            return float(sum(found["right"].values()))
        return -float("inf") if found["loss"] is None else -float(found["loss"])

    return max(epochs, key=figure)


def _train_course(
    training: TrainConfig, test: DataPart, config: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    checkpoint = train_course(training, folder, shows_progress=False)
    model, card = load_checkpoint(checkpoint)
    return {
        **{"epochs": [], "first": None, "best": None, "final": None},
        "parameters": sum(one.numel() for one in model.parameters()),
        "weights": card.notes[0] if card.notes else "",
        "course": card.figures.get("history", []),
        **_answers(checkpoint, test, config, training.run.device),
    }


def _answers(
    checkpoint: Path, test: DataPart, config: Mapping[str, Any], device: str
) -> dict[str, Any]:
    """Return what the weights at the end say of the images of the test, and of further tests."""
    model, _ = load_checkpoint(checkpoint)
    find_hardware(device).place(model)
    tests = {
        label: _answered(model, replace(test, overrides={**test.overrides, **overrides}))
        for label, overrides in config["tests"].items()
    }
    return {"answers": _answered(model, test), "tests": tests}


def _answered(model: Model, test: DataPart) -> dict[str, Any]:
    samples = open_for(test, model)
    found = evaluate(model, samples, batch_size=BATCH, with_attention=False)
    figures = answer_figures(found, samples, range(len(samples)))
    ids = [row["id"] for row in found.rows] if test.folder else None
    return {**figures, "ids": ids}
