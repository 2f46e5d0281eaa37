"""One's own files: dropped on the page, chosen, or opened lately; and the strip of a folder's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.shared.viewer import our_component
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.files import passing_folder
from umnist_core.server.drops import TABLE_SUFFIXES
from umnist_core.server.folder_images import register_folder

_KEYS = {"file": "path", "folder": "folder"}
_OF_ANOTHER = ("set", "page", "split", "system", "image")
"""What was chosen within another place."""

_STAGES = ".st-key-explore_stage, .st-key-watch_stage"

_own = our_component("umnist_own", "showOwn")
_strip = our_component("umnist_strip", "showStrip")


def show_own(source: str) -> None:
    """Take files that are dropped anywhere on the page; offer to choose some, and recent places.

    Parameters
    ----------
    source
        Where images come from now: ``"file"``, ``"folder"``, or another, for which nothing is
        shown.
    """
    key = _KEYS.get(source, "")
    path = str(st.session_state.get(key, "") or st.query_params.get(key, "")) if key else ""
    lasts = bool(path) and not is_passing(path)
    data = {
        "place": "/drops",
        "suffixes": [*IMAGE_SUFFIXES, *TABLE_SUFFIXES],
        "stage": _STAGES,
        "compact": source not in _KEYS,
        "current": {"kind": source, "path": path} if lasts else None,
    }

    def open_place() -> None:
        place = st.session_state["own_files"].get("open")
        if place is not None:
            go_to(place)

    _own(key="own_files", data=data, on_open_change=open_place)


def go_to(place: dict[str, Any]) -> None:
    """Open a file or a folder of this machine; a callback, before widgets are drawn."""
    kind = str(place["kind"])
    for name in _OF_ANOTHER:
        st.session_state.pop(name, None)
    st.session_state.update(
        {"source": kind, _KEYS[kind]: str(place["path"]), "image": 0, "system": "any"}
    )


def is_passing(path: str) -> bool:
    """Return whether a path is of files that were dropped, which go when the app ends."""
    return Path(path).is_relative_to(passing_folder("drops"))


def show_strip(place: str, names: tuple[str, ...], find_path: Callable[[int], Path]) -> None:
    """Show the images of a folder as small pictures, each of which opens itself.

    Parameters
    ----------
    place
        Names the folder.
    names
        Of its images, for people.
    find_path
        Returns the file of an image, by its number.
    """
    folder = register_folder(place, names, find_path)

    def open_image() -> None:
        number = st.session_state["strip"].get("open")
        if number is not None:
            st.session_state["image"] = min(max(int(number), 0), len(names) - 1)

    _strip(
        key="strip",
        data={
            "place": f"/folders/{folder.token}",
            "count": len(names),
            "current": int(st.session_state.get("image", 0)),
        },
        on_open_change=open_image,
    )
