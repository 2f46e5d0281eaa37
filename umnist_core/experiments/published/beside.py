"""Ours beside what is published: sweeps, cards of checkpoints and rows that were brought.

Each figure has its interval and how that was worked out, seeds, machine, date, command and tier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from umnist_core.experiments.published.by_class import columns_at, counts_of, is_by_class
from umnist_core.experiments.published.entries import ResultEntry, imported_sweeps, iter_entries
from umnist_core.experiments.published.tables import PublishedColumn, PublishedRow, PublishedTable
from umnist_core.experiments.sweeps.plan import load_sweep, sweep_names
from umnist_core.experiments.sweeps.results import COLUMNS, SHIPPED, CellResult, iter_results
from umnist_core.experiments.sweeps.states import find_plan
from umnist_core.experiments.sweeps.tables import DIGITS_FOUND, fold
from umnist_core.models.card_figures import read_figures
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.scenes import PRESETS
from umnist_core.scoring import wilson

PUBLISHED, FROM_LOGS, ARITHMETIC = "published", "from-logs", "arithmetic"
HERE, OTHERS = "here", "others"
TIERS = {
    PUBLISHED: "published",
    FROM_LOGS: "recomputed from logs",
    ARITHMETIC: "recomputed by its formula",
    HERE: "re-run here",
    OTHERS: "re-run by others",
}
"""What stands behind a figure, from another's word to a run of one's own."""

WILSON, ONE_SEED = "Wilson over images", "one seed, no interval"
DIGITS = "Wilson over digits, as if they were independent"
"""Names of intervals."""

_RECIPES = {
    "paper": "The published recipe.",
    "compact": "Not the published recipe but one for two cores; the page of the sweep says which.",
}
"""Size of a sweep -> what that means for a figure."""


@dataclass(frozen=True)
class OurFigure:
    """A figure of ours, at a row and column of a published table.

    Attributes
    ----------
    column
        Key.
    row
        Key; empty for a place that nothing is published of, whose ``x`` then says where it is.
    name
        Of the model or method.
    value, low, high
        In per cent, with the ends of the 95 % interval.
    interval
        How it was worked out, in words.
    tier
        `HERE` or `OTHERS`.
    x
        Place on the axis of the table's figure.
    right, of, seeds, sd
        As far as they are known.
    hardware, date_utc, command, recipe, by
        Where, when, how, what, and whose.
    cells
        The results of a sweep that it was made of.
    entry
        The row that was brought, if it is one.
    """

    column: str
    row: str
    name: str
    value: float
    low: float | None
    high: float | None
    interval: str
    tier: str
    x: float | None = None
    right: int | None = None
    of: int | None = None
    seeds: int = 1
    sd: float | None = None
    hardware: str = ""
    date_utc: str = ""
    command: str = ""
    recipe: str = ""
    by: str = ""
    cells: tuple[CellResult, ...] = field(default=(), repr=False)
    entry: ResultEntry | None = None


@dataclass(frozen=True)
class SweepFolder:
    """A sweep with all that is there of it.

    Attributes
    ----------
    folder
        Where.
    plan
        As `umnist_core.experiments.sweeps.plan.Sweep.to_dict`; and ``by`` where it is of others.
    results
        By name; those of earlier code, too.
    rows
        As of `umnist_core.experiments.sweeps.tables.fold`.
    """

    folder: Path
    plan: Mapping[str, Any]
    results: Mapping[str, CellResult]
    rows: Sequence[dict[str, Any]]

    @property
    def title(self) -> str:
        """Its name for people."""
        return str(self.plan["title"])

    def at(self, row: Mapping[str, Any]) -> tuple[CellResult, ...]:
        """Return the finished results behind a row."""
        return tuple(
            result
            for cell in self.plan["cells"]
            if all(row.get(name) == value for name, value in cell["labels"].items())
            and (result := self.results.get(cell["name"])) is not None
            and result.is_done
        )

    @property
    def stale(self) -> tuple[CellResult, ...]:
        """Results that its cells no longer are."""
        names = {cell["name"] for cell in self.plan["cells"]}
        return tuple(one for one in self.results.values() if one.name not in names)


def load_folder(folder: Path) -> SweepFolder | None:
    """Return the sweep in a folder; None where there is no plan.

    Raises
    ------
    DamagedFileError, MissingFileError
        If a file of it is damaged.
    """
    plan = find_plan(folder)
    if plan is None:
        return None
    results = {one.name: one for one in iter_results(folder)}
    return SweepFolder(folder, plan, results, fold(plan["cells"], results))


def shipped_folders() -> list[Path]:
    """Return the folders of sweeps that come with umnist."""
    return sorted(one for one in SHIPPED.glob("[!._]*") if one.is_dir())


def known_sweeps(more: Iterable[Path] = ()) -> list[SweepFolder]:
    """Return the sweeps that come with umnist, those of others, and some more.

    Raises
    ------
    UmnistError
        As `load_folder`.
    """
    folders = [*shipped_folders(), *imported_sweeps(), *more]
    return [found for one in folders if (found := load_folder(one)) is not None]


@dataclass(frozen=True)
class Rerun:
    """A sweep file that fills cells of a published table.

    Attributes
    ----------
    name, title, size
        Of the file that comes with umnist.
    needs
        The machine or files that it is meant for, in words; empty for any.
    """

    name: str
    title: str
    size: str
    needs: str

    @property
    def commands(self) -> tuple[str, str]:
        """What says how long it takes, and what runs it."""
        run = f"umnist sweep {self.name} --out runs/{self.name}"
        return f"umnist sweep {self.name} --estimate", run


def reruns_of(table: PublishedTable) -> list[Rerun]:
    """Return the sweep files that re-run a published table."""
    return [one for key, one in _reruns() if key in (table.key, *table.also)]


@cache
def _reruns() -> tuple[tuple[str, Rerun], ...]:
    """Return the sweep files that come with umnist, with the key that each is published under."""
    found = ((name, load_sweep(Path(name))) for name in sweep_names())
    return tuple(
        (one.published, Rerun(name, one.title, one.size, one.needs)) for name, one in found
    )


def ours_beside(
    table: PublishedTable, sweeps: Iterable[SweepFolder], *, with_own: bool = True
) -> list[OurFigure]:
    """Return all figures of ours that belong into a table.

    Parameters
    ----------
    table
        Which.
    sweeps
        Those that may have some.
    with_own
        Whether rows that were brought count, beside what comes with umnist.

    Raises
    ------
    UmnistError
        If a card or a row is damaged.
    """
    found = [*_of_cards(table)]
    for sweep in sweeps:
        if sweep.plan.get("published") in (table.key, *table.also):
            found += (_of_classes if is_by_class(table) else _of_sweep)(table, sweep)
    return [*found, *(_of_entries(table) if with_own else ())]


# -- cards ----------------------------------------------------------------------------


def _of_cards(table: PublishedTable) -> Iterator[OurFigure]:
    checkpoints = find_shipped_checkpoints()
    for row in table.rows:
        for told in row.ours:
            if told.checkpoint not in checkpoints:
                continue
            card = load_card(checkpoints[told.checkpoint])
            figures = read_figures(card.figures)
            share = next((one for one in figures.accuracy if one.label == told.task), None)
            if share is None:
                continue
            yield OurFigure(
                column=told.column,
                row=row.key,
                name=told.checkpoint,
                value=100 * share.share,
                low=_percent(share.low),
                high=_percent(share.high),
                interval=WILSON,
                tier=HERE,
                x=row.x,
                right=round(share.share * share.count),
                of=share.count,
                hardware=card.hardware,
                command=card.command,
                recipe=f"card of {told.checkpoint}: {figures.measured or 'whole images'}",
            )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


# -- sweeps ---------------------------------------------------------------------------


def _of_classes(table: PublishedTable, sweep: SweepFolder) -> Iterator[OurFigure]:
    """Yield the share of each class of digits that was found, of models that find digits."""
    for line in sweep.rows:
        cells = sweep.at(line)
        if line["task"] != DIGITS_FOUND or not cells:
            continue
        settings = settings_of(cells[0]) | _tested(cells[0], line)
        columns = columns_at(table, partial(_has, settings))
        for column in columns:
            for row, (right, of) in counts_of(cells, line["part"]).items():
                found = wilson(right, of)
                yield OurFigure(
                    column=column,
                    row=row,
                    value=100 * found.estimate,
                    low=_percent(found.low),
                    high=_percent(found.high),
                    interval=DIGITS,
                    x=None,
                    right=right,
                    of=of,
                    **_made(sweep, line, cells, Path(settings.get("model", "")).stem),
                )


def _made(
    sweep: SweepFolder, line: Mapping[str, Any], cells: tuple[CellResult, ...], name: str
) -> dict[str, Any]:
    """Return what figures of one point of a sweep have in common."""
    size = ", compact" if sweep.plan.get("size") == "compact" else ""
    return {
        "name": name + size,
        "tier": OTHERS if sweep.plan.get("by") else HERE,
        "seeds": line["seeds"],
        "hardware": line["hardware"],
        "date_utc": max(str(one.cost.get("ended_utc", "")) for one in cells),
        "command": cells[0].command,
        "recipe": f"{sweep.title}. {_RECIPES.get(str(sweep.plan.get('size')), '')}".strip(),
        "by": str(sweep.plan.get("by", "")),
        "cells": cells,
    }


def _of_sweep(table: PublishedTable, sweep: SweepFolder) -> Iterator[OurFigure]:
    for line in sweep.rows:
        column = _column(table, str(line["task"]))
        cells = sweep.at(line)
        if line["mean"] is None or column is None or not cells:
            continue
        tested = _tested(cells[0], line)
        if not tested and (line["part"] != "test" or line["at"] not in ("", table.epoch)):
            continue
        settings = settings_of(cells[0]) | tested
        row = _row(table, settings)
        x = _place(table, row, settings)
        if row is None and x is None:
            continue
        yield OurFigure(
            column=column.key,
            row="" if row is None else row.key,
            value=100 * line["mean"],
            low=_percent(line["low"]),
            high=_percent(line["high"]),
            interval=_interval(line, cells[0]),
            x=x,
            right=line["right"],
            of=line["images"],
            sd=_percent(line["sd"]),
            **_made(sweep, line, cells, _name(line, cells[0], table, row, tested)),
        )


def _interval(line: Mapping[str, Any], result: CellResult) -> str:
    is_pooled = line["task"] == DIGITS_FOUND and result.kind == "evaluate"
    return DIGITS if is_pooled else line["interval"] or ONE_SEED


def _tested(result: CellResult, line: Mapping[str, Any]) -> dict[str, str]:
    """Return what a further test of a trained net changed; nothing for other rows of a table."""
    changes = (result.config.get("tests") or {}).get(line["part"], {})
    return {name: str(told) for name, told in changes.items()}


def settings_of(result: CellResult) -> dict[str, str]:
    """Return what a cell was made with, by the last part of each setting's name, as texts."""
    labels = {name.rsplit(".", maxsplit=1)[-1]: told for name, told in result.labels.items()}
    return labels | _configured(result.config)


