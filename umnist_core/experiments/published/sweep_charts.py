"""Charts of sweeps: one over an axis, two beside each other, and what was missed.

Values are in per cent. A difference of two has the interval that follows from the ends of both
(the square-and-add method of Newcombe, Statistics in Medicine 17 (1998) 873-890).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from umnist_core.experiments.drawing.chart import OTHERS, OURS, ChartPoint, ChartSeries, SeriesChart
from umnist_core.experiments.drawing.chart import HeatMap as SweepHeat
from umnist_core.experiments.published.beside import OurFigure, SweepFolder
from umnist_core.experiments.sweeps.results import CellResult
from umnist_core.experiments.sweeps.tables import DIGITS_FOUND, axes_of

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """What of a sweep is drawn: a task's accuracy on a part of the images at a moment."""

    task: str
    part: str
    at: str

    @property
    def title(self) -> str:
        """It in words."""
        moment = f", {self.at} epoch" if self.at else ""
        part = "" if self.part == "test" and not self.at else f", {self.part} images"
        return f"{self.task.capitalize()}{part}{moment}"

    def holds(self, row: Row) -> bool:
        """Return whether a row is of it."""
        return (row["task"], row["part"], row["at"]) == (self.task, self.part, self.at)


def measures_of(sweep: SweepFolder) -> list[Measure]:
    """Return what can be drawn of a sweep, the test images of the final epoch first."""
    found = dict.fromkeys(
        Measure(str(row["task"]), str(row["part"]), str(row["at"]))
        for row in sweep.rows
        if row["mean"] is not None and row["part"] is not None
    )
    return sorted(found, key=lambda one: (one.part != "test", one.at not in ("", "final")))


def short_axis(axis: str) -> str:
    """Return the last part of an axis's name, for people."""
    return axis.rsplit(".", maxsplit=1)[-1].replace("_", " ")


def number_axes(sweep: SweepFolder) -> list[str]:
    """Return the axes of a sweep: those of numbers first, then those of more values."""

    def order(axis: str) -> tuple[bool, int]:
        values = [row.get(axis, "") for row in sweep.rows]
        return not _are_numbers(iter(values)), -len(set(values))

    return sorted(axes_of(sweep.rows), key=order)


def _are_numbers(texts: Iterator[Any]) -> bool:
    try:
        return all(float(one) == float(one) for one in texts)
    except (TypeError, ValueError):
        return False


def chart_of_sweep(
    sweeps: Sequence[SweepFolder], measure: Measure, axis: str, *, is_log: bool = False
) -> SeriesChart | None:
    """Return the chart of sweeps over an axis that they share; None without points.

    Parameters
    ----------
    sweeps
        One, or two to be compared.
    measure
        What is drawn.
    axis
        Of all of them.
    is_log
        Whether equal steps are equal factors; only where all values are above 0.
    """
    rows = [row for sweep in sweeps for row in sweep.rows if measure.holds(row) and axis in row]
    rows = [row for row in rows if row["mean"] is not None]
    if not rows:
        return None
    is_number = _are_numbers(row[axis] for row in rows)
    series: list[ChartSeries] = []
    for number, sweep in enumerate(sweeps):
        series += _series(sweep, measure, axis, is_number=is_number, is_second=number > 0)
    names = () if is_number else tuple(dict.fromkeys(str(row[axis]) for row in rows))
    log = is_log and is_number and all(float(row[axis]) > 0 for row in rows)
    title = " and ".join(one.title for one in sweeps)
    return SeriesChart(
        f"{title}: {measure.title}",
        short_axis(axis),
        f"{measure.title} (%)",
        tuple(series),
        log,
        names,
    )


def charts_of_sweep(sweep: SweepFolder) -> list[SeriesChart]:
    """Return what its readers look at first: figures of the end, over each axis of numbers.

    Where no axis is of numbers, over the first of more than one value.
    """
    ends = [one for one in measures_of(sweep) if one.part != "train" and one.at in ("", "final")]
    ends = [one for one in ends if one.part == "test"] or ends
    found: list[SeriesChart] = []
    for measure in ends:
        rows = [row for row in sweep.rows if measure.holds(row)]
        axes = [axis for axis in axes_of(rows) if len({row.get(axis) for row in rows} - {None}) > 1]
        over = [a for a in axes if _are_numbers(row[a] for row in rows if a in row)] or axes[:1]
        charts = (chart_of_sweep([sweep], measure, axis) for axis in over)
        found += [chart for chart in charts if chart is not None]
    return found


def _series(
    sweep: SweepFolder, measure: Measure, axis: str, *, is_number: bool, is_second: bool
) -> Iterator[ChartSeries]:
    groups: dict[str, list[ChartPoint]] = {}
    for place, row in enumerate(sweep.rows):
        if not measure.holds(row) or row["mean"] is None or axis not in row:
            continue
        rest = [f"{row[one]}" for one in axes_of(sweep.rows) if one != axis and one in row]
        name = ", ".join(rest) or sweep.title
        point = _point(row, float(row[axis]) if is_number else str(row[axis]), place)
        groups.setdefault(name, []).append(point)
    for name, points in groups.items():
        told = f"{name} (second)" if is_second else name
        kind = OTHERS if is_second or sweep.plan.get("by") else OURS
        own = sorted(points, key=lambda one: float(one.x)) if is_number else points
        yield ChartSeries(told, kind, tuple(own))


