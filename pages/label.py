"""Label: where people sit down at this computer and take part."""

import streamlit as st

from pages._ui.label.desk import show_desk
from pages._ui.shared.text_style import apply_text_style

apply_text_style()
with st.container(key="studies"):
    show_desk()
