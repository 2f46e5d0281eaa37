"""The plan beside the form of a new study: people, hours, cost and power over the ICC."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages._ui.shared.charts import DARK, LIGHT, Colours, lay_out
from pages._ui.studies.pace import offer_for_plan
from umnist_core.labeling.durations import Duration
from umnist_core.scoring import PUBLISHED, ScoringInputError
from umnist_core.scoring.planning import (
    Assumptions,
    Effort,
    PlannedStudy,
    plan_difference,
    plan_people,
)

THESE, TELL = "What these people find", "How many people it takes"

ICCS = (0.0, 0.01, 0.02, 0.05, 0.1)

USUAL_ICC = 0.02
"""How alike one person's answers are taken to be before anybody has answered."""

STUDIES = 1000

MOST_SIMULATED = 200_000_000
"""Labels of all simulated studies; a core draws and judges some ten million a second."""

_SIMULATED = "new_plan_simulated"


def show_plan(values: dict[str, Any], pace: Duration | None = None) -> None:
    """Draw what the form's study takes and finds, over the ICC.

    Parameters
    ----------
    values
        Of the form.
    pace
        How long it takes as measured in studies alike; None where it is not known.
    """
    with st.expander("Plan: people, hours, cost and power"):
        question = st.segmented_control(
            "Question", [THESE, TELL], default=THESE, required=True, key="new_plan_question"
        )
        offer_for_plan(pace)
        asked = (question or THESE, _assumed(values), _effort(), values["images_per_annotator"])
        wanted = values["stimuli"] * values["labels_per_image"]
        people = 2 * -(-wanted // values["images_per_annotator"])
        try:
            rows = _rows(asked, people, 0)
            if _wants_simulation(rows, (asked, people)):
                with st.spinner("Simulating", show_time=True):
                    rows = _rows(asked, people, STUDIES)
        except ScoringInputError as error:
            st.caption(str(error))
            return
        _show(rows, asked[0])


@st.cache_data(max_entries=64, show_spinner=False)
def say_what_is_found(people: int, each: int, labels_an_image: int) -> str:
    """Return the difference that such studies find, as the plan has it."""
    assumed = Assumptions(labels_an_image=labels_an_image)
    rng = np.random.default_rng(0)
    try:
        (row,) = plan_people(people, each, assumed, Effort(), rng=rng, iccs=[USUAL_ICC], studies=0)
    except ScoringInputError:
        return ""
    return (
        f" Four of five such studies find a difference of {100 * row.detectable:.1f} points "
        f"between the pools, if one person's answers are slightly alike (ICC {USUAL_ICC:g})."
    )


def _wants_simulation(rows: list[PlannedStudy], asked: tuple[Any, ...]) -> bool:
    """Draw the button, and return whether this very plan was to be simulated."""
    is_large = STUDIES * sum(row.labels for row in rows) > MOST_SIMULATED
    told = "Each is drawn, answered and tested as the results are; this takes some seconds."
    if is_large:
        told = (
            "This takes minutes: the command `umnist study plan` does it, and says how far it is."
        )
    label = f"Simulate {STUDIES:,} studies"
    if st.button(label, key="new_plan_simulate", help=told, disabled=is_large):
        st.session_state[_SIMULATED] = asked
    return not is_large and st.session_state.get(_SIMULATED) == asked


def _assumed(values: dict[str, Any]) -> Assumptions:
    first, second = st.columns(2)
    low = first.number_input(
        "Unguided accuracy (%)",
        1.0,
        99.0,
        100 * PUBLISHED["unguided"],
        0.5,
        key="new_plan_low",
        format="%.1f",
    )
    high = second.number_input(
        "Guided accuracy (%)",
        1.0,
        99.0,
        100 * PUBLISHED["guided"],
        0.5,
        key="new_plan_high",
        format="%.1f",
    )
    return Assumptions(low / 100, (high - low) / 100, values["labels_per_image"])


def _effort() -> Effort:
    usual = Effort()
    # Not as values of the fields: what was measured may be put there instead.
    st.session_state.setdefault("new_plan_minutes", usual.minutes_an_image)
    st.session_state.setdefault("new_plan_besides", usual.minutes_besides)
    first, second, third = st.columns(3)
    return Effort(
        first.number_input(
            "Minutes an image",
            0.1,
            60.0,
            step=0.1,
            key="new_plan_minutes",
            format="%.1f",
        ),
        second.number_input(
            "Minutes besides",
            0.0,
            240.0,
            step=1.0,
            key="new_plan_besides",
            format="%.0f",
            help="For consent, instructions and practice.",
        ),
        third.number_input("Pay an hour", 0.0, 1000.0, usual.pay_an_hour, 1.0, key="new_plan_pay"),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _rows(asked: tuple[Any, ...], people: int, studies: int) -> list[PlannedStudy]:
    question, assumed, effort, each = asked
    more: dict[str, Any] = {
        "rng": np.random.default_rng(0),
        "iccs": ICCS,
        "studies": studies,
    }
    if question == TELL:
        return plan_difference(each, assumed, effort, **more)
    return plan_people(people, each, assumed, effort, **more)


def _show(rows: list[PlannedStudy], question: str) -> None:
    colours = DARK if st.context.theme.type == "dark" else LIGHT
    title = "Power" if question == THESE else "People"
    st.plotly_chart(
        plan_figure(rows, question, colours),
        key="new_plan_chart",
        config={"displayModeBar": False},
        alt=f"{title} over the ICC.",
    )
    st.dataframe(plan_rows(rows), hide_index=True, key="new_plan_table")
    st.caption(
        "ICC: how alike one person's answers are; it is not known before people have answered. "
        "Finds: the difference in points that four of five such studies find. People, hours and "
        "cost are of both pools together; `umnist study plan` says the same."
    )


def plan_rows(rows: list[PlannedStudy]) -> list[dict[str, Any]]:
    """Return the plan as a table for people."""
    table = []
    for row in rows:
        cells = {
            "ICC": f"{row.icc:g}",
            "People": f"{row.people:,}",
            "Hours": f"{row.hours:,.0f}",
            "Cost": f"{row.cost:,.0f}",
            "Finds": f"{100 * row.detectable:.1f}",
            "Power": f"{100 * row.power:.0f} %",
        }
        if not isnan(row.simulated):
            told = f"{100 * row.simulated:.1f} ± {100 * row.standard_error:.1f} %"
            cells["Simulated"] = told
        table.append(cells)
    return table


def plan_figure(rows: list[PlannedStudy], question: str, colours: Colours) -> Any:
    """Draw the power of these people, or the people that it takes, over the ICC."""
    is_power = question == THESE
    figure = go.Figure(
        go.Scatter(
            x=[row.icc for row in rows],
            y=[100 * row.power if is_power else row.people for row in rows],
            name="Formula",
            mode="lines+markers",
            line={"color": colours.pools[1]},
            customdata=[[row.hours, row.cost] for row in rows],
            hovertemplate="ICC %{x}: %{y:,.0f}"
            + (" %" if is_power else " people")
            + "<br>%{customdata[0]:,.0f} hours, cost %{customdata[1]:,.0f}<extra></extra>",
        )
    )
    known = [row for row in rows if not isnan(row.simulated)]
    if is_power and known:
        figure.add_trace(
            go.Scatter(
                x=[row.icc for row in known],
                y=[100 * row.simulated for row in known],
                error_y={"array": [196 * row.standard_error for row in known], "width": 0},
                name=f"{STUDIES:,} simulated studies",
                mode="markers",
                marker={"color": colours.pools[0], "symbol": "square", "size": 8},
            )
        )
    lay_out(figure, colours, height=220, legend=bool(is_power and known))
    figure.update_xaxes(title={"text": "ICC of one person's answers"})
    if is_power:
        figure.update_yaxes(title={"text": "Power (%)"}, range=[0, 103])
    else:
        figure.update_yaxes(title={"text": "People, both pools"}, rangemode="tozero")
    return figure
