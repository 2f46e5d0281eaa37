"""A published table beside ours: its figure, its cells, and what stands behind one of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from pages._ui.experiments.behind import show_behind
from pages._ui.experiments.figures import chart_figure, heat_figure, told_of
from pages._ui.experiments.files import show_files
from pages._ui.experiments.loading import colours_here, figures_of_ours
from pages._ui.shared.systems import SYSTEMS
from pages._ui.shared.viewer import our_component
from umnist_core.experiments.drawing.chart import HeatMap, SeriesChart
from umnist_core.experiments.published.beside import OurFigure, reruns_of
from umnist_core.experiments.published.charts import chart_of, heat_of
from umnist_core.experiments.published.grid import (
    GridCell,
    GridRow,
    cell_words,
    figure_words,
    grid_of,
)
from umnist_core.experiments.published.tables import (
    LOG,
    PublishedCell,
    PublishedTable,
    get_table,
    published_tables,
)

_grid = our_component("umnist_result_grid", "showResultGrid")

TABLE, COLUMN, CELL, DRAWN = (
    "experiments_table",
    "experiments_column",
    "experiments_cell",
    "experiments_drawn",
)
"""Keys: the table, the column that is drawn, the cell that is chosen, and how it is drawn."""

IN_ADDRESS = "table"

CURVES, HEAT = "Curves", "Heat map"


def show_tables() -> None:
    """Draw the choice of a table, and the chosen one."""
    table = _choose_table()
    ours = figures_of_ours(table)
    rows = grid_of(table, ours)
    st.html(f'<p class="umnist-about">{escape(_about(table))}</p>')
    with st.container(key="result_split"):
        stage = st.container(key="result_stage")
        panel = st.container(key="result_panel")
        below = st.container(key="result_below")
    with stage:
        drawn = _show_figure(table, ours)
    with panel:
        show_behind(_chosen(rows), reruns_of(table))
    with below:
        _show_grid(table, rows)
        show_files(table, ours, drawn)


def _choose_table() -> PublishedTable:
    keys = [one.key for one in published_tables()]
    if TABLE not in st.session_state:
        asked = st.query_params.get(IN_ADDRESS, keys[0])
        st.session_state[TABLE] = asked if asked in keys else keys[0]
        if asked not in keys:
            st.warning(
                f"In this link table should be one of the published tables, but is {asked[:40]!r}; "
                "the first is shown."
            )

    def title(key: str) -> str:
        table = get_table(key)
        system = SYSTEMS[table.system].title if table.system in SYSTEMS else table.system
        return table.title if table.title.startswith(system) else f"{system}: {table.title}"

    chosen = st.selectbox("Table or figure", keys, format_func=title, key=TABLE)
    st.query_params[IN_ADDRESS] = chosen
    return get_table(chosen)


def _about(table: PublishedTable) -> str:
    if table.paper is None:
        return table.about
    paper = table.paper
    return f"{table.about} {paper.authors} {paper.year}, {paper.identifier}.".replace(", .", ".")


# -- figure ---------------------------------------------------------------------------


def _show_figure(table: PublishedTable, ours: Sequence[OurFigure]) -> SeriesChart | HeatMap | None:
    """Draw the figure of a column, and return what was drawn for files of it."""
    columns = [one for one in table.drawn if chart_of(table, ours, one.key) is not None]
    if not columns:
        heats = heat_of(table, table.columns[0].key, ours)
        return _show_heats(table, heats) if heats else None
    titles = {one.key: one.title for one in columns}
    with st.container(horizontal=True, gap="small"):
        column = _choice("Column drawn", list(titles), titles, f"{COLUMN}_{table.key}")
        heats = heat_of(table, column, ours)
        how = CURVES
        if heats:
            how = _choice("Drawn as", [CURVES, HEAT], {}, f"{DRAWN}_{table.key}")
    if how == HEAT:
        return _show_heats(table, heats)
    colours, is_dark = colours_here()
    chart = chart_of(table, ours, column)
    assert chart is not None
    key = f"figure_{table.key}_{column}"

    def choose() -> None:
        points = st.session_state[key].selection.points
        data = points[0].get("customdata") if points else None
        if data and data[0]:
            st.session_state[CELL] = (table.key, str(data[0]), str(data[1]))

    st.plotly_chart(
        chart_figure(chart, colours, is_dark=is_dark),
        key=key,
        config={"displayModeBar": False},
        alt=f"{chart.title}. {told_of(chart)}",
        on_select=choose,
        selection_mode="points",
    )
    return chart


def _show_heats(table: PublishedTable, heats: Sequence[HeatMap]) -> HeatMap:
    """Draw heat maps one below the other, and return the first."""
    colours, _ = colours_here()
    for number, heat in enumerate(heats):
        st.caption(heat.title)
        st.plotly_chart(
            heat_figure(heat, colours),
            key=f"heat_{table.key}_{number}",
            config={"displayModeBar": False},
            alt=heat.title,
        )
    return heats[0]


def _choice(label: str, options: list[str], titles: dict[str, str], key: str) -> str:
    if len(options) == 1:
        return options[0]
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        format_func=lambda one: titles.get(one, one),
        key=key,
        label_visibility="collapsed",
    )
    return chosen or options[0]


# -- cells ----------------------------------------------------------------------------


def _chosen(rows: Sequence[GridRow]) -> tuple[GridRow, GridCell] | None:
    """Return the cell that is chosen; else the first of ours, that is contradicted, or at all."""
    table, row_key, column_key = st.session_state.get(CELL, ("", "", ""))
    cells = [(row, cell) for row in rows for cell in row.cells if _lines(cell)]
    if table == st.session_state.get(TABLE):
        for row, cell in cells:
            if (row.key, cell.column.key) == (row_key, column_key):
                return row, cell
    ours = [(row, cell) for row, cell in cells if cell.ours]
    against = [(row, cell) for row, cell in cells if cell.contradictions]
    return next(iter([*ours, *against, *cells]), None)


def _show_grid(table: PublishedTable, rows: Sequence[GridRow]) -> None:
    key = "result_grid"

    def choose() -> None:
        cell = st.session_state[key].get("chosen")
        if cell:
            st.session_state[CELL] = (table.key, str(cell["row"]), str(cell["column"]))

    _grid(key=key, data=_grid_data(table, rows), on_chosen_change=choose)


def _grid_data(table: PublishedTable, rows: Sequence[GridRow]) -> dict[str, Any]:
    """Return what the grid shows; ``GridData`` in ``grid.js`` documents every entry."""
    chosen = _chosen(rows)
    return {
        "title": table.title,
        "rowTitle": table.row_title,
        "columns": [
            {"key": one.key, "title": f"{one.title} ({one.unit})" if one.unit else one.title}
            for one in table.columns
        ],
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "note": row.note,
                "isOwn": not row.is_published,
                "cells": [{"column": cell.column.key, "lines": _lines(cell)} for cell in row.cells],
            }
            for row in rows
        ],
        "chosen": {
            "row": chosen[0].key if chosen else "",
            "column": chosen[1].column.key if chosen else "",
        },
    }


def _lines(cell: GridCell) -> list[dict[str, str]]:
    unit = cell.column.unit
    lines = [
        {"kind": "published", "text": cell_words(one, unit), "about": one.provenance}
        for one in cell.published
    ]
    lines += [
        {"kind": "logs", "text": cell_words(one, unit), "about": _other(one)} for one in cell.others
    ]
    lines += [
        {
            "kind": "others" if one.by else "ours",
            "text": figure_words(one, unit),
            "about": f"{one.name}, {one.by}" if one.by else one.name,
        }
        for one in cell.ours
    ]
    marks = dict.fromkeys(one.id for one in cell.contradictions)
    if marks and lines:
        lines.append({"kind": "mark", "text": f"contradicted: {', '.join(marks)}", "about": ""})
    return lines


def _other(cell: PublishedCell) -> str:
    runs = f", {cell.runs} runs" if cell.runs else ""
    return f"{'public logs' if cell.provenance == LOG else 'recomputed'}{runs}"
