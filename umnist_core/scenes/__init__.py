"""What is in an image: scenes and their planners. No pixels, no files."""

from umnist_core.scenes.megapixel_parameters import MEGAPIXEL_PARAMETERS, MegapixelParameters
from umnist_core.scenes.parameters import (
    PARAMETERS,
    Parameter,
    PlannerParameters,
    Span,
    UltraMnistParameters,
    number_text,
    parse_parameter,
)
from umnist_core.scenes.presets import PARAMETER_NAMES, PRESETS, get_preset, plan_scene
from umnist_core.scenes.ref import SceneRef
from umnist_core.scenes.scene import (
    Checkerboard,
    Digit,
    MegapixelTasks,
    Provenance,
    Scene,
    Strokes,
)
from umnist_core.scenes.shapes import SHAPES, Circle, Polygon, Shape, Triangle, count_shapes

__all__ = [
    "MEGAPIXEL_PARAMETERS",
    "PARAMETERS",
    "PARAMETER_NAMES",
    "PRESETS",
    "SHAPES",
    "Checkerboard",
    "Circle",
    "Digit",
    "MegapixelParameters",
    "MegapixelTasks",
    "Parameter",
    "PlannerParameters",
    "Polygon",
    "Provenance",
    "Scene",
    "SceneRef",
    "Shape",
    "Span",
    "Strokes",
    "Triangle",
    "UltraMnistParameters",
    "count_shapes",
    "get_preset",
    "number_text",
    "parse_parameter",
    "plan_scene",
]
