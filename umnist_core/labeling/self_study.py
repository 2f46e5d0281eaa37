"""A study of oneself: twenty fresh images, one person, no consent; everything else as in others.

It is a study in the same store, with the same log, results and export; its setting ``is_self``
says what it is wherever it goes. Nobody else comes into it, so it is never pooled with others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService

IMAGES = 20
"""The least that each person had in the paper's human baseline (UltraMNIST, "Human baseline")."""

NO_CONSENT = "A study of oneself: whoever made it takes part alone, and no consent was asked for."


@dataclass(frozen=True)
class SelfStudy:
    """How far a study of oneself is.

    Attributes
    ----------
    study, name, pool
        Its id, name and pool.
    has_feedback
        Whether the sum is told after each answer.
    answered, total
        Images that have an answer, and all.
    is_over
        Whether nothing more is asked.
    token
        Of its link; None where it is over, or came from elsewhere without.
    """

    study: str
    name: str
    pool: str
    has_feedback: bool
    answered: int
    total: int
    is_over: bool
    token: str | None


@dataclass(frozen=True)
class Summary:
    """What came out of a study of oneself.

    Attributes
    ----------
    answered, right
        Images that have an answer, and a right one.
    reasons
        Reason of wrong answers -> how many, of `umnist_core.scoring.reasons.REASONS`.
    """

    answered: int
    right: int
    reasons: Mapping[str, int] = field(default_factory=dict)


def self_values(pool: str) -> dict[str, object]:
    """Return the settings of a study of oneself that differ from those of others."""
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return {
        "name": f"Self, {pool}, {moment}",
        "stimuli": IMAGES,
        "images_per_annotator": IMAGES,
        "pools": (pool,),
        "practice": 0,
        "consent": NO_CONSENT,
        "ask_digits": True,
        "is_self": True,
    }


def self_spec(pool: str, *, has_feedback: bool) -> StudySpec:
    """Return the settings of a study of oneself, of twenty released images.

    Raises
    ------
    InvalidValueError
        If there is no such pool.
    """
    return StudySpec.from_dict({**self_values(pool), "trial_feedback": has_feedback})


def self_studies(service: StudyService) -> list[SelfStudy]:
    """Return the studies of oneself, the newest first.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    found = [_self_study(service, study) for study in service.studies()]
    return [one for one in reversed(found) if one is not None]


def _self_study(service: StudyService, study: str) -> SelfStudy | None:
    state = service.state(study)
    spec = state.spec
    if not spec.is_self:
        return None
    people = service.annotators(study)
    links = service.invites(study)
    is_over = state.status == "closed" or any(one.outcome is not None for one in people)
    usable = [row.token for row in links if row.token is not None and not row.is_revoked]
    return SelfStudy(
        study=study,
        name=spec.name,
        pool=spec.pools[0],
        has_feedback=spec.trial_feedback,
        answered=sum(one.answered for one in people),
        total=spec.images_per_annotator,
        is_over=is_over,
        token=None if is_over or not usable else usable[0],
    )


def summarise(service: StudyService, study: str) -> Summary:
    """Return what came out of a study of oneself.

    Raises
    ------
    NotFoundError, DamagedFileError, StoreError
        As `umnist_core.labeling.results.load_answers`.
    """
    # Loads what computes figures, which no answer of anybody else ever needs.
    from umnist_core.labeling.results import load_answers, load_digits
    from umnist_core.scoring.reasons import REASONS, classify

    answers = load_answers(service, study)
    if answers.empty:
        return Summary(0, 0)
    reasons = list(classify(answers, load_digits(service, study, answers)))
    counts = {reason: reasons.count(reason) for reason in REASONS if reason in reasons}
    return Summary(len(answers), int(answers["correct"].sum()), counts)
