"""The form's part for images whose sums nobody knows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages._ui.shared.words import count
from umnist_core.datasets import open_files
from umnist_core.errors import UmnistError
from umnist_core.paths import expand_home

LABELS_FOR_DATA = 3
"""The least of which a majority can differ from one person's word."""

_SECONDS = 30


def ask_folder_without_truth() -> dict[str, Any]:
    """Ask for a folder of images, and return it with how many images it holds."""
    path = st.text_input(
        "Folder on this machine",
        key="new_data_folder",
        placeholder="~/scans",
        help="PNG, JPEG, TIFF and other images in it and in the folders below. Sums that stand "
        "beside them are not looked at.",
    )
    st.caption(
        "Several people label each image. Where they agree, what they say becomes its label; you "
        "decide the rest. Nothing here is right or wrong, so there is no practice and no accuracy."
    )
    values: dict[str, Any] = {"folder": path or "", "has_truth": False}
    if not path:
        return values
    try:
        found = _count_images(path)
    except UmnistError as error:
        st.warning(str(error))
        return values
    st.caption(f"{count(found, 'image')} found.")
    return {**values, "found": max(1, min(found, 100_000))}


@st.cache_data(ttl=_SECONDS, show_spinner="Looking through the folder")
def _count_images(path: str) -> int:
    return len(open_files(expand_home(path)).ids)
