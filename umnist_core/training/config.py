"""What a training run follows from, as one TOML file.

Every key is checked: an unknown one, or one of another type, is refused. Defaults stand in
the dataclasses, and the file that a run keeps in its folder names them all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from umnist_core.errors import InvalidValueError, MissingFileError, NotFoundError
from umnist_core.models.papers.backbones import NONE
from umnist_core.parsing import parse_toml
from umnist_core.scenes import Span, parse_parameter
from umnist_core.training.memory import parse_budget
from umnist_core.training.precision import PRECISIONS
from umnist_core.training.presets import LARGE_SCALE, LARGE_SCALE_PARAMETERS
from umnist_core.training.runs import find_configs
from umnist_core.training.sign_choice import SignsPart

P = TypeVar("P")


OPTIMIZERS = ("adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "exponential", "milestones", "warmup-cosine", "plateau")
SELECTIONS = ("accuracy", "loss")


@dataclass(frozen=True)
class ModelPart:
    """Which model.

    Attributes
    ----------
    name
        In the registry.
    settings
        Fields of the model's config that differ from its defaults.
    pretrained
        ``"none"``, ``"imagenet"`` or a file; see `umnist_core.models.papers.backbones`.
    initial
        Checkpoint of ours whose weights the run begins with, such as those of a first stage
        at another image size; empty for none.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    pretrained: str = NONE
    initial: str = ""


@dataclass(frozen=True)
class Turn:
    """One of several kinds of scenes.

    Attributes
    ----------
    preset, overrides
        See `umnist_core.datasets.Recipe`.
    """

    preset: str
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataPart:
    """Which images: scenes drawn as they are needed, or a folder.

    Attributes
    ----------
    folder
        A data set that `umnist_core.datasets.open_dataset` opens; empty for scenes.
    preset, seed, overrides
        Of the scenes; see `umnist_core.datasets.Recipe`. With the preset `LARGE_SCALE` the digits
        of MNIST Large Scale, in the order of MNIST; its one override is ``scale``, 0.5 to 8, or
        a range such as ``1..4`` in which each digit has a scale of its own, which is the mixed
        set.
    turns
        Kinds of scenes that take turns, in place of ``preset`` and ``overrides``.
    layer
        One of `umnist_core.rendering.LAYERS`; scenes only.
    split
        ``train`` or ``test``; of a folder and of `LARGE_SCALE` also ``val``.
    count
        Images, 2 or more; of a folder the first so many, 0 for all.
    validation_share
        Share of them that is kept for validation, above 0 and below 1.
    split_seed
        Which of them; 42 in the released training code.
    validation_split
        Of a folder: the split whose images validate instead, all of them; empty for a share.
    signs
        Which images of the Swedish traffic signs.
    invert
        Whether each image is shown inverted half the time, drawn anew each epoch.
    workers
        Processes that draw, 0 to draw in the training process.
    """

    folder: str = ""
    preset: str = "released"
    seed: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    layer: str = "full"
    split: str = "train"
    count: int = 28_000
    validation_share: float = 0.1
    split_seed: int = 42
    validation_split: str = ""
    signs: SignsPart = field(default_factory=SignsPart)
    invert: bool = False
    workers: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.validation_share < 1:
            raise InvalidValueError(
                f"data.validation_share is above 0 and below 1; got {self.validation_share}."
            )
        if self.count < (0 if self.folder else 2) or self.workers < 0:
            raise InvalidValueError(
                f"data.count is 2 or more and data.workers 0 or more; got {self.count} and "
                f"{self.workers}."
            )
        if self.validation_split and (not self.folder or self.validation_split == self.split):
            raise InvalidValueError(
                "data.validation_split is another split of data.folder than data.split; got "
                f"{self.validation_split!r:.40}; correct it, or leave it out."
            )
        if self.turns and (self.folder or self.overrides or self.preset != "released"):
            raise InvalidValueError(
                "data.turns takes the place of data.folder, preset and overrides; got both; remove "
                "one of them."
            )
        if self.is_large_scale:
            for name, text in self.overrides.items():
                parse_parameter(name, text, LARGE_SCALE_PARAMETERS)
            if self.layer != "full":
                raise InvalidValueError(
                    f"data.layer is of scenes, of which data.preset {LARGE_SCALE!r} has none; got "
                    f"{self.layer!r:.40}; leave it out."
                )

    @property
    def is_large_scale(self) -> bool:
        """Whether the images are those of `LARGE_SCALE`."""
        return self.preset == LARGE_SCALE and not self.folder

    @property
    def scales(self) -> Span:
        """Least and largest scale of the digits of `LARGE_SCALE`; 1 if none is named."""
        span = parse_parameter("scale", self.overrides.get("scale", "1"), LARGE_SCALE_PARAMETERS)
        assert isinstance(span, Span)  # of a parameter that may be a range
        return span


