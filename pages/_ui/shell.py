"""The frame around every page: title, navigation, style."""

from pathlib import Path

import streamlit as st

from pages._ui.style import apply_style

PAGES = Path(__file__).parents[1]

st.set_page_config(page_title="umnist", layout="wide", initial_sidebar_state="collapsed")
apply_style()
explore = st.Page(PAGES / "explore.py", title="Explore", default=True)
noise_lab = st.Page(PAGES / "noise_lab.py", title="Noise lab")
st.navigation([explore, noise_lab], position="top").run()
