"""The charts of the Results page, as plotly figures of a report; nothing here draws a page.

Everything that was estimated has its interval: thick where it allows for people who answer
alike, thin where it assumes independent answers. A published figure is a diamond and a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, log10
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._ui.results_words import REASON_TITLES
from pages._ui.study_words import POOL_TITLES
from umnist_core.scoring import Interval, StudyReport

POOLS = ("unguided", "guided")
ROW_PX = 34
CHART_PX = 260
GROUP_ROWS = 3.9
"""From one pool's rows to the next's: three rows, and room for the name of a line."""


@dataclass(frozen=True)
class Look:
    """Colours of a theme; the pools' can be told apart by colour-blind eyes and by their marks.

    Attributes
    ----------
    ink, quiet, line
        Of text, of what stands beside it, and of a published figure.
    pools
        Of each pool.
    """

    ink: str
    quiet: str
    line: str
    pools: tuple[str, str]

    def pool(self, pool: str) -> str:
        """Return the colour of a pool."""
        return self.pools[POOLS.index(pool)] if pool in POOLS else self.quiet


LIGHT = Look("#1f1f1f", "#6b6b6b", "#8a3d8f", ("#b45309", "#0b6b78"))
DARK = Look("#ececec", "#a8a8a8", "#d79adb", ("#e0a030", "#4fb3c0"))
SIDES_PX = [14, 28, 56, 112, 224, 448, 896, 1792]
"""Ticks of a digit's side: half of MNIST's 28 px, and its doubles."""

MARKS = {"unguided": "circle", "guided": "square"}


# -- accuracy -----------------------------------------------------------------------


def accuracy_figure(report: StudyReport, look: Look) -> Any:
    """Draw each pool's accuracy: ours, ours as if independent, and the published one."""
    figure = go.Figure()
    names: dict[float, str] = {}
    for group, (pool, published) in enumerate(
        zip(reversed(report.pools), reversed(report.published), strict=True)
    ):
        title, colour = POOL_TITLES[pool.pool], look.pool(pool.pool)
        rows = (
            _Row(f"{title}, published", published.interval, look.line, "diamond-open", 1.5),
            _Row(f"{title}, as if independent", pool.independent, colour, "line-ns-open", 1.5),
            _Row(f"<b>{title}</b>", pool.accuracy, colour, MARKS[pool.pool], 3.5),
        )
        bottom = GROUP_ROWS * group
        for place, row in enumerate(rows):
            names[bottom + place] = row.name
            _add_interval(figure, bottom + place, row)
        _add_reference(figure, look, 100 * published.interval.estimate, bottom)
    _lay_out(figure, look, height=ROW_PX * len(names) + 80)
    figure.update_xaxes(title={"text": "Correct answers (%)"}, **_share_range(figure))
    _name_rows(figure, names)
    return figure


def difference_figure(report: StudyReport, look: Look) -> Any:
    """Draw guided minus unguided: ours, and the published difference."""
    figure = go.Figure()
    ours = look.pools[1]
    published = report.published_difference.difference
    rows = (
        _Row("Published", published, look.line, "diamond-open", 1.5),
        _Row("As if other images", report.difference.unpaired, ours, "line-ns-open", 1.5),
        _Row("<b>Paired by image</b>", report.difference.paired, ours, "circle", 3.5),
    )
    for place, row in enumerate(rows):
        _add_interval(figure, place, row)
    figure.add_vline(x=0, line={"color": look.quiet, "width": 1})
    _lay_out(figure, look, height=ROW_PX * len(rows) + 60)
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
    ends = {
        "type": "data",
        "symmetric": False,
        "array": [100 * (interval.high - interval.estimate) if known else 0],
        "arrayminus": [100 * (interval.estimate - interval.low) if known else 0],
        "thickness": row.width_px,
        "width": 0,
        "color": row.colour,
    }
    told = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if known else "no interval"
    plain = row.name.replace("<b>", "").replace("</b>", "")
    line = {"width": 2, "color": row.colour}
    figure.add_trace(
        go.Scatter(
            x=[100 * interval.estimate],
            y=[place],
            name=plain,
            error_x=ends,
            mode="markers",
            marker={"color": row.colour, "symbol": row.mark, "size": 10, "line": line},
            hovertemplate=f"{plain}: %{{x:.1f}} ({told})<br>{interval.method}<extra></extra>",
        )
    )


