"""The charts of the Results page's headlines, as plotly figures; nothing here draws a page.

Everything that was estimated has its interval: thick where it allows for people who answer
alike, thin where it assumes independent answers. A published figure is a diamond and a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan, log10
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._ui.shared.charts import MARKS, Colours, error_bars, lay_out
from pages._ui.shared.words import POOL_TITLES
from umnist_core.scoring import Interval, StudyReport
from umnist_core.scoring.tables import POOLS

ROW_PX = 34
GROUP_ROWS = 3.9
"""From one pool's rows to the next's: three rows, and room for the name of a line."""


def accuracy_figure(report: StudyReport, colours: Colours) -> Any:
    """Draw each pool's accuracy: ours, ours as if independent, and the published one."""
    figure = go.Figure()
    names: dict[float, str] = {}
    for group, (pool, published) in enumerate(
        zip(reversed(report.pools), reversed(report.published), strict=True)
    ):
        title, colour = POOL_TITLES[pool.pool], colours.pool(pool.pool)
        rows = (
            _Row(f"{title}, published", published.interval, colours.line, "diamond-open", 1.5),
            _Row(f"{title}, as if independent", pool.independent, colour, "line-ns-open", 1.5),
            _Row(f"<b>{title}</b>", pool.reported, colour, MARKS[pool.pool], 3.5),
        )
        bottom = GROUP_ROWS * group
        for place, row in enumerate(rows):
            names[bottom + place] = row.name
            _add_interval(figure, bottom + place, row)
        _add_reference(figure, colours, 100 * published.interval.estimate, bottom)
    lay_out(figure, colours, height=ROW_PX * len(names) + 80)
    figure.update_xaxes(title={"text": "Correct answers (%)"}, **_share_range(figure))
    _name_rows(figure, names)
    return figure


def difference_figure(report: StudyReport, colours: Colours) -> Any:
    """Draw guided minus unguided: ours, and the published difference."""
    figure = go.Figure()
    ours = colours.pools[1]
    published = report.published_difference.difference
    rows = (
        _Row("Published", published, colours.line, "diamond-open", 1.5),
        _Row("As if other images", report.difference.unpaired, ours, "line-ns-open", 1.5),
        _Row("<b>Paired by image</b>", report.difference.paired, ours, "circle", 3.5),
    )
    for place, row in enumerate(rows):
        _add_interval(figure, place, row)
    figure.add_vline(x=0, line={"color": colours.quiet, "width": 1})
    lay_out(figure, colours, height=ROW_PX * len(rows) + 60)
    figure.update_xaxes(title={"text": "Guided minus unguided (points)"})
    _name_rows(figure, {float(place): row.name for place, row in enumerate(rows)})
    return figure


@dataclass(frozen=True)
class _Row:
    """One line of an interval plot."""

    name: str
    interval: Interval
    colour: str
    mark: str
    width_px: float


def _add_interval(figure: Any, place: float, row: _Row) -> None:
    interval = row.interval
    known = not isnan(interval.low)
    low, high = (interval.low, interval.high) if known else (interval.estimate, interval.estimate)
    bars = error_bars(100 * interval.estimate, 100 * low, 100 * high, row.width_px)
    ends = {**bars, "array": [bars["array"]], "arrayminus": [bars["arrayminus"]]}
    told = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if known else "no interval"
    plain = row.name.replace("<b>", "").replace("</b>", "")
    line = {"width": 2, "color": row.colour}
    figure.add_trace(
        go.Scatter(
            x=[100 * interval.estimate],
            y=[place],
            name=plain,
            error_x={**ends, "color": row.colour},
            mode="markers",
            marker={"color": row.colour, "symbol": row.mark, "size": 10, "line": line},
            hovertemplate=f"{plain}: %{{x:.1f}} ({told})<br>{interval.method}<extra></extra>",
        )
    )


def _add_reference(figure: Any, colours: Colours, share: float, bottom: float) -> None:
    """Draw the published figure as a line through a pool's rows, with its name above them."""
    figure.add_shape(
        type="line",
        x0=share,
        x1=share,
        y0=bottom - 0.4,
        y1=bottom + 2.4,
        line={"color": colours.line, "width": 1, "dash": "dot"},
    )
    figure.add_annotation(
        x=share,
        y=bottom + 2.4,
        text=f"paper {share:.1f} %",
        showarrow=False,
        font={"color": colours.line, "size": 11},
        yanchor="bottom",
    )


def _name_rows(figure: Any, names: dict[float, str]) -> None:
    figure.update_yaxes(
        tickvals=list(names),
        ticktext=list(names.values()),
        range=[min(names) - 0.6, max(names) + 1.1],
        showgrid=False,
    )


def _share_range(figure: Any) -> dict[str, Any]:
    """Return an axis from the lowest to the highest end of all intervals, within 0 to 100."""
    ends = []
    for trace in figure.data:
        for value, up, down in zip(
            trace.x, trace.error_x.array, trace.error_x.arrayminus, strict=True
        ):
            ends += [value - down, value + up]
    known = [end for end in ends if isfinite(end)]
    return {"range": [max(min(known) - 4, -2), min(max(known) + 4, 102)]} if known else {}


def calibration_figure(table: pd.DataFrame, colours: Colours) -> Any:
    """Draw how often people are right against how sure they said they were."""
    figure = go.Figure(
        go.Scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            name="As sure as right",
            hoverinfo="skip",
            line={"color": colours.quiet, "width": 1, "dash": "dot"},
        )
    )
    for pool in POOLS:
        own = table[table["pool"] == pool]
        if own.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=100 * own["mean_confidence"],
                y=100 * own["accuracy"],
                name=POOL_TITLES[pool],
                mode="markers+lines",
                line={"color": colours.pool(pool), "width": 1},
                marker={"color": colours.pool(pool), "symbol": MARKS[pool], "size": 8},
                customdata=own["labels"],
                hovertemplate="%{x:.0f} % sure, %{y:.0f} % right, %{customdata} labels",
            )
        )
    lay_out(figure, colours, legend=True)
    figure.update_xaxes(title={"text": "Stated confidence (%)"}, range=[-3, 103])
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-3, 103])
    return figure


def power_figure(report: StudyReport, colours: Colours) -> Any:
    """Draw the labels that each difference takes, beside those that are there."""
    table = report.power
    figure = go.Figure(
        go.Scatter(
            x=100 * table["difference"],
            y=table["labels_per_pool"],
            mode="lines+markers",
            line={"color": colours.pools[1]},
            customdata=table["annotators_per_pool"],
            hovertemplate="%{x:.1f} points: %{y:,} labels, %{customdata} people<extra></extra>",
        )
    )
    here = min(pool.labels for pool in report.pools)
    if here:
        figure.add_hline(y=here, line={"color": colours.line, "dash": "dot", "width": 1})
        figure.add_annotation(
            x=0,
            xref="paper",
            y=log10(here),  # annotations take an axis's logarithm, lines its value
            text=f"here {here:,}",
            showarrow=False,
            font={"color": colours.line, "size": 11},
            xanchor="left",
            yanchor="bottom",
        )
    lay_out(figure, colours)
    figure.update_xaxes(title={"text": "Difference between the pools (points)"}, rangemode="tozero")
    figure.update_yaxes(
        title={"text": "Labels from each pool"}, type="log", dtick=1, tickformat=",d"
    )
    return figure
