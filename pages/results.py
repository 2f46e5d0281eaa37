"""Results: what people got right, and why not."""

import streamlit as st

from pages._ui.results_choice import choose_study
from pages._ui.results_data import load_results
from pages._ui.results_image import choose_gaze, choose_image, show_stage
from pages._ui.results_sections import is_masked, show_sections
from pages._ui.results_words import OPTIONAL_STOPPING
from pages._ui.study_store import get_service
from pages._ui.study_style import apply_study_style
from umnist_core.errors import UmnistError

apply_study_style()
service = get_service()
stage_column, panel = st.columns([7, 3], gap="small")

with panel, st.container(key="panel"):
    study = choose_study(service)
    if study is None:
        st.stop()
    if is_masked(study):
        stage_column.info(OPTIONAL_STOPPING)
        st.stop()
    try:
        results = load_results(service, study)
    except UmnistError as error:
        st.error(str(error))
        st.stop()
    image = choose_image(results)
    gaze = choose_gaze()

with stage_column, st.container(key="stage"):
    try:
        show_stage(service, results, image, gaze)
    except UmnistError as error:
        st.error(str(error))

with panel, st.container(key="panel_below"):
    show_sections(results, image)