def _configured(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of a configuration, without names that a sweep gave its points."""
    found: dict[str, Any] = {}
    training = config.get("training")
    if isinstance(training, Mapping):
        data, model = training.get("data", {}), training.get("model", {})
        found |= {"count": _learned_from(data), "model": model.get("name")}
        found |= {**_drawn(data.get("preset")), **model.get("settings", {})}
        found |= {**data.get("overrides", {}), "share": data.get("signs", {}).get("share")}
        tested = config.get("test")
        if isinstance(tested, Mapping):  # a curve over what a net never learned from
            found |= dict(tested.get("overrides", {}))
    else:
        name = config.get("checkpoint")
        found |= {"checkpoint": name, "model": name, **_drawn(config.get("preset"))}
        found |= config.get("overrides", {})
    return {name: str(told) for name, told in found.items() if told is not None}


def _drawn(preset: Any) -> dict[str, str]:
    """Return what a preset draws scenes with, where nothing is changed."""
    known = PRESETS.get(str(preset))
    return {} if known is None else known.to_text()


def _learned_from(data: Mapping[str, Any]) -> int | None:
    """Return how many images a net learned from: all but those that validate."""
    count, share = data.get("count"), data.get("validation_share", 0)
    return None if count is None else count - round(count * share)


def _column(table: PublishedTable, task: str) -> PublishedColumn | None:
    task = "digits" if task == DIGITS_FOUND else task
    return next((one for one in table.columns if one.task == task), None)


def _row(table: PublishedTable, settings: Mapping[str, str]) -> PublishedRow | None:
    for row in table.rows:
        if row.scene and _has(settings, row.scene):
            return row
    return None


def _has(settings: Mapping[str, str], scene: Mapping[str, str]) -> bool:
    return all(_is_same(settings.get(name), told) for name, told in scene.items())


def _place(
    table: PublishedTable, row: PublishedRow | None, settings: Mapping[str, str]
) -> float | None:
    if row is not None:
        return row.x
    try:
        return float(settings[table.figure["parameter"]])
    except (KeyError, ValueError):
        return None


def _is_same(found: str | None, told: str) -> bool:
    if found is None:
        return False
    try:
        return float(found) == float(told)
    except ValueError:
        return found == told


def _name(
    line: Mapping[str, Any],
    result: CellResult,
    table: PublishedTable,
    row: PublishedRow | None,
    tested: Mapping[str, str],
) -> str:
    """Return the model, and what a sweep varied that the row does not say."""
    settings = _configured(result.config)
    told = {"checkpoint", "model", table.figure.get("parameter", ""), *(row.scene if row else ())}
    told -= set(tested)  # the row then says what was asked, and not what was learned from
    model = settings.get("model") or ""
    rest = []
    for axis in (one for one in line if one not in COLUMNS):
        short = axis.rsplit(".", maxsplit=1)[-1]
        # A name that a sweep gave a point says what the row does, where there is one.
        if short not in told and (short in settings or row is None) and line[axis] != model:
            rest.append(f"{short.replace('_', ' ')} {line[axis]}")
    return ", ".join(filter(None, (Path(model).stem, *rest))) or "ours"


# -- rows that were brought -----------------------------------------------------------


def _of_entries(table: PublishedTable) -> Iterator[OurFigure]:
    for one in iter_entries():
        if one.table != table.key:
            continue
        found = wilson(one.right, one.of)
        yield OurFigure(
            column=one.column,
            row="",
            name=one.name,
            value=100 * found.estimate,
            low=100 * found.low,
            high=100 * found.high,
            interval=WILSON,
            tier=OTHERS if one.by else HERE,
            right=one.right,
            of=one.of,
            hardware=one.hardware,
            date_utc=one.date_utc,
            command=one.command,
            recipe=f"a submission, scored on {one.data.get('folder', 'a folder')}",
            by=one.by,
            entry=one,
        )
