"""The Noise lab's controls and its contact sheet, as Streamlit components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages._ui.viewer import our_component

_lab = our_component("umnist_lab", "showLab")
_sheet = our_component("umnist_sheet", "showSheet")


def show_controls(
    data: Mapping[str, Any], *, key: str, on_settings: Callable[[Mapping[str, Any]], None]
) -> None:
    """Show the controls.

    Parameters
    ----------
    data
        What to show; ``LabData`` in ``lab.js`` documents every entry.
    key
        Constant name of the controls on their page.
    on_settings
        Called with the state (``LabState`` in ``lab.js``) before the rerun, when a control
        was let go of.
    """

    def report() -> None:
        settings = st.session_state[key].get("settings")
        if settings is not None:
            on_settings(settings)

    _lab(key=key, data=dict(data), on_settings_change=report)


def show_sheet(data: Mapping[str, Any], *, key: str, on_open: Callable[[int], None]) -> None:
    """Show the contact sheet.

    Parameters
    ----------
    data
        What to show; ``SheetData`` in ``sheet.js`` documents every entry.
    key
        Constant name of the sheet on its page.
    on_open
        Called with the index of the sample that was clicked, before the rerun.
    """

    def open_sample() -> None:
        index = st.session_state[key].get("open")
        if index is not None:
            on_open(int(index))

    _sheet(key=key, data=dict(data), on_open_change=open_sample)
