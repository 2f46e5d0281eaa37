"""What a study promised beside what it did, as a section of Results."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.promises import show_promise
from pages._ui.shared.results import Results
from pages._ui.shared.studies import get_service
from umnist_core.labeling.preregistered import PlannedAndDone, compare_with_plan
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.service import StudyService
from umnist_core.scoring import StudyReport

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
    folded, rows = _compared(service, results.study, state.head.hash, results.report)
    show_promise(folded, rows)


@st.cache_resource(max_entries=4, show_spinner=False)
def _compared(
    _service: StudyService, study: str, head_hash: str, _report: StudyReport
) -> tuple[FoldedStudy, list[PlannedAndDone]]:
    folded = FoldedStudy.of(_service.log, study)
    return folded, compare_with_plan(folded, _report)
