"""From a scene to pixels: any window, any whole reduction, any layer."""

from umnist_core.rendering.figures import SceneFigures, scene_figures
from umnist_core.rendering.masks import digit_masks
from umnist_core.rendering.render import (
    FILTERS,
    LAYERS,
    RENDERER_VERSION,
    digit_mask,
    level_box_of_whole,
    pixel_pin,
    render,
)
from umnist_core.rendering.work import HELD_MAX_PX, WORK_BUDGET_S, check_work, estimate_work_s

__all__ = [
    "FILTERS",
    "HELD_MAX_PX",
    "LAYERS",
    "RENDERER_VERSION",
    "WORK_BUDGET_S",
    "SceneFigures",
    "check_work",
    "digit_mask",
    "digit_masks",
    "estimate_work_s",
    "level_box_of_whole",
    "pixel_pin",
    "render",
    "scene_figures",
]
