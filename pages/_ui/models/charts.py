"""Accuracy beside what is published, how it grew, and what was said of each sum: charts.

Nothing here draws a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages._ui.models.rows import Checkpoint, system_of
from pages._ui.shared.charts import DARK, Colours, error_bars, lay_out
from umnist_core.experiments.published.methods import PUBLISHED, PublishedMethod
from umnist_core.models.card_answers import CardAnswers, HistoryPoint, find_own_images
from umnist_core.models.card_figures import Share, read_figures
from umnist_core.models.card_values import as_mapping

ROW_PX, EDGE_PX = 30, 46
NAMES_PX = 136
"""Room for the names of published lines, above the chart."""

LEANS_LEFT = 15
"""Per cent below which a name leans to the right: to the left there is no room."""

APART = 2.4
"""Points that two named lines are apart; one that is closer has no name but the pointer's."""


@dataclass(frozen=True)
class ChartRow:
    """A row of the chart of a data system: what was measured here, and its published figures."""

    label: str
    share: Share
    published: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class PublishedLine:
    """A published figure in per cent, as a line through all rows."""

    name: str
    value: float
    is_named: bool = False


def measured_rows(
    checkpoints: Iterable[Checkpoint], methods: Sequence[PublishedMethod], system: str
) -> list[ChartRow]:
    """Return what was measured on a data system: a row for each question or kind of images."""
    rows = []
    own = [one for one in checkpoints if system_of(one.card) == system]
    for one in own:
        shares = list(_shares(one))
        for share in shares:
            parts = [one.name] if len(own) > 1 or len(shares) == 1 else []
            parts += [] if share.label in _SUMS else [share.label]
            rows.append(ChartRow(", ".join(parts), share, _beside(methods, system, share.label)))
    return rows


_SUMS = ("sum", "digit", "needle")


def _shares(one: Checkpoint) -> Iterable[Share]:
    figures = read_figures(one.card.figures)
    kinds = _by_kind(one)
    if len(figures.accuracy) != 1 or not kinds:
        own = find_own_images(one.card)
        more = [] if own is None else [_called(own[0], "our images")]
        return [*figures.accuracy, *more]
    return kinds


def _called(share: Share, label: str) -> Share:
    return Share(label, share.share, share.low, share.high, share.count)


def _by_kind(one: Checkpoint) -> list[Share]:
    """Return the shares on images of the same preset that differ in one parameter, in its order."""
    found: dict[float, Share] = {}
    sets = [one.card.figures, *(as_mapping(m).get("summary") for m in one.card.measured.values())]
    for figures in map(as_mapping, sets):
        data = as_mapping(figures.get("data"))
        overrides = as_mapping(data.get("overrides"))
        shares = read_figures(figures).accuracy
        is_alike = data.get("preset") == one.card.data.get("preset") and "variant" not in data
        if not is_alike or len(overrides) != 1 or len(shares) != 1:
            continue
        ((name, text),) = overrides.items()
        try:
            unit = " px" if name == "canvas" else ""
            found.setdefault(float(text), _called(shares[0], f"{name} {text}{unit}"))
        except (TypeError, ValueError):
            continue
    return [share for _, share in sorted(found.items())] if len(found) > 1 else []


def _beside(
    methods: Sequence[PublishedMethod], system: str, label: str
) -> tuple[tuple[str, float], ...]:
    if label in _SUMS:
        return ()
    own = (one for one in methods if one.system == system and label in one.figures)
    return tuple((one.method, one.figures[label]) for one in own)


def published_lines(methods: Iterable[PublishedMethod], system: str) -> list[PublishedLine]:
    """Return the published figures of sums; those of people and the best of each model are named.

    Of two that are closer than `APART`, one alone is named.
    """
    own = [one for one in methods if one.system == system and _SUMS[0] in one.figures]
    by_figure = sorted(own, key=lambda one: -one.figures["sum"])
    best = {one.model: one for one in reversed(by_figure) if one.model and one.tier == PUBLISHED}
    told = [one for one in by_figure if one.tier != PUBLISHED or not one.model]
    named: list[PublishedLine] = []
    for one in [*told, *sorted(best.values(), key=lambda one: -one.figures["sum"])]:
        value = one.figures["sum"]
        if all(abs(value - other.value) >= APART for other in named):
            named.append(PublishedLine(_short(one.method), value, is_named=True))
    values = {line.value for line in named}
    rest = [PublishedLine(one.method, one.figures["sum"]) for one in own]
    return named + [line for line in rest if line.value not in values]


def _short(method: str) -> str:
    """Return a method's name without what stands in the table as well."""
    return re.sub(r" with .*(?=,)|, (?:best|\d+ GB)$|\d+ then ", "", method)


def system_figure(
    rows: Sequence[ChartRow], lines: Sequence[PublishedLine], colours: Colours
) -> Any:
    """Draw what was measured as dots with intervals, and what is published as strokes and lines."""
    figure = go.Figure()
    labels = [row.label for row in rows]
    for line in lines:
        _draw_line(figure, line, colours)
    _draw_strokes(figure, rows, colours)
    _draw_dots(figure, rows, colours)
    has_strokes = any(row.published for row in rows)
    top = NAMES_PX if lines else 52 if has_strokes else 6
    each = ROW_PX + 8 if lines else ROW_PX
    lay_out(figure, colours, height=EDGE_PX + each * len(labels) + top, legend=has_strokes)
    figure.update_layout(margin={"l": 0, "r": 12, "t": top, "b": 0})
    figure.update_xaxes(
        title={"text": "Right (%)"}, range=[_first_tick(rows, lines), 101.5], showgrid=False
    )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=labels[::-1],
        range=[-0.6, len(labels) - 0.3],
        gridcolor="rgba(128,128,128,0.25)",
        showticklabels=not lines,
    )
    if lines:
        _name_rows(figure, labels, colours)
    return figure


