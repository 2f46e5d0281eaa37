"""Train the models of our own by recipes of their own, from the same command as all others.

A configuration with a section ``recipe`` is such a run. The digit finder learns in parts from
boxes and classes (`finder`), the additive pyramid in lessons from sums (`additive`); both end
with one checkpoint and its card, and go on where they were stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from umnist_core.datasets import Recipe
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.files import write_whole
from umnist_core.models.base import Model
from umnist_core.models.cards import RUN_FILE, Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.own.finder import DigitFinder
from umnist_core.models.own.pyramid import AdditivePyramid
from umnist_core.models.own.trust import HowRead, how_read
from umnist_core.models.own.unlike import USUAL_SIDE_PX
from umnist_core.training.bars import progress_bar
from umnist_core.training.config import TrainConfig, settings_from
from umnist_core.training.data import SceneSamples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.loop import RUN, build_model
from umnist_core.training.own.confidence import UNCALIBRATED, fit_confidence
from umnist_core.training.own.finder import FinderTraining, expect_empty_places, train_finder
from umnist_core.training.own.parts import CPU, MAY_DIFFER, Pace, Report
from umnist_core.training.own.pyramid import AdditiveTraining, train_additive
from umnist_core.training.provenance import describe_hardware, find_commit, find_versions
from umnist_core.training.variants import open_variant

CHECK_SEED = 99
"""Added to a recipe's seed for the scenes on which the result is tried."""

CHECKED = {"plain": 1.0, "rescaled-3900": 0.2, "rescaled-2000": 0.2, "turned-90": 0.2}
"""Variants of scenes on which the confidence is calibrated, and how many there are of each."""


def _finder(model: Model, pace: Pace, glyphs: GlyphSet, out: Path, report: Report) -> Model:
    assert isinstance(model, DigitFinder)
    assert isinstance(pace, FinderTraining)
    return train_finder(model, pace, glyphs, out, report=report)


def _additive(model: Model, pace: Pace, glyphs: GlyphSet, out: Path, report: Report) -> Model:
    assert isinstance(model, AdditivePyramid)
    assert isinstance(pace, AdditiveTraining)
    return train_additive(model, pace, glyphs, out, report=report)


Teach = Callable[[Model, Pace, GlyphSet, Path, Report], Model]

RECIPES: Mapping[str, tuple[type[Pace], Teach]] = {
    "digit-finder": (FinderTraining, _finder),
    "additive-pyramid": (AdditiveTraining, _additive),
}
"""Model -> settings of its recipe, and what follows it."""


def parse_recipe(config: TrainConfig) -> Pace:
    """Return the settings of a recipe.

    Raises
    ------
    InvalidValueError
        If the model has no recipe, a setting is not allowed, or there are other sections.
    """
    if config.model.name not in RECIPES:
        raise InvalidValueError(
            f"Only {' and '.join(RECIPES)} have a recipe of their own; got a section recipe for "
            f"{config.model.name}; remove it."
        )
    plain = TrainConfig(config.model, config.recipe)
    for part in fields(config):
        if getattr(config, part.name) != getattr(plain, part.name):
            raise InvalidValueError(
                f"A run with a section recipe has no section {part.name}; set what it says in "
                "recipe, or remove it."
            )
    if config.model.pretrained != "none":
        raise InvalidValueError(
            f"{config.model.name} has no pretrained backbone; set model.pretrained to none."
        )
    return settings_from(RECIPES[config.model.name][0], config.recipe, "recipe")


def train_own(
    config: TrainConfig, out: Path, *, command: str = "", shows_progress: bool = True
) -> Path:
    """Train a model by its own recipe, or go on where a run in the same folder stopped.

    Parameters
    ----------
    config
        With a recipe.
    out
        Folder of the run, made if it is not there.
    command
        The command line, for the card.
    shows_progress
        Whether standard error tells how far it is.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    InvalidValueError
        If the configuration is not allowed, or not that of the run in the folder.
    DamagedFileError, MissingFileError, WriteError
        If a file cannot be read or written.
    """
    pace = parse_recipe(config)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / RUN_FILE
    seconds = _seconds_before(out / RUN, config, pace)
    if checkpoint.is_file():
        return checkpoint
    model, origin = build_model(config.model, pace.seed)
    if isinstance(model, DigitFinder) and not config.model.initial:
        expect_empty_places(model)
    glyphs = load_glyphs("train")
    clock = _Clock(out / RUN, _told(config, pace, command), seconds)
    with _Bar(shows_progress) as bar:

        def report(part: str, step: int, steps: int, loss: float) -> None:
            bar.show(part, step, steps, loss)
            clock.tick()

        model = RECIPES[config.model.name][1](model, pace, glyphs, out, report)
    card = _card(config.model.name, pace, glyphs, origin)
    card = replace(card, figures=check_and_calibrate(model, pace), command=command)
    save_checkpoint(checkpoint, model, replace(card, seconds=round(clock.seconds, 1)))
    clock.write()
    return checkpoint


