"""Models: what we trained, on what, how well."""

import streamlit as st

from pages._ui.models.cards import show_models
from pages._ui.models.style import apply_model_style
from pages._ui.shared.text_style import apply_text_style

apply_text_style()
apply_model_style()
with st.container(key="models"):
    show_models()