@dataclass(frozen=True)
class OptimizerPart:
    """How weights follow gradients.

    Attributes
    ----------
    name
        One of `OPTIMIZERS`.
    learning_rate
        At its height, above 0.
    weight_decay
        0 or more.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_word("optimizer.name", self.name, OPTIMIZERS)
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise InvalidValueError(
                "optimizer.learning_rate is above 0 and weight_decay 0 or more; got "
                f"{self.learning_rate} and {self.weight_decay}."
            )


@dataclass(frozen=True)
class SchedulePart:
    """How the learning rate goes.

    Attributes
    ----------
    name
        One of `SCHEDULES`.
    gamma
        ``exponential``: factor from epoch to epoch. ``milestones``: factor after each.
        ``plateau``: factor after a plateau.
    milestones
        ``milestones``: epochs after which the factor holds, in ascending order.
    warmup_epochs
        ``warmup-cosine``: linear from 0, step by step.
    floor
        ``warmup-cosine``: share of the learning rate that the cosine ends at.
    patience
        ``plateau``: epochs without a better validation loss before the factor.
    """

    name: str = "exponential"
    gamma: float = 0.97
    milestones: tuple[int, ...] = ()
    warmup_epochs: float = 10.0
    floor: float = 0.001
    patience: int = 3

    def __post_init__(self) -> None:
        _check_word("schedule.name", self.name, SCHEDULES)
        if not 0 < self.gamma <= 1 or not 0 <= self.floor <= 1:
            raise InvalidValueError(
                f"schedule.gamma is above 0 and at most 1 and floor 0 to 1; got {self.gamma} and "
                f"{self.floor}."
            )
        if self.warmup_epochs < 0 or self.patience < 0:
            raise InvalidValueError(
                f"schedule.warmup_epochs and patience are 0 or more; got {self.warmup_epochs} and "
                f"{self.patience}."
            )
        is_used = self.name == "milestones"
        if list(self.milestones) != sorted(set(self.milestones)) or is_used != bool(
            self.milestones
        ):
            raise InvalidValueError(
                "schedule.milestones are one epoch or more in ascending order, for the schedule "
                f"milestones alone; got {list(self.milestones)} for {self.name}."
            )


@dataclass(frozen=True)
class RunPart:
    """How long, how many at once, and where.

    Attributes
    ----------
    epochs
        1 or more.
    batch_size
        Images of one step of the optimiser, over all processes and accumulated parts; 0 to
        search for the largest that the memory budget holds.
    accumulate
        Parts of each process's share whose gradients are added before a step, 1 or more.
    memory_budget
        For example ``"11GB"``; empty for none. See `umnist_core.training.memory`.
    precision
        One of `PRECISIONS`; float32 all the same where mixed would be slower.
        See `umnist_core.training.precision`.
    seed
        Of the weights, the order of the images and whatever a model draws, 0 or more.
    device
        ``auto``, ``cpu`` or ``cuda``.
    select
        What the best epoch is chosen by, one of `SELECTIONS`, on the validation images.
    patience
        Epochs without a better one before the run ends; 0 to run to the end.
    save_minutes
        How much of an epoch a kill may cost, in minutes; 0 to save after every step.
    """

    epochs: int = 50
    batch_size: int = 16
    accumulate: int = 1
    memory_budget: str = ""
    precision: str = "float32"
    seed: int = 0
    device: str = "auto"
    select: str = "accuracy"
    patience: int = 0
    save_minutes: float = 10.0

    def __post_init__(self) -> None:
        _check_word("run.precision", self.precision, PRECISIONS)
        _check_word("run.device", self.device, ("auto", "cpu", "cuda"))
        _check_word("run.select", self.select, SELECTIONS)
        if self.memory_budget:
            parse_budget(self.memory_budget)
        if self.epochs < 1 or self.accumulate < 1 or min(self.batch_size, self.seed) < 0:
            raise InvalidValueError(
                "run.epochs and accumulate are 1 or more, batch_size and seed 0 or more; got "
                f"{self.epochs}, {self.accumulate}, {self.batch_size} and {self.seed}."
            )
        if self.batch_size == 0 and not self.memory_budget:
            raise InvalidValueError(
                "run.batch_size is 0, to be searched for, but there is no run.memory_budget; set "
                "one of them."
            )


@dataclass(frozen=True)
class TrainConfig:
    """All of a run.

    Attributes
    ----------
    model
        Which model, and where it begins.
    recipe
        Settings of a course of the model's own (`umnist_core.training.own.courses`), which then
        takes the place of the other sections but ``run.device``; empty for the course of one phase
        that all models can take (`umnist_core.training.loop`).
    data, optimizer, schedule, run
        Of that one.
    """

    model: ModelPart
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: DataPart = field(default_factory=DataPart)
    optimizer: OptimizerPart = field(default_factory=OptimizerPart)
    schedule: SchedulePart = field(default_factory=SchedulePart)
    run: RunPart = field(default_factory=RunPart)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain dictionaries, every default included; `config_from` reads them."""
        return dataclasses.asdict(self)


