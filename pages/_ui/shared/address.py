"""The one current image, which goes with a person from page to page and into the address.

A generated image is kept in `pages._ui.shared.setting`; a file's by the widgets that choose it.
Both are read from the address when somebody comes by a link, by Back or by Forward; whoever comes
by the navigation, whose addresses name no image, finds the one that was there.
"""

from __future__ import annotations

from typing import TypeVar, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages._ui.shared.setting import SCENE_NAMES, forget_state
from umnist_core.errors import InvalidValueError
from umnist_core.scenes.ref import read_number
from umnist_core.seeds import MAX_SEED

Shown = TypeVar("Shown")

LED_BY_ADDRESS = "led_by_address"
"""Whether this run began with an address that somebody came to, which then goes before what was
chosen earlier."""

_FILE_KEYS = ("source", "path", "folder", "system", "set", "image", "page", "low")

FILE_NAMES = (*_FILE_KEYS, "window", "channel")
"""Parameters of the address that name a file, what stands beside it and how it is shown; most are
keys of their widgets, too. ``split`` names generated images as well."""

_KEPT = (
    *_FILE_KEYS,
    *("split", "picture", "beside", "third", "filter"),
    *("results_study", "results_image"),
)
"""Keys of widgets whose values Streamlit would forget on a page that does not draw them."""

_PAGE = "page_shown"


def follow_address(page: str) -> None:
    """Take the image of the address over where somebody came to it; else keep what is shown.

    Called in every run before anything is drawn.

    Parameters
    ----------
    page
        Name of the page that is run.
    """
    run = get_script_run_ctx()
    is_history = run is not None and run.is_history_navigation
    is_led = is_history or st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    st.session_state[LED_BY_ADDRESS] = is_led
    if is_led and not {*FILE_NAMES, *SCENE_NAMES}.isdisjoint(st.query_params):
        for key in _KEPT:
            st.session_state.pop(key, None)
        forget_state()
        return
    for key in _KEPT:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def come_by_address() -> None:
    """Let this run take the address over as one that somebody came to; a callback."""
    st.session_state.pop(_PAGE, None)


def keep_shown(key: str, shown: Shown) -> Shown:
    """Return what is shown; where there is nothing to show, what was shown last.

    Parameters
    ----------
    key
        Under which the session keeps it.
    shown
        None while nothing is chosen, or what is chosen cannot be shown.
    """
    if shown is None:
        return cast("Shown", st.session_state.get(key))
    st.session_state[key] = shown
    return shown


def start(name: str, value: object) -> None:
    """Give a widget its first value, from the address where it names one."""
    if name not in st.session_state:
        st.session_state[name] = value


def start_number(name: str) -> None:
    """Give a widget its first seed or index, from the address where it names one."""
    if name in st.session_state:
        return
    text = st.query_params.get(name, "0")
    try:
        st.session_state[name] = read_number(name, text)
    except InvalidValueError:
        _tell_wrong_link(name, text, f"a whole number from 0 to {MAX_SEED}")
        st.session_state[name] = 0


def start_choice(name: str, allowed: tuple[str, ...], default: str) -> None:
    """Give a widget its first choice, from the address where it names an allowed one."""
    if name in st.session_state:
        return
    asked = st.query_params.get(name, default)
    if asked not in allowed:
        _tell_wrong_link(name, asked, f"one of {', '.join(filter(None, allowed))}")
    st.session_state[name] = asked if asked in allowed else default


def _tell_wrong_link(name: str, found: str, expected: str) -> None:
    st.warning(
        f"In this link {name} should be {expected}, but is {found[:40]!r}; the default is shown."
    )
