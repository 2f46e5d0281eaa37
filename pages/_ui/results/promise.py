"""What a study promised beside what it did, as a section of Results."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.promises import show_promise
from pages._ui.shared.results import Results, fold_study
from pages._ui.shared.studies import get_service
from umnist_core.labeling.preregistered import compare_with_plan

NONE = (
    "Nothing was preregistered for this study. A text and a number of people can be sealed with a "
    "study when it is made."
)


def show_plan_section(results: Results, image: str) -> None:
    """Draw the section."""
    service = get_service()
    state = service.state(results.study)
    if state.spec.promised is None or state.head is None:
        st.caption(NONE)
        return
    folded = fold_study(service, results.study, state.head.hash)
    show_promise(folded, compare_with_plan(folded, results.report))
