"""Explore: look at any sample as closely as you like."""

import streamlit as st

from pages._ui.explore.panel import choose_picture, choose_sample, show_downloads, step_sample
from pages._ui.explore.stage import BUS, FileStage, SceneStage, open_stage
from pages._ui.shared.address import keep_shown
from pages._ui.shared.image_files import ChosenFile, show_file_notes
from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.panes import views_of
from pages._ui.shared.scene_controls import one_state, show_scene_controls
from pages._ui.shared.tones import show_tones
from pages._ui.shared.viewer import show_answers, show_viewer
from umnist_core.datasets.large_scale.ref import AnyRef
from umnist_core.errors import UmnistError

with st.container(key="explore"):
    stage_place = st.container(key="explore_stage")
    panel = st.container(key="explore_panel")

with panel:
    show_digits_notice()
    sample: AnyRef | ChosenFile | None = None
    stage: SceneStage | FileStage | None = None
    problem = ""
    controls = st.container()
    try:
        with controls:
            sample = choose_sample()
        picture = choose_picture(sample)
        stage = None if sample is None else open_stage(sample, picture)
    except UmnistError as error:
        problem = str(error)
    stage = keep_shown("explore_shown", stage)

with controls:
    is_scene = not (sample is None or isinstance(sample, ChosenFile))
    if is_scene or (problem and st.session_state.source == "generated"):
        views = views_of(stage.viewer_data) if isinstance(stage, SceneStage) else []
        show_scene_controls(BUS, "explore_controls", folded=True, views=views)

with stage_place:
    if stage is None:
        told = st.error if problem else st.info
        told(problem or "Drop images or a folder here, or choose a data set or a file beside this.")
        st.stop()
    viewer = stage.viewer_data | {"status": problem or None}
    if isinstance(stage, SceneStage):
        viewer["link"] = {**viewer["link"], **one_state().link}
    show_viewer(viewer, key="explore_viewer", on_navigate=step_sample)

with panel:
    if stage.answers_data is not None:
        show_answers(stage.answers_data, key="explore_answers")
    if isinstance(stage, SceneStage):
        show_downloads(stage.ref, stage.glyphs)
    else:
        show_tones(stage.entry, BUS)
        show_file_notes(stage.header, stage.title, stage.notes)
        if stage.problem:
            st.warning(stage.problem)
