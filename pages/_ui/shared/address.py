"""What the address of a page says when somebody comes to it; widgets begin with it."""

from __future__ import annotations

import streamlit as st

from umnist_core.errors import InvalidValueError
from umnist_core.scenes.ref import read_number
from umnist_core.seeds import MAX_SEED

LED_BY_ADDRESS = "inference_led_by_address"
"""Set by a page whose links name a model: the address then goes before an earlier choice."""


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
