"""Any folder of images against a preset of ours: figures of pixels, tests, one verdict.

``docs/validation.md`` says what is compared, how often it is wrong, and what it found.
"""

from umnist_core.experiments.validation.compare import (
    LABELS,
    LEVEL,
    Comparison,
    FigureComparison,
    Finding,
    LabelComparison,
    compare_measured,
)
from umnist_core.experiments.validation.figures import (
    FIGURE_NAMES,
    FOUND_NAMES,
    PixelFigures,
    found_figures,
    measure_pixels,
)
from umnist_core.experiments.validation.measure import (
    Measure,
    Measured,
    measure_folder,
    measure_preset,
    pixel_measure,
)
from umnist_core.experiments.validation.report import (
    Validation,
    report_lines,
    to_json,
    validate,
)

__all__ = [
    "FIGURE_NAMES",
    "FOUND_NAMES",
    "LABELS",
    "LEVEL",
    "Comparison",
    "FigureComparison",
    "Finding",
    "LabelComparison",
    "Measure",
    "Measured",
    "PixelFigures",
    "Validation",
    "compare_measured",
    "found_figures",
    "measure_folder",
    "measure_pixels",
    "measure_preset",
    "pixel_measure",
    "report_lines",
    "to_json",
    "validate",
]
