"""Sweeps: where one stands while it runs, its figure, its points, and two beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from html import escape
from typing import Any

import streamlit as st

from pages._ui.experiments.figures import chart_figure, heat_figure, told_of
from pages._ui.experiments.files import show_buttons
from pages._ui.experiments.links import SHOWN, images_html
from pages._ui.experiments.loading import (
    CHOSEN_FOLDER,
    OPENED,
    all_sweeps,
    colours_here,
    open_folder,
    own_sweep,
)
from pages._ui.experiments.rows import rows_html
from pages._ui.experiments.thresholds import show_threshold
from umnist_core.errors import UmnistError
from umnist_core.experiments.drawing.chart import SeriesChart
from umnist_core.experiments.published.beside import SweepFolder
from umnist_core.experiments.published.exports import png_file, svg_bytes
from umnist_core.experiments.published.progress import progress_of
from umnist_core.experiments.published.sweep_charts import (
    Measure,
    chart_of_sweep,
    compared,
    epochs_of,
    heat_of_sweep,
    images_of,
    measures_of,
    number_axes,
    short_axis,
)
from umnist_core.experiments.published.sweep_files import sweep_latex, sweep_parquet
from umnist_core.experiments.sweeps.results import CellResult
from umnist_core.experiments.sweeps.tables import axes_of, table_csv
from umnist_core.paths import expand_home

_NONE = "None"
LIVE_S = 2.0
"""How often a sweep that runs is looked at again."""

_CHOSEN = "experiments_sweep"


def show_sweeps() -> None:
    """Draw the choice of a sweep, and the chosen one; anew while it runs."""
    st.text_input(
        "Folder of a sweep on this machine",
        key=CHOSEN_FOLDER,
        placeholder="runs/my-sweep, as `umnist sweep FILE --out runs/my-sweep` writes it",
        on_change=_open,
    )
    text = str(st.session_state.get(CHOSEN_FOLDER) or "").strip()
    if text and text not in st.session_state.get(OPENED, ()):
        _tell_folder(text)
    sweeps = all_sweeps()
    if not sweeps:
        st.info(
            "No sweep comes with this version and none was imported. `umnist sweep FILE --out "
            "FOLDER` runs one, and its folder can be named above while it runs."
        )
        return
    by_name = {str(one.folder): one for one in sweeps}
    if st.session_state.get(_CHOSEN) not in by_name:
        st.session_state[_CHOSEN] = next(iter(by_name))
    chosen = st.selectbox(
        "Sweep", list(by_name), format_func=lambda one: by_name[one].title, key=_CHOSEN
    )
    _show_live(by_name[chosen], sweeps)


def _open() -> None:
    open_folder()
    opened = st.session_state.get(OPENED)
    if opened and opened[-1] == str(st.session_state[CHOSEN_FOLDER]).strip():
        with suppress(UmnistError):  # what was just named is what is meant
            st.session_state[_CHOSEN] = str(expand_home(opened[-1]))


def _show_live(sweep: SweepFolder, sweeps: list[SweepFolder]) -> None:
    """Draw a sweep; again and again while it runs."""
    is_running = not progress_of(sweep).is_over

    @st.fragment(run_every=LIVE_S if is_running else None)
    def shown() -> None:
        newest = own_sweep(str(sweep.folder)) if is_running else sweep
        if newest is None:
            return
        _show_progress(newest)
        _show_sweep(newest, sweeps)
        if is_running and progress_of(newest).is_over:
            st.rerun()  # nothing needs to be looked at again

    shown()


def _tell_folder(text: str) -> None:
    """Say why a folder shows no sweep."""
    try:
        folder = expand_home(text)
    except UmnistError as error:
        st.error(str(error))
        return
    if not folder.is_dir():
        st.warning(f"Expected the folder of a sweep at {text}, found none; check the path.")
    else:
        st.warning(
            f"Expected the folder of a sweep at {text}, found no plan in it; `umnist sweep FILE "
            f"--out {text}` begins one."
        )


def _show_progress(sweep: SweepFolder) -> None:
    progress = progress_of(sweep)
    if about := str(sweep.plan.get("about") or ""):
        st.html(f'<p class="umnist-about">{escape(about)}</p>')
    st.html(f'<p class="umnist-about">{escape(progress.sentence)}</p>')
    if not progress.is_over:
        st.progress(progress.share)
    for name, sentence in progress.failures[:5]:
        st.warning(f"Cell {name} failed: {sentence}")
    if sweep.stale:
        st.caption(f"{len(sweep.stale):,} results are of earlier code or settings; see `--list`.")


def _show_sweep(sweep: SweepFolder, sweeps: list[SweepFolder]) -> None:
    measures = {one.title: one for one in measures_of(sweep)}
    if not measures:
        st.info("No cell is done yet.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        measure = measures[_select("Figure of", list(measures), "measure", sweep)]
        axes = number_axes(sweep)
        axis = _select("Over", axes, "axis", sweep) if axes else ""
        others = {one.title: one for one in sweeps if one.folder != sweep.folder}
        second = others.get(_select("Compare with", [_NONE, *others], "second", sweep))
    shown = [sweep] if second is None else [sweep, second]
    with st.container(key="result_split"):
        stage = st.container(key="result_stage")
        panel = st.container(key="result_panel")
        below = st.container(key="result_below")
    with stage:
        if axis:
            _show_chart(shown, measure, axis)
    with panel:
        _show_point(sweep, measure)
    with below:
        if second is not None:
            _show_comparison(sweep, second, measure)
        elif axis:
            _show_heat(sweep, measure, axis)
            show_threshold(sweep, measure, axis)
        _show_points(sweep, measure)
    chart = chart_of_sweep(shown, measure, axis) if axis else None
    _show_files(sweep, chart)


def _show_files(sweep: SweepFolder, chart: SeriesChart | None) -> None:
    made: dict[str, Callable[[], str | bytes]] = {
        "csv": lambda: table_csv(sweep.rows),
        "parquet": lambda: sweep_parquet(sweep),
        "tex": lambda: sweep_latex(sweep),
    }
    if chart is not None:
        made |= {"svg": lambda: svg_bytes(chart), "png": lambda: png_file(chart)}
    show_buttons(sweep.folder.name, made)


def _select(label: str, options: list[str], name: str, sweep: SweepFolder) -> str:
    if len(options) == 1:
        return options[0]
    chosen = st.selectbox(
        label,
        options,
        format_func=short_axis if name == "axis" else str,
        key=f"sweep_{name}_{sweep.folder.name}",
    )
    return str(chosen)


def _show_chart(sweeps: list[SweepFolder], measure: Measure, axis: str) -> None:
    chart = chart_of_sweep(sweeps, measure, axis)
    if chart is None:
        return
    colours, is_dark = colours_here()
    key = f"sweep_chart_{sweeps[0].folder.name}"

    def choose() -> None:
        points = st.session_state[key].selection.points
        data = points[0].get("customdata") if points else None
        if data and str(data[0]).isdigit():
            st.session_state[_at(sweeps[0])] = int(data[0])

    st.plotly_chart(
        chart_figure(chart, colours, is_dark=is_dark),
        key=key,
        config={"displayModeBar": False},
        alt=f"{chart.title}. {told_of(chart)}",
        on_select=choose,
        selection_mode="points",
    )


def _at(sweep: SweepFolder) -> str:
    return f"sweep_point_{sweep.folder.name}"


def _show_heat(sweep: SweepFolder, measure: Measure, axis: str) -> None:
    others = [
        one
        for one in number_axes(sweep)
        if one != axis and len({row.get(one) for row in sweep.rows}) > 2
    ]
    if not others:
        return
    heat = heat_of_sweep(sweep, measure, axis, others[0])
    if heat is not None:
        colours, _ = colours_here()
        st.plotly_chart(
            heat_figure(heat, colours),
            key=f"sweep_heat_{sweep.folder.name}",
            config={"displayModeBar": False},
            alt=heat.title,
        )


def _show_point(sweep: SweepFolder, measure: Measure) -> None:
    """Draw the choice of a point, and what stands behind it."""
    places = {number: row for number, row in enumerate(sweep.rows) if measure.holds(row)}
    if not places:
        return
    names = {number: _name(row, sweep) for number, row in places.items()}
    if st.session_state.get(_at(sweep)) not in places:
        st.session_state[_at(sweep)] = next(iter(places))
    chosen = st.selectbox("Point", list(places), format_func=names.__getitem__, key=_at(sweep))
    row = places[chosen]
    cells = sweep.at(row)
    _, accuracy, ends, seeds, time = _told(row, sweep)
    st.html(
        f'<p class="umnist-figure-of ours"><b>{escape(accuracy or "not done yet")}</b>'
        f"<small>95 % interval {escape(ends)}; {escape(seeds)} seeds; {escape(time)}</small></p>"
    )
    if not cells:
        return
    st.code(cells[0].command, language=None, wrap_lines=True)
    hardware = cells[0].cost.get("hardware", "")
    date = str(cells[0].cost.get("ended_utc", ""))[:10]
    st.caption(f"{hardware}; {date}; cell {cells[0].name}")
    _show_epochs(cells)
    images = sorted(images_of(cells, measure.task), key=lambda one: not one.is_missed)
    if images:
        missed = sum(one.is_missed for one in images)
        told = f"Missed {missed:,} of {len(images):,} images; the first {min(SHOWN, len(images))}"
        with st.expander(told, expanded=True):
            st.html(images_html(images))


def _show_epochs(cells: Sequence[CellResult]) -> None:
    """Draw how the first of some trainings went, with training and test images side by side."""
    chart = epochs_of(cells[0])
    if chart is None:
        return
    colours, is_dark = colours_here()
    with st.expander(f"Epochs of seed {cells[0].seed}"):
        st.plotly_chart(
            chart_figure(chart, colours, is_dark=is_dark),
            key=f"epochs_{cells[0].name}",
            config={"displayModeBar": False},
            alt=f"{chart.title}. {told_of(chart)}",
        )


def _show_points(sweep: SweepFolder, measure: Measure) -> None:
    """Draw a row for each point."""
    rows = [row for row in sweep.rows if measure.holds(row)]
    with st.expander(f"All {len(rows):,} points"):
        heads = ("Point", "Accuracy", "95 % interval", "Seeds", "Time")
        st.html(rows_html(heads, [_told(one, sweep) for one in rows]))


def _name(row: dict[str, Any], sweep: SweepFolder) -> str:
    told = [f"{short_axis(axis)} {row[axis]}" for axis in axes_of(sweep.rows) if axis in row]
    return ", ".join(told) or "the one point"


def _told(row: dict[str, Any], sweep: SweepFolder) -> list[str]:
    def percent(name: str) -> str:
        return "" if row[name] is None else f"{100 * row[name]:.1f} %"

    ends = f"{percent('low')} to {percent('high')}" if row["low"] is not None else "none"
    seeds = f"{row['seeds']}" + (f", {row['failed']} failed" if row["failed"] else "")
    seconds = row["seconds"]
    time = "" if seconds is None else f"{seconds:,.0f} s"
    return [_name(row, sweep), percent("mean"), ends, seeds, time]


def _show_comparison(first: SweepFolder, second: SweepFolder, measure: Measure) -> None:
    rows = compared(first, second, measure)
    if not rows:
        st.info("These two sweeps share no point: their axes or their values differ.")
        return
    axes = [one for one in rows[0] if one not in _DIFFERENCE]
    heads = [*map(short_axis, axes), first.title, second.title, "Difference (points)", "95 %"]
    told = [
        [
            *(str(row[axis]) for axis in axes),
            f"{row['first']:.1f} %",
            f"{row['second']:.1f} %",
            f"{row['difference']:+.1f}",
            "none" if row["low"] is None else f"{row['low']:+.1f} to {row['high']:+.1f}",
        ]
        for row in rows
    ]
    st.html(rows_html(heads, told))


_DIFFERENCE = ("first", "second", "difference", "low", "high")
