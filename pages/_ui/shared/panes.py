"""From what the sliders are set to, to what the viewer beside them shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pages._ui.shared.setting import LabState
from umnist_core.datasets.large_scale.ref import AnyRef, DigitRef
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.server.controls import TILE_PX
from umnist_core.server.generated import canvas_px, digit_truth, scene_url, subject_of
from umnist_core.server.truth import scene_truth


def viewer_data(state: LabState, glyphs: GlyphSet, bus: str) -> dict[str, Any]:
    """Return the viewer's data: the panes that the controls also make, and the truth."""
    settings = [("a", state.a)] if state.compare == "one" else [("a", state.a), ("b", state.b)]
    panes = [_pane(name, setting, glyphs) for name, setting in settings]
    if len(panes) > 1:  # their digits differ as soon as they are of other sizes or numbers
        for pane, (_, setting) in zip(panes, settings, strict=True):
            truth = _truth(setting, glyphs)
            pane |= {"digits": truth["digits"], "shapes": truth["shapes"]}
    side = panes[0]["width"]
    return {
        "bus": bus,
        "panes": panes,
        "image": {"width": side, "height": side},
        "subject": subject_of(state.a),
        "compare": state.compare,
        "link": state.link,
        "navigate": True,
        **_truth(state.edited, glyphs),
    }


def _pane(name: str, setting: AnyRef, glyphs: GlyphSet) -> dict[str, Any]:
    side = canvas_px(setting)
    return {
        "key": name,
        "title": name.upper(),
        "dzi": scene_url(setting, glyphs, "dzi", tile=str(TILE_PX)),
        "width": side,
        "height": side,
        "tiles": {"tileSize": TILE_PX, "overlap": 1, "format": "png"},
    }


def _truth(setting: AnyRef, glyphs: GlyphSet) -> dict[str, Any]:
    if isinstance(setting, DigitRef):
        return digit_truth(setting)
    try:
        scene = setting.plan(glyphs)
    except UmnistError:
        return {"digits": [], "shapes": []}  # the viewer says why there is no picture
    return scene_truth(scene)


def answers_data(viewer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the answers beside a viewer: what its own data tell of the truth."""
    names = ("bus", "image", "label", "digits", "shapes", "explained", "figures")
    return {name: viewer[name] for name in names if name in viewer}


def views_of(viewer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each pane of a viewer shows of a generated image, for its controls.

    ``view`` and ``filter`` are those of its address; ``side`` is that of the pane, where it is
    not the image's own.
    """
    side = viewer["image"]["width"]
    views = []
    for pane in viewer["panes"]:
        query = dict(parse_qsl(urlsplit(pane["dzi"]).query))
        told = {name: query[name] for name in ("view", "filter") if name in query}
        other = None if pane["width"] == side else pane["width"]
        views.append({"key": pane["key"], "title": pane["title"], "query": told, "side": other})
    return views
