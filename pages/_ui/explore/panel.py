"""Explore's controls: which image, and what of it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages._ui.explore.own_files import choose_file_panes, choose_panes
from pages._ui.explore.stage import PictureChoice, shipped_words
from pages._ui.shared.address import start_choice
from pages._ui.shared.folders import choose_from_folder, step_image
from pages._ui.shared.home import base_path
from pages._ui.shared.image_files import ChosenFile, choose_file, choose_source
from pages._ui.shared.scene_controls import one_state, show_generated, step_scene
from pages._ui.shared.scenes import FILTERS
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.datasets.meth import FACTORS
from umnist_core.digits import GlyphSet
from umnist_core.scenes import SceneRef
from umnist_core.server.generated import scene_url
from umnist_core.server.query import VIEW_TITLES

SOURCES = {"generated": "Generated", "file": "File", "folder": "Data set"}


def choose_sample() -> AnyRef | ChosenFile | None:
    """Draw the widgets that choose an image; None while none is chosen."""
    source = choose_source(SOURCES)
    if source == "file":
        return choose_file()
    if source == "folder":
        return choose_from_folder(show_generated)
    return one_state().a


def choose_picture(sample: AnyRef | ChosenFile | None) -> PictureChoice:
    """Draw the widgets that choose what the panes show."""
    if sample is None or isinstance(sample, DigitRef):
        return PictureChoice("full")
    if not isinstance(sample, SceneRef):
        return choose_file_panes(sample, _choose_factor(sample))
    start_choice("filter", tuple(FILTERS), "area")
    panes = choose_panes(list(VIEW_TITLES))
    pyramid_filter = st.selectbox(
        "Seen from afar, a pixel is the",
        list(FILTERS),
        format_func=FILTERS.__getitem__,
        key="filter",
        help="The mean washes fine noise out to grey; the nearest pixel keeps black and white.",
    )
    return replace(panes, pyramid_filter=pyramid_filter)


def _choose_factor(sample: ChosenFile | None) -> int | None:
    """Draw the choice of a reduced copy to stand beside an image; None where there is none."""
    if sample is None or sample.reduced is None:
        return None
    names = ("0", *map(str, FACTORS))
    start_choice("low", names, "4")
    name = st.selectbox(
        "Beside it, in step",
        names,
        format_func=lambda name: (
            "Nothing" if name == "0" else f"Reduced x{name}, {shipped_words(sample, int(name))}"
        ),
        key="low",
    )
    return int(name) or None


def step_sample(step: str) -> None:
    """Go to the next, the previous or a random sample; a callback, before widgets are drawn."""
    if st.session_state.get("source") == "folder":
        step_image(step)
    else:
        step_scene(step)


def show_downloads(ref: AnyRef, glyphs: GlyphSet) -> None:
    """Draw the links to a generated image's files."""
    files = {
        "PNG": ("png", "The whole image, lossless"),
        "JPEG": ("jpeg", "The whole image, quality 75 as released"),
        "Deep Zoom": ("zip", "Lossless tiles for any Deep Zoom viewer, zipped"),
        "Truth": ("json", "Digits, boxes and ground as JSON; tells the answer"),
        "Page": ("html", "The viewer with this image, in one file; holds the answer, too"),
    }
    with st.expander("Download"):
        for column, (name, (suffix, tip)) in zip(st.columns(2) * 3, files.items(), strict=False):
            url = base_path() + scene_url(ref, glyphs, suffix)
            column.link_button(name, url, help=tip, width="stretch")