def _add_reference(figure: Any, look: Look, share: float, bottom: float) -> None:
    """Draw the published figure as a line through a pool's rows, with its name above them."""
    figure.add_shape(
        type="line",
        x0=share,
        x1=share,
        y0=bottom - 0.4,
        y1=bottom + 2.4,
        line={"color": look.line, "width": 1, "dash": "dot"},
    )
    figure.add_annotation(
        x=share,
        y=bottom + 2.4,
        text=f"paper {share:.1f} %",
        showarrow=False,
        font={"color": look.line, "size": 11},
        yanchor="bottom",
    )


def _name_rows(figure: Any, names: dict[float, str]) -> None:
    figure.update_yaxes(
        tickvals=list(names),
        ticktext=list(names.values()),
        range=[min(names) - 0.6, max(names) + 1.1],
        showgrid=False,
    )


# -- breakdowns ---------------------------------------------------------------------


def breakdown_figure(
    table: pd.DataFrame, look: Look, axis: str, names: Sequence[str] | None = None
) -> Any:
    """Draw accuracy by a property of the image, a mark and an interval for each pool.

    Parameters
    ----------
    table
        Of `umnist_core.scoring.accuracy_by` or ``accuracy_by_bin``.
    axis
        What the property is, with its unit.
    names
        A name for each row of the table; by default its value or its bin.
    """
    figure = go.Figure()
    named = table.assign(name=list(names) if names is not None else row_names(table))
    order = list(dict.fromkeys(named.sort_values(_by(named))["name"]))
    for pool in POOLS:
        own = named[named["pool"] == pool]
        if own.empty:
            continue
        low = own["low"].fillna(own["wilson_low"])
        high = own["high"].fillna(own["wilson_high"])
        which = own["low"].isna().map({True: "Wilson, as if independent", False: "t over people"})
        figure.add_trace(
            go.Scatter(
                x=[
                    order.index(name) + (-0.13 if pool == POOLS[0] else 0.13)
                    for name in own["name"]
                ],
                y=100 * own["accuracy"],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": 100 * (high - own["accuracy"]),
                    "arrayminus": 100 * (own["accuracy"] - low),
                    "thickness": 1.5,
                    "width": 0,
                },
                name=POOL_TITLES[pool],
                mode="markers",
                marker={"color": look.pool(pool), "symbol": MARKS[pool], "size": 8},
                customdata=list(
                    zip(own["name"], own["labels"], 100 * low, 100 * high, which, strict=True)
                ),
                hovertemplate=(
                    "%{customdata[0]}: %{y:.1f} % (%{customdata[2]:.1f} to %{customdata[3]:.1f}; "
                    "%{customdata[4]}), %{customdata[1]} labels"
                ),
            )
        )
    _lay_out(figure, look, legend=True)
    figure.update_xaxes(
        title={"text": axis},
        tickvals=list(range(len(order))),
        ticktext=_sparse(order),
        range=[-0.6, len(order) - 0.4],
    )
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def row_names(table: pd.DataFrame) -> list[str]:
    """Return what each row of a breakdown is of: its value, or its bin."""
    if "from" not in table:
        return [f"{value:g}" for value in table[table.columns[1]].astype(float)]
    names = []
    for low, high in zip(table["from"], table["below"], strict=True):
        if high == inf:
            names.append(f"{low:g} or more")
        elif low in (0, -inf):
            names.append(f"below {high:g}")
        else:
            names.append(f"{low:g} to {high:g}")
    return names


def _by(table: pd.DataFrame) -> str:
    return "from" if "from" in table else str(table.columns[1])


def _sparse(names: list[str]) -> list[str]:
    """Return tick names, every third of many, so that they do not lie over each other."""
    step = 3 if len(names) > 12 else 1
    return [name if place % step == 0 else "" for place, name in enumerate(names)]


