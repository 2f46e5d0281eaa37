"""Keeping a setting of the Noise lab: as a file, as a command, as Python."""

from __future__ import annotations

import hashlib

import streamlit as st

from pages._ui.shared.home import base_path
from pages._ui.shared.setting import LabState, change_state
from umnist_core.digits import load_glyphs
from umnist_core.errors import UmnistError
from umnist_core.experiments import (
    generate_command,
    python_code,
    render_command,
    setting_from_yaml,
    setting_to_yaml,
)
from umnist_core.server.generated import scene_url

DATASET_COUNT = 10_000
PAGE_TIP = "The viewer with this image and its answer, to be opened without server or network"
_LOADED = "lab_loaded"


def show_keeping(state: LabState) -> None:
    """Draw what saves, loads and copies the edited setting."""
    setting = state.edited
    which = "" if state.compare == "one" else f" setting {state.edit.upper()}"
    with st.expander(f"Save, load, copy{which}"):
        st.download_button(
            "Save as YAML",
            setting_to_yaml(setting),
            file_name=f"umnist-{setting.preset}.yaml",
            mime="application/yaml",
            on_click="ignore",
            width="stretch",
        )
        _show_loader(state)
        page = base_path() + scene_url(setting, load_glyphs(), "html")
        st.link_button("This image as a page in one file", page, help=PAGE_TIP, width="stretch")
        _show_code("Draw this image: command line", render_command(setting), "bash")
        _show_code("Draw this image: Python", python_code(setting), "python")
        count = f"{DATASET_COUNT:,}"
        command = generate_command(setting, DATASET_COUNT)
        _show_code(f"Write a data set of {count} such images: command line", command, "bash")


def _show_code(title: str, code: str | None, language: str) -> None:
    """Draw code to copy, where there is some."""
    if code is not None:
        st.caption(title)
        st.code(code, language=language, wrap_lines=True)


def _show_loader(state: LabState) -> None:
    uploaded = st.file_uploader("Load from YAML", type=["yaml", "yml"], max_upload_size=1)
    if uploaded is None:
        st.session_state.pop(_LOADED, None)
        return
    data = uploaded.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    try:
        loaded = setting_from_yaml(data)
    except UmnistError as error:
        st.error(str(error))
        return
    # The file stays in the uploader; it is loaded once, and may be changed afterwards.
    if st.session_state.get(_LOADED) != digest:
        st.session_state[_LOADED] = digest
        change_state(state.with_edited(loaded))
        st.rerun()
