"""Human-baseline studies: who answers which image, and a log that loses none of it. No HTTP."""

from umnist_core.labeling.records import POOLS, AnswerPost, StudySpec
from umnist_core.labeling.service import StudyService, open_service

__all__ = ["POOLS", "AnswerPost", "StudyService", "StudySpec", "open_service"]
