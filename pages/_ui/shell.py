"""The frame around every page: title, navigation, style."""

import streamlit as st

from pages._ui.style import apply_style

st.set_page_config(page_title="umnist", layout="wide", initial_sidebar_state="collapsed")
apply_style()
st.navigation([st.Page("../explore.py", title="Explore", default=True)], position="top").run()
