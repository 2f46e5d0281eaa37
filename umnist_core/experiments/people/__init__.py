"""People against models on the same images, paired by the hash of their pixels.

`umnist_core.labeling.exported.read_export` reads people's answers; docs/people-and-models.md
explains every figure.
"""

from umnist_core.experiments.people.compare import PeopleReport, compare_people
from umnist_core.experiments.people.data import ImageFacts, PeopleData, TrueDigit, people_of_tables
from umnist_core.experiments.people.predictions import (
    FoundPlace,
    ModelAnswer,
    ModelAnswers,
    predictions_of,
    read_predictions,
)
from umnist_core.experiments.people.report import report_html
from umnist_core.experiments.people.tables import report_tables
from umnist_core.experiments.people.trials import (
    Trial,
    read_trials,
    trial_files,
    trials_of_models,
    trials_of_people,
    trials_text,
)

__all__ = [
    "FoundPlace",
    "ImageFacts",
    "ModelAnswer",
    "ModelAnswers",
    "PeopleData",
    "PeopleReport",
    "Trial",
    "TrueDigit",
    "compare_people",
    "people_of_tables",
    "predictions_of",
    "read_predictions",
    "read_trials",
    "report_html",
    "report_tables",
    "trial_files",
    "trials_of_models",
    "trials_of_people",
    "trials_text",
]
