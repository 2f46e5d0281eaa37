"""Accuracy over scale on MNIST Large Scale: of checkpoints, and of all of a kind with intervals.

The 17 test scales are those of the data set (`umnist_core.datasets.large_scale.TEST_SCALES`).
Checkpoints of one model that learned from the same digits at the same scales, with other seeds,
are a kind; its interval is Student's t over them, so it is for further runs on these images. A
single checkpoint has Wilson's interval, which is for further images.

The compact measures are ours, as the papers' own definition is not known here: the mean and the
worst accuracy over a range of scales, and how far apart the best and the worst are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, variance
from typing import Any

import numpy as np
import torch

from umnist_core.datasets.large_scale import TEST_SCALES
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.files import write_whole
from umnist_core.hardware import Hardware, hardware_of
from umnist_core.models.base import DIGIT_TASK, Model
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.reduced import ReducedBatch
from umnist_core.parsing import parse_json
from umnist_core.scenes import Span, number_text
from umnist_core.training.data import LargeScaleSamples
from umnist_core.training.validate import evaluation_mode

RANGES = ((0.5, 4.0), (0.5, 8.0))
"""Ranges of scales of the compact measures; digits above 4 reach beyond the image."""

OVER_RUNS = "Student's t over runs"
OVER_IMAGES = "Wilson over images"

Report = Callable[[str], None]


@dataclass(frozen=True)
class CurveTask:
    """What is measured.

    Attributes
    ----------
    count
        The first so many test digits.
    batch_size
        Images at once.
    """

    count: int
    batch_size: int = 100

    def samples(self, scale: float) -> LargeScaleSamples:
        """Return the test digits at a scale."""
        return LargeScaleSamples(Span(scale, scale), "test", self.count)


def measure_curves(
    paths: Sequence[Path], task: CurveTask, hardware: Hardware, out: Path, report: Report
) -> dict[str, Any]:
    """Measure checkpoints and keep what comes out in a file, to which later ones are added.

    Parameters
    ----------
    paths
        Checkpoints of models that answer one digit.
    task, hardware
        What is measured, and where.
    out
        JSON, written after each checkpoint; those that it holds are not measured again.
    report
        Told a line for each.

    Returns
    -------
    dict
        What the file holds: ``data``, ``scales``, ``checkpoints`` and ``kinds`` (`kinds_of`).

    Raises
    ------
    InvalidValueError
        If a model answers something else, or the file is of other images.
    MissingFileError, DamagedFileError, WriteError
        If a file cannot be read or written.
    """
    found = _begin(out, task)
    done = {one["sha256"] for one in found["checkpoints"]}
    for path in paths:
        model, card = load_checkpoint(path)
        if card.sha256 in done:
            report(f"{path}: measured already")
            continue
        check_task(model, path)
        hardware.place(model)
        right = [count_right(model, task.samples(scale), task.batch_size) for scale in TEST_SCALES]
        found["checkpoints"].append({**_about(card), "right": right})
        found["kinds"] = kinds_of(found)
        write_whole(out, (json.dumps(found, indent=1, allow_nan=False) + "\n").encode())
        done.add(card.sha256)
        shares = "  ".join(f"{100 * count / task.count:.1f}" for count in right)
        report(f"{path}: {shares} %")
    return found


def check_task(model: Model, path: Path) -> None:
    """Refuse a model that does not answer what a single digit is.

    Raises
    ------
    InvalidValueError
        If it does not.
    """
    if model.tasks != (DIGIT_TASK,):
        names = ", ".join(one.name for one in model.tasks)
        raise InvalidValueError(
            f"A curve over scale is of models that answer {DIGIT_TASK.name}, found one in "
            f"{path.name} that answers {names}; choose checkpoints trained on MNIST Large Scale."
        )


@torch.no_grad()
def count_right(model: Model, samples: LargeScaleSamples, batch_size: int) -> int:
    """Return how many digits a model names rightly, as `umnist_core.training.evaluate` does.

    Without its rows, files and attention, of which 170,000 images have no use; the pixels of a
    batch are drawn at once.
    """
    hardware, right = hardware_of(model.device), 0
    with evaluation_mode(model):
        for first in range(0, len(samples), batch_size):
            places = range(first, min(first + batch_size, len(samples)))
            pixels = torch.from_numpy(samples.draw(places))
            sizes = ((pixels.shape[1], pixels.shape[2]),) * len(places)
            logits = model(ReducedBatch(pixels, sizes)).logits[DIGIT_TASK.name]
            truth = hardware.send(torch.tensor([samples.label(place) for place in places]))
            right += int((logits.argmax(dim=1) == truth).sum())
    return right


def _begin(out: Path, task: CurveTask) -> dict[str, Any]:
    described = task.samples(1.0).describe()
    data = {name: described[name] for name in ("split", "count", "digits", "digits_sha256")}
    if not out.is_file():
        return {"data": data, "scales": list(TEST_SCALES), "checkpoints": [], "kinds": []}
    found = load_curves(out)
    if found["data"] != data:
        raise InvalidValueError(
            f"{out.name} holds curves of {found['data'].get('count')} digits of "
            f"{found['data'].get('digits')}, asked for are {data['count']} of {data['digits']}; "
            "choose another file or the same images."
        )
    return found


def load_curves(path: Path) -> dict[str, Any]:
    """Return what `measure_curves` wrote.

    Raises
    ------
    DamagedFileError
        If it is something else.
    """
    try:
        found = parse_json(path.read_bytes())
        is_whole = all(
            len(one["right"]) == len(found["scales"]) == len(TEST_SCALES)
            and all(0 <= count <= found["data"]["count"] for count in one["right"])
            for one in found["checkpoints"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_curves(path) from error
    if not is_whole:
        raise _no_curves(path)
    whole: dict[str, Any] = found
    return whole


def _no_curves(path: Path) -> DamagedFileError:
    return DamagedFileError(
        f"Expected curves over {len(TEST_SCALES)} scales in {path.name}, as `umnist scales --out` "
        "writes them, found something else; choose another file."
    )


def _about(card: Card) -> dict[str, Any]:
    run = card.data.get("run", {}).get("run", {})
    return {
        "model": card.model,
        "sha256": card.sha256,
        "scale": card.data.get("overrides", {}).get("scale", ""),
        "digits": card.data.get("count"),
        "seed": run.get("seed"),
        "epochs": card.figures.get("epochs"),
        "seconds": round(card.seconds, 1),
    }


# -- kinds ----------------------------------------------------------------------------


def kinds_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the curve of each kind of checkpoint with its compact measures.

    Parameters
    ----------
    found
        With ``data``, ``scales`` and ``checkpoints`` of `measure_curves`.

    Returns
    -------
    list
        For each kind ``model``, ``scale`` and ``digits`` that it learned from, ``runs``, the
        ``interval``'s name, the ``curve`` (``scale``, ``accuracy``, ``low`` and ``high``), and
        ``ranges``: from, to, and ``mean``, ``worst`` and ``spread``, each with its interval.
    """
    kinds: dict[tuple[str, str, int], list[list[int]]] = {}
    for one in found["checkpoints"]:
        kinds.setdefault((one["model"], one["scale"], one["digits"]), []).append(one["right"])
    scales, count = found["scales"], found["data"]["count"]
    return [
        {
            "model": model,
            "scale": scale,
            "digits": digits,
            "runs": len(runs),
            "interval": OVER_RUNS if len(runs) > 1 else OVER_IMAGES,
            "curve": [
                {"scale": one, **_share([run[place] for run in runs], count)}
                for place, one in enumerate(scales)
            ],
            "ranges": [_measures(runs, scales, count, *ends) for ends in RANGES],
        }
        for (model, scale, digits), runs in kinds.items()
    ]


