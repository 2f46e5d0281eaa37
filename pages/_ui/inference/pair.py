"""Two images beside each other on Inference: the same digits under two noises.

Inference shows one image, whatever the Noise lab compares, unless an address or a search asks
for a pair. Then its controls are those of the Noise lab, and choosing one image ends the pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.address import LED_BY_ADDRESS
from pages._ui.shared.setting import (
    SCENE_NAMES,
    LabState,
    change_state,
    current_state,
    state_from_query,
    take_report,
)
from pages._ui.shared.sliders import lab_data, show_controls
from umnist_core.digits import load_glyphs

PAIR = "pair"
"""Parameter of the address that asks for both images; also where the session keeps it."""

_SHOWN = "inference_pair"


def is_pair() -> bool:
    """Return whether two images are asked for."""
    if st.session_state.get(LED_BY_ADDRESS, False) and not {PAIR, *SCENE_NAMES}.isdisjoint(
        st.query_params
    ):
        st.session_state[_SHOWN] = PAIR in st.query_params
    return bool(st.session_state.get(_SHOWN)) and current_state()[0].compare != "one"


def show_pair(query: Mapping[str, str]) -> None:
    """Show two images from now on; a callback.

    Parameters
    ----------
    query
        `umnist_core.experiments.fool.Search.query`.
    """
    change_state(state_from_query(query))
    st.session_state[_SHOWN] = True


def show_one() -> None:
    """Show one image from now on; a callback."""
    st.session_state[_SHOWN] = False


def show_pair_controls(bus: str, key: str) -> LabState:
    """Show the Noise lab's controls of both images, and return what they are set to."""
    state, revision = current_state()
    show_controls(lab_data(state, revision, load_glyphs(), bus), key=key, on_settings=_take)
    return state


def _take(report: Mapping[str, Any]) -> None:
    take_report(report)
    st.session_state[_SHOWN] = report["compare"] != "one"
