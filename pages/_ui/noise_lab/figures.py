"""The Noise lab's charts: what a setting does, beside its reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, log10
from statistics import median
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages._ui.shared.setting import LabState, sampled
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.experiments import (
    NAMED_SETTINGS,
    ImageFigures,
    NoiseFigures,
    measure_image,
    pool_figures,
)
from umnist_core.experiments.noise_figures import THICKNESS_EDGES_PX
from umnist_core.scenes import SceneRef

SAMPLES = 24
SHOW_PROGRESS_AFTER_S = 0.3
CHART_PX = 190
LOG_FROM_RATIO = 3
"""How many times the smallest value the largest is before a logarithmic axis tells more."""

MANY_DECADES_RATIO = 30
"""From here on, powers of ten are ticks enough."""

Values = Callable[[ImageFigures], Sequence[float]]


@dataclass(frozen=True)
class Row:
    """One line of every chart: a setting, its figures and how it is drawn."""

    name: str
    setting: SceneRef
    figures: NoiseFigures
    colour: str

    @property
    def short_name(self) -> str:
        """The name without what it stands for."""
        return self.name.partition(":")[0]


@dataclass(frozen=True)
class Chart:
    """A figure of the images or of their digits, one dot for each."""

    title: str
    axis: str
    help: str
    values: Values
    is_log: bool = False
    span: tuple[float, float] | None = None


CHARTS = (
    Chart(
        "Digit size",
        "Side of a digit's square (px)",
        "The side of each digit's square, exact from the plan of the image. One dot is a digit.",
        lambda image: image.sides_px,
        is_log=True,
    ),
    Chart(
        "Object-to-image ratio",
        "Digit's square over image, by area (%)",
        "The area of each digit's square over that of the image, exact from its plan. One dot is "
        "a digit.",
        lambda image: [100 * ratio for ratio in image.object_to_image_ratios],
        is_log=True,
    ),
    Chart(
        "Ink share",
        "Ink of all digits over image (%)",
        "Pixels that belong to the ink of some digit, over all pixels; exact. One dot is an image.",
        lambda image: [100 * image.ink_share],
    ),
    Chart(
        "Edge density",
        "Edges met on 1000 px of a line",
        "How often a horizontal or vertical line changes between dark and light within 1000 px, on "
        "every second line and pixel (Megapixel MNIST: on all). One dot is an image.",
        lambda image: [image.edges_per_1000_px],
    ),
    Chart(
        "Contrast of digits",
        "Ink against its surroundings (0 to 1)",
        "How far the mean grey of a digit's ink is from that of what is around it, in a square "
        "twice as wide: 1 is ink of one colour on a ground of the other, near 0 the ground changes "
        "so often within the digit that ink and ground are alike on average. One dot is a digit.",
        lambda image: image.contrasts,
        span=(-0.03, 1.03),
    ),
)

THICKNESS_HELP = (
    "For each pixel the shorter of the two runs, across and down, of pixels of its kind: the "
    "width of the stroke or area it lies in. Digits: their ink, every digit counting the same. "
    "Noise: the ground's dark and light areas, or the strokes. Likeness is the area that both "
    "curves have in common: 0 if no structure of the noise is as wide as a digit's strokes, 1 if "
    "they are alike."
)


@lru_cache(maxsize=4096)
def _measure(setting: SceneRef, glyphs: GlyphSet) -> ImageFigures:
    # A function of its arguments alone, so every session may have it.
    return measure_image(setting.plan(glyphs), glyphs)


def show_figures(state: LabState, glyphs: GlyphSet, on_open: Callable[[int], None]) -> None:
    """Draw the charts of the setting, of the one it is compared with, and of the reference.

    Parameters
    ----------
    state, glyphs
        What to measure.
    on_open
        Called with the index of the sample whose dot was clicked, before the rerun.
    """
    try:
        rows = _measure_rows(state, glyphs)
    except UmnistError as error:
        st.info(f"There are no figures of this setting. {error}")
        return
    st.caption(
        f"Bold: the median; under stroke thickness, the likeness to the digits. {rows[-1].name}. "
        "A click on a dot opens its image."
    )
    columns = st.columns(3, gap="medium") + st.columns(3, gap="medium")
    for column, chart in zip(columns, CHARTS, strict=False):
        with column:
            st.markdown(f"**{chart.title}**", help=chart.help)
            show_chart(chart.title, _strips(chart, rows), _medians(chart, rows), on_open)
    with columns[-1]:
        likeness = "; ".join(f"{row.name}: likeness {_likeness_text(row)}" for row in rows)
        st.markdown("**Stroke thickness**", help=THICKNESS_HELP)
        show_chart("Stroke thickness", _curves(rows), likeness)


def shown_settings(state: LabState) -> list[tuple[str, AnyRef, str]]:
    """Return the settings of the charts with their names and colours, the reference last."""
    dark = st.context.theme.type == "dark"
    first, second, grey = ("#4fb3c0", "#e0a030", "#9a9a9a") if dark else _LIGHT_COLOURS
    pairs = state.compare != "one"
    settings = [("A" if pairs else "Setting", state.a, first)]
    settings += [("B", state.b, second)] if pairs else []
    reference = NAMED_SETTINGS[state.reference]
    return [*settings, (f"Reference: {reference.title}", reference_setting(state), grey)]


def _measure_rows(state: LabState, glyphs: GlyphSet) -> list[Row]:
    shown = shown_settings(state)
    # Nothing is measured of digits that stand alone.
    settings = [(name, one, colour) for name, one, colour in shown if not isinstance(one, DigitRef)]
    progress = _Progress(SAMPLES * len(settings))
    rows = []
    for name, setting, colour in settings:
        images = []
        for index in range(SAMPLES):
            progress.step()
            images.append(_measure(setting.at(index), glyphs))
        rows.append(Row(name, setting, pool_figures(images), colour))
    progress.end()
    return rows


_LIGHT_COLOURS = ("#0b6b78", "#b45309", "#767676")


class _Progress:
    """A bar that shows only where the work takes longer than people notice."""

    def __init__(self, total: int) -> None:
        self._start = time.monotonic()
        self._total = total
        self._done = 0
        self._place = st.empty()

    def step(self) -> None:
        if time.monotonic() - self._start > SHOW_PROGRESS_AFTER_S:
            text = f"Measuring image {self._done + 1} of {self._total}"
            self._place.progress(self._done / self._total, text)
        self._done += 1

    def end(self) -> None:
        self._place.empty()


# -- drawing ------------------------------------------------------------------------


def _all_values(chart: Chart, row: Row) -> list[float]:
    return [value for image in row.figures.images for value in chart.values(image)]


def _median_text(chart: Chart, row: Row) -> str:
    values = _all_values(chart, row)
    return f"{median(values):.3g}" if values else "none"


def _likeness_text(row: Row) -> str:
    return f"{row.figures.thickness_likeness:.2f}"


def _medians(chart: Chart, rows: Sequence[Row]) -> str:
    return "; ".join(f"{row.name}: median {_median_text(chart, row)}" for row in rows)


def show_chart(
    title: str, figure: Any, description: str, on_open: Callable[[int], None] | None = None
) -> None:
    """Draw a chart; ``on_open`` is called with the sample behind a dot that is clicked."""
    key = "lab_chart_" + title.lower().replace(" ", "_")

    def open_point() -> None:
        points = st.session_state[key].selection.points
        if points and on_open is not None:
            on_open(int(points[0]["customdata"]))

    st.plotly_chart(
        figure,
        key=key,
        config={"displayModeBar": False},
        alt=f"{title}. {description}.",
        on_select=open_point if on_open is not None else "ignore",
        selection_mode="points",
    )


def _strips(chart: Chart, rows: Sequence[Row]) -> Any:
    """Draw a line of dots for each row, with a box around the middle half of them."""
    figure = go.Figure()
    for row in reversed(rows):
        images = row.figures.images
        indices = [image.index for image in images for _ in chart.values(image)]
        figure.add_trace(
            go.Box(
                x=_all_values(chart, row),
                name=f"{row.short_name}<br><b>{_median_text(chart, row)}</b>",
                customdata=indices,
                orientation="h",
                boxpoints="all",
                jitter=0.7,
                pointpos=0,
                marker={"color": row.colour, "size": 4, "opacity": 0.65},
                line={"color": row.colour, "width": 1.5},
                fillcolor="rgba(0,0,0,0)",
                hovertemplate="%{x:.4g}, index %{customdata}<extra></extra>",
                hoveron="points",
            )
        )
    low, high = _extent(figure)
    is_log = chart.is_log and high > LOG_FROM_RATIO * low
    lay_out(figure, chart.axis, is_log=is_log)
    if chart.span is not None:
        figure.update_xaxes(range=chart.span)
    elif not is_log:
        # Left alone, the axis of a single value v runs from v - 1 to v + 1.
        span = (0, 2 * high) if low == high > 0 else None
        figure.update_xaxes(rangemode="tozero", range=span)
    return figure


def _curves(rows: Sequence[Row]) -> Any:
    """Draw the share of each thickness: digits as an area, the noise of each row as a line."""
    figure = go.Figure()
    middles = [(low * high) ** 0.5 for low, high in pairwise(THICKNESS_EDGES_PX)]
    curves = [("Digits", rows[0].figures.digit_thickness, "#8c8c8c", "tozeroy", "solid")]
    for row in rows:
        style = "dot" if row is rows[-1] else "solid"
        noise = row.figures.noise_thickness
        name = "Noise" if row.short_name == "Setting" else row.short_name
        name += f" <b>{_likeness_text(row)}</b>"
        curves.append((name, noise, row.colour, "none", style))
    for name, shares, colour, fill, dash in curves:
        figure.add_trace(
            go.Scatter(
                x=middles,
                y=[100 * share for share in shares],
                name=name,
                mode="lines",
                fill=fill,
                line={"color": colour, "dash": dash, "shape": "hvh"},
                hovertemplate="%{x:.3g} px: %{y:.3g} %<extra>" + name + "</extra>",
            )
        )
    lay_out(figure, "Thickness (px)", is_log=True)
    figure.update_yaxes(title={"text": "Pixels (%)"}, rangemode="tozero")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    )
    return figure


def lay_out(figure: Any, axis: str, *, is_log: bool) -> None:
    """Set what all charts have in common, and the name of the axis along."""
    ink = "#ececec" if st.context.theme.type == "dark" else "#1f1f1f"
    figure.update_layout(
        height=CHART_PX,
        margin={"l": 0, "r": 4, "t": 4, "b": 0},
        showlegend=False,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        font={"size": 12, "color": ink},
        legend={"font": {"color": ink}},
    )
    # Streamlit's own grey for these is hard to read on a light page.
    figure.update_yaxes(tickfont={"color": ink}, title={"font": {"color": ink}})
    figure.update_xaxes(
        title={"text": axis, "standoff": 6, "font": {"color": ink}},
        tickfont={"color": ink},
        type="log" if is_log else "linear",
        showgrid=True,
    )
    if is_log:
        _set_log_ticks(figure)


def _set_log_ticks(figure: Any) -> None:
    """Write every tick in full; Plotly shortens 20 and 50 to a small 2 and 5."""
    low, high = _extent(figure)
    steps = (1,) if high > MANY_DECADES_RATIO * low else (1, 2, 5)
    decades = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


def _extent(figure: Any) -> tuple[float, float]:
    values = [value for trace in figure.data for value in trace.x]
    return min(values), max(values)


def reference_setting(state: LabState) -> AnyRef:
    """Return the named setting that the edited one came from, at the same samples."""
    return sampled(NAMED_SETTINGS[state.reference].ref, state.edited)
