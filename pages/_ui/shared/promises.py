"""A preregistration for people: its seal, what was planned beside what was done, its text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from pages._ui.shared.words import plain
from umnist_core.labeling.preregistered import (
    AS_PLANNED,
    DIFFERENT,
    PlannedAndDone,
    comparison_csv,
    seal_of,
)
from umnist_core.labeling.results import FoldedStudy

_MARKS = {AS_PLANNED: "as planned", DIFFERENT: ":orange-badge[different]"}


def show_promise(folded: FoldedStudy, rows: Sequence[PlannedAndDone]) -> None:
    """Draw the preregistration of a study that has one."""
    promised, seal = folded.state.spec.promised, seal_of(folded)
    if promised is None or seal is None:
        return
    different = sum(row.verdict == DIFFERENT for row in rows)
    st.markdown("**Planned and done**")
    # No table: beside the image there is no room for sentences in columns.
    st.markdown("\n".join(map(_line, rows)))
    st.caption(_sentence(different, folded.state.status))
    moment = datetime.fromisoformat(seal.sealed_utc).strftime("%Y-%m-%d %H:%M:%S")
    st.markdown(
        f"Sealed at {moment} UTC as the study's first event, before anybody had come. SHA-256 of "
        "the text:"
    )
    st.code(seal.sha256, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        st.download_button(
            "Text (Markdown)", promised.text, "preregistration.md", "text/markdown", key="prereg_md"
        )
        st.download_button(
            "Planned and done (CSV)",
            comparison_csv(list(rows)),
            "planned_and_done.csv",
            "text/csv",
            key="prereg_csv",
        )
    with st.expander("Text of the preregistration"):
        st.text(promised.text)


def _line(row: PlannedAndDone) -> str:
    """Return one thing that was promised as an entry of a list."""
    mark = _MARKS.get(row.verdict, row.verdict)
    planned, done = plain(row.planned.removesuffix(".")), plain(row.done)
    return f"- **{row.what}**: {mark}  \n  Planned: {planned}.  \n  Done: {done}."


def _sentence(different: int, status: str) -> str:
    if different:
        things = "one thing" if different == 1 else f"{different} things"
        return f"The study did {things} otherwise than planned; say so wherever you report it."
    if status != "closed":
        return "Whether the study kept to it is judged when it is closed."
    return "The study kept to all of it that its log can tell."
