"""The preregistration in the form of a new study, and among the settings of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from pages._ui.shared.promises import show_promise
from pages._ui.shared.results import fold_study
from pages._ui.studies.words import people_a_pool
from umnist_core.errors import UmnistError
from umnist_core.labeling.preregistered import compare_with_plan
from umnist_core.labeling.preregistration import (
    ACCURACY,
    ANALYSES,
    MIXED,
    PAIRED,
    TEXT_MAX,
    THRESHOLD,
    Preregistration,
    analyses_of,
)
from umnist_core.labeling.preregistration_draft import draft_preregistration
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview
from umnist_core.scoring.planning import Assumptions

_TITLES = {
    PAIRED: "Paired difference of the pools",
    MIXED: "Mixed model, effect of guidance",
    ACCURACY: "Accuracy of each pool",
    THRESHOLD: "Mean threshold of each pool",
}

_TEXT = "new_preregistration"
_BEFORE = "new_preregistration_before"
_FOR = "new_preregistration_for"
"""Key of the session under which the settings stand that the draft was written from."""

_ERROR = "new_preregistration_error"


def ask_promise(values: dict[str, Any], spec_of: Callable[[dict[str, Any]], StudySpec]) -> Any:
    """Draw what a new study promises, and return it as the setting; empty for nothing.

    Parameters
    ----------
    values
        Of the form.
    spec_of
        Makes settings of them.
    """
    with st.expander("Preregistration"):
        st.caption(
            "A text that is sealed with the study's first event, before anybody comes. Results and "
            "export lay what was done beside it. Leave it empty to promise nothing."
        )
        promised = _numbers(values)
        with st.container(horizontal=True):
            st.button(
                "Write a draft",
                key="new_preregistration_draft",
                on_click=_write,
                args=(values, promised, spec_of),
                help="From the settings above and the plan; it takes the place of the text.",
            )
            if st.session_state.get(_BEFORE) is not None:
                st.button("Back to the text before", key="new_preregistration_undo", on_click=_undo)
        if message := st.session_state.pop(_ERROR, None):
            st.error(message)
        text = st.text_area(
            "Text (Markdown)",
            key=_TEXT,
            height=320,
            max_chars=TEXT_MAX,
            help="What stands in square brackets is for you to write.",
        )
        if text and "[" in text:
            st.caption("There are places in square brackets that are for you to write.")
        if text and st.session_state.get(_FOR, now := _settings(values, promised)) != now:
            st.warning(
                "Settings have changed since the draft was written. See that the text still says "
                "what the study does, or write the draft again."
            )
    return {**promised, "text": text} if text and text.strip() else {}


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    usual = min(people_a_pool(values), 20_000)
    first, second = st.columns(2)
    people = first.number_input(
        "People in each pool",
        1,
        20_000,
        value=None,
        placeholder=f"{usual}: as many as fill it",
        key="new_preregistration_people",
    )
    closes = second.date_input(
        "Closed at the latest on", None, key="new_preregistration_closes", format="YYYY-MM-DD"
    )
    is_adaptive = values.get("adaptive") is not None
    known = analyses_of(values["pools"], is_adaptive=is_adaptive)
    analysis = st.selectbox(
        "Primary analysis",
        known,
        format_func=_TITLES.__getitem__,
        key=f"new_preregistration_analysis_{len(known)}{'_adaptive' * is_adaptive}",
    )
    st.caption(ANALYSES[analysis])
    day = closes.isoformat() if isinstance(closes, date) else ""
    return {"people": int(people or usual), "analysis": analysis, "closes": day}


def _write(
    values: dict[str, Any],
    promised: dict[str, Any],
    spec_of: Callable[[dict[str, Any]], StudySpec],
) -> None:
    """Put a draft in the place of the text; a callback."""
    try:
        spec = spec_of({**values, "name": values["name"] or "[Name of the study]"})
        text = draft_preregistration(spec, Preregistration("-", **promised), _assumed())
    except UmnistError as error:
        st.session_state[_ERROR] = str(error)
        return
    st.session_state[_FOR] = _settings(values, promised)
    st.session_state[_BEFORE] = st.session_state.get(_TEXT) or None
    st.session_state[_TEXT] = text


def _settings(values: dict[str, Any], promised: dict[str, Any]) -> str:
    """Return what a draft is written from, but for its title, to be compared."""
    told = {
        name: value for name, value in values.items() if name not in ("name", "preregistration")
    }
    return repr({**told, **promised})


def _undo() -> None:
    st.session_state.pop(_FOR, None)
    st.session_state[_TEXT] = st.session_state.pop(_BEFORE)


def _assumed() -> Assumptions | None:
    """Return the accuracies that the plan beside the form assumes; None where there is no plan."""
    low, high = (st.session_state.get(f"new_plan_{one}") for one in ("low", "high"))
    if low is None or high is None or low == high:
        return None
    return Assumptions(low / 100, (high - low) / 100)


def show_sealed(service: StudyService, one: Overview) -> None:
    """Draw the preregistration of a study that has one, without any result."""
    folded = fold_study(service, one.study, one.head_hash)
    if folded.state.spec.promised is not None:
        st.divider()
        show_promise(folded, compare_with_plan(folded))
