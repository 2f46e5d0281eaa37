"""Charts and heat maps of `umnist_core.experiments.drawing` as plotly figures."""

from __future__ import annotations

from math import ceil
from typing import Any

import plotly.graph_objects as go

from pages._ui.shared.charts import Colours, lay_out
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
from umnist_core.experiments.drawing.plots import heat_colour, heat_ends, heat_text

SYMBOLS = {PUBLISHED: "diamond-open", LOGS: "square-open", OURS: "circle", OTHERS: "square"}
DASHES = {PUBLISHED: "dash", LOGS: "dot", OURS: "solid", OTHERS: "longdash"}

LIGHT_LINES = ("#b45309", "#0b6b78", "#8a3d8f", "#0072b2", "#a3350b", "#007a59", "#8a2f77")
DARK_LINES = ("#e0a030", "#4fb3c0", "#d79adb", "#6fb7ff", "#ff9a6b", "#4fd1a5", "#f08fd0")

PLOT_PX, LEGEND_PX = 320, 22

_LETTERS = 70
"""Of all names of bars together, that fit beside each other."""

_BESIDE = 0.06
"""By how much of a bar's room series stand beside each other."""


def chart_figure(chart: SeriesChart, colours: Colours, *, is_dark: bool) -> Any:
    """Return a chart; the place of each point is its ``customdata``."""
    figure = go.Figure()
    lines = DARK_LINES if is_dark else LIGHT_LINES
    ends = _ends(chart)
    for number, series in enumerate(chart.series):
        colour = lines[number % len(lines)]
        if series.is_across:
            figure.add_trace(_across(series, ends, colour))
        else:
            shift = _BESIDE * (number - (len(chart.series) - 1) / 2)
            figure.add_trace(_series(series, chart, colour, shift))
    rows = ceil(len(chart.series) / 2)
    height = PLOT_PX + LEGEND_PX * rows + (60 if _is_long(chart) else 0)
    lay_out(figure, colours, height=height, legend=True)
    figure.update_layout(
        legend={
            "y": -0.45 if _is_long(chart) else -0.2,
            "yanchor": "top",
            "x": 0,
            "itemclick": False,
            "itemdoubleclick": False,
        },
        hovermode="closest",
        clickmode="event+select",
    )
    grid = {"showgrid": True, "gridcolor": "rgba(128,128,128,0.25)"}
    figure.update_yaxes(title={"text": chart.y_title, "standoff": 14}, rangemode="tozero", **grid)
    figure.update_xaxes(title={"text": chart.x_title}, **_axis(chart))
    return figure


def _axis(chart: SeriesChart) -> dict[str, Any]:
    if chart.names:
        count = len(chart.names)
        room = {"range": [-0.6, count - 0.4]}
        # Turned the other way, the last name would not fit and be left out.
        angle = {"tickangle": -35} if _is_long(chart) else {}
        return {"tickvals": list(range(count)), "ticktext": list(chart.names), **room, **angle}
    placed = [one for series in chart.series if not series.is_across for one in series.points]
    places = sorted({float(one.x) for one in placed if not isinstance(one.x, str)})
    ticks = {"tickvals": places, "ticktext": [f"{one:g}" for one in places]}
    return {"type": "log" if chart.log else "linear", **(ticks if len(places) <= 12 else {})}


def _is_long(chart: SeriesChart) -> bool:
    """Return whether the names of bars have no room beside each other."""
    return sum(map(len, chart.names)) > _LETTERS


def _ends(chart: SeriesChart) -> tuple[float, float]:
    placed = [one for series in chart.series if not series.is_across for one in series.points]
    places = [float(one.x) for one in placed if not isinstance(one.x, str)]
    return (min(places), max(places)) if places else (0.0, 1.0)


def _series(series: ChartSeries, chart: SeriesChart, colour: str, shift: float) -> Any:
    points, has_line = series.points, not chart.names
    return go.Scatter(
        x=[chart.names.index(one.x) + shift if isinstance(one.x, str) else one.x for one in points],
        y=[one.y for one in points],
        name=series.name,
        mode="lines+markers" if has_line and len(points) > 1 else "markers",
        line={"color": colour, "width": 1.8, "dash": DASHES[series.kind]},
        marker={"color": colour, "symbol": SYMBOLS[series.kind], "size": 11},
        error_y=_bars(points, colour),
        cliponaxis=False,
        customdata=[_data(one) for one in points],
        hovertemplate="%{customdata[2]}<extra>" + series.name + "</extra>",
    )


def _across(series: ChartSeries, ends: tuple[float, float], colour: str) -> Any:
    point = series.points[0]
    return go.Scatter(
        x=list(ends),
        y=[point.y, point.y],
        name=series.name,
        mode="lines",
        line={"color": colour, "width": 1.8, "dash": DASHES[series.kind]},
        customdata=[_data(point)] * 2,
        hovertemplate="%{customdata[2]}<extra>" + series.name + "</extra>",
    )


def _data(point: ChartPoint) -> list[str]:
    return [str(point.place.get("row", "")), str(point.place.get("column", "")), point.said]


def _bars(points: tuple[ChartPoint, ...], colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if one.high is None else one.high - one.y for one in points],
        "arrayminus": [0 if one.low is None else one.y - one.low for one in points],
        "color": colour,
        "thickness": 1.8,
        "width": 0,
    }


def heat_figure(heat: HeatMap, colours: Colours) -> Any:
    """Return a heat map, with a number in each cell that has one."""
    text = [[heat_text(heat, one) for one in row] for row in heat.values]
    figure = go.Figure(
        go.Heatmap(
            x=list(heat.x_names),
            y=list(heat.y_names),
            z=[list(row) for row in heat.values],
            text=text,
            texttemplate="%{text}",
            colorscale=[[one / 10, heat_colour(one / 10)] for one in range(11)],
            zmin=heat_ends(heat)[0],
            zmax=heat_ends(heat)[1],
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
    )
    lay_out(figure, colours, height=90 + 40 * len(heat.y_names))
    figure.update_xaxes(title={"text": heat.x_title}, type="category")
    figure.update_yaxes(
        title={"text": heat.y_title, "standoff": 14}, type="category", autorange="reversed"
    )
    return figure


def told_of(chart: SeriesChart) -> str:
    """Return what a chart shows, for who does not see it."""
    return "; ".join(
        f"{one.name}: {', '.join(f'{point.y:.1f}' for point in one.points[:12])}"
        for one in chart.series
    )
