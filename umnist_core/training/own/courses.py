"""Train the models of our own by courses of their own, from the same command as all others.

A configuration with a section ``recipe`` is such a run. The digit finder learns from boxes and
classes (`finder`), the additive pyramid (`pyramid`) and the plain CNN (`plain`) in lessons from
sums; each ends with one checkpoint and its card. Their nets learn on the run's device; scenes are
read on the CPU.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from umnist_core.datasets import Recipe
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.files import write_whole
from umnist_core.models.base import Model
from umnist_core.models.cards import RUN_FILE
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.own.finder import DigitFinder
from umnist_core.models.own.trust import HowRead, SumConfig, how_read
from umnist_core.models.own.unlike import USUAL_SIDE_PX
from umnist_core.models.registry import create_model
from umnist_core.parsing import parse_json
from umnist_core.training.bars import Bars
from umnist_core.training.config import RunPart, TrainConfig, settings_from
from umnist_core.training.course import Course, Phase, run_course
from umnist_core.training.data import SceneSamples
from umnist_core.training.distributed import joined_group
from umnist_core.training.evaluate import evaluate
from umnist_core.training.loop import RUN, build_model
from umnist_core.training.own.confidence import UNCALIBRATED, fit_confidence
from umnist_core.training.own.finder import FinderTraining, expect_empty_places, finder_phases
from umnist_core.training.own.phases import CourseSettings
from umnist_core.training.own.plain import CURVE_FILE, PlainTraining, plain_phases, read_curve
from umnist_core.training.own.pyramid import AdditiveTraining, pyramid_phases
from umnist_core.training.state import check_settings
from umnist_core.training.variants import open_variant

CHECK_SEED = 99
"""Added to a course's seed for the scenes on which the result is tried."""

FEW_GLYPHS = 500
"""Of a rehearsal, which looks at each of them."""

CHECKED = {"plain": 1.0, "rescaled-3900": 0.2, "rescaled-2000": 0.2, "turned-90": 0.2}
"""Variants of scenes on which the confidence is calibrated, and how many there are of each."""

AS_THEY_ARE = (("plain", 1.0),)


COURSES: Mapping[str, tuple[type[CourseSettings], Callable[..., Iterator[Phase]]]] = {
    "digit-finder": (FinderTraining, finder_phases),
    "additive-pyramid": (AdditiveTraining, pyramid_phases),
    "plain-cnn": (PlainTraining, plain_phases),
}
"""Model -> settings of its course, and its phases."""


def parse_course(config: TrainConfig) -> CourseSettings:
    """Return the settings of a course, which stand in the section ``recipe``.

    Raises
    ------
    InvalidValueError
        If the model has no course, a setting is not allowed, or there are other sections.
    """
    if config.model.name not in COURSES:
        raise InvalidValueError(
            f"Only {', '.join(COURSES)} have a recipe of their own; got a section recipe for "
            f"{config.model.name}; remove it."
        )
    plain = TrainConfig(config.model, config.recipe, run=RunPart(device=config.run.device))
    for part in fields(config):
        if getattr(config, part.name) != getattr(plain, part.name):
            raise InvalidValueError(
                f"A run with a section recipe has no section {part.name}, but for run.device; set "
                "what it says in recipe, or remove it."
            )
    if config.model.pretrained != "none":
        raise InvalidValueError(
            f"{config.model.name} has no pretrained backbone; set model.pretrained to none."
        )
    return settings_from(COURSES[config.model.name][0], config.recipe, "recipe")


def rehearse_course(config: TrainConfig) -> Iterator[Phase]:
    """Yield the phases of a course on few images, with steps as large as the course's.

    What each yields need not be done before the next: its net is as it was made.

    Raises
    ------
    InvalidValueError
        As of `parse_course`.
    """
    settings = parse_course(config).shortened()
    model = create_model(config.model.name, config.model.settings)
    every = load_glyphs("train")
    some = slice(FEW_GLYPHS)
    glyphs = GlyphSet("rehearsal", every.images[some], every.labels[some], every.is_stand_in)
    with TemporaryDirectory() as out:
        phases = COURSES[config.model.name][1]
        yield from phases(model, settings, glyphs, Path(out), lambda *_: None)


