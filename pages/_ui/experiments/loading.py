"""What the page Experiments reads, kept for a while: sweeps and figures of ours."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages._ui.shared.charts import DARK, LIGHT, Colours
from umnist_core.errors import UmnistError
from umnist_core.experiments.published.beside import (
    OurFigure,
    SweepFolder,
    known_sweeps,
    load_folder,
    ours_beside,
    shipped_folders,
)
from umnist_core.experiments.published.entries import entries_folder, imported_sweeps
from umnist_core.experiments.published.tables import PublishedTable
from umnist_core.paths import expand_home

CHOSEN_FOLDER, OPENED = "experiments_folder", "experiments_folders"
"""Keys of the folder of a sweep of one's own, and of all that were opened, to compare them."""

_KEPT_S = 600


def colours_here() -> tuple[Colours, bool]:
    """Return the colours of charts in the theme that is shown, and whether it is dark."""
    is_dark = st.context.theme.type == "dark"
    return (DARK if is_dark else LIGHT), is_dark


def all_sweeps() -> list[SweepFolder]:
    """Return the sweeps that there are, one's own last; what is damaged is told."""
    try:
        found = list(_known(_state_of_folders()))
    except UmnistError as error:
        st.error(str(error))
        found = []
    own = (own_sweep(folder) for folder in st.session_state.get(OPENED, ()))
    return [*found, *(one for one in own if one is not None)]


def own_sweep(text: str) -> SweepFolder | None:
    """Return the sweep in a folder as it is now; None, and why, where there is none."""
    try:
        return load_folder(expand_home(text))
    except UmnistError as error:
        st.error(str(error))
        return None


def open_folder() -> None:
    """Take the folder that was named to those that were opened; a callback."""
    text = str(st.session_state.get(CHOSEN_FOLDER) or "").strip()
    opened = st.session_state.setdefault(OPENED, [])
    if text and own_sweep(text) is not None:
        st.session_state[OPENED] = [*(one for one in opened if one != text), text]


def figures_of_ours(table: PublishedTable) -> list[OurFigure]:
    """Return what of ours stands beside a table; what is damaged is told."""
    try:
        return ours_beside(table, all_sweeps())
    except UmnistError as error:
        st.error(str(error))
        return ours_beside(table, [], with_own=False)


@st.cache_resource(ttl=_KEPT_S, max_entries=2, show_spinner="Reading results")
def _known(state: tuple[tuple[str, int, int], ...]) -> list[SweepFolder]:
    """Return the sweeps that come with umnist or were imported, read anew when files change."""
    del state
    return known_sweeps()


def _state_of_folders() -> tuple[tuple[str, int, int], ...]:
    folders = [*shipped_folders(), *imported_sweeps(), entries_folder()]
    return tuple(_state(one) for one in folders if one.is_dir())


def _state(folder: Path) -> tuple[str, int, int]:
    cells = folder / "cells"
    times = [one.stat().st_mtime_ns for one in (folder, cells) if one.is_dir()]
    return (str(folder), max(times), len(times))
