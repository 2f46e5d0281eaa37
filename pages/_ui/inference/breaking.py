"""Inference's "Break it": one parameter of the noise, models in step, and a curve under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._ui.inference.choice import find_hints, list_checkpoints
from pages._ui.inference.image import BUS, Picture
from pages._ui.inference.pair import show_one
from pages._ui.shared.setting import LabState, change_state, current_state, sampled
from pages._ui.shared.viewer import our_component
from umnist_core.datasets.large_scale.ref import AnyRef, any_ref
from umnist_core.digits import load_glyphs
from umnist_core.errors import UmnistError
from umnist_core.models.cards import Card
from umnist_core.server.controls import controls_data

_breaking = our_component("umnist_breaking", "showBreaking")

NO_NOISE = (
    "Only a generated image has noise that can be changed; choose one under “Image and noise”."
)
ASKED = "break"
"""Of the page's address: what was chosen in the panel."""

_TOLD = "inference_told"
"""Of the session: number of the panel's last scene."""

NOT_CLOSED = (
    "Which scenes a study has stays secret until it is closed; then the noise of its images can be "
    "changed here."
)


def show_breaking(
    picture: Picture | None,
    cards: Mapping[str, Card],
    choice: Mapping[str, Any],
    sentence: str | None,
    *,
    key: str = "inference_breaking",
) -> None:
    """Show a parameter to drag, up to three models in step with it, and their curves.

    Parameters
    ----------
    picture
        The image that is shown.
    cards
        Of what can predict here, by name.
    choice
        As of `pages._ui.inference.choice.current_choice`: the first model, and the device.
    sentence
        Why nothing can be predicted here, and what to do; None if it can.
    key
        Constant name of the panel on its page.
    """

    def report() -> None:
        scene = st.session_state[key].get("scene")
        if scene is not None:
            st.session_state[_TOLD] = scene["told"]
            take_scene(scene)

    data = breaking_data(picture, cards, choice, sentence)
    _breaking(key=key, data=data, on_scene_change=report)


def breaking_data(
    picture: Picture | None,
    cards: Mapping[str, Card],
    choice: Mapping[str, Any],
    sentence: str | None,
) -> dict[str, Any]:
    """Return what the panel shows; ``BreakingData`` in ``breaking.js`` documents every entry."""
    scene = picture.scene if picture else None
    preset = scene.preset if scene else None
    hints = find_hints(cards, preset)
    fitting = sorted(list_checkpoints(cards), key=lambda one: one["key"] in hints)
    shared = controls_data(load_glyphs())
    people = picture.answered if picture else None
    return {
        "bus": BUS,
        "viewer": st.session_state["inference_viewer_id"],
        "scene": scene.to_dict() if scene else None,
        "isFrozen": people is not None,
        **{name: shared[name] for name in ("controls", "presets", "pin", "tileSize")},
        "checkpoints": fitting,
        "hints": hints,
        "checkpoint": choice["checkpoint"],
        "device": choice["device"],
        "told": st.session_state.get(_TOLD, 0),
        "asked": st.query_params.get(ASKED, ""),
        "people": people and {"right": people[0], "answers": people[1]},
        "isDark": st.context.theme.type == "dark",
        "sentence": sentence or (None if scene else NOT_CLOSED if people else NO_NOISE),
    }


def take_scene(scene: Mapping[str, Any]) -> None:
    """Go to a scene that the panel reports; a callback."""
    sample = {name: scene[name] for name in ("seed", "split", "index")}
    try:
        ref = any_ref(scene["preset"], scene["overrides"], **sample)
    except UmnistError:
        return  # the viewer says why there is no picture
    st.session_state["source"] = "generated"
    show_one()
    change_state(state_at(current_state()[0], ref))


def state_at(state: LabState, ref: AnyRef) -> LabState:
    """Return a state whose setting A is another image; B goes to the same sample."""
    is_same = ref.preset == state.a.preset
    references = state.references if is_same else (ref.preset, state.references[1])
    return replace(state, a=ref, b=sampled(state.b, ref), references=references)
