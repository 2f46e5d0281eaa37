"""One study: how full it is, what may be done with it, and its tabs."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.studies import find_overview, get_service, open_study, show_mark, told
from pages._ui.shared.words import STATUS_COLOURS, count, plain
from pages._ui.studies.files import show_files
from pages._ui.studies.invites import show_invites
from pages._ui.studies.people import show_people
from pages._ui.studies.settings import show_settings
from pages._ui.studies.watch import show_watch
from pages._ui.studies.words import ago, bars, day
from umnist_core.errors import UmnistError
from umnist_core.labeling.study_key import GUESSABLE
from umnist_core.labeling.views import Overview

REFRESH = "5s"
RESULTS = "results_page"
"""Key of the session under which the shell leaves the Results page."""

_TABS = {
    "Invite": show_invites,
    "Watch": show_watch,
    "People": show_people,
    "Settings": show_settings,
    "Check and keep": show_files,
}

_SLOW = (show_watch, show_files)
"""Tabs that go through all traces, or all answers; they are drawn while they are open."""


def show_study(study: str) -> None:
    """Draw a study."""
    service = get_service()
    overview = find_overview(service, study)
    if overview is None:
        st.button("All studies", on_click=open_study, args=(None,), key="all_studies")
        return
    st.button(
        "All studies",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=open_study,
        args=(None,),
        key="all_studies",
    )
    _show_head(overview)
    if overview.status == "closed":
        _show_counts(overview)
    else:
        _follow_counts(study, overview.status)
    tabs = st.tabs(list(_TABS), key="study_tabs", on_change="rerun")
    for tab, show in zip(tabs, _TABS.values(), strict=True):
        # Controls of the others are drawn too, as what is typed into them would be lost.
        if tab.open or show not in _SLOW:
            with tab:
                show(service, overview)


def _show_head(one: Overview) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(one.spec.name), anchor=False, width="content")
        st.badge(one.status.capitalize(), color=STATUS_COLOURS[one.status])  # type: ignore[arg-type]
        if one.spec.is_self:
            st.badge("self", color="violet")
    with st.container(horizontal=True, vertical_alignment="center"):
        if one.status == "open":
            st.button(
                "Pause",
                key="pause",
                on_click=_change,
                args=("pause", one.study),
                help="People are shown no new images; answers under way are still taken.",
            )
        if one.status == "paused":
            st.button("Go on", key="resume", on_click=_change, args=("resume", one.study))
        if one.status != "closed" and st.button(
            "Close", key="close", help="Ends the study for good and seals it."
        ):
            _confirm_close(one)
        if RESULTS in st.session_state:
            st.page_link(
                st.session_state[RESULTS],
                label="Results" if one.spec.has_truth else "Labels",
                icon=":material/bar_chart:",
                query_params={"study": one.study},
            )
    if message := st.session_state.pop("study_error", None):
        st.error(message)
    if one.is_guessable:
        st.warning(GUESSABLE)
    if one.status == "closed":
        _show_seal(one)


def _change(what: str, study: str) -> None:
    try:
        getattr(get_service(), what)(study)
    except UmnistError as error:
        st.session_state["study_error"] = str(error)


def _show_seal(one: Overview) -> None:
    st.markdown(
        "Sealed. This hash names everything that the study holds; write it down, or publish it, "
        "and nobody can change an answer unnoticed:"
    )
    st.code(one.head_hash, language=None, wrap_lines=True)


@st.fragment(run_every=REFRESH)
def _follow_counts(study: str, status: str) -> None:
    with told():
        one = get_service().overview(study)
        if one.status != status:
            st.rerun(scope="app")
        _show_counts(one)


def _show_counts(one: Overview) -> None:
    st.html(bars(one.pools, detail=True))
    people = sum(pool.people for pool in one.pools)
    parts = [
        count(people, "person", "people"),
        f"made {day(one.created_utc)}",
        f"last change {ago(one.last_utc)}",
    ]
    show_mark(one)
    if one.erased:
        parts.append(f"{count(one.erased, 'person', 'people')} erased")
    st.caption(" · ".join(parts))


@st.dialog("Close this study?")
def _confirm_close(one: Overview) -> None:
    missing = sum(max(pool.target - pool.labels, 0) for pool in one.pools)
    st.markdown(
        f"**{plain(one.spec.name)}** takes no answers any more once it is closed, and cannot be "
        "opened again."
    )
    if missing:
        st.warning(f"{count(missing, 'label')} of its target are still missing.")
    with st.container(horizontal=True):
        sure = st.button(
            "Close it for good",
            type="primary",
            key="close_really",
            on_click=_change,
            args=("close", one.study),
        )
        if sure or st.button("Keep it open", key="close_not"):
            st.rerun()
