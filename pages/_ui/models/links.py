"""Where the Models page leads: to papers, to images that a model answers, to weights."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from pages._ui.shared.home import base_path
from umnist_core.datasets.large_scale.ref import ALL_PRESETS, any_ref
from umnist_core.errors import UmnistError
from umnist_core.models.card_answers import SceneSet, find_answers, find_scenes
from umnist_core.models.cards import Card
from umnist_core.seeds import SPLITS

IDENTIFIER = re.compile(r"\b(?P<kind>arXiv|doi)[ :](?P<id>10\.\d{4,9}/\S+|\d{4}\.\d{4,5})")
"""How texts name a paper."""

_AT = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}


def paper_address(text: str) -> str | None:
    """Return where a paper is read that a text names by its doi or arXiv number."""
    found = IDENTIFIER.search(text)
    if found is None:
        return None
    return _AT[found["kind"]] + quote(found["id"].rstrip(".,;)"), safe="/().-_")


def scene_query(scenes: SceneSet, index: int, name: str) -> dict[str, str] | None:
    """Return what Inference is asked for to let a model answer for a scene; None if it cannot.

    A card of one's own may name a preset or an override that there is none of.
    """
    try:
        ref = any_ref(scenes.preset, scenes.overrides, seed=scenes.seed, split=scenes.split)
        return {**ref.at(index).to_query(), "model": name}
    except UmnistError:
        return None


def inference_address(query: dict[str, str]) -> str:
    """Return the path of Inference with such a query."""
    return f"{base_path()}/inference?{urlencode(query)}"


def fitting_query(name: str, card: Card) -> dict[str, str]:
    """Return the query that opens an image of the kind that a model learned from, predicting.

    The image is one that it was measured on and answered rightly, else a new one of its preset;
    of a model of no preset's images only the model is named.
    """
    scenes = find_scenes(card) or _of_preset(card)
    if scenes is None:
        return {"model": name}
    answers = find_answers(card)
    missed = {one.index for one in answers.missed} if answers is not None else set()
    last = scenes.first + max(1, scenes.count)
    index = next((at for at in range(scenes.first, last) if at not in missed), scenes.first)
    return scene_query(scenes, index, name) or {"model": name}


def _of_preset(card: Card) -> SceneSet | None:
    preset = card.data.get("preset")
    if not isinstance(preset, str) or preset not in ALL_PRESETS:
        return None
    return SceneSet(preset, {}, 1, SPLITS[-1], 1)


def weights_address(name: str, kind: str) -> str:
    """Return the path from which weights, or their card, are saved.

    Parameters
    ----------
    kind
        ``"weights"`` or ``"card"``.
    """
    return f"{base_path()}/checkpoints/{quote(name)}/{kind}"
