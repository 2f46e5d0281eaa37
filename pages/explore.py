"""Explore: look at any sample as closely as you like."""

import streamlit as st

from pages._ui.explore.panel import choose_picture, choose_sample, show_downloads, step_sample
from pages._ui.explore.stage import SceneStage, open_stage
from pages._ui.shared.image_files import show_file_notes
from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.viewer import show_answers, show_viewer
from umnist_core.errors import UmnistError

stage_column, panel = st.columns([7, 3], gap="small")

with panel, st.container(key="panel"):
    show_digits_notice()
    stage, problem = None, ""
    try:
        sample = choose_sample()
        picture = choose_picture(sample)
        stage = None if sample is None else open_stage(sample, picture)
    except UmnistError as error:
        problem = str(error)

with stage_column, st.container(key="stage"):
    if problem:
        st.error(problem)
        st.stop()
    if stage is None:
        st.info("Choose a data set or name a folder or file beside this, or upload a file.")
        st.stop()
    show_viewer(stage.viewer_data, key="explore_viewer", on_navigate=step_sample)

with panel, st.container(key="panel_below"):
    if stage.answers_data is not None:
        show_answers(stage.answers_data, key="explore_answers")
    if isinstance(stage, SceneStage):
        show_downloads(stage.ref, stage.glyphs)
    else:
        show_file_notes(stage.header, stage.title, stage.notes)
        if stage.problem:
            st.warning(stage.problem)
