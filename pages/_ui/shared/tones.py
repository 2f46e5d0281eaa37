"""Window, level and channel of a file's image: controls beside the viewer."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.viewer import our_component
from umnist_core.pyramid.appearance import PixelKind
from umnist_core.server.files import FileEntry

_TONED = "toned_file"
"""Key of the file that the window in the address is of."""

_NAMES = ("window", "channel")

_tones = our_component("umnist_tones", "showTones")


def tones_link(entry: FileEntry) -> dict[str, str | None]:
    """Return the window and the channel as parameters of the page's address; None for another."""
    is_same = st.session_state.get(_TONED, entry.id) == entry.id
    return {name: st.query_params.get(name) if is_same else None for name in _NAMES}


def show_tones(entry: FileEntry, bus: str) -> None:
    """Draw the controls, folded away unless the address sets them."""
    link, kind = tones_link(entry), entry.header.kind
    st.session_state[_TONED] = entry.id
    with st.expander("Window and channels", expanded=any(link.values())):
        _tones(
            key="tones",
            data={
                "bus": bus,
                "subject": entry.id,
                "range": f"/tiles/file/{entry.id}_range.json",
                "names": kind.names,
                "usual": _usual(kind),
                "isFloat": kind.is_float,
                **link,
            },
        )


def _usual(kind: PixelKind) -> list[int] | None:
    """Return what is black and white by the rule of all files; None where the values decide."""
    return None if kind.is_float or kind.bits > 16 else [0, 2**kind.bits - 1]
