"""Label: where people sit down at this computer and take part."""

import streamlit as st

from pages._ui.label_desk import show_desk
from pages._ui.study_style import apply_study_style

apply_study_style()
with st.container(key="studies"):
    show_desk()
