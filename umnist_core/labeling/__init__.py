"""Human-baseline studies: who answers which image, and a log that loses none of it. No HTTP."""

from umnist_core.labeling.recorded import AnswerPost
from umnist_core.labeling.records import POOLS, StudySpec
from umnist_core.labeling.service import StudyService, open_service

__all__ = ["POOLS", "AnswerPost", "StudyService", "StudySpec", "open_service"]
