"""Cells that let a checkpoint answer for images: any grid of scene parameters, no training."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from umnist_core.datasets import Recipe
from umnist_core.datasets.large_scale.ref import any_ref
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, PlacementError
from umnist_core.experiments.sweeps.plan import Resolved, Settings
from umnist_core.experiments.sweeps.running import CellOutcome
from umnist_core.hardware import find_hardware
from umnist_core.models.base import Model
from umnist_core.models.cards import get_checkpoint, load_card
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.rendering import LAYERS
from umnist_core.scenes import Digit, Span
from umnist_core.training.config import settings_from
from umnist_core.training.data import LargeScaleSamples, Samples, SceneSamples
from umnist_core.training.evaluate import Evaluation, evaluate
from umnist_core.training.presets import LARGE_SCALE
from umnist_core.training.provenance import find_versions
from umnist_core.training.samples import Sample

COUNT_MAX = 100_000

MODELS_MAX = 2
"""Models that a process keeps."""

ROOMS = (
    *("scenes", "rendering", "seeds.py", "geometry.py", "hardware"),
    *("pyramid/sources.py", "pyramid/levels.py", "pyramid/grid.py"),
    *("models/base.py", "models/confidence.py", "models/reduced.py", "models/views.py"),
    *("training/found.py", "training/cell_evaluation.py"),
)
"""Sources that answers follow from, beside those of the model."""

_LARGE_SCALE_ROOMS = ("datasets/large_scale/rescaling.py", "datasets/large_scale/sets.py")


@dataclass(frozen=True)
class EvaluateSettings:
    """Which checkpoint and which images.

    Attributes
    ----------
    checkpoint
        Name or path.
    preset, overrides, seed, split
        Of the scenes; see `umnist_core.scenes.SceneRef`. The seed is the cell's.
    first, count
        Index of the first scene, and how many.
    layer
        One of `umnist_core.rendering.LAYERS`.
    batch_size
        Images at once.
    device
        As of `umnist_core.hardware.find_hardware`.
    """

    checkpoint: str
    preset: str = "released"
    overrides: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    split: str = "test"
    first: int = 0
    count: int = 20
    layer: str = "full"
    batch_size: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        if not 1 <= self.count <= COUNT_MAX or self.batch_size < 1 or self.first < 0:
            raise InvalidValueError(
                f"count is 1 to {COUNT_MAX:,}, batch_size 1 or more and first 0 or more; got "
                f"{self.count}, {self.batch_size} and {self.first}."
            )
        if self.layer not in LAYERS:
            raise InvalidValueError(f"layer is one of {', '.join(LAYERS)}; got {self.layer!r:.40}.")
        if self.preset == LARGE_SCALE and (self.first or self.layer != "full"):
            raise InvalidValueError(
                f"The digits of {LARGE_SCALE} are the first of their split and have no layers; got "
                f"first = {self.first} and layer = {self.layer!r}; leave both out."
            )


class EvaluateKind:
    """See `umnist_core.experiments.sweeps.plan.CellKind`."""

    def resolve(self, settings: Settings, seed: int) -> Resolved:
        """Return the settings with every default, and the overrides as scenes have them."""
        if not isinstance(settings.get("checkpoint"), str):
            raise InvalidValueError(
                "Expected the name of a checkpoint under base.checkpoint or an axis of that name, "
                "found none; `umnist models list` has them."
            )
        found = settings_from(EvaluateSettings, {"seed": seed, **settings}, "base")
        sample = {"seed": found.seed, "split": found.split}
        last = any_ref(found.preset, found.overrides, **sample, index=found.first + found.count - 1)
        config = asdict(found) | {"overrides": dict(last.overrides)}
        about = checkpoint_facts(found.checkpoint)
        model = about.pop("model")
        rooms = (*ROOMS, *model_rooms(model))
        rooms += _LARGE_SCALE_ROOMS if found.preset == LARGE_SCALE else ()
        data = digit_facts(digits_subset(found.preset, found.split)) | about
        return Resolved(config, data, rooms, _command(found, config["overrides"]))


@lru_cache(maxsize=64)
def _facts(path: Path, stamp: tuple[int, int]) -> dict[str, str]:
    card = load_card(path)
    config = json.dumps(card.config, sort_keys=True)
    return {
        "model": card.model,
        "checkpoint_sha256": card.sha256,
        "checkpoint_config": hashlib.sha256(config.encode()).hexdigest()[:16],
    }


def checkpoint_facts(checkpoint: str) -> dict[str, str]:
    """Return what a checkpoint is by content: ``model``, and hashes of weights and settings.

    Raises
    ------
    NotFoundError, MissingFileError, DamagedFileError
        If there is none of that name, or its card cannot be read.
    """
    path = get_checkpoint(checkpoint)
    return dict(_facts(path, _stamp(path)))


@lru_cache(maxsize=8)
def digit_facts(subset: str) -> dict[str, Any]:
    """Return which digits are used here, by content."""
    glyphs = load_glyphs(subset)
    return {
        "digits": glyphs.name,
        "digits_sha256": glyphs.checksum,
        "stand_in": glyphs.is_stand_in,
    }


def digits_subset(preset: str, split: str) -> str:
    """Return from which part of MNIST the digits of images come."""
    if preset == LARGE_SCALE:
        return "test" if split == "test" else "train"
    return Recipe(1, preset, 0, split).digits_subset


def model_rooms(model: str) -> tuple[str, ...]:
    """Return the sources of a model: its own file, or the room of its family."""
    room = CATALOGUE[model].module.rpartition(".")[0]
    return (f"models/{room}",) if room else (f"models/{CATALOGUE[model].module}.py",)


# -- answers --------------------------------------------------------------------------


def run_evaluate_cell(config: Mapping[str, Any]) -> CellOutcome:
    """Let a checkpoint answer for a cell's images.

    Raises
    ------
    UmnistError
        If the checkpoint or the device is not there, or the images are none that it answers for.
    """
    hardware = find_hardware(config["device"])
    hardware.use()
    model = loaded_model(config["checkpoint"], str(hardware.key))
    samples, not_drawn = evaluation_samples(config)
    cost: dict[str, Any] = {
        "device": hardware.title,
        "hardware": hardware.description,
        "versions": find_versions(),
    }
    if not len(samples):
        return CellOutcome({**_NOTHING, "not_drawn": not_drawn}, cost)
    found = evaluate(model, samples, batch_size=config["batch_size"], with_attention=False)
    images = len(samples)
    cost |= {
        "seconds_per_image": round(found.seconds / images, 5),
        "model_seconds_per_image": round(found.model_seconds / images, 5),
    }
    if not hardware.is_processor:
        cost["gpu_peak_bytes"] = found.peak_bytes
    figures = answer_figures(found, samples, samples.indices)
    return CellOutcome({**figures, "not_drawn": not_drawn}, cost)


_NOTHING: dict[str, Any] = {
    **{"index": [], "tasks": {}, "confidence": [], "warnings": None, "by": {}, "digits": {}}
}


@lru_cache(maxsize=MODELS_MAX)
def _loaded(path: Path, stamp: tuple[int, int], device: str) -> Model:
    model, _ = load_checkpoint(path)
    return model.to(find_hardware(device).device)


def loaded_model(checkpoint: str, device: str) -> Model:
    """Return the model of a checkpoint on a device; the last ones are kept.

    Raises
    ------
    NotFoundError, MissingFileError, DamagedFileError
        If there is none of that name, or its files cannot be read.
    """
    path = get_checkpoint(checkpoint)
    return _loaded(path, _stamp(path), device)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return (stat.st_mtime_ns, stat.st_size)


class ChosenSamples(Samples):
    """Some of the images of a set, by their places."""

    def __init__(self, samples: Samples, places: Sequence[int], first: int) -> None:
        self._samples, self._places = samples, places
        self.glyphs = samples.glyphs
        self.indices = [first + place for place in places]

    def __len__(self) -> int:
        return len(self._places)

    def get(self, place: int) -> Sample:
        """Return an image, 0 to ``len - 1``."""
        return self._samples.get(self._places[place])

    def describe(self) -> dict[str, Any]:
        """Return what the set follows from."""
        return self._samples.describe()


def evaluation_samples(config: Mapping[str, Any]) -> tuple[ChosenSamples, list[int]]:
    """Return the images of a cell that can be drawn, and the indices of those that cannot."""
    count, first = config["count"], config["first"]
    if config["preset"] == LARGE_SCALE:
        ref = any_ref(LARGE_SCALE, config["overrides"], seed=0, split=config["split"], index=0)
        scale = dict(ref.overrides).get("scale", "1").split("..")
        span = Span(float(scale[0]), float(scale[-1]))
        digits = LargeScaleSamples(span, config["split"], count, config["seed"])
        return ChosenSamples(digits, range(count), 0), []
    # The recipe is of the count that the last index needs, since it is of a whole split.
    given = (config["preset"], config["seed"], config["split"], config["overrides"])
    scenes = SceneSamples(Recipe(count, *given), config["layer"], first)
    drawn, not_drawn = [], []
    for place in range(count):
        try:
            scenes.recipe.plan(first + place, scenes.glyphs)
        except PlacementError:
            not_drawn.append(first + place)
        else:
            drawn.append(place)
    return ChosenSamples(scenes, drawn, first), not_drawn


def answer_figures(found: Evaluation, samples: Samples, indices: Sequence[int]) -> dict[str, Any]:
    """Return what was answered, as `umnist_core.experiments.sweeps.results` has it.

    Parameters
    ----------
    found
        With images.
    samples, indices
        Of these, which have the indices.
    """
    rows = found.rows
    digits = [scene.digits if (scene := samples.get(at).scene) else () for at in range(len(rows))]
    return {
        "index": list(indices),
        "tasks": {
            task: {
                "images": sum(row[f"correct_{task}"] is not None for row in rows),
                "right": sum(bool(row[f"correct_{task}"]) for row in rows),
                "said": [row[f"said_{task}"] for row in rows],
                "true": [row[f"true_{task}"] for row in rows],
            }
            for task in found.tasks
        },
        "confidence": [_rounded(row["confidence"]) for row in rows],
        "warnings": None if rows[0]["warnings"] is None else [row["warnings"] for row in rows],
        "by": _tables(found),
        "digits": _digits(rows, digits),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _tables(found: Evaluation) -> dict[str, Any]:
    task = found.tasks[0]
    known = [row for row in found.rows if row[f"correct_{task}"] is not None]
    sides = [(row["smallest_side_px"], row[f"correct_{task}"]) for row in known]
    return {
        "smallest_side_px": _bins(sides, "images"),
        "digits": _values([(row["digits"], row[f"correct_{task}"]) for row in known], "images"),
        "true": _values([(row[f"true_{task}"], row[f"correct_{task}"]) for row in known], "images"),
    }


def _digits(rows: Iterable[Mapping[str, Any]], digits: Iterable[Sequence[Digit]]) -> dict[str, Any]:
    """Return how many digits were found and read; empty of a model that finds none."""
    marks = [
        (digit, right == "1")
        for row, own in zip(rows, digits, strict=True)
        if "digits_right" in row
        for digit, right in zip(own, row["digits_right"].split(), strict=True)
    ]
    if not marks:
        return {}
    return {
        "digits": len(marks),
        "right": sum(right for _, right in marks),
        "by_side_px": _bins([(one.side_px, right) for one, right in marks], "digits"),
        "by_class": _values([(one.label, right) for one, right in marks], "digits"),
    }


Mark = tuple[Any, bool]
"""A quantity, and whether the answer was right."""


def _bins(marks: Iterable[Mark], unit: str) -> list[dict[str, Any]]:
    from umnist_core.scoring.breakdown import SMALLEST_SIDE_EDGES_PX  # SciPy and pandas

    known = [one for one in marks if one[0] is not None]
    return [
        {"from": low, "below": None if high == float("inf") else high, **own}
        for low, high in pairwise(SMALLEST_SIDE_EDGES_PX)
        if (own := _counted(known, unit, lambda value, low=low, high=high: low <= value < high))
    ]


def _values(marks: Iterable[Mark], unit: str) -> list[dict[str, Any]]:
    known = [one for one in marks if one[0] is not None]
    return [
        {"value": value, **_counted(known, unit, lambda one, value=value: one == value)}
        for value in sorted({value for value, _ in known})
    ]


def _counted(marks: Sequence[Mark], unit: str, is_in: Callable[..., bool]) -> dict[str, int]:
    own = [right for value, right in marks if is_in(value)]
    return {unit: len(own), "right": sum(own)} if own else {}


def _command(found: EvaluateSettings, overrides: Mapping[str, str]) -> str:
    """Return a command line that measures the same, if there is one that can."""
    if found.first or found.layer != "full":
        return ""
    name = found.checkpoint
    words = ["umnist", "evaluate", name, "--preset", found.preset, "--seed", str(found.seed)]
    words += ["--split", found.split, "--count", str(found.count)]
    words += ["--batch-size", str(found.batch_size)]
    words += [word for key, text in overrides.items() for word in ("--set", f"{key}={text}")]
    return shlex.join(words)