def reasons_figure(counts: pd.DataFrame, look: Look) -> Any:
    """Draw the share of each reason among the wrong answers of each pool."""
    # What was not asked for cannot be found; that nobody overlooked anything can.
    seen = {"not_looked_at", *counts[counts["labels"] > 0]["reason"]}
    shown = counts[counts["reason"].isin(seen) & (counts["pool"] != "all") & (counts["wrong"] > 0)]
    table = shown.rename(columns={"share": "accuracy", "low": "wilson_low", "high": "wilson_high"})
    table = table.assign(low=float("nan"), high=float("nan"), reason_place=0)
    places = {reason: place for place, reason in enumerate(REASON_TITLES)}
    table["reason_place"] = table["reason"].map(places)
    ordered = table[["pool", "reason_place", *table.columns.difference(["pool", "reason_place"])]]
    titles = [REASON_TITLES[reason].replace(" or ", "<br>or ") for reason in ordered["reason"]]
    figure = breakdown_figure(ordered, look, "", titles)
    figure.update_yaxes(title={"text": "Of the wrong answers (%)"})
    return figure


# -- people, images, sums -----------------------------------------------------------


def people_figure(table: pd.DataFrame, look: Look) -> Any:
    """Draw each person's accuracy with Wilson's interval, each pool from low to high."""
    figure = go.Figure()
    start = 0
    for pool in POOLS:
        own = table[table["pool"] == pool].sort_values(["accuracy", "annotator"])
        if own.empty:
            continue
        figure.add_trace(
            go.Scatter(
                x=list(range(start, start + len(own))),
                y=100 * own["accuracy"],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": 100 * (own["wilson_high"] - own["accuracy"]),
                    "arrayminus": 100 * (own["accuracy"] - own["wilson_low"]),
                    "thickness": 1,
                    "width": 0,
                },
                name=POOL_TITLES[pool],
                mode="markers",
                marker={"color": look.pool(pool), "symbol": MARKS[pool], "size": 7},
                customdata=list(
                    zip(
                        own["annotator"], own["labels"], own["median_active_ms"] / 1000, strict=True
                    )
                ),
                hovertemplate=(
                    "%{customdata[0]}: %{y:.1f} % of %{customdata[1]}, "
                    "median %{customdata[2]:.0f} s an image"
                ),
            )
        )
        start += len(own) + 1
    _lay_out(figure, look, legend=True)
    figure.update_xaxes(title={"text": "People, each pool from low to high"}, showticklabels=False)
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def times_figure(answers: pd.DataFrame, look: Look) -> Any:
    """Draw the active time of each answer, a box for each pool; a dot leads to its image."""
    figure = go.Figure()
    for pool in reversed(POOLS):
        own = answers[(answers["pool"] == pool) & (answers["kind"] == "label")]
        if own.empty:
            continue
        figure.add_trace(
            go.Box(
                x=own["active_ms"] / 1000,
                name=POOL_TITLES[pool],
                customdata=own["stimulus"],
                orientation="h",
                boxpoints="all",
                jitter=0.7,
                pointpos=0,
                marker={"color": look.pool(pool), "size": 4, "opacity": 0.6},
                line={"color": look.pool(pool), "width": 1.5},
                fillcolor="rgba(0,0,0,0)",
                hovertemplate="%{x:.1f} s, image %{customdata}<extra></extra>",
                hoveron="points",
            )
        )
    _lay_out(figure, look, height=190)
    figure.update_xaxes(title={"text": "Active time for an answer (s)"}, rangemode="tozero")
    return figure


