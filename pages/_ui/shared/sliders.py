"""The sliders of the Noise lab and Inference, as a Streamlit component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.setting import LabState
from pages._ui.shared.viewer import our_component
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.server.controls import controls_data, drawn_values

_lab = our_component("umnist_lab", "showLab")


def lab_data(state: LabState, revision: int, glyphs: GlyphSet, bus: str) -> dict[str, Any]:
    """Return what the controls show; ``LabData`` in ``lab.js`` documents every entry."""
    shown = {"bus": bus, "revision": revision, "state": state.to_json()}
    drawn = {"a": _drawn(state.a, glyphs)}
    if state.compare != "one":
        drawn["b"] = _drawn(state.b, glyphs)
    return shown | {"drawn": drawn} | controls_data(glyphs)


def _drawn(setting: AnyRef, glyphs: GlyphSet) -> dict[str, str]:
    if isinstance(setting, DigitRef):
        return {}
    try:
        return drawn_values(setting.plan(glyphs))
    except UmnistError:
        return {}  # the viewer says why there is no picture


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
