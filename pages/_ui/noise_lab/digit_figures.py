"""The Noise lab's charts of MNIST Large Scale: what scale, smoothing and threshold do."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages._ui.noise_lab.figures import SAMPLES, lay_out, show_chart, shown_settings
from pages._ui.shared.setting import LabState
from umnist_core.datasets.large_scale import LARGE_SCALE_PX, soft_threshold
from umnist_core.datasets.large_scale.ref import DigitRef

Row = tuple[str, DigitRef, str]
"""Name, setting and colour of a line of the charts."""


def digit_rows(state: LabState) -> list[Row]:
    """Return the shown settings of MNIST Large Scale; none where all are of scenes."""
    return [
        (name, one, colour)
        for name, one, colour in shown_settings(state)
        if isinstance(one, DigitRef)
    ]


def show_digit_figures(rows: list[Row], on_open: Callable[[int], None]) -> None:
    """Draw the charts of the settings.

    Parameters
    ----------
    rows
        Of `digit_rows`.
    on_open
        Called with the index of the sample whose dot was clicked, before the rerun.
    """
    st.caption(f"{smoothing_words(rows)} {rows[-1][0]}. A click on a dot opens its image.")
    threshold, row, sides = st.columns(3, gap="medium")
    with threshold:
        st.markdown("**Soft threshold**", help="What becomes of each intensity after smoothing.")
        title = "Soft threshold"
        show_chart(title, _lines(rows, _threshold, "Intensity (0 to 255)"), _said(rows))
    with row:
        st.markdown(
            "**Values along the middle row**",
            help="Of this sample, as files hold them; published images run from -0.763 for "
            "background to 0.761 for ink.",
        )
        title = "Values along the middle row"
        show_chart(title, _lines(rows, _middle_row, "Column (px)"), _said(rows))
    with sides:
        st.markdown(
            f"**Side of {SAMPLES} digits**",
            help="28 px times the scale. Of a range, every doubling is equally likely.",
        )
        show_chart("Side of digits", _sides(rows), _said(rows), on_open)


def smoothing_words(rows: list[Row]) -> str:
    """Return by how many px this sample is smoothed in each setting."""
    said = [
        f"{name.partition(':')[0]}: scale {one.scale:.3g}, smoothed by "
        f"{one.scale * one.parameters.smoothing:.3g} px"
        for name, one, _ in rows
    ]
    return "; ".join(said) + "."


def _said(rows: list[Row]) -> str:
    return "; ".join(f"{name}: {dict(one.overrides) or 'as published'}" for name, one, _ in rows)


def _threshold(ref: DigitRef) -> tuple[Any, Any]:
    intensities = np.linspace(0, 255, 128, dtype=np.float32)
    return intensities, soft_threshold(intensities, ref.parameters.rescaling)


def _middle_row(ref: DigitRef) -> tuple[Any, Any]:
    return np.arange(LARGE_SCALE_PX), ref.draw_values()[LARGE_SCALE_PX // 2]


def _lines(rows: list[Row], values: Callable[[DigitRef], tuple[Any, Any]], axis: str) -> Any:
    """Draw a line for each setting, the reference below the others and dotted."""
    figure = go.Figure()
    for name, one, colour in reversed(rows):
        x, y = values(one)
        short = name.partition(":")[0]
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                name=short,
                mode="lines",
                line={"color": colour, "dash": "dot" if short == "Reference" else "solid"},
                hovertemplate="%{x:.3g}: %{y:.3f}<extra>" + short + "</extra>",
            )
        )
    lay_out(figure, axis, is_log=False)
    figure.update_yaxes(title={"text": "Value"}, range=(-1.02, 1.02))
    return figure


def _sides(rows: list[Row]) -> Any:
    """Draw a line of dots for each setting, one for each of its first digits."""
    figure = go.Figure()
    for name, one, colour in reversed(rows):
        indices = range(min(SAMPLES, one.last_index + 1))
        sides = [one.at(index).side_px for index in indices]
        figure.add_trace(
            go.Box(
                x=sides,
                name=f"{name.partition(':')[0]}<br><b>{median(sides):.3g}</b>",
                customdata=list(indices),
                orientation="h",
                boxpoints="all",
                jitter=0.7,
                pointpos=0,
                marker={"color": colour, "size": 4, "opacity": 0.65},
                line={"color": colour, "width": 1.5},
                fillcolor="rgba(0,0,0,0)",
                hovertemplate="%{x:.4g} px, index %{customdata}<extra></extra>",
                hoveron="points",
            )
        )
    lay_out(figure, "Side of a digit's square (px)", is_log=False)
    figure.update_xaxes(range=(0, 230))
    return figure
