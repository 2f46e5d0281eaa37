"""Explore's controls: which image, and what of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages._ui.explore.stage import PictureChoice, shipped_words
from pages._ui.shared.address import start, start_choice, start_number
from pages._ui.shared.folders import choose_from_folder, step_image
from pages._ui.shared.home import base_path
from pages._ui.shared.image_files import ChosenFile, choose_file, choose_source
from pages._ui.shared.scenes import FILTERS, parse_overrides, stepped
from umnist_core.datasets.large_scale.ref import (
    ALL_PARAMETER_NAMES,
    ALL_PRESETS,
    AnyRef,
    DigitRef,
    any_ref,
)
from umnist_core.datasets.meth import FACTORS
from umnist_core.digits import GlyphSet
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.scenes import SceneRef
from umnist_core.seeds import MAX_SEED, SPLITS
from umnist_core.server.generated import scene_url
from umnist_core.server.query import VIEW_TITLES

SOURCES = {"generated": "Generated", "file": "File", "folder": "Data set"}


def choose_sample() -> AnyRef | ChosenFile | None:
    """Draw the widgets that choose an image; None while none is chosen."""
    source = choose_source(SOURCES)
    if source == "file":
        return choose_file()
    if source == "folder":
        return choose_from_folder(_show_generated)
    return _choose_scene()


def _show_generated(preset: str) -> None:
    """Go to generated images of a preset; a callback."""
    st.session_state.update(source="generated", preset=preset, index=0, overrides="")


def _choose_scene() -> AnyRef:
    start_choice("preset", tuple(ALL_PRESETS), "released")
    start_choice("split", SPLITS, "train")
    start_number("seed")
    start_number("index")
    start("overrides", overrides_in(st.query_params))
    preset = st.selectbox("Preset", list(ALL_PRESETS), format_func=_preset_title, key="preset")
    left, middle, right = st.columns(3)
    seed = left.number_input("Seed", 0, MAX_SEED, step=1, key="seed")
    index = middle.number_input("Index", 0, MAX_SEED, step=1, key="index")
    split = right.selectbox("Split", SPLITS, key="split")
    with st.expander("Change the preset", expanded=bool(st.session_state.overrides)):
        text = st.text_input(
            "Parameters",
            key="overrides",
            placeholder="shape_pairs=3 rotation=-10..10",
            help="NAME=VALUE, as many as you like; a value is a number or a range such as 1..3.",
        )
        st.caption("Names: " + ", ".join(ALL_PRESETS[preset].table))
    overrides = parse_overrides(text or "", preset)
    return any_ref(preset, overrides, seed=int(seed), split=split, index=int(index))


def _preset_title(preset: str) -> str:
    """Return what the Noise lab calls a preset too."""
    return NAMED_SETTINGS[preset].title


def choose_picture(sample: AnyRef | ChosenFile | None) -> PictureChoice:
    """Draw the widgets that choose what the panes show."""
    if isinstance(sample, DigitRef):
        return PictureChoice("full", None, "area")
    if not isinstance(sample, SceneRef):
        return PictureChoice("full", None, "area", _choose_factor(sample))
    start_choice("picture", tuple(VIEW_TITLES), "full")
    start_choice("beside", ("", *VIEW_TITLES), "")
    start_choice("filter", tuple(FILTERS), "area")
    first = st.selectbox(
        "Show", list(VIEW_TITLES), format_func=VIEW_TITLES.__getitem__, key="picture"
    )
    second = st.selectbox(
        "Beside it, in step",
        ["", *VIEW_TITLES],
        format_func=lambda name: VIEW_TITLES.get(name, "Nothing"),
        key="beside",
    )
    pyramid_filter = st.selectbox(
        "Seen from afar, a pixel is the",
        list(FILTERS),
        format_func=FILTERS.__getitem__,
        key="filter",
        help="The mean washes fine noise out to grey; the nearest pixel keeps black and white.",
    )
    return PictureChoice(first, second or None, pyramid_filter)


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
        st.session_state["index"] = stepped(int(st.session_state.get("index", 0)), step, MAX_SEED)


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


def overrides_in(query: Mapping[str, str]) -> str:
    """Return the scene parameters of an address in the form that people type."""
    return " ".join(f"{name}={query[name]}" for name in ALL_PARAMETER_NAMES if name in query)
