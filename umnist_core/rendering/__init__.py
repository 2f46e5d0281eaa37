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

__all__ = [
    "FILTERS",
    "LAYERS",
    "RENDERER_VERSION",
    "SceneFigures",
    "digit_mask",
    "digit_masks",
    "level_box_of_whole",
    "pixel_pin",
    "render",
    "scene_figures",
]
