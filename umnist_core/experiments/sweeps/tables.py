"""A sweep's results as one table: a row for each point, task, set of images and moment.

Columns
-------
The axes
    A column for each, with the values' texts.
``task``, ``part``, ``at``
    Of ``evaluate``: the task, or `DIGITS_FOUND`; ``test``; empty. Of ``train``: the task;
    ``train``, ``validation`` or ``test``, or the name of a further test; and ``first``, ``best`` or
    ``final`` epoch.
    Of ``attend``: what attention lies on, `LOOKED_AT`; ``attention``, or ``chance``; empty.
``seeds``, ``failed``, ``missing``
    Cells with figures, that failed, and without a result yet.
``images``, ``right``
    Of all seeds together; of `DIGITS_FOUND`, digits. The test images of trained cells are the same
    for every seed, so their sums say no more than the mean does.
``mean``, ``sd``
    Of the seeds' accuracies, 0 to 1; ``sd`` is the sample standard deviation (n - 1), empty for
    one seed.
``low``, ``high``, ``interval``
    Ends of the 95 % interval, and its name. Of ``evaluate`` Wilson's over the images of all seeds,
    which are different ones; ``mean`` is then their share. Of ``train`` Student's t over seeds, for
    further runs like these; empty for one seed, and where all are alike.
``loss``
    Mean over seeds; of ``train`` alone.
``seconds``, ``cpu_seconds``, ``peak_bytes``, ``hardware``
    Sums and the largest, and the machines; these alone differ between two runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.experiments.sweeps.results import COLUMNS, CellResult, iter_results
from umnist_core.experiments.sweeps.states import find_plan
from umnist_core.scoring import wilson
from umnist_core.scoring.intervals import t_interval
from umnist_core.spreadsheets import csv_text

DIGITS_FOUND = "digits found"
"""Task of the rows that count single digits, of models that find them."""

OVER_SEEDS = "Student's t over seeds"
OVER_IMAGES = "Wilson over images"

LOOKED_AT = ("digits", "noise", "blank", "ink")

MOMENTS = ("first", "best", "final")
PARTS = ("train", "validation", "test")

Row = dict[str, Any]


def fold_folder(folder: Path) -> list[Row]:
    """Return the table of the sweep in a folder; results of earlier code do not count.

    Parameters
    ----------
    folder
        With a plan, as `umnist sweep` leaves it.

    Raises
    ------
    MissingFileError, DamagedFileError
        If it is no such folder, or a file of it is damaged.
    """
    plan = find_plan(folder)
    if plan is None:
        raise MissingFileError(
            f"Expected the folder of a sweep at {folder}, found no plan in it; run `umnist sweep` "
            "first, or correct the path."
        )
    return fold(plan["cells"], {one.name: one for one in iter_results(folder)})


def fold(cells: Iterable[Mapping[str, Any]], results: Mapping[str, CellResult]) -> list[Row]:
    """Return the table of cells.

    Parameters
    ----------
    cells
        Each with ``name``, ``labels`` and ``seed``, in the order of the rows.
    results
        Those that there are, by their names.
    """
    points: dict[tuple[tuple[str, str], ...], list[CellResult | None]] = {}
    for cell in cells:
        labels = tuple(cell["labels"].items())
        points.setdefault(labels, []).append(results.get(cell["name"]))
    return [row for labels, found in points.items() for row in _point(dict(labels), found)]


def axes_of(rows: Sequence[Row]) -> list[str]:
    """Return the axes of a table, in their order."""
    return list(dict.fromkeys(name for row in rows for name in row if name not in COLUMNS))


def table_csv(rows: Sequence[Row]) -> str:
    """Return a table as CSV."""
    return csv_text((*axes_of(rows), *COLUMNS), rows)


def table_json(rows: Sequence[Row]) -> str:
    """Return a table as a list in JSON."""
    return json.dumps(rows, indent=1, allow_nan=False) + "\n"


def best_up_to(rows: Sequence[Row], axis: str) -> list[Row]:
    """Return rows whose mean is the best of all values of an axis up to their own, as Acc@N.

    Gupta et al., Scientific Data 2024, name the best accuracy within a memory budget so: what fits
    into 11 GB fits into 24 GB, too.

    Parameters
    ----------
    rows
        Of a table.
    axis
        Whose values are numbers, perhaps with a unit behind.

    Returns
    -------
    list
        As many rows; each is the best one with the value of ``axis`` that it may be used for, and
        that which it was run with as ``of``.

    Raises
    ------
    InvalidValueError
        If a value is no number.
    """
    others = [name for name in (*axes_of(rows), "task", "part", "at") if name != axis]
    found = []
    for row in rows:
        alike = [
            one
            for one in rows
            if all(one[name] == row[name] for name in others)
            and _number(one[axis], axis) <= _number(row[axis], axis)
            and one["mean"] is not None
        ]
        best = max(alike, key=lambda one: float(one["mean"]), default=row)
        found.append({**best, axis: row[axis], "of": best[axis]})
    return found


def _number(text: str, axis: str) -> float:
    digits = text.strip().rstrip("GBMKi% ")
    try:
        return float(digits)
    except ValueError:
        raise InvalidValueError(
            f"Expected numbers on the axis {axis}, got {text!r:.40}; choose another axis."
        ) from None


def _point(labels: Mapping[str, str], found: Sequence[CellResult | None]) -> list[Row]:
    done = [one for one in found if one is not None and one.is_done]
    failed = sum(one is not None and not one.is_done for one in found)
    counts = {
        "seeds": len(done),
        "failed": failed,
        "missing": len(found) - len(done) - failed,
    }
    costs = _costs([one for one in found if one is not None])
    measured = _measured(done) or [{}]
    return [{**labels, **dict.fromkeys(COLUMNS), **counts, **one, **costs} for one in measured]


def _measured(done: Sequence[CellResult]) -> list[Row]:
    if not done:
        return []
    if done[0].kind == "evaluate":
        return _evaluated([one.figures for one in done])
    if done[0].kind == "train":
        return _trained([one.figures for one in done])
    if done[0].kind == "attend":
        return _attended([one.figures["by_image"] for one in done])
    answers = [one.figures["answer"] for one in done]
    return [{"task": "answer", "mean": fmean(answers), "sd": _sd(answers)}]


def _evaluated(figures: Sequence[Mapping[str, Any]]) -> list[Row]:
    tasks = dict.fromkeys(task for one in figures for task in one["tasks"])
    rows = []
    for task in tasks:
        counts = [one["tasks"][task] for one in figures if task in one["tasks"]]
        rows.append({"task": task, **_pooled([(one["right"], one["images"]) for one in counts])})
    if found := [one["digits"] for one in figures if one["digits"]]:
        counted = _pooled([(one["right"], one["digits"]) for one in found])
        rows.append({"task": DIGITS_FOUND, **counted})
    return [{"part": "test", "at": "", **row} for row in rows]


def _attended(found: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return rows of the seeds' means over their images."""
    kept = [one for one in found if one]
    rows = []
    for name in LOOKED_AT if kept else ():
        for part, column in (("attention", name), ("chance", f"{name}_chance")):
            means = [fmean(one[column]) for one in kept]
            images = sum(len(one[column]) for one in kept)
            row: Row = {"task": name, "part": part, "at": "", "images": images}
            rows.append(row | {"mean": fmean(means), "sd": _sd(means), **_t_over_seeds(means)})
    return rows


