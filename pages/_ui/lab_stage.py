"""From the Noise lab's state to what its viewer and its contact sheet show."""

from __future__ import annotations

from typing import Any

from pages._ui.explore_stage import digit_data, shape_data
from pages._ui.lab_controls import BUS, TILE_PX
from pages._ui.lab_state import LabState
from pages._ui.samples import SceneSample, explain_tasks
from umnist_core.digits import GlyphSet
from umnist_core.errors import UmnistError
from umnist_core.experiments import NAMED_SETTINGS, NoiseSetting
from umnist_core.pyramid import PyramidGrid
from umnist_core.scenes import get_preset

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


def _pane(name: str, setting: NoiseSetting, glyphs: GlyphSet) -> dict[str, Any]:
    side = canvas_px(setting)
    return {
        "key": name,
        "title": name.upper(),
        "dzi": scene_address(setting, glyphs, "dzi", TILE_PX),
        "width": side,
        "height": side,
        "tiles": {"tileSize": TILE_PX, "overlap": 1, "format": "png"},
    }


def _truth(setting: NoiseSetting, glyphs: GlyphSet) -> dict[str, Any]:
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


def canvas_px(setting: NoiseSetting) -> int:
    """Return the side of the setting's images."""
    parameters = get_preset(setting.preset).with_overrides(dict(setting.overrides))
    return int(parameters.to_text()["canvas"])


def scene_address(setting: NoiseSetting, glyphs: GlyphSet, suffix: str, tile_px: int) -> str:
    """Return the address of one of the setting's files, as ``scene_address.js`` writes it."""
    sample = SceneSample(
        setting.preset, setting.seed, setting.split, setting.index, dict(setting.overrides)
    )
    return sample.url(glyphs, suffix, tile=str(tile_px))


def sheet_data(setting: NoiseSetting, glyphs: GlyphSet) -> dict[str, Any]:
    """Return the contact sheet: the page of samples that the current one is on."""
    first = setting.index // SHEET_SAMPLES * SHEET_SAMPLES
    return {
        "current": setting.index,
        "samples": [
            {"index": index, "url": _thumbnail(setting.at(index), glyphs)}
            for index in range(first, first + SHEET_SAMPLES)
        ],
    }


def _thumbnail(setting: NoiseSetting, glyphs: GlyphSet) -> str:
    """Return the address of the largest level that is a single tile."""
    side = canvas_px(setting)
    grid = PyramidGrid(side, side, SHEET_TILE_PX)
    levels = range(grid.max_level, -1, -1)
    level = next(level for level in levels if grid.tile_counts(level) == (1, 1))
    address = scene_address(setting, glyphs, "dzi", SHEET_TILE_PX)
    return address.replace("/scene.dzi?", f"/scene_files/{level}/0_0.png?")


def reference_setting(state: LabState) -> NoiseSetting:
    """Return the named setting that the edited one came from, at the same samples."""
    named, sample = NAMED_SETTINGS[state.reference].setting, state.edited
    return NoiseSetting(named.preset, named.overrides, sample.seed, sample.split, sample.index)
