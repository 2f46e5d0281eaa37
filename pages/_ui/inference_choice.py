"""Inference's choice: which model, on what, beside which other; started from the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from umnist_core.errors import UmnistError
from umnist_core.models.cards import find_checkpoints, load_card
from umnist_core.models.needs import needs_sentence

CHOICE = "inference_choice"
LED_BY_ADDRESS = "inference_led_by_address"
"""Set by a page whose links name a model: the address then goes before an earlier choice."""

FIRST = "digit-finder"
"""The model that is shown unasked: the best that comes with umnist."""

PEOPLE = "people"
"""Stands beside a model instead of another one, for images of a study."""

DEVICES = {"auto": "Fastest here", "cpu": "CPU"}

NO_CHECKPOINT = (
    "There is no trained model here; train one with umnist train, and put its folder into that of "
    "checkpoints (UMNIST_CHECKPOINTS)."
)


def list_checkpoints() -> list[dict[str, str]]:
    """Return what can predict, for the panel; ``WatchData.checkpoints`` in ``watch.js``."""
    found = []
    for name, path in find_checkpoints().items():
        try:
            card = load_card(path)
        except UmnistError:
            continue  # the Models page says what is wrong with it
        found.append({"key": name, "title": name, "model": card.model, "note": ""})
    return found


def refusal(checkpoints: list[dict[str, str]]) -> str | None:
    """Return why nothing can be predicted here, and what to do; None if it can."""
    return needs_sentence() or (None if checkpoints else NO_CHECKPOINT)


def current_choice(checkpoints: list[dict[str, str]], has_people: bool) -> dict[str, Any]:
    """Return the choice; at first, what the address asks for."""
    names = [one["key"] for one in checkpoints]
    is_led_here = st.session_state.pop(LED_BY_ADDRESS, False) and "model" in st.query_params
    if CHOICE not in st.session_state or is_led_here:
        asked = {name: st.query_params.get(name) for name in ("model", "beside", "device")}
        if asked["model"] is not None and asked["model"] not in names:
            st.warning(f"There is no model {asked['model'][:40]!r} here; another one is chosen.")
        st.session_state[CHOICE] = {
            "checkpoint": asked["model"],
            "beside": asked["beside"],
            "device": asked["device"],
            "follow": True,
        }
    choice = dict(st.session_state[CHOICE])
    if choice["checkpoint"] not in names:
        choice["checkpoint"] = FIRST if FIRST in names else next(iter(names), None)
    if choice["beside"] not in (*names, *([PEOPLE] if has_people else [])):
        choice["beside"] = None
    if choice["device"] is None:
        choice["device"] = "auto"
    return choice


def take_choice(choice: Mapping[str, Any]) -> None:
    """Keep what the panel reports; a callback."""
    st.session_state[CHOICE] = {
        name: choice.get(name) for name in ("checkpoint", "beside", "device", "follow")
    }


def choice_link(choice: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the choice as parameters of the page's address; None removes one."""
    device = choice["device"]
    return {
        "model": choice["checkpoint"],
        "beside": choice["beside"],
        "device": None if device == "auto" else device,
    }
