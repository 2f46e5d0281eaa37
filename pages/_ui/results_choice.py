"""Which study the Results page is about."""

from __future__ import annotations

import streamlit as st

from pages._ui.study_store import asked_study, list_studies, open_study, show_mark
from pages._ui.study_words import STATUS_COLOURS, count
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview

_CHOICE = "results_study"


def choose_study(service: StudyService) -> Overview | None:
    """Draw the choice of a study; None, and what to do, while there is none."""
    studies = {one.study: one for one in list_studies(service)}
    if not studies:
        st.markdown("There is no study yet. Make one under **Studies** and invite people.")
        if "studies_page" in st.session_state:
            st.page_link(st.session_state["studies_page"], label="Go to Studies")
        return None
    asked = asked_study()
    if asked is not None and asked not in studies:
        st.warning(f"There is no study {asked[:40]!r}; another one is shown.")
    if st.session_state.get(_CHOICE) not in studies:
        st.session_state[_CHOICE] = asked if asked in studies else _first(studies)
    chosen = st.selectbox(
        "Study",
        list(studies),
        format_func=_titles(studies).__getitem__,
        key=_CHOICE,
        on_change=lambda: open_study(st.session_state[_CHOICE]),
    )
    one = studies[chosen]
    labels = sum(pool.labels for pool in one.pools)
    target = sum(pool.target for pool in one.pools)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(one.status.capitalize(), color=STATUS_COLOURS[one.status])  # type: ignore[arg-type]
        people = count(sum(pool.people for pool in one.pools), "person", "people")
        st.caption(f"{labels:,} of {count(target, 'label')} · {people}")
        show_mark(one)
    return one


def _first(studies: dict[str, Overview]) -> str:
    """Return the study that is shown unasked: a closed one with answers, else the newest."""
    closed = (s for s, one in studies.items() if one.status == "closed" and one.pools[0].labels)
    return next(closed, next(iter(studies)))


def _titles(studies: dict[str, Overview]) -> dict[str, str]:
    """Return each study's name, with its id where another has the same.

    Streamlit takes options with the same title for one another.
    """
    names = [one.spec.name for one in studies.values()]
    return {
        study: name if names.count(name) == 1 else f"{name} ({study})"
        for study, name in zip(studies, names, strict=True)
    }
