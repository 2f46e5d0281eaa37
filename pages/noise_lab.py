"""Noise lab: change the noise and watch the image follow."""

import streamlit as st

from pages._ui.noise_lab.digit_figures import digit_rows, show_digit_figures
from pages._ui.noise_lab.figures import SAMPLES, show_figures
from pages._ui.noise_lab.files import show_keeping
from pages._ui.noise_lab.sheet import sheet_data, show_sheet
from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.panes import answers_data, viewer_data
from pages._ui.shared.scenes import stepped
from pages._ui.shared.setting import change_state, current_state, take_report
from pages._ui.shared.sliders import lab_data, show_controls
from pages._ui.shared.viewer import show_answers, show_viewer
from umnist_core.digits import load_glyphs
from umnist_core.errors import UmnistError

BUS = "noise_lab"


def open_sample(index: int) -> None:
    """Go to a sample; a callback, before anything is drawn."""
    state, _ = current_state()
    change_state(state.at(min(max(index, 0), state.last_index)))


def step_sample(step: str) -> None:
    """Go to the next, the previous or a random sample; a callback."""
    state, _ = current_state()
    open_sample(stepped(state.a.index, step, state.last_index))


with st.container(key="lab"):
    stage = st.container(key="lab_stage")
    panel = st.container(key="lab_panel")
    below = st.container(key="lab_below")

with panel:
    show_digits_notice()
    try:
        glyphs = load_glyphs()
    except UmnistError:
        st.stop()  # the notice has said why
    state, revision = current_state()
    viewer = viewer_data(state, glyphs, BUS)
    if viewer.get("label") is not None:
        show_answers(answers_data(viewer), key="lab_answers")
    show_controls(
        lab_data(state, revision, glyphs, BUS), key="lab_controls", on_settings=take_report
    )
    show_keeping(state)

with stage:
    show_viewer(viewer, key="lab_viewer", on_navigate=step_sample)

with below:
    which = "this setting" if state.compare == "one" else f"setting {state.edit.upper()}"
    digits = digit_rows(state)
    done = "scale, smoothing and threshold do" if digits else f"the noise does, in {SAMPLES} images"
    st.subheader(f"What {done}", anchor=False)
    figures = st.container(key="lab_figures")
    st.subheader(f"Samples of {which}", anchor=False)
    show_sheet(sheet_data(state.edited, glyphs), key="lab_sheet", on_open=open_sample)
    with figures:
        if digits:
            show_digit_figures(digits, open_sample)
        else:
            show_figures(state, glyphs, open_sample)
