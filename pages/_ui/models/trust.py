"""How far a card's checkpoint can be trusted: how sure it is, and how often right.

A chart and its words; nothing here draws a page.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages._ui.shared.charts import Colours, error_bars, lay_out
from umnist_core.models.card_figures import CardReliability

CHART_PX = 250
LEAST_SPAN = 6.0
"""Of the axes, in points: what lies closer together is drawn no larger."""


def reliability_figure(found: CardReliability, colours: Colours) -> Any:
    """Draw how often answers are right against how sure the model was of them."""
    shares = [(p.confidence, p.accuracy, p.low, p.high, p.answers) for p in found.points]
    confidence, accuracy, low, high, answers = (
        np.array(column) for column in zip(*shares, strict=True)
    )
    start = _axis_start(100 * min(confidence.min(), low.min()))
    ends = [start, 101]
    figure = go.Figure(
        go.Scatter(
            x=ends,
            y=ends,
            mode="lines",
            hoverinfo="skip",
            line={"color": colours.quiet, "width": 1, "dash": "dot"},
        )
    )
    figure.add_trace(
        go.Scatter(
            x=100 * confidence,
            y=100 * accuracy,
            error_y={
                **error_bars(100 * accuracy, 100 * low, 100 * high, 1.5),
                "color": colours.pools[1],
            },
            mode="markers",
            marker={"color": colours.pools[1], "size": 8},
            customdata=np.stack([answers, 100 * low, 100 * high], axis=1),
            hovertemplate="%{x:.1f} % sure, %{y:.1f} % right (%{customdata[1]:.1f} to "
            "%{customdata[2]:.1f}), %{customdata[0]} answers<extra></extra>",
        )
    )
    lay_out(figure, colours, height=CHART_PX)
    figure.update_xaxes(title={"text": "Mean confidence (%)"}, range=ends)
    figure.update_yaxes(title={"text": "Right (%)"}, range=ends)
    return figure


def _axis_start(lowest: float) -> float:
    """Return where axes begin that end at 100 %: a little below the lowest value."""
    span = max(LEAST_SPAN, 1.08 * (100 - lowest))
    return max(-2.0, 100 - span)


def reliability_words(found: CardReliability) -> str:
    """Return what the chart says, in words."""
    total = sum(point.answers for point in found.points)
    each = round(total / len(found.points))
    chance = ""
    if found.by_chance is not None:
        chance = f" ({100 * found.by_chance:.1f} % by chance, were all confidences right)"
    said = (
        f"Expected calibration error {100 * found.error:.1f} %{chance}, {total:,} images, about "
        f"{each:,} to a point, with 95 % intervals."
    )
    if found.is_calibrated:
        return said
    return f"{said} The confidences are the model's own probabilities; they were not calibrated."
