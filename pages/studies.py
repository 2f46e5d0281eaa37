"""Studies: make a study, invite people, watch it fill."""

import streamlit as st

from pages._ui.notices import show_digits_notice
from pages._ui.study_form import is_form_open, show_form
from pages._ui.study_list import show_list
from pages._ui.study_page import show_study
from pages._ui.study_store import asked_study, get_service
from pages._ui.study_style import apply_study_style

apply_study_style()
with st.container(key="studies"):
    study = asked_study()
    if study is not None:
        show_study(study)
    elif is_form_open():
        show_digits_notice()
        show_form(get_service())
    else:
        show_list()
