"""The panel beside a model that is watched, as a Streamlit component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.viewer import our_component

_watch = our_component("umnist_watch", "showWatch")


def show_watch(
    data: Mapping[str, Any], *, key: str, on_choice: Callable[[Mapping[str, Any]], None]
) -> None:
    """Show the choice of model and device, its answer, and the controls of where it looked.

    Parameters
    ----------
    data
        What to show; ``WatchData`` in ``watch.js`` documents every entry. The ``bus`` is that
        of the viewer whose picture is predicted and over which the attention lies.
    key
        Constant name of the panel on its page.
    on_choice
        Called with the choice (``Choice`` in ``watch_choice.js``) before the rerun, when the
        model, the device, what stands beside it or the following was changed.
    """

    def report() -> None:
        choice = st.session_state[key].get("choice")
        if choice is not None:
            on_choice(choice)

    _watch(key=key, data=dict(data), on_choice_change=report)