def _name_rows(figure: Any, labels: Sequence[str], colours: Colours) -> None:
    """Write the names of rows over them: beside them, they would leave a phone no room."""
    for label in labels:
        figure.add_annotation(
            x=0,
            xref="paper",
            y=label,
            text=label,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": colours.ink},
        )


def _first_tick(rows: Sequence[ChartRow], lines: Sequence[PublishedLine]) -> float:
    """Return where the axis begins: at 0 where lines are all over it, else below what is there."""
    if lines:
        return -1.0
    values = [100 * (row.share.low or row.share.share) for row in rows]
    values += [value for row in rows for _, value in row.published]
    return max(-1.0, 10 * (min(values) // 10) - 1)


def _draw_line(figure: Any, line: PublishedLine, colours: Colours) -> None:
    figure.add_shape(
        type="line",
        x0=line.value,
        x1=line.value,
        y0=0,
        y1=1,
        yref="paper",
        layer="below",
        opacity=0.9 if line.is_named else 0.3,
        line={"color": colours.line, "width": 1, "dash": "solid" if line.is_named else "dot"},
    )
    if line.is_named:
        is_left = line.value < LEANS_LEFT
        figure.add_annotation(
            x=line.value,
            y=1,
            yref="paper",
            text=f"{line.name} {line.value:g}",
            textangle=-48 if is_left else 48,
            xanchor="left" if is_left else "right",
            yanchor="bottom",
            xshift=-6 if is_left else 6,
            yshift=2,
            showarrow=False,
            font={"size": 11, "color": colours.line},
        )


def _draw_strokes(figure: Any, rows: Sequence[ChartRow], colours: Colours) -> None:
    names = list(dict.fromkeys(name for row in rows for name, _ in row.published))
    for place, name in enumerate(names):
        own = [(row.label, value) for row in rows for n, value in row.published if n == name]
        shade = colours.line if place == 0 else colours.pools[0]
        stroke = {"symbol": "line-ns", "size": 16, "line": {"color": shade, "width": 3}}
        figure.add_trace(
            go.Scatter(
                x=[value for _, value in own],
                y=[label for label, _ in own],
                name=f"{name}, published",
                mode="markers",
                marker=stroke,
                hovertemplate=f"{name}: %{{x}} %, published<extra></extra>",
            )
        )


def _draw_dots(figure: Any, rows: Sequence[ChartRow], colours: Colours) -> None:
    shares = np.array([100 * row.share.share for row in rows])
    low = np.array([100 * (row.share.low or row.share.share) for row in rows])
    high = np.array([100 * (row.share.high or row.share.share) for row in rows])
    told = [(a, b, row.share.count) for a, b, row in zip(low, high, rows, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=shares,
            y=[row.label for row in rows],
            name="measured here",
            mode="markers",
            marker={"color": colours.pools[1], "size": 9},
            error_x={**error_bars(shares, low, high, 2), "color": colours.pools[1]},
            customdata=told,
            hovertemplate="%{y}: %{x:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f}) of "
            "%{customdata[2]:,} images<extra></extra>",
        )
    )


def history_figure(points: Sequence[HistoryPoint], colours: Colours) -> Any:
    """Draw accuracy over images seen, a line for each phase of the training."""
    figure = go.Figure()
    phases = list(dict.fromkeys(point.phase for point in points))
    shades = (colours.pools[1], colours.pools[0], colours.line, colours.quiet)
    for place, phase in enumerate(phases):
        own = [point for point in points if point.phase == phase]
        figure.add_trace(
            go.Scatter(
                x=[point.images for point in own],
                y=[100 * point.accuracy for point in own],
                name=phase or "accuracy",
                mode="lines+markers",
                line={"color": shades[place % len(shades)], "width": 2},
                marker={"size": 5},
                hovertemplate="%{x:,} images: %{y:.1f} %<extra>" + phase + "</extra>",
            )
        )
    lay_out(figure, colours, height=250, legend=len(phases) > 1)
    figure.update_xaxes(title={"text": "Images seen"}, rangemode="tozero")
    figure.update_yaxes(title={"text": "Right (%)"}, rangemode="tozero")
    return figure


def answers_figure(answers: CardAnswers, colours: Colours) -> Any:
    """Draw how often each answer was given to each truth, as a share of that truth's images."""
    classes = sorted({*answers.said, *(said for row in answers.said.values() for said in row)})
    counts = np.array(
        [[answers.said.get(true, {}).get(said, 0) for said in classes] for true in classes]
    )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, 100 * counts / np.maximum(totals, 1), np.nan)
    is_dark = colours is DARK
    steps = ["rgba(128,128,128,0.12)", "#1f5660", "#b9f1f7"] if is_dark else _LIGHT_STEPS
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=classes,
            y=classes,
            customdata=counts,
            colorscale=[[0, steps[0]], [0.02, steps[1]], [1, steps[2]]],
            zmin=0,
            zmax=100,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "%"}, "thickness": 8, "tickfont": {"color": colours.ink}},
            hovertemplate="True %{y}, said %{x}: %{z:.0f} % (%{customdata})<extra></extra>",
            hoverongaps=False,
        )
    )
    lay_out(figure, colours, height=330)
    step = 1 if len(classes) <= 12 else 3
    figure.update_xaxes(title={"text": "Said"}, dtick=step, showgrid=False, constrain="domain")
    figure.update_yaxes(
        title={"text": "True"}, dtick=step, showgrid=False, autorange="reversed", scaleanchor="x"
    )
    return figure


_LIGHT_STEPS = ["rgba(128,128,128,0.06)", "#8fc3c9", "#04343b"]
