"""From the Noise lab's state to what its viewer and its contact sheet show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pages._ui.explore_stage import digit_data, shape_data
from pages._ui.lab_controls import BUS, TILE_PX
from pages._ui.lab_state import LabState
from pages._ui.samples import explain_tasks, scene_url
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.experiments import NAMED_SETTINGS
from umnist_core.pyramid import PyramidGrid
from umnist_core.scenes import SceneRef, get_preset

SHEET_SAMPLES = 12
SHEET_TILE_PX = 512


def viewer_data(state: LabState, glyphs: GlyphSet) -> dict[str, Any]:
    """Return the viewer's data: the panes that the controls also make, and the truth."""
    settings = [("a", state.a)] if state.compare == "one" else [("a", state.a), ("b", state.b)]
    panes = [_pane(name, setting, glyphs) for name, setting in settings]
    side = panes[0]["width"]
    return {
        "bus": BUS,
        "panes": panes,
        "image": {"width": side, "height": side},
        "compare": state.compare,
        "link": state.link,
        "navigate": True,
        **_truth(state.edited, glyphs),
    }


def _pane(name: str, setting: SceneRef, glyphs: GlyphSet) -> dict[str, Any]:
    side = canvas_px(setting)
    return {
        "key": name,
        "title": name.upper(),
        "dzi": scene_url(setting, glyphs, "dzi", tile=str(TILE_PX)),
        "width": side,
        "height": side,
        "tiles": {"tileSize": TILE_PX, "overlap": 1, "format": "png"},
    }


def _truth(setting: SceneRef, glyphs: GlyphSet) -> dict[str, Any]:
    try:
        scene = setting.plan(glyphs)
    except UmnistError:
        return {"digits": [], "shapes": []}  # the viewer says why there is no picture
    return {
        "label": scene.label,
        "explained": None if scene.strokes is None else explain_tasks(scene.tasks),
        "digits": [digit_data(place, digit) for place, digit in enumerate(scene.digits)],
        "shapes": [shape_data(shape) for shape in scene.shapes],
    }


def canvas_px(setting: SceneRef) -> int:
    """Return the side of the setting's images."""
    parameters = get_preset(setting.preset).with_overrides(dict(setting.overrides))
    return int(parameters.to_text()["canvas"])


def sheet_data(setting: SceneRef, glyphs: GlyphSet) -> dict[str, Any]:
    """Return the contact sheet: the page of samples that the current one is on."""
    first = setting.index // SHEET_SAMPLES * SHEET_SAMPLES
    return {
        "current": setting.index,
        "samples": [
            {"index": index, "url": _thumbnail(setting.at(index), glyphs)}
            for index in range(first, first + SHEET_SAMPLES)
        ],
    }


def _thumbnail(setting: SceneRef, glyphs: GlyphSet) -> str:
    """Return the address of the largest level that is a single tile."""
    side = canvas_px(setting)
    grid = PyramidGrid(side, side, SHEET_TILE_PX)
    levels = range(grid.max_level, -1, -1)
    level = next(level for level in levels if grid.tile_counts(level) == (1, 1))
    address = scene_url(setting, glyphs, "dzi", tile=str(SHEET_TILE_PX))
    return address.replace("/scene.dzi?", f"/scene_files/{level}/0_0.png?")


def reference_setting(state: LabState) -> SceneRef:
    """Return the named setting that the edited one came from, at the same samples."""
    named = NAMED_SETTINGS[state.reference].ref
    return replace(state.edited, preset=named.preset, overrides=named.overrides)
