"""The people of a study: how far they are, and erasing one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages._ui.shared.studies import get_service, told
from pages._ui.shared.words import POOL_TITLES, count
from pages._ui.studies.words import ORIGINS, OUTCOMES, PHASES, ago, day
from umnist_core.errors import UmnistError
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import ListedAnnotator, Overview

REFRESH = "10s"


def show_people(service: StudyService, one: Overview) -> None:
    """Draw the people."""
    people = service.annotators(one.study)
    if not people:
        st.caption("Nobody has joined yet. Make links under “Invite” and send them.")
        return
    if one.status == "closed":
        _show_table(people)
    else:
        _follow(one.study)
    _show_erasing(one, people)


@st.fragment(run_every=REFRESH)
def _follow(study: str) -> None:
    with told():
        _show_table(get_service().annotators(study))


def _show_table(people: list[ListedAnnotator]) -> None:
    st.dataframe(
        people_table(people),
        hide_index=True,
        column_config={
            "Answered": st.column_config.ProgressColumn(
                format="%d", min_value=0, max_value=max(row.total for row in people)
            )
        },
        alt=f"{count(len(people), 'person', 'people')} of this study",
    )


def people_table(people: list[ListedAnnotator]) -> pd.DataFrame:
    """Return the people as a table for researchers; nothing in it names a person."""
    return pd.DataFrame(
        [
            (
                row.annotator,
                POOL_TITLES.get(row.pool, row.pool),
                ORIGINS.get(row.origin, row.origin),
                where(row),
                row.answered,
                row.total,
                day(row.joined_utc),
                ago(row.last_utc),
                row.code or "",
            )
            for row in people
        ],
        columns=[
            "Person",
            "Pool",
            "Data",
            "Where they are",
            "Answered",
            "Of",
            "Joined",
            "Last seen",
            "Completion code",
        ],
    )


def where(row: ListedAnnotator) -> str:
    """Return where a person stands, or how their part ended, as the person is told too."""
    if row.outcome is None:
        return PHASES.get(row.phase, row.phase)
    said = OUTCOMES[row.outcome]
    return f"{said} (link revoked)" if row.is_revoked else said


def _show_erasing(one: Overview, people: list[ListedAnnotator]) -> None:
    with st.expander("Erase a person"):
        st.caption(
            "Deletes everything that the person gave, and their link. The log keeps that somebody "
            "was erased, and its hashes, so it can still be checked."
        )
        names = {row.annotator: row for row in people}
        chosen = st.selectbox(
            "Person",
            list(names),
            index=None,
            placeholder="Choose by id or completion code",
            format_func=lambda key: (
                f"{key} · {names[key].code or 'no code'} · {names[key].answered} answers"
            ),
            key="erase_who",
        )
        if st.button("Erase", key="erase", disabled=chosen is None) and chosen is not None:
            _confirm_erase(one.study, names[chosen])


@st.dialog("Erase this person?")
def _confirm_erase(study: str, person: ListedAnnotator) -> None:
    st.markdown(
        f"`{person.annotator}` and {count(person.answered, 'answer')} of theirs are deleted. This "
        "cannot be undone."
    )
    with st.container(horizontal=True):
        sure = st.button(
            "Erase for good",
            type="primary",
            key="erase_really",
            on_click=_erase,
            args=(study, person.annotator),
        )
        if sure or st.button("Keep", key="erase_not"):
            st.rerun()


def _erase(study: str, person: str) -> None:
    try:
        get_service().erase(study, person)
    except UmnistError as error:
        st.session_state["study_error"] = str(error)