def load_config(path: Path, changes: Sequence[str] = ()) -> TrainConfig:
    """Read a configuration.

    Parameters
    ----------
    path
        A TOML file, or the name of one of ours (`config_names`).
    changes
        Such as ``"run.epochs=3"``; the value is TOML, or a word without quotes.

    Raises
    ------
    MissingFileError, NotFoundError
        If there is no such file.
    InvalidValueError
        If it is no TOML, or a key or value is not allowed.
    """
    try:
        data = parse_toml(_find(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidValueError(f"{path} is no TOML ({error}); correct it.") from error
    except OSError as error:
        raise MissingFileError(
            f"{path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    for change in changes:
        _change(data, change)
    return config_from(data)


def config_names() -> list[str]:
    """Return the names of the configurations that come with umnist."""
    return sorted(find_configs())


def config_from(data: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration that dictionaries say.

    Raises
    ------
    InvalidValueError
        If a key is unknown or missing, or a value not allowed.
    """
    return _part(TrainConfig, data, "")


def settings_from(kind: type[P], values: Mapping[str, Any], section: str) -> P:
    """Return a dataclass of settings from a section's values, as strictly as `config_from`.

    Raises
    ------
    InvalidValueError
        If a key is unknown or missing, or a value not allowed.
    """
    return _part(kind, values, f"{section}.")


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    if ours := find_configs().get(str(path)):
        return ours
    if path.suffix == ".toml":
        raise MissingFileError(f"Expected a configuration in {path}, found no file; check it.")
    raise NotFoundError(
        f"Expected a TOML file or one of {', '.join(config_names())}; got {str(path)[:80]!r}."
    )


def _change(data: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    *sections, name = key.strip().split(".")
    if not equals or not sections or not name:
        raise InvalidValueError(
            f"A change reads section.key=value, such as run.epochs=3; got {change!r:.60}."
        )
    place = data
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise InvalidValueError(f"{section} is no section; got {change!r:.60}.")
    try:
        place[name] = parse_toml(f"value = {text}")["value"]
    except ValueError:
        place[name] = text.strip()


def _part(kind: type[P], data: Any, prefix: str) -> P:
    """Return a dataclass from a dictionary, strictly."""
    hints = get_type_hints(kind)
    if not isinstance(data, Mapping):
        raise InvalidValueError(f"{prefix[:-1]} is a section; got {data!r:.60}.")
    if unknown := sorted(data.keys() - hints.keys()):
        raise InvalidValueError(
            f"There is no setting {prefix}{unknown[0]}; those of this section are "
            f"{', '.join(hints)}."
        )
    values = {name: _value(hints[name], value, prefix + name) for name, value in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise InvalidValueError(
            f"The section {prefix[:-1] or 'model'} lacks a setting ({error}); add it."
        ) from error


def _value(kind: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _part(kind, value, f"{name}.")  # type: ignore[arg-type]
    if get_origin(kind) is tuple:  # tuple[X, ...]
        if not isinstance(value, list | tuple):
            raise InvalidValueError(f"{name} is a list; got {value!r:.60}.")
        return tuple(
            _value(get_args(kind)[0], one, f"{name}[{place}]") for place, one in enumerate(value)
        )
    if get_origin(kind) is not None:  # Mapping[str, ...]
        if not isinstance(value, Mapping):
            raise InvalidValueError(f"{name} is a section; got {value!r:.60}.")
        is_text = get_args(kind)[1] is str
        return {key: _text(one) if is_text else one for key, one in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InvalidValueError(f"{name} is of the kind {kind.__name__}; got {value!r:.60}.")
    return value


def _text(value: Any) -> str:
    """Return a planner's parameter in its text form: 5, true and "3..5" may all be written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_word(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise InvalidValueError(f"{name} is one of {', '.join(words)}; got {value!r}.")