def _share(right: Sequence[int], count: int) -> dict[str, Any]:
    from umnist_core.scoring import wilson  # SciPy

    if len(right) > 1:
        return _over_runs([one / count for one in right])
    found = wilson(right[0], count)
    return {"accuracy": found.estimate, "low": found.low, "high": found.high}


def _over_runs(values: Sequence[float]) -> dict[str, Any]:
    from umnist_core.scoring.intervals import t_interval

    if len(values) < 2:
        return {"accuracy": values[0], "low": None, "high": None}
    spread = variance(values) / len(values)
    found = t_interval(fmean(values), spread, len(values) - 1, OVER_RUNS)
    return {"accuracy": found.estimate, "low": found.low, "high": found.high}


def _measures(
    runs: Sequence[Sequence[int]], scales: Sequence[float], count: int, low: float, high: float
) -> dict[str, Any]:
    inside = np.array([low - 1e-9 <= scale <= high + 1e-9 for scale in scales])
    shares = np.asarray(runs)[:, inside] / count  # (runs, scales)
    return {
        "from": low,
        "to": high,
        "mean": _over_runs(shares.mean(axis=1).tolist()),
        "worst": _over_runs(shares.min(axis=1).tolist()),
        "spread": _over_runs(np.ptp(shares, axis=1).tolist()),
        "spread_of_mean_curve": float(np.ptp(shares.mean(axis=0))),
    }


def lines_of(kinds: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is printed of kinds: a table of scales, then the compact measures."""
    heads = [f"{one['model']} ({one['runs']})" for one in kinds]
    lines = ["scale  " + "  ".join(f"{head:>22}" for head in heads)]
    for place, row in enumerate(kinds[0]["curve"] if kinds else []):
        cells = [_percent(one["curve"][place]) for one in kinds]
        lines.append(f"{row['scale']:5.3f}  " + "  ".join(f"{cell:>22}" for cell in cells))
    for one, head in zip(kinds, heads, strict=True):
        for measures in one["ranges"]:
            words = ", ".join(
                f"{name} {_percent(measures[name])}" for name in ("mean", "worst", "spread")
            )
            ends = f"{number_text(measures['from'])} to {number_text(measures['to'])}"
            lines.append(f"{head}, scales {ends}: {words}")
    return lines


def _percent(figure: dict[str, Any]) -> str:
    text = f"{100 * figure['accuracy']:.1f} %"
    if figure["low"] is None or math.isnan(figure["low"]):
        return text
    return f"{text} ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"
