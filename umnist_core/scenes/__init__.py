"""What is in an image: scenes and their planners. No pixels, no files."""

from umnist_core.scenes.megapixel_parameters import MEGAPIXEL_PARAMETERS, MegapixelParameters
from umnist_core.scenes.parameters import (
    PARAMETERS,
    Parameter,
    PlannerParameters,
    Span,
    UltraMnistParameters,
    parse_parameter,
)
from umnist_core.scenes.presets import PARAMETER_NAMES, PRESETS, get_preset, plan_scene
from umnist_core.scenes.scene import (
    Checkerboard,
    Circle,
    Digit,
    MegapixelTasks,
    Provenance,
    Scene,
    Shape,
    Strokes,
    Triangle,
)

__all__ = [
    "MEGAPIXEL_PARAMETERS",
    "PARAMETERS",
    "PARAMETER_NAMES",
    "PRESETS",
    "Checkerboard",
    "Circle",
    "Digit",
    "MegapixelParameters",
    "MegapixelTasks",
    "Parameter",
    "PlannerParameters",
    "Provenance",
    "Scene",
    "Shape",
    "Span",
    "Strokes",
    "Triangle",
    "UltraMnistParameters",
    "get_preset",
    "parse_parameter",
    "plan_scene",
]
