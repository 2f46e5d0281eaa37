"""The frame around every page: title, navigation, style."""

from pathlib import Path

import streamlit as st

from pages._ui.style import apply_style

PAGES = Path(__file__).parents[1]

st.set_page_config(page_title="umnist", layout="wide", initial_sidebar_state="collapsed")
apply_style()
explore = st.Page(PAGES / "explore.py", title="Explore", default=True)
noise_lab = st.Page(PAGES / "noise_lab.py", title="Noise lab")
label = st.Page(PAGES / "label.py", title="Label")
studies = st.Page(PAGES / "studies.py", title="Studies")
results = st.Page(PAGES / "results.py", title="Results")
inference = st.Page(PAGES / "inference.py", title="Inference")
models = st.Page(PAGES / "models.py", title="Models")
# Pages link to each other by these; only the shell knows how they were made.
st.session_state["results_page"] = results
st.session_state["studies_page"] = studies
st.session_state["inference_page"] = inference
pages = [explore, noise_lab, label, studies, results, inference, models]
st.navigation(pages, position="top").run()