def _card(name: str, pace: Pace, glyphs: GlyphSet, origin: str) -> Card:
    return Card(
        model=name,
        data={
            "preset": "released",
            "split": "train",
            "digits": glyphs.name,
            "digits_sha256": glyphs.checksum,
            "stand_in": glyphs.is_stand_in,
            "recipe": asdict(pace),
        },
        commit=find_commit(),
        hardware=describe_hardware(CPU),
        versions=find_versions(),
        notes=(f"Weights at the start: {origin}.",),
    )


def check_and_calibrate(model: Model, pace: Pace, workers: int = 0) -> dict[str, Any]:
    """Try a model of our own on scenes that it did not learn from, and set its confidence.

    Parameters
    ----------
    model
        In evaluation mode; its configuration gets the weights of the confidence.
    pace
        Of whose seed and number the scenes are.
    workers
        Processes that read.

    Returns
    -------
    dict
        Figures of the scenes as they are, for the card.
    """
    model.config = replace(model.config, **UNCALIBRATED)
    first = 0
    figures: dict[str, Any] = {}
    rows: list[Mapping[str, Any]] = []
    read: list[HowRead] = []
    for variant, share in CHECKED.items():
        count = max(1, round(share * pace.check_images))
        recipe = Recipe(count, "released", pace.seed + CHECK_SEED, "train")
        samples = open_variant(SceneSamples(recipe, first=first), variant)
        found = evaluate(model, samples, batch_size=1, workers=workers, with_attention=False)
        figures = figures or found.summary()
        rows += found.rows
        read += [_how_read(row, variant) for row in found.rows]
        first += count
    chances, right = ([row[name] for row in rows] for name in ("confidence", "correct_sum"))
    model.config = replace(model.config, **fit_confidence(chances, right, read))
    return {name: figures[name] for name in ("data", "images", "tasks", "digits")}


def _how_read(row: Mapping[str, Any], variant: str) -> HowRead:
    side_px = float(variant.partition("rescaled-")[2] or USUAL_SIDE_PX)
    return how_read((row["warnings"] or "").split(), USUAL_SIDE_PX / side_px)


def _told(config: TrainConfig, pace: Pace, command: str) -> dict[str, Any]:
    return {
        "config": config.to_dict(),
        "recipe": asdict(pace),
        "command": command,
        "commit": find_commit(),
        "versions": find_versions(),
        "hardware": describe_hardware(CPU),
    }


def _seconds_before(path: Path, config: TrainConfig, pace: Pace) -> float:
    """Return the time that was spent in a folder, and refuse a run with other settings."""
    if not path.is_file():
        return 0.0
    try:
        found = json.loads(path.read_bytes())
        was, seconds = found["recipe"] | {"model": found["config"]["model"]}, found["seconds"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path} does not say what the run in its folder follows from; choose another folder."
        ) from error
    wanted = json.loads(json.dumps(asdict(pace) | {"model": asdict(config.model)}))
    for name, value in wanted.items():
        if name not in MAY_DIFFER and was.get(name) != value:
            raise InvalidValueError(
                f"The run in {path.parent} has {name} = {was.get(name)!r:.80}, got {value!r:.80}; "
                "continue it with its own configuration, or choose another folder."
            )
    return float(seconds)


class _Clock:
    """Counts the time of a run, over all resumptions, and keeps it in the run's file."""

    EVERY_S = 30.0

    def __init__(self, path: Path, told: dict[str, Any], seconds: float) -> None:
        self._path, self._told, self._before = path, told, seconds
        self._started = self._written = time.monotonic()
        self.write()

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def tick(self) -> None:
        if time.monotonic() - self._written >= self.EVERY_S:
            self.write()

    def write(self) -> None:
        text = json.dumps(self._told | {"seconds": round(self.seconds, 1)}, indent=2) + "\n"
        write_whole(self._path, text.encode())
        self._written = time.monotonic()


class _Bar:
    """One bar for each part of a run."""

    def __init__(self, is_shown: bool) -> None:
        self._is_shown, self._part = is_shown, ""
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, part: str, step: int, steps: int, loss: float) -> None:
        if not self._is_shown:
            return
        if part != self._part:
            self.__exit__()
            self._part = part
            self._bar = progress_bar(steps, part, done=step)
        self._bar.update(step - self._bar.n)
        if loss:
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
