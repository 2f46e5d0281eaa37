"""When an answer is correct, and what a study of people's answers says.

Needs NumPy, SciPy and pandas alone, and imports within the package are relative: an exported
study carries a copy of it as source, under another name, to recompute its figures with.
docs/statistics.md explains every figure.
"""

from .breakdown import (
    accuracy_by,
    accuracy_by_annotator,
    accuracy_by_bin,
    calibration,
    calibration_summary,
    confusion,
    response_times,
    self_consistency,
)
from .clustering import Clustering, design_effect, measure_clustering
from .compare import (
    Difference,
    PermutationTest,
    compare_pools,
    difference_intervals,
    permutation_test,
)
from .confidences import ConfidenceBin, Reliability, reliability
from .correct import SUMS, accuracy, is_correct, mark
from .errors import ScoringInputError
from .intervals import Interval, annotator_interval, crossed_interval, wilson
from .looking import (
    DigitOnScreen,
    Trace,
    TracePart,
    TraceSample,
    Views,
    add_looks,
    heat,
    look_at,
)
from .mixed_logistic import FixedEffect, MixedLogistic, fit_mixed_logistic
from .power import (
    Plan,
    annotators_needed,
    detectable_difference,
    half_width,
    labels_needed,
    power_of,
    power_table,
)
from .published import (
    PUBLISHED,
    PublishedFigure,
    TwoProportions,
    beside_published,
    compare_proportions,
    published_comparison,
)
from .reasons import REASONS, WhyWrong, classify, sensitivity, why_wrong
from .study_report import PoolSummary, StudyReport, WithoutExcluded, report

__all__ = [
    "PUBLISHED",
    "REASONS",
    "SUMS",
    "Clustering",
    "ConfidenceBin",
    "Difference",
    "DigitOnScreen",
    "FixedEffect",
    "Interval",
    "MixedLogistic",
    "PermutationTest",
    "Plan",
    "PoolSummary",
    "PublishedFigure",
    "Reliability",
    "ScoringInputError",
    "StudyReport",
    "Trace",
    "TracePart",
    "TraceSample",
    "TwoProportions",
    "Views",
    "WhyWrong",
    "WithoutExcluded",
    "accuracy",
    "accuracy_by",
    "accuracy_by_annotator",
    "accuracy_by_bin",
    "add_looks",
    "annotator_interval",
    "annotators_needed",
    "beside_published",
    "calibration",
    "calibration_summary",
    "classify",
    "compare_pools",
    "compare_proportions",
    "confusion",
    "crossed_interval",
    "design_effect",
    "detectable_difference",
    "difference_intervals",
    "fit_mixed_logistic",
    "half_width",
    "heat",
    "is_correct",
    "labels_needed",
    "look_at",
    "mark",
    "measure_clustering",
    "permutation_test",
    "power_of",
    "power_table",
    "published_comparison",
    "reliability",
    "report",
    "response_times",
    "self_consistency",
    "sensitivity",
    "why_wrong",
    "wilson",
]
