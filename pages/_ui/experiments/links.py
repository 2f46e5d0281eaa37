"""Where the page Experiments leads: to images in Explore and to what a model makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from pages._ui.shared.home import base_path
from umnist_core.datasets.large_scale.ref import any_ref
from umnist_core.errors import UmnistError
from umnist_core.experiments.published.sweep_charts import AnsweredImage
from umnist_core.models.cards import find_checkpoints

SHOWN = 24
"""Links at most."""


def image_address(image: AnsweredImage, known: Sequence[str]) -> str | None:
    """Return the path of an image: on Inference where its model is here, else on Explore.

    None where its scene cannot be made.
    """
    scene = image.scene
    try:
        ref = any_ref(
            scene["preset"],
            scene["overrides"],
            seed=scene["seed"],
            split=scene["split"],
            index=scene["index"],
        )
    except (UmnistError, KeyError):
        return None
    query = dict(ref.to_query())
    if image.checkpoint in known:
        return f"{base_path()}/inference?{urlencode({**query, 'model': image.checkpoint})}"
    return f"{base_path()}/?{urlencode(query)}"


def images_html(images: Sequence[AnsweredImage]) -> str:
    """Return images as links, each with the answer and the truth."""
    known = list(find_checkpoints())
    links = []
    for one in images[:SHOWN]:
        address = image_address(one, known)
        if address is None:
            continue
        said = f"{one.said} for {one.true}" if one.is_missed else f"{one.true}, right"
        links.append(
            f'<a href="{escape(address)}" class="{"missed" if one.is_missed else ""}">'
            f"<b>{escape(said)}</b><small>image {one.scene['index']}</small></a>"
        )
    return f'<div class="umnist-images">{"".join(links)}</div>'
