"""Inference's choice: which model, on what, beside which other; started from the address."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._ui.shared.address import LED_BY_ADDRESS
from pages._ui.shared.words import percent
from umnist_core.datasets.large_scale.ref import ALL_PRESETS
from umnist_core.errors import UmnistError
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.inference.pool import shared_pool
from umnist_core.inference.requests import AUTO
from umnist_core.models.card_figures import Share, is_at_chance, read_figures
from umnist_core.models.cards import Card, find_checkpoints, load_card
from umnist_core.models.catalogue import CATALOGUE
from umnist_core.models.needs import needs_sentence
from umnist_core.training.presets import LARGE_SCALE

CHOICE = "inference_choice"
FIRST = "digit-finder"
"""The model that is shown unasked: the best that comes with umnist."""

PEOPLE = "people"
"""Stands beside a model instead of another one, for images of a study."""

NO_CHECKPOINT = (
    "There is no trained model here; train one with umnist train, and put its folder into that of "
    "checkpoints (UMNIST_CHECKPOINTS)."
)


def load_cards() -> dict[str, Card]:
    """Return the cards of what can predict here, by name."""
    cards = {}
    for name, path in find_checkpoints().items():
        # The Models page says what is wrong with the others.
        with contextlib.suppress(UmnistError):
            cards[name] = load_card(path)
    return cards


def list_checkpoints(cards: Mapping[str, Card]) -> list[dict[str, Any]]:
    """Return what can predict, for the panel; ``WatchData.checkpoints`` in ``watch.js``."""
    found = []
    for name, card in cards.items():
        share = next(iter(read_figures(card.figures).accuracy), None)
        about = {"about": _about(card, share), "right": share and percent(share.share)}
        one = {"key": name, "title": name, "model": card.model, "names": _names_of(card)}
        found.append({**one, **about})
    return found


def _about(card: Card, share: Share | None) -> str:
    """Return what a model is, for which images, and how good, in a few sentences."""
    sentences = [facts.idea] if (facts := CATALOGUE.get(card.model)) else []
    learned = str(card.data.get("preset"))
    images = f"“{NAMED_SETTINGS[learned].title}”" if learned in NAMED_SETTINGS else "other images"
    if share is None:
        sentences.append(f"It learned from {images}; nothing was measured.")
    else:
        known = share.low is not None and share.high is not None
        ends = f" ({100 * (share.low or 0):.1f} to {100 * (share.high or 0):.1f})" if known else ""
        counted = f" of {share.count:,}" if share.count else ""
        sentences.append(f"It learned from {images}: {percent(share.share)}{ends}{counted} right.")
    return " ".join(sentences)


def _names_of(card: Card) -> dict[str, list[str]]:
    """Return what a model's answers are called, by task, where they are no numbers."""
    names = {"needle": ["no 3", "a 3"]}
    if classes := card.data.get("class_names"):
        names["class"] = [str(one) for one in classes]
    return names


def find_hints(cards: Mapping[str, Card], preset: str | None, kind: str = "") -> dict[str, str]:
    """Return what to know of each model that never saw images of this preset's kind.

    Parameters
    ----------
    cards
        By name.
    preset
        Of the image; None if it is of no kind that is generated here.
    kind
        Which data system the image is of, by its reader; empty of any other.
    """
    hints = {}
    for name, card in cards.items():
        learned = str(card.data.get("preset"))
        if kind and preset is None and learned in ALL_PRESETS:
            title = NAMED_SETTINGS[learned].title
            hints[name] = f"{name} learned from “{title}” and has never seen a photograph."
        if preset is None or is_fitting(card, preset):
            continue
        if learned == LARGE_SCALE:
            hints[name] = (
                f"{name} learned to read one digit in the middle of an image of 112 px, as those "
                "of MNIST Large Scale are; choose that preset under “Image and noise”."
            )
        else:
            title = NAMED_SETTINGS[learned].title
            hints[name] = (
                f"{name} learned from “{title}” and has never seen an image like this one; choose "
                "that preset under “Image and noise”."
            )
    return hints


def is_fitting(card: Card, preset: str) -> bool:
    """Return whether a model learned from images of a preset's kind, or nothing says from which."""
    learned = ALL_PRESETS.get(str(card.data.get("preset")))
    return learned is None or learned.planner == ALL_PRESETS[preset].planner


def start_model(choice: Mapping[str, Any]) -> None:
    """Have the process of the chosen device start and load the chosen model."""
    with contextlib.suppress(UmnistError):  # whoever predicts is told
        shared_pool().start(choice["device"], choice["checkpoint"] or "")


def list_devices() -> list[dict[str, str]]:
    """Return where models can run, for the panel."""
    devices = shared_pool().devices()
    one_by_one = [{"key": one.key, "title": one.title} for one in devices]
    return [{"key": AUTO, "title": "Fastest here"}, *one_by_one] if len(devices) > 1 else one_by_one


def refusal(cards: Mapping[str, Card]) -> str | None:
    """Return why nothing can be predicted here, and what to do; None if it can."""
    return needs_sentence() or (None if cards else NO_CHECKPOINT)


def current_choice(
    cards: Mapping[str, Card],
    devices: list[dict[str, str]],
    has_people: bool,
    preset: str | None = None,
    kind: str = "",
) -> dict[str, Any]:
    """Return the choice; at first, what the address asks for.

    Parameters
    ----------
    cards, devices
        What there is to choose from.
    has_people
        Whether people looked at the image, too.
    preset, kind
        Of the image, as for `find_hints`: who has chosen no model gets one that learned from such
        images.
    """
    names = list(cards)
    is_led_here = st.session_state.get(LED_BY_ADDRESS, False) and "model" in st.query_params
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
        choice["checkpoint"] = first_of(cards, preset, kind)
    if choice["beside"] not in (*names, *([PEOPLE] if has_people else [])):
        choice["beside"] = None
    keys = [one["key"] for one in devices]
    if choice["device"] not in keys:
        choice["device"] = next(iter(keys), AUTO)
    return choice


def first_of(cards: Mapping[str, Card], preset: str | None, kind: str = "") -> str | None:
    """Return the model that is shown unasked: of those that know such images, or of all.

    One that has learned nothing is none of them, unless there is no other.
    """
    able = {name: card for name, card in cards.items() if not is_at_chance(card)} or cards
    fitting = [name for name, card in able.items() if _knows(card, preset, kind)]
    names = fitting or list(able)
    return FIRST if FIRST in names else next(iter(names), None)


def _knows(card: Card, preset: str | None, kind: str) -> bool:
    if preset is None:
        return not kind or card.data.get("kind") == kind
    return str(card.data.get("preset")) in ALL_PRESETS and is_fitting(card, preset)


def take_choice(choice: Mapping[str, Any]) -> None:
    """Keep what the panel reports; a callback."""
    st.session_state[CHOICE] = {
        name: choice.get(name) for name in ("checkpoint", "beside", "device", "follow")
    }


def choice_link(choice: Mapping[str, Any], devices: list[dict[str, str]]) -> dict[str, str | None]:
    """Return the choice as parameters of the page's address; None removes one."""
    is_first = not devices or choice["device"] == devices[0]["key"]
    return {
        "model": choice["checkpoint"],
        "beside": choice["beside"],
        "device": None if is_first else choice["device"],
    }
