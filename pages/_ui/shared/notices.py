"""What every page says about this machine when it matters."""

import streamlit as st

from umnist_core.digits import find_digits
from umnist_core.errors import UmnistError


def show_digits_notice() -> None:
    """Say when the digits are not MNIST's, or cannot be read, and what to do."""
    try:
        status = find_digits()
    except UmnistError as error:
        st.error(str(error))
        return
    if status.kind == "stand-in":
        st.warning(status.sentence)
