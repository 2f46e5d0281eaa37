"""Thresholds of an adaptive study: each person's, the mean of a pool, and how one was come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages._ui.shared.charts import DARK, LIGHT, MARKS, Colours, error_bars, lay_out
from pages._ui.shared.results import Results, fold_study
from pages._ui.shared.words import POOL_TITLES, count
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.threshold_table import pool_thresholds, thresholds_of, track_of
from umnist_core.scoring.adaptive import MeanThreshold

SECTION = "Thresholds"

_PERSON = "results_threshold_person"
_HELP = (
    "The size at which half of what lies between guessing and lapsing is right, from all answers "
    "of the person, with its 95 % credible interval. The line is the pool's geometric mean."
)


def show_thresholds(service: StudyService, results: Results) -> None:
    """Draw the thresholds of everybody who has answered, and the answers of one person."""
    head = service.overview(results.study).head_hash
    table = _thresholds(service, results.study, head)
    if table.empty:
        st.caption("No answers yet.")
        return
    colours = DARK if st.context.theme.type == "dark" else LIGHT
    means = pool_thresholds(table)
    st.markdown(f"**{SECTION}**", help=_HELP)
    lines = mean_lines(means, pool_thresholds(table, results.judgement.excluded))
    st.plotly_chart(
        thresholds_figure(table, means, colours),
        key="results_thresholds",
        config={"displayModeBar": False},
        alt=f"Threshold of each person. {' '.join(lines)}",
    )
    st.markdown("\n".join(f"- {line}" for line in lines))
    for note, own in table.dropna(subset=["note"]).groupby("note"):
        st.caption(f"{count(len(own), 'person', 'people')}: {note}")
    person = st.selectbox("Answers of", table["annotator"].tolist(), key=_PERSON)
    row = table[table["annotator"] == person].to_dict("records")[0]
    track = track_of(fold_study(service, results.study, head), str(person))
    told = (
        f"{row['threshold_px']:.1f} px ({row['threshold_low_px']:.1f} to "
        f"{row['threshold_high_px']:.1f}), {row['right']} of {row['trials']} answers right."
    )
    st.plotly_chart(
        track_figure(track, row, colours),
        key="results_threshold_track",
        config={"displayModeBar": False},
        alt=f"Size of the digits from answer to answer. {told}",
    )
    st.caption(f"{told} The band is the interval of the threshold.")


@st.cache_resource(max_entries=4, show_spinner="Working out thresholds")
def _thresholds(_service: StudyService, study: str, head_hash: str) -> pd.DataFrame:
    return thresholds_of(fold_study(_service, study, head_hash))


def mean_lines(
    means: Mapping[str, MeanThreshold], without: Mapping[str, MeanThreshold]
) -> list[str]:
    """Return a line for each pool, with the reading without excluded people where it differs."""
    lines = []
    for pool, mean in means.items():
        other = without.get(pool)
        beside = "" if other == mean else f"; without excluded people {_mean_text(other)}"
        lines.append(f"{POOL_TITLES[pool]}: {_mean_text(mean)}{beside}.")
    return lines


def _mean_text(mean: MeanThreshold | None) -> str:
    if mean is None or not mean.people:
        return "nobody"
    people = count(mean.people, "person", "people")
    if isnan(mean.low):
        return f"{mean.px:.1f} px, {people}"
    return f"{mean.px:.1f} px ({mean.low:.1f} to {mean.high:.1f}), {people}"


def thresholds_figure(
    table: pd.DataFrame, means: Mapping[str, MeanThreshold], colours: Colours
) -> Any:
    """Draw each person's threshold with its interval, from the least to the greatest."""
    figure = go.Figure()
    ordered = table.sort_values("threshold_px").reset_index(drop=True)
    for pool, mean in means.items():
        own = ordered[ordered["pool"] == pool]
        values = own["threshold_px"]
        low, high = own["threshold_low_px"], own["threshold_high_px"]
        figure.add_trace(
            go.Scatter(
                x=own.index + 1,
                y=values,
                error_y=error_bars(values, low, high, 1.5),
                name=POOL_TITLES[pool],
                mode="markers",
                marker={"color": colours.pool(pool), "symbol": MARKS[pool], "size": 8},
                customdata=list(zip(own["annotator"], low, high, strict=True)),
                hovertemplate=(
                    "%{customdata[0]}: %{y:.1f} px (%{customdata[1]:.1f} to "
                    "%{customdata[2]:.1f})<extra></extra>"
                ),
            )
        )
        figure.add_hline(mean.px, line={"color": colours.pool(pool), "width": 1})
    lay_out(figure, colours, legend=True)
    _lay_out_px(figure)
    figure.update_xaxes(title={"text": "People, by threshold"}, dtick=max(1, len(table) // 10))
    return figure


def track_figure(
    track: Sequence[tuple[int, int, bool]], row: Mapping[str, Any], colours: Colours
) -> Any:
    """Draw the sizes that a person was shown, filled where the answer was right."""
    figure = go.Figure()
    colour = colours.pool(row["pool"])
    figure.add_hrect(
        row["threshold_low_px"], row["threshold_high_px"], fillcolor=colour, opacity=0.15
    )
    figure.add_hline(row["threshold_px"], line={"color": colour, "width": 1.5})
    figure.add_trace(
        go.Scatter(
            x=[position for position, _, _ in track],
            y=[px for _, px, _ in track],
            mode="lines",
            line={"color": colours.quiet, "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for title, wanted, symbol in (("Right", True, "circle"), ("Wrong", False, "x")):
        own = [(position, px) for position, px, is_right in track if is_right is wanted]
        figure.add_trace(
            go.Scatter(
                x=[position for position, _ in own],
                y=[px for _, px in own],
                mode="markers",
                name=title,
                marker={"color": colours.ink, "symbol": symbol, "size": 8},
                hovertemplate=f"Image %{{x}}, %{{y}} px: {title.lower()}<extra></extra>",
            )
        )
    lay_out(figure, colours, legend=True)
    _lay_out_px(figure)
    figure.update_xaxes(title={"text": "Image"})
    return figure


_TICKS_PX = [14, 20, 28, 40, 56, 84, 112, 168, 224, 336, 448, 672, 896, 1344, 1792]


def _lay_out_px(figure: Any) -> None:
    """Give a chart its axis of sizes, logarithmic."""
    figure.update_yaxes(
        type="log", title={"text": "Digits (px)", "standoff": 14}, tickvals=_TICKS_PX
    )
