"""What a page shows of an error that it does not handle: one sentence, wherever it was raised."""

from __future__ import annotations

import streamlit as st

from umnist_core.errors import UmnistError
from umnist_core.incidents import record_incident


def show_incident(error: Exception) -> bool:
    """Show an error in one sentence; one that is not ours with the number under which it is logged.

    For Streamlit's ``on_script_error``, which is asked for pages, fragments and callbacks alike.

    Parameters
    ----------
    error
        What a page, a fragment or a callback raised.

    Returns
    -------
    bool
        True: Streamlit has nothing to show any more.
    """
    if isinstance(error, UmnistError):
        st.error(str(error))
    else:
        st.error(record_incident(error, "a page").sentence)
    return True
