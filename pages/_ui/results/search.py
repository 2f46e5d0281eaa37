"""How fast people went through the images: what they had seen close up, over time."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages._ui.shared.charts import DARK, LIGHT, Colours, lay_out
from pages._ui.shared.results import Results
from pages._ui.shared.words import POOL_TITLES, percent
from umnist_core.labeling.results import load_traces, traces_by_label
from umnist_core.labeling.service import StudyService
from umnist_core.scoring.looking import LEAST_DWELL_MS, LEGIBLE_PX
from umnist_core.scoring.search_curves import COLUMNS, search_curves
from umnist_core.spreadsheets import csv_text

HELP = (
    f"Close up: at a zoom at which the image's smallest digit is {LEGIBLE_PX:g} px large, for "
    f"{LEAST_DWELL_MS:g} ms in all. Time is that for which the page was visible; after their "
    "answer people keep what they had. Bands are 95 % intervals over people."
)
_CURVES = {
    "area": ("Area seen close up", "Share of the image (%)"),
    "digits": ("Digits that were legible", "Share of the digits (%)"),
}


def show_search(service: StudyService, results: Results) -> None:
    """Draw the curves of each pool."""
    rows = _curves(service, results.study, len(results.answers), _newest(results), results)
    if rows.empty:
        st.caption("Curves need answers with a trace, and images whose digits are known.")
        return
    colours = DARK if st.context.theme.type == "dark" else LIGHT
    for kind, (title, axis) in _CURVES.items():
        st.markdown(f"**{title}**", help=HELP)
        st.plotly_chart(
            search_figure(rows, kind, axis, colours),
            key=f"results_search_{kind}",
            config={"displayModeBar": False},
            alt=f"{title} over time. {_said(rows, kind)}",
        )
        st.caption(_said(rows, kind))
    st.download_button(
        "Save the curves as CSV",
        lambda: csv_text(COLUMNS, rows.to_dict("records")),
        file_name=f"umnist-{results.study}-search.csv",
        mime="text/csv",
        key="results_search_csv",
    )


def _newest(results: Results) -> int:
    return int(results.answers["seq"].max()) if len(results.answers) else 0


@st.cache_resource(max_entries=4, show_spinner="Following how people went through the images")
def _curves(
    _service: StudyService, study: str, answers: int, newest: int, _results: Results
) -> pd.DataFrame:
    # Of the same study, as many answers with the same newest one are the same answers.
    traces = traces_by_label(_results.answers, load_traces(_service, study))
    return search_curves(_results.answers, _results.digits, traces)


def search_figure(rows: pd.DataFrame, kind: str, axis: str, colours: Colours) -> Any:
    """Draw one of the two curves, a line with its band for each pool."""
    figure = go.Figure()
    for pool, own in rows.groupby("pool", sort=False):
        time_s, share = own["time_s"], 100 * own[f"{kind}_share"]
        low, high = 100 * own[f"{kind}_low"], 100 * own[f"{kind}_high"]
        if low.notna().all():
            figure.add_trace(
                go.Scatter(
                    x=[*time_s, *time_s[::-1]],
                    y=[*high, *low[::-1]],
                    fill="toself",
                    fillcolor=colours.pool(str(pool)),
                    opacity=0.2,
                    line={"width": 0},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
        figure.add_trace(
            go.Scatter(
                x=time_s,
                y=share,
                name=POOL_TITLES[str(pool)],
                mode="lines",
                line={"color": colours.pool(str(pool)), "dash": _DASHES[str(pool)]},
                hovertemplate="%{x:.0f} s: %{y:.1f} %",
            )
        )
    last = rows.loc[rows["answered_share"] < 1, "time_s"].max()
    lay_out(figure, colours, legend=True)
    end = float(last) * 1.1 if last == last else None  # noqa: PLR0124 (NaN if all ended at once)
    figure.update_xaxes(title={"text": "Visible time (s)"}, range=[0, end] if end else None)
    figure.update_yaxes(title={"text": axis}, range=[0, 102])
    return figure


_DASHES = {"unguided": "solid", "guided": "dash"}


def _said(rows: pd.DataFrame, kind: str) -> str:
    parts = []
    for pool, own in rows.groupby("pool", sort=False):
        last = own.iloc[-1]
        said = f"{POOL_TITLES[str(pool)]}: {percent(last[f'{kind}_share'])} in the end"
        reached = own[own[f"{kind}_share"] >= last[f"{kind}_share"] / 2]
        if last[f"{kind}_share"] > 0:
            said += f", half of that by {reached['time_s'].iloc[0]:g} s"
        parts.append(said)
    return f"{'; '.join(parts)}."