def train_course(
    config: TrainConfig, out: Path, *, command: str = "", shows_progress: bool = True
) -> Path:
    """Train a model by its own course, or go on where a run in the same folder stopped.

    Parameters
    ----------
    config
        With a section ``recipe``.
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
    settings = parse_course(config)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / RUN_FILE
    seconds = _seconds_before(out / RUN, config, settings)
    if checkpoint.is_file():
        return checkpoint
    with joined_group(config.run.device) as group:
        if group.world > 1:
            raise InvalidValueError(
                f"A section recipe is for one process, found {group.world}; leave torchrun away."
            )
        model, origin = build_model(config.model, settings.seed)
        if isinstance(model, DigitFinder) and not config.model.initial:
            expect_empty_places(model)
        glyphs, bars = load_glyphs("train"), Bars(shows_progress)

        def report(what: str, done: int, steps: int, loss: float) -> None:
            bars.show(what, done, steps, loss)
            clock.tick()

        course = Course(
            config=config,
            command=command,
            origin=origin,
            out=out,
            settings={"training": asdict(settings)},
            group=group,
            wanted=settings.precision,
            save_minutes=settings.save_minutes,
            report=report,
        )
        clock = _Clock(out / RUN, course.facts() | {"recipe": asdict(settings)}, seconds)
        phases = COURSES[config.model.name][1](model, settings, glyphs, out, report)
        with closing(bars):
            run_course(course, phases)
        figures = check_and_calibrate(model.eval(), settings, settings.workers) | _history(out)
        card = course.card(_data(settings, glyphs), figures, round(clock.seconds, 1))
        save_checkpoint(checkpoint, model, card)
        clock.write()
    return checkpoint


def _history(out: Path) -> dict[str, Any]:
    history = read_curve(out / CURVE_FILE)
    return {"history": history} if history else {}


def _data(settings: CourseSettings, glyphs: GlyphSet) -> dict[str, Any]:
    return {
        "preset": "released",
        "split": "train",
        "digits": glyphs.name,
        "digits_sha256": glyphs.checksum,
        "stand_in": glyphs.is_stand_in,
        "recipe": asdict(settings),
    }


def check_and_calibrate(model: Model, settings: CourseSettings, workers: int = 0) -> dict[str, Any]:
    """Try a model of our own on scenes that it did not learn from, and set its confidence.

    One whose confidence is its probability is tried on the scenes as they are.

    Parameters
    ----------
    model
        In evaluation mode; its configuration gets the weights of the confidence.
    settings
        Of whose seed and number the scenes are.
    workers
        Processes that read and answer.

    Returns
    -------
    dict
        Figures of the scenes as they are, for the card.
    """
    is_calibrated = isinstance(model.config, SumConfig)
    if is_calibrated:
        model.config = replace(model.config, **UNCALIBRATED)
    first = 0
    figures: dict[str, Any] = {}
    rows: list[Mapping[str, Any]] = []
    read: list[HowRead] = []
    for variant, share in CHECKED.items() if is_calibrated else AS_THEY_ARE:
        count = max(1, round(share * settings.check_images))
        recipe = Recipe(count, "released", settings.seed + CHECK_SEED, "train")
        samples = open_variant(SceneSamples(recipe, first=first), variant)
        found = evaluate(model, samples, batch_size=1, workers=workers, with_attention=False)
        figures = figures or found.summary()
        if is_calibrated:
            rows += found.rows
            read += [_how_read(row, variant) for row in found.rows]
        first += count
    if not is_calibrated:
        return {name: figures[name] for name in ("data", "images", "tasks")}
    chances, right = ([row[name] for row in rows] for name in ("confidence", "correct_sum"))
    model.config = replace(model.config, **fit_confidence(chances, right, read))
    return {name: figures[name] for name in ("data", "images", "tasks", "digits")}


def _how_read(row: Mapping[str, Any], variant: str) -> HowRead:
    side_px = float(variant.partition("rescaled-")[2] or USUAL_SIDE_PX)
    return how_read((row["warnings"] or "").split(), USUAL_SIDE_PX / side_px)


def _seconds_before(path: Path, config: TrainConfig, settings: CourseSettings) -> float:
    """Return the time that was spent in a folder, and refuse a run with other settings."""
    if not path.is_file():
        return 0.0
    try:
        told = parse_json(path.read_bytes())
        found, seconds = told["config"] | {"recipe": told["recipe"]}, float(told["seconds"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{path} does not say what the run in its folder follows from; choose another folder."
        ) from error
    check_settings(path, found, {"recipe": asdict(settings), "model": asdict(config.model)})
    return seconds


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
