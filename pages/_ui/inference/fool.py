"""The search for noise that fools a model, as a Streamlit component, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._ui.inference.pair import show_pair
from pages._ui.shared.viewer import our_component
from umnist_core.datasets.large_scale.ref import ALL_PRESETS
from umnist_core.experiments.fool import LONGEST_S, NOISE_SEED
from umnist_core.server.controls import DIGITS, control_specs

_fool = our_component("umnist_fool", "showFool")

NO_NOISE = (
    "Only noise that is drawn here can be drawn anew; choose a generated image with noise under "
    "“Image and noise”."
)


def show_fool(data: Mapping[str, Any], *, key: str) -> None:
    """Show the search; what it finds is then shown on the page.

    Parameters
    ----------
    data
        What to show; ``FoolData`` in ``fool.js`` documents every entry.
    key
        Constant name of the search on its page.
    """

    def take() -> None:
        found = st.session_state[key].get("found")
        if found is not None:
            show_pair(found)

    _fool(key=key, data={**data, "longestS": LONGEST_S}, on_found_change=take)


def list_variations(preset: str | None) -> list[dict[str, str]]:
    """Return what may be changed of the noise of a preset's images; ``FoolData.varies``."""
    parameters = ALL_PRESETS.get(preset or "")
    if parameters is None or NOISE_SEED not in parameters.table:
        return []
    specs = [one for one in control_specs(parameters.table) if one["group"] != DIGITS]
    numbers = [one for one in specs if one["kind"] != "word" and one["only_with"] is None]
    return [{"key": NOISE_SEED, "title": "Other noise"}, *(_variation(one) for one in numbers)]


def _variation(spec: Mapping[str, Any]) -> dict[str, str]:
    low, high = f"{spec['from']:g}", f"{spec['to']:g}"
    title = f"{spec['label']}, {low} to {high} {spec['unit']}".rstrip()
    return {"key": f"{spec['name']}={low}..{high}", "title": title}