def _point(row: Row, x: float | str, place: int) -> ChartPoint:
    ends = [None if row[one] is None else 100 * row[one] for one in ("low", "high")]
    told = f"{row['seeds']} seeds"
    if row["images"]:
        right = "" if row["right"] is None else f"{row['right']:,} of "
        told += f", {right}{row['images']:,}{'' if right else ' images'}"
    said = f"{100 * row['mean']:.1f} %"
    if ends[0] is not None and ends[1] is not None:
        said += f" ({ends[0]:.1f} to {ends[1]:.1f})"
    return ChartPoint(
        x, 100 * row["mean"], ends[0], ends[1], f"{said}; {told}", {"row": str(place)}
    )


def heat_of_sweep(sweep: SweepFolder, measure: Measure, across: str, down: str) -> SweepHeat | None:
    """Return a sweep over two of its axes as a heat map; None without points."""
    rows = [row for row in sweep.rows if measure.holds(row) and row["mean"] is not None]
    if not rows:
        return None
    columns = list(dict.fromkeys(str(row.get(across, "")) for row in rows))
    lines = list(dict.fromkeys(str(row.get(down, "")) for row in rows))
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        found.setdefault((str(row.get(down, "")), str(row.get(across, ""))), []).append(
            100 * row["mean"]
        )
    return SweepHeat(
        f"{sweep.title}: {measure.title}",
        short_axis(across),
        short_axis(down),
        f"{measure.title}, mean in %",
        tuple(columns),
        tuple(lines),
        tuple(tuple(_mean(found.get((line, column))) for column in columns) for line in lines),
    )


def _mean(values: Sequence[float] | None) -> float | None:
    return sum(values) / len(values) if values else None


# -- two beside each other ------------------------------------------------------------


def compared(first: SweepFolder, second: SweepFolder, measure: Measure) -> list[dict[str, Any]]:
    """Return the points that two sweeps share, with second less first and its interval.

    Returns
    -------
    list
        Rows of the shared axes, ``first``, ``second``, ``difference``, ``low`` and ``high`` in per
        cent and points; the ends are None where one of both has no interval.
    """
    axes = [one for one in axes_of(first.rows) if one in axes_of(second.rows)]
    ours = _by_place(first, measure, axes)
    found = []
    for place, row in _by_place(second, measure, axes).items():
        if place not in ours:
            continue
        before = ours[place]
        told = dict(zip(axes, place, strict=True))
        told |= {"first": 100 * before["mean"], "second": 100 * row["mean"]}
        found.append({**told, **_difference(before, row)})
    return found


def _by_place(
    sweep: SweepFolder, measure: Measure, axes: Sequence[str]
) -> dict[tuple[str, ...], Row]:
    return {
        tuple(str(row.get(axis, "")) for axis in axes): row
        for row in sweep.rows
        if measure.holds(row) and row["mean"] is not None
    }


def _difference(before: Row, after: Row) -> dict[str, float | None]:
    difference = 100 * (after["mean"] - before["mean"])
    ends = [one[name] for one in (before, after) for name in ("low", "high")]
    if any(one is None for one in ends):
        return {"difference": difference, "low": None, "high": None}
    down = sqrt((after["mean"] - after["low"]) ** 2 + (before["high"] - before["mean"]) ** 2)
    up = sqrt((after["high"] - after["mean"]) ** 2 + (before["mean"] - before["low"]) ** 2)
    return {
        "difference": difference,
        "low": difference - 100 * down,
        "high": difference + 100 * up,
    }


# -- epochs ---------------------------------------------------------------------------


def epochs_of(cell: CellResult) -> SeriesChart | None:
    """Return the accuracy of a training over its epochs, of training and of test images.

    Two published contradictions are training accuracies among test accuracies; here both stand.
    """
    epochs = cell.figures.get("epochs") or []
    if len(epochs) < 2:
        return None
    tasks = list(epochs[0]["test"]["right"])
    series = []
    for part, kind in (("test", OURS), ("train", OTHERS)):
        for task in tasks:
            points = [
                ChartPoint(row["epoch"], 100 * row[part]["right"][task] / row[part]["images"])
                for row in epochs
                if row[part]["images"]
            ]
            series.append(ChartSeries(f"{task}, {part} images", kind, tuple(points)))
    return SeriesChart(f"Epochs of cell {cell.name}", "Epoch", "Right (%)", tuple(series))


# -- images ---------------------------------------------------------------------------


@dataclass(frozen=True)
class AnsweredImage:
    """An image of a cell, and what was answered.

    Attributes
    ----------
    scene
        ``preset``, ``overrides``, ``seed``, ``split`` and ``index``, as `any_ref` takes them.
    checkpoint
        Of the model; empty for one that was trained in the cell.
    said, true
        The answer and the truth.
    """

    scene: Mapping[str, Any]
    checkpoint: str
    said: str
    true: str

    @property
    def is_missed(self) -> bool:
        """Whether the answer is wrong."""
        return self.said != self.true


def images_of(cells: Sequence[CellResult], task: str = "") -> list[AnsweredImage]:
    """Return the images that cells answered, where they say which; else none.

    Parameters
    ----------
    task
        Whose answers; the first of each cell if it has none of that name.
    """
    found = []
    for cell in cells:
        tasks = cell.figures.get("tasks") or {}
        if not tasks or not cell.figures.get("index"):
            continue
        answers = tasks.get(task) if task != DIGITS_FOUND else None
        answers = answers or next(iter(tasks.values()))
        scene = {name: cell.config[name] for name in ("preset", "overrides", "seed", "split")}
        rows = zip(cell.figures["index"], answers["said"], answers["true"], strict=True)
        found += [
            AnsweredImage(
                {**scene, "index": index}, str(cell.config["checkpoint"]), str(said), str(true)
            )
            for index, said, true in rows
        ]
    return found


def images_behind(figure: OurFigure, task: str) -> list[AnsweredImage]:
    """Return the images of one of ours, the missed ones first."""
    return sorted(images_of(figure.cells, task), key=lambda one: not one.is_missed)
