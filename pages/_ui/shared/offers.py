"""Files that a page makes when somebody asks for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages._ui.shared.home import base_path
from pages._ui.shared.studies import told
from umnist_core.server.downloads import Download, prepare_download


def offer_file(
    key: str,
    what: str,
    name: str,
    make: Callable[[Path], None],
    *,
    saved: str | None = None,
    made_of: str = "",
) -> None:
    """Draw a button that makes a file, and then one that saves it.

    In two steps, because a file that is made on saving could not say why it was not made.

    Parameters
    ----------
    key
        Of what is kept in the session.
    what, saved
        What the buttons name; the second `what` too unless given.
    name
        Of the file.
    make
        Writes it.
    made_of
        What it is made of: a file of something else is no longer offered.
    """
    kept = f"file_{key}"
    if st.button(f"Prepare {what}", key=f"prepare_{key}"):
        st.session_state.pop(kept, None)
        with told(), st.spinner(f"Preparing {what}", show_time=True):
            st.session_state[kept] = prepare_download(name, make)
            st.session_state[f"{kept}_of"] = made_of
    if kept in st.session_state and st.session_state[f"{kept}_of"] == made_of:
        made: Download = st.session_state[kept]
        st.link_button(
            f"Save {saved or what} ({made.size_bytes / 1e6:.1f} MB)",
            f"{base_path()}{made.address}",
            type="primary",
        )
