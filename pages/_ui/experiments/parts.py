"""The parts of the page Experiments, one at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages._ui.experiments.tables import show_tables


def _show_sweeps() -> None:
    from pages._ui.experiments.sweeps import show_sweeps

    show_sweeps()


def _show_people() -> None:
    # Its statistics take a while to load, which who reads a table does not wait for.
    from pages._ui.experiments.people import show_people

    show_people()


_PARTS: dict[str, Callable[[], None]] = {
    "Published tables": show_tables,
    "Sweeps": _show_sweeps,
    "People and models": _show_people,
}

PART = "experiments_part"


def show_experiments() -> None:
    """Draw the whole page."""
    with st.container(key="experiments_head"):
        st.html("<h1>Experiments</h1>")
        chosen = st.segmented_control(
            "Part",
            list(_PARTS),
            default=next(iter(_PARTS)),
            required=True,
            key=PART,
            label_visibility="collapsed",
        )
    _PARTS[chosen or next(iter(_PARTS))]()
