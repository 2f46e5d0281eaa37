"""Models: what we trained, on what, how well."""

import streamlit as st

from pages._ui.model_cards import show_models
from pages._ui.model_style import apply_model_style
from pages._ui.study_style import apply_study_style

apply_study_style()
apply_model_style()
with st.container(key="models"):
    show_models()
