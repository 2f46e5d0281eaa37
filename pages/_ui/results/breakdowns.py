"""The charts of Results that break answers down: by image, by person, by sum."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._ui.results.words import REASON_TITLES
from pages._ui.shared.charts import LIGHT, MARKS, Colours, error_bars, lay_out
from pages._ui.shared.words import POOL_TITLES
from umnist_core.scoring.tables import POOLS

SIDES_PX = [14, 28, 56, 112, 224, 448, 896, 1792]
"""Ticks of a digit's side: half of MNIST's 28 px, and its doubles."""


def breakdown_figure(
    table: pd.DataFrame, colours: Colours, axis: str, names: Sequence[str] | None = None
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
        if len(own):
            figure.add_trace(_points(own, order, pool, colours))
    lay_out(figure, colours, legend=True)
    figure.update_xaxes(
        title={"text": axis},
        tickvals=list(range(len(order))),
        ticktext=_sparse(order),
        range=[-0.6, len(order) - 0.4],
    )
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def _points(own: pd.DataFrame, order: list[str], pool: str, colours: Colours) -> Any:
    """Return the marks and intervals of one pool, a little beside those of the other."""
    beside = -0.13 if pool == POOLS[0] else 0.13
    values = 100 * own["accuracy"]
    low = 100 * own["low"].fillna(own["wilson_low"])
    high = 100 * own["high"].fillna(own["wilson_high"])
    which = own["low"].isna().map({True: "Wilson, as if independent", False: "t over people"})
    return go.Scatter(
        x=[order.index(name) + beside for name in own["name"]],
        y=values,
        error_y=error_bars(values, low, high, 1.5),
        name=POOL_TITLES[pool],
        mode="markers",
        marker={"color": colours.pool(pool), "symbol": MARKS[pool], "size": 8},
        customdata=list(zip(own["name"], own["labels"], low, high, which, strict=True)),
        hovertemplate=(
            "%{customdata[0]}: %{y:.1f} % (%{customdata[2]:.1f} to %{customdata[3]:.1f}; "
            "%{customdata[4]}), %{customdata[1]} labels"
        ),
    )


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


def reasons_figure(counts: pd.DataFrame, colours: Colours) -> Any:
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
    figure = breakdown_figure(ordered, colours, "", titles)
    figure.update_yaxes(title={"text": "Of the wrong answers (%)"})
    return figure


# -- people, images, sums -----------------------------------------------------------


def people_figure(table: pd.DataFrame, colours: Colours) -> Any:
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
                error_y=error_bars(
                    100 * own["accuracy"], 100 * own["wilson_low"], 100 * own["wilson_high"], 1
                ),
                name=POOL_TITLES[pool],
                mode="markers",
                marker={"color": colours.pool(pool), "symbol": MARKS[pool], "size": 7},
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
    lay_out(figure, colours, legend=True)
    figure.update_xaxes(title={"text": "People, each pool from low to high"}, showticklabels=False)
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def times_figure(answers: pd.DataFrame, colours: Colours) -> Any:
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
                marker={"color": colours.pool(pool), "size": 4, "opacity": 0.6},
                line={"color": colours.pool(pool), "width": 1.5},
                fillcolor="rgba(0,0,0,0)",
                hovertemplate="%{x:.1f} s, image %{customdata}<extra></extra>",
                hoveron="points",
            )
        )
    lay_out(figure, colours, height=190)
    figure.update_xaxes(title={"text": "Active time for an answer (s)"}, rangemode="tozero")
    return figure


def images_figure(images: pd.DataFrame, colours: Colours) -> Any:
    """Draw each image's accuracy against its smallest digit; a dot leads to its image."""
    own = images[(images["labels"] > 0) & images["smallest_px"].notna()]
    figure = go.Figure(
        go.Scatter(
            x=own["smallest_px"],
            y=100 * own["accuracy"],
            mode="markers",
            marker={"color": colours.pools[1], "size": 7, "opacity": 0.65},
            customdata=list(zip(own.index, own["correct"], own["labels"], own["sum"], strict=True)),
            hovertemplate=(
                "%{customdata[1]} of %{customdata[2]} right, sum %{customdata[3]}, smallest digit "
                "%{x} px<extra></extra>"
            ),
        )
    )
    lay_out(figure, colours)
    figure.update_xaxes(title={"text": "Smallest digit (px)"}, type="log", tickvals=SIDES_PX)
    figure.update_yaxes(title={"text": "Correct (%)"}, range=[-4, 104])
    return figure


def confusion_figure(table: pd.DataFrame, colours: Colours) -> Any:
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
            if colours is LIGHT
            else [[0, "rgba(128,128,128,0.12)"], [0.02, "#1f5660"], [1, "#b9f1f7"]],
            zmin=0,
            zmax=100,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "%"}, "thickness": 8, "tickfont": {"color": colours.ink}},
            hovertemplate="Sum %{y}, answered %{x}: %{z:.0f} % (%{customdata})<extra></extra>",
            hoverongaps=False,
        )
    )
    lay_out(figure, colours, height=380)
    figure.update_xaxes(title={"text": "Answer"}, dtick=3, showgrid=False, constrain="domain")
    figure.update_yaxes(
        title={"text": "Sum"}, dtick=3, showgrid=False, autorange="reversed", scaleanchor="x"
    )
    return figure
