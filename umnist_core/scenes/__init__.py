"""What is in an image: scenes and their planners. No pixels, no files."""

from umnist_core.scenes.parameters import (
    PARAMETERS,
    PRESETS,
    Parameter,
    Span,
    UltraMnistParameters,
    get_preset,
    parse_parameter,
)
from umnist_core.scenes.scene import (
    Checkerboard,
    Circle,
    Digit,
    Provenance,
    Scene,
    Shape,
    Triangle,
)
from umnist_core.scenes.ultramnist import plan_scene

__all__ = [
    "PARAMETERS",
    "PRESETS",
    "Checkerboard",
    "Circle",
    "Digit",
    "Parameter",
    "Provenance",
    "Scene",
    "Shape",
    "Span",
    "Triangle",
    "UltraMnistParameters",
    "get_preset",
    "parse_parameter",
    "plan_scene",
]
