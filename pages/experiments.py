"""Experiments: every published table beside ours, and people against models."""

import streamlit as st

from pages._ui.experiments.parts import show_experiments
from pages._ui.experiments.style import apply_experiment_style
from pages._ui.shared.text_style import apply_text_style

apply_text_style()
apply_experiment_style()
with st.container(key="experiments"):
    show_experiments()
