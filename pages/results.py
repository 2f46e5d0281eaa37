"""Results: what people got right, and why not."""

import streamlit as st

from pages._ui.results.image import choose_gaze, show_stage
from pages._ui.results.labels import show_labels
from pages._ui.results.replay import choose_replay, replayed
from pages._ui.results.sections import show_sections
from pages._ui.shared.results import load_results
from pages._ui.shared.studies import get_service
from pages._ui.shared.study_choice import (
    OPTIONAL_STOPPING,
    choose_image,
    choose_study,
    is_masked,
)
from pages._ui.shared.text_style import apply_text_style
from umnist_core.errors import UmnistError

apply_text_style()
service = get_service()
with st.container(key="results"):
    stage = st.container(key="results_stage")
    panel = st.container(key="results_panel")

with panel:
    study = choose_study(service)
    if study is None:
        st.stop()
    if not study.spec.has_truth:
        try:
            show_labels(service, study, stage, panel)
        except UmnistError as error:
            st.error(str(error))
        st.stop()
    if is_masked(study):
        stage.info(OPTIONAL_STOPPING)
        st.stop()
    try:
        results = load_results(service, study)
    except UmnistError as error:
        st.error(str(error))
        st.stop()
    choose_replay(results)
    image = choose_image(results)
    gaze = choose_gaze()

with stage:
    try:
        show_stage(service, results, image, gaze, replayed(results, image))
    except UmnistError as error:
        st.error(str(error))

with panel:
    show_sections(service, results, image, study.spec)
