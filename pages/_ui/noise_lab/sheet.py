"""The Noise lab's contact sheet, as a Streamlit component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.viewer import our_component
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.server.generated import thumbnail_url

SHEET_SAMPLES = 12

_sheet = our_component("umnist_sheet", "showSheet")


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


def sheet_data(setting: AnyRef, glyphs: GlyphSet) -> dict[str, Any]:
    """Return the contact sheet: the page of samples that the current one is on."""
    first = setting.index // SHEET_SAMPLES * SHEET_SAMPLES
    last = first + SHEET_SAMPLES - 1
    if isinstance(setting, DigitRef):
        last = min(last, setting.last_index)
    return {
        "current": setting.index,
        "samples": [
            {"index": index, "url": thumbnail_url(setting.at(index), glyphs)}
            for index in range(first, last + 1)
        ],
    }