def _t_over_seeds(values: Sequence[float]) -> Row:
    """Return Student's interval; nothing where there is one seed, or all are alike."""
    if len(set(values)) < 2:
        return {}
    variance = stdev(values) ** 2 / len(values)
    found = t_interval(fmean(values), variance, len(values) - 1, OVER_SEEDS)
    return {"low": found.low, "high": found.high, "interval": OVER_SEEDS}


def _pooled(counts: Sequence[tuple[int, int]]) -> Row:
    right, images = (sum(one[at] for one in counts) for at in (0, 1))
    found = wilson(right, images)
    known = {"mean": found.estimate, "low": found.low, "high": found.high}
    return {
        "images": images,
        "right": right,
        **(known if images else {}),
        "sd": _sd([part / whole for part, whole in counts if whole]),
        "interval": OVER_IMAGES if images else None,
    }


def _trained(figures: Sequence[Mapping[str, Any]]) -> list[Row]:
    rows = []
    for at in MOMENTS:
        for part in PARTS:
            found = [one[at][part] for one in figures if one[at] is not None]
            tasks = dict.fromkeys(task for one in found for task in one["right"])
            losses = [one["loss"] for one in found if one["loss"] is not None]
            loss = fmean(losses) if losses else None
            rows += [
                {"task": task, "part": part, "at": at, "loss": loss, **_over_seeds(found, task)}
                for task in tasks
            ]
    # With lessons there are no epochs, but what the end answered to the test.
    rows = rows or _answered([one["answers"] for one in figures], "test")
    tests = [one.get("tests", {}) for one in figures]
    for name in dict.fromkeys(name for one in tests for name in one):
        rows += _answered([one[name] for one in tests if name in one], name)
    return rows


def _answered(found: Sequence[Mapping[str, Any]], part: str) -> list[Row]:
    """Return rows of what the weights at the end answered to some images."""
    counts: dict[str, list[Row]] = {}
    for one in found:
        for task, told in one["tasks"].items():
            end = {"right": {task: told["right"]}, "images": told["images"]}
            counts.setdefault(task, []).append(end)
        if digits := one.get("digits"):
            end = {"right": {DIGITS_FOUND: digits["right"]}, "images": digits["digits"]}
            counts.setdefault(DIGITS_FOUND, []).append(end)
    return [
        {"task": task, "part": part, "at": "final", **_over_seeds(ends, task)}
        for task, ends in counts.items()
    ]


def _over_seeds(found: Sequence[Mapping[str, Any]], task: str) -> Row:
    counts = [(one["right"][task], one["images"]) for one in found]
    shares = [right / images for right, images in counts if images]
    return {
        "images": sum(images for _, images in counts),
        "right": sum(right for right, _ in counts),
        "mean": fmean(shares) if shares else None,
        "sd": _sd(shares),
        **_t_over_seeds(shares),
    }


def _sd(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _costs(found: Sequence[CellResult]) -> Row:
    if not found:
        return {}
    costs = [one.cost for one in found]
    return {
        "seconds": round(math.fsum(one["seconds"] for one in costs), 3),
        "cpu_seconds": round(math.fsum(one["cpu_seconds"] for one in costs), 3),
        "peak_bytes": max(one["peak_bytes"] for one in costs),
        "hardware": "; ".join(sorted({one["hardware"] for one in costs})),
    }
