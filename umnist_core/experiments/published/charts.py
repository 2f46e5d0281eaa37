"""Charts and heat maps of published tables, ours beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from umnist_core.experiments.drawing.chart import (
    LOGS,
    OTHERS,
    OURS,
    PUBLISHED,
    ChartPoint,
    ChartSeries,
    HeatMap,
    SeriesChart,
)
from umnist_core.experiments.published.beside import OTHERS as BY_OTHERS
from umnist_core.experiments.published.beside import OurFigure
from umnist_core.experiments.published.by_class import class_heat, is_by_class
from umnist_core.experiments.published.grid import cell_words, figure_words, own_key
from umnist_core.experiments.published.tables import (
    BARS,
    NO_FIGURE,
    PublishedCell,
    PublishedColumn,
    PublishedRow,
    PublishedTable,
)


def chart_of(
    table: PublishedTable, ours: Sequence[OurFigure], column_key: str
) -> SeriesChart | None:
    """Return the chart of a column; None where nothing of it can be drawn.

    Rows that have no place on the axis, as those of people and of chance, are lines across.
    """
    column = table.get_column(column_key)
    if table.figure["kind"] == NO_FIGURE or column not in table.drawn:
        return None
    own = [one for one in ours if one.column == column_key]
    series = [*_published(table, column), *_of_ours(own, column, table)]
    if not series:
        return None
    is_bars = table.figure["kind"] == BARS
    names = [row.title for row in table.rows] if is_bars else []
    names += [one.name for one in own if is_bars and not one.row]
    if not is_bars:
        series = _across(series)
    return SeriesChart(
        f"{table.title}: {column.title}",
        str(table.figure.get("x", "")),
        f"{column.title} ({column.unit})" if column.unit else column.title,
        tuple(series),
        bool(table.figure.get("log")),
        tuple(dict.fromkeys(names)),
    )


def _published(table: PublishedTable, column: PublishedColumn) -> Iterator[ChartSeries]:
    is_bars = table.figure["kind"] == BARS
    for kind, word in ((PUBLISHED, "published"), (LOGS, "public logs")):
        groups: dict[str, list[ChartPoint]] = {}
        for row in table.rows:
            cell = _chosen(row, column.key, is_log=kind == LOGS)
            if cell is None:
                continue
            alone = row.title if row.x is None and not is_bars else ""
            group = "" if is_bars else alone or row.series
            name = ", ".join(filter(None, (group, word)))
            groups.setdefault(name, []).append(_point(row, column, cell, is_bars=is_bars))
        for name, points in groups.items():
            yield ChartSeries(name, kind, tuple(sorted(points, key=_place)))


def _chosen(row: PublishedRow, column: str, *, is_log: bool) -> PublishedCell | None:
    found = (one for one in row.cells.get(column, ()) if one.is_published != is_log)
    return next(found, None)


def _point(
    row: PublishedRow, column: PublishedColumn, cell: PublishedCell, *, is_bars: bool
) -> ChartPoint:
    x = row.title if is_bars else row.x
    return ChartPoint(
        _NOWHERE if x is None else x,
        cell.value,
        None if cell.sd is None else cell.value - cell.sd,
        None if cell.sd is None else cell.value + cell.sd,
        said=f"{row.title}: {cell_words(cell, column.unit)} ({cell.provenance})",
        place={"row": row.key, "column": column.key},
    )


_NOWHERE = float("nan")
"""Of what has no place on the axis, which is drawn across."""


def _of_ours(
    ours: Iterable[OurFigure], column: PublishedColumn, table: PublishedTable
) -> Iterator[ChartSeries]:
    is_bars = table.figure["kind"] == BARS
    rows = {row.key: row for row in table.rows}
    groups: dict[tuple[str, str], list[ChartPoint]] = {}
    for one in ours:
        row = rows.get(one.row)
        kind = OTHERS if one.tier == BY_OTHERS else OURS
        series = "" if row is None or is_bars or row.series in one.name else row.series
        name = ", ".join(filter(None, (one.name, series, f"by {one.by}" if one.by else "")))
        title = row.title if row is not None else one.name
        x = title if is_bars else one.x
        groups.setdefault((name, kind), []).append(
            ChartPoint(
                _NOWHERE if x is None else x,
                one.value,
                one.low,
                one.high,
                said=f"{one.name}, {title}: {figure_words(one, column.unit)}",
                place={"row": one.row or own_key(one), "column": column.key},
            )
        )
    for (name, kind), points in groups.items():
        yield ChartSeries(name, kind, tuple(sorted(points, key=_place)))


def _place(point: ChartPoint) -> float:
    return point.x if isinstance(point.x, float | int) else 0.0


def _across(series: Sequence[ChartSeries]) -> list[ChartSeries]:
    """Return the series, those that have no place on the axis marked so."""
    return [
        replace(one, is_across=any(_place(point) != _place(point) for point in one.points))
        for one in series
    ]


# -- heat maps ------------------------------------------------------------------------


def heat_of(table: PublishedTable, column_key: str, ours: Sequence[OurFigure]) -> list[HeatMap]:
    """Return a table over two quantities as heat maps: of others, then of each of ours.

    Tables over one quantity have none.
    """
    if is_by_class(table):
        return _of_classes(ours, table) if column_key == table.columns[0].key else []
    column = table.get_column(column_key)
    rows = [row for row in table.rows if row.series and row.x is not None]
    rows = rows if table.figure.get("heat") else []
    series = list(dict.fromkeys(row.series for row in rows))
    places = sorted({row.x for row in rows if row.x is not None})
    at = {(row.series, row.x): row for row in rows}
    of_others = {
        row.key: cell
        for row in rows
        if (cell := row.find(column_key) or _chosen(row, column_key, is_log=True)) is not None
    }
    told: dict[str, Mapping[str, float]] = {}
    if of_others:
        told["published, or its public logs"] = {k: one.value for k, one in of_others.items()}
    keys = {row.key for row in rows}
    own = [one for one in ours if one.column == column_key and one.row in keys]
    for name in dict.fromkeys(one.name for one in own):
        told[name] = {one.row: one.value for one in own if one.name == name}
    return [
        HeatMap(
            f"{table.title}: {column.title}, {name}",
            str(table.figure.get("x", "")),
            table.row_title,
            f"{column.title}, {column.unit}",
            tuple(f"{x:g}" for x in places),
            tuple(series),
            tuple(tuple(_value(at, values, one, x) for x in places) for one in series),
            tuple(tuple(_lead(at, one, x, column_key) for x in places) for one in series),
        )
        for name, values in told.items()
        if rows
    ]


def _of_classes(ours: Sequence[OurFigure], table: PublishedTable) -> list[HeatMap]:
    found: dict[str, dict[tuple[str, str], float]] = {}
    for one in ours:
        found.setdefault(one.name, {})[(one.row, one.column)] = one.value
    return [class_heat(table, name, shares) for name, shares in found.items()]


def _value(
    at: Mapping[tuple[str, float | None], PublishedRow],
    values: Mapping[str, float],
    series: str,
    x: float,
) -> float | None:
    row = at.get((series, x))
    return None if row is None else values.get(row.key)


def _lead(
    at: Mapping[tuple[str, float | None], PublishedRow], series: str, x: float, column: str
) -> Mapping[str, str]:
    row = at.get((series, x))
    return {} if row is None else {"row": row.key, "column": column}
