"""The controls of a generated image on pages that show one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui.shared.scenes import stepped
from pages._ui.shared.setting import LabState, change_state, current_state, take_report
from pages._ui.shared.sliders import lab_data, show_controls
from umnist_core.datasets.large_scale.ref import any_ref
from umnist_core.digits import load_glyphs


def one_state() -> LabState:
    """Return the current state without the comparison, which the Noise lab alone shows."""
    state, _ = current_state()
    return replace(state, compare="one")


def show_scene_controls(bus: str, key: str, **more: Any) -> None:
    """Show the Noise lab's controls for its setting A.

    Parameters
    ----------
    bus
        Of the viewer that follows them.
    key
        Constant name of the controls on their page.
    **more
        Further entries of ``LabData`` in ``lab.js``.
    """
    kept, revision = current_state()

    def take(report: Mapping[str, Any]) -> None:
        take_report({**report, "compare": kept.compare})

    data = lab_data(one_state(), revision, load_glyphs(), bus) | {"single": True, **more}
    show_controls(data, key=key, on_settings=take)


def show_generated(preset: str) -> None:
    """Go to generated images of a preset; a callback."""
    st.session_state["source"] = "generated"
    kept, _ = current_state()
    first = one_state().with_edited(any_ref(preset))
    change_state(replace(first, compare=kept.compare))


def step_scene(step: str) -> None:
    """Go to the next, the previous or a random sample of a preset; a callback."""
    state, _ = current_state()
    change_state(state.at(stepped(state.a.index, step, state.last_index)))
