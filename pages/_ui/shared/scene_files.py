"""The scene of an image file, where its data set or its own comment names one."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from umnist_core.datasets.named_scene import NamedScene, check_scene, open_named
from umnist_core.digits import load_glyphs
from umnist_core.scenes import Scene


def named_scene(path: Path, title: str, scene: Scene | None = None) -> NamedScene | None:
    """Return the scene that an image is of, and whether its pixels are that scene's.

    Parameters
    ----------
    path, title
        The file, and its name for people.
    scene
        What its data set says; None to ask the file itself.

    Returns
    -------
    NamedScene or None
        None where nothing names one.
    """
    text = None if scene is None else scene.to_json()
    try:
        stat = path.stat()
    except OSError:
        return None
    changed = (stat.st_mtime_ns, stat.st_size, load_glyphs().checksum)
    return _look(os.fsencode(path), title, text, changed)  # a name may be no text


@st.cache_data(max_entries=256, show_spinner="Comparing the file with its scene")
def _look(name: bytes, title: str, text: str | None, changed: object) -> NamedScene | None:
    glyphs, path = load_glyphs(), Path(os.fsdecode(name))
    if text is None:
        return open_named(path, title, glyphs)
    return check_scene(Scene.from_json(text), path, title, glyphs)