def images_figure(images: pd.DataFrame, look: Look) -> Any:
    """Draw each image's accuracy against its smallest digit; a dot leads to its image."""
    own = images[(images["labels"] > 0) & images["smallest_px"].notna()]
    figure = go.Figure(
        go.Scatter(
            x=own["smallest_px"],
            y=100 * own["accuracy"],
            mode="markers",
            marker={"color": look.pools[1], "size": 7, "opacity": 0.65},
            customdata=list(zip(own.index, own["correct"], own["labels"], own["sum"], strict=True)),
            hovertemplate=(
                "%{customdata[1]} of %{customdata[2]} right, sum %{customdata[3]}, smallest digit "
                "%{x} px<extra></extra>"
            ),
        )
    )
    _lay_out(figure, look)
    figure.update_xaxes(title={"text": "Smallest digit (px)"}, type="log", tickvals=SIDES_PX)
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def confusion_figure(table: pd.DataFrame, look: Look) -> Any:
    """Draw how often each answer was given to each sum, as a share of the sum's answers."""
    totals = table.sum(axis=1)
    shares = 100 * table.div(totals.where(totals > 0), axis=0)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(table.columns),
            y=list(table.index),
            customdata=table,
            colorscale=[[0, "rgba(128,128,128,0.06)"], [0.02, "#8fc3c9"], [1, "#04343b"]]
            if look is LIGHT
            else [[0, "rgba(128,128,128,0.12)"], [0.02, "#1f5660"], [1, "#b9f1f7"]],
            zmin=0,
            zmax=100,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "%"}, "thickness": 8, "tickfont": {"color": look.ink}},
            hovertemplate="Sum %{y}, answered %{x}: %{z:.0f} % (%{customdata})<extra></extra>",
            hoverongaps=False,
        )
    )
    _lay_out(figure, look, height=380)
    figure.update_xaxes(title={"text": "Answer"}, dtick=3, showgrid=False, constrain="domain")
    figure.update_yaxes(
        title={"text": "Sum"}, dtick=3, showgrid=False, autorange="reversed", scaleanchor="x"
    )
    return figure


def calibration_figure(table: pd.DataFrame, look: Look) -> Any:
    """Draw how often people are right against how sure they said they were."""
    figure = go.Figure(
        go.Scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            name="As sure as right",
            hoverinfo="skip",
            line={"color": look.quiet, "width": 1, "dash": "dot"},
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
                line={"color": look.pool(pool), "width": 1},
                marker={"color": look.pool(pool), "symbol": MARKS[pool], "size": 8},
                customdata=own["labels"],
                hovertemplate="%{x:.0f} % sure, %{y:.0f} % right, %{customdata} labels",
            )
        )
    _lay_out(figure, look, legend=True)
    figure.update_xaxes(title={"text": "Stated confidence (%)"}, range=[-3, 103])
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-3, 103])
    return figure


def power_figure(report: StudyReport, look: Look) -> Any:
    """Draw the labels that each difference takes, beside those that are there."""
    table = report.power
    figure = go.Figure(
        go.Scatter(
            x=100 * table["difference"],
            y=table["labels_per_pool"],
            mode="lines+markers",
            line={"color": look.pools[1]},
            customdata=table["annotators_per_pool"],
            hovertemplate="%{x:.1f} points: %{y:,} labels, %{customdata} people<extra></extra>",
        )
    )
    here = min(pool.labels for pool in report.pools)
    if here:
        figure.add_hline(y=here, line={"color": look.line, "dash": "dot", "width": 1})
        figure.add_annotation(
            x=0,
            xref="paper",
            y=log10(here),  # annotations take an axis's logarithm, lines its value
            text=f"here {here:,}",
            showarrow=False,
            font={"color": look.line, "size": 11},
            xanchor="left",
            yanchor="bottom",
        )
    _lay_out(figure, look)
    figure.update_xaxes(title={"text": "Difference between the pools (points)"}, rangemode="tozero")
    figure.update_yaxes(
        title={"text": "Labels from each pool"}, type="log", dtick=1, tickformat=",d"
    )
    return figure


# -- looks --------------------------------------------------------------------------


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


def _lay_out(figure: Any, look: Look, *, height: int = CHART_PX, legend: bool = False) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 6, "t": 6, "b": 0},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "font": {"color": look.ink}},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        font={"size": 12, "color": look.ink},
    )
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(
            tickfont={"color": look.ink},
            title={"font": {"color": look.ink}, "standoff": 6},
            zeroline=False,
            automargin=True,
        )
