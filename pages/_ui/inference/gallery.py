"""Inference's gallery of examples, as a Streamlit component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages._ui.shared.viewer import our_component
from umnist_core.digits import load_glyphs
from umnist_core.experiments.gallery import KINDS, load_gallery
from umnist_core.models.card_answers import find_answers
from umnist_core.models.cards import Card
from umnist_core.scenes import PRESETS
from umnist_core.server.generated import thumbnail_url

_gallery = our_component("umnist_gallery", "showGallery")
_sums = our_component("umnist_sums", "showSums")

NO_SUMS = "Only images of UltraMNIST have a sum each; choose one under “Image and noise”."

STAND_IN = (
    "These sentences hold for MNIST's digits; with the stand-in digits that are in use here, "
    "answers may be others."
)


def show_gallery(cards: Mapping[str, Card], *, key: str) -> None:
    """Show the examples of the models that are here.

    Parameters
    ----------
    cards
        By the names of their checkpoints.
    key
        Constant name of the gallery on its page.
    """
    glyphs = load_glyphs()
    examples = [
        {
            "model": one.model,
            "kind": one.kind,
            "verdict": KINDS[one.kind],
            "text": one.text,
            "url": thumbnail_url(one.ref, glyphs),
            "query": urlencode(one.query),
        }
        for one in load_gallery()
        if one.model in cards
    ]
    if not examples:
        st.caption("None of the models that come with umnist is here.")
        return
    missed = {name: answers for name in cards if (answers := find_answers(cards[name]))}
    listed = {name: len(one.missed) for name, one in missed.items() if one.scenes and one.missed}
    note = STAND_IN if glyphs.is_stand_in else ""
    _gallery(key=key, data={"examples": examples, "note": note, "misses": listed})


def show_sums(data: Mapping[str, Any], preset: str | None, *, key: str) -> None:
    """Show what makes a contact sheet with an image of each sum.

    Parameters
    ----------
    data
        What to show; ``SumsData`` in ``sums.js`` documents every entry.
    preset
        Of the image; None of one that is not generated here.
    key
        Constant name of it on its page.
    """
    parameters = PRESETS.get(preset or "")
    is_summed = parameters is not None and parameters.planner == "ultramnist"
    sentence = data["sentence"] or (None if is_summed else NO_SUMS)
    _sums(key=key, data={**data, "sentence": sentence})
