"""Making a replication of an exported study."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import streamlit as st

from pages._ui.shared.making import Making, begin
from pages._ui.shared.studies import get_service, told
from pages._ui.shared.words import plain
from umnist_core.labeling.export import HEADER
from umnist_core.labeling.importing import open_export
from umnist_core.labeling.zip_checks import said_as_damage

_COPY = "replication_copy"
"""Key of the session under which the folder of an uploaded export stands."""


def ask_replication(source: Path) -> None:
    """Open the dialog for an export; what is wrong with the file is raised as of importing."""
    with said_as_damage(source), open_export(source) as archive:
        name = str(archive.read_json(HEADER)["name"])
    # An upload goes with the run in which it was given, and the study is made beside all runs.
    folder = Path(tempfile.mkdtemp(prefix="umnist-replicate-"))
    kept = Path(shutil.copyfile(source, folder / "study.zip"))
    _forget_copy()
    st.session_state[_COPY] = folder
    _ask(kept, name)


def _forget_copy() -> None:
    folder = st.session_state.pop(_COPY, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


@st.dialog("Make a replication", on_dismiss=_forget_copy)
def _ask(source: Path, name: str) -> None:
    st.markdown(
        f"A new study with the images, texts and settings of **{plain(name)}**. What the original "
        "found, and the bounds below, are logged with it before anybody answers; Results then says "
        "whether it was found again."
    )
    title = st.text_input(
        "Name", f"Replication of {name}"[:120], max_chars=120, key="replication_name"
    )
    points = st.number_input(
        "Least difference that matters (points)",
        0.5,
        50.0,
        5.0,
        0.5,
        key="replication_bounds",
        help="Two accuracies that are shown to differ by less count as equivalent.",
    )
    st.caption(
        "The sums of these images stand in the export; keep it from the people who are to answer."
    )
    if st.button("Make the study", type="primary", key="replication_make"):
        with told():
            _start(source, title or "", points / 100)
            st.session_state.pop(_COPY, None)  # its thread takes it away
            st.rerun()


def _start(source: Path, name: str, bounds: float) -> None:
    from umnist_core.labeling.replicate import replicate_study  # loads a good deal

    service = get_service()

    def make(making: Making) -> str:
        try:
            made = replicate_study(service, source, name, bounds=bounds, progress=making.tell)
        finally:
            shutil.rmtree(source.parent, ignore_errors=True)
        return made.study

    begin(make, name, 0)
