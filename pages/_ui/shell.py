"""The frame around every page: title, navigation, style."""

from pathlib import Path

import streamlit as st

from pages._ui.shared.address import follow_address
from pages._ui.shared.help import show_help
from pages._ui.shared.style import apply_style

FOLDER = Path(__file__).parents[1]

TITLES = {
    "explore": "Explore",
    "noise_lab": "Noise lab",
    "label": "Label",
    "studies": "Studies",
    "results": "Results",
    "inference": "Inference",
    "models": "Models",
    "experiments": "Experiments",
}
"""Of the pages, in the order of the navigation."""

st.set_page_config(page_title="umnist", layout="wide", initial_sidebar_state="collapsed")
apply_style()
pages = {
    name: st.Page(FOLDER / f"{name}.py", title=title, default=name == "explore")
    for name, title in TITLES.items()
}
# Pages link to each other by these; only the shell knows how they were made.
for name, page in pages.items():
    st.session_state[f"{name}_page"] = page
shown = st.navigation(list(pages.values()), position="top")
with st.container(key="home"):
    st.page_link(pages["explore"], label="umnist", help="Home: Explore")
name = next(one for one, title in TITLES.items() if title == shown.title)
show_help(name)
follow_address(name)
shown.run()
