"""Studies: make a study, invite people, watch it fill."""

import streamlit as st

from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.studies import asked_study, get_service
from pages._ui.shared.text_style import apply_text_style
from pages._ui.studies.form import is_form_open, show_form
from pages._ui.studies.list import show_list
from pages._ui.studies.page import show_study

apply_text_style()
with st.container(key="studies"):
    study = asked_study()
    if study is not None:
        show_study(study)
    elif is_form_open():
        show_digits_notice()
        show_form(get_service())
    else:
        show_list()
