"""What is in an image: scenes and their planners. No pixels, no files."""

from umnist_core.scenes.megapixel_parameters import MEGAPIXEL_PARAMETERS, MegapixelParameters
from umnist_core.scenes.needle_parameters import (
    NEEDLE_PARAMETERS,
    PUBLISHED_DISTRACTORS,
    NeedleParameters,
)
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
from umnist_core.scenes.reduced_parameters import REDUCED_PARAMETERS, ReducedParameters
from umnist_core.scenes.ref import SceneRef
from umnist_core.scenes.scene import (
    Added,
    Checkerboard,
    Digit,
    Provenance,
    Scene,
    Strokes,
)
from umnist_core.scenes.shapes import SHAPES, Circle, Polygon, Shape, Triangle, count_shapes
from umnist_core.scenes.tasks import TASK_KINDS, MegapixelTasks, NeedleTasks, Tasks

__all__ = [
    "MEGAPIXEL_PARAMETERS",
    "NEEDLE_PARAMETERS",
    "PARAMETERS",
    "PARAMETER_NAMES",
    "PRESETS",
    "PUBLISHED_DISTRACTORS",
    "REDUCED_PARAMETERS",
    "SHAPES",
    "TASK_KINDS",
    "Added",
    "Checkerboard",
    "Circle",
    "Digit",
    "MegapixelParameters",
    "MegapixelTasks",
    "NeedleParameters",
    "NeedleTasks",
    "Parameter",
    "PlannerParameters",
    "Polygon",
    "Provenance",
    "ReducedParameters",
    "Scene",
    "SceneRef",
    "Shape",
    "Span",
    "Strokes",
    "Tasks",
    "Triangle",
    "UltraMnistParameters",
    "count_shapes",
    "get_preset",
    "number_text",
    "parse_parameter",
    "plan_scene",
]
