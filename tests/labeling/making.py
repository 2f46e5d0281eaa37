"""Small studies of real images on a real log, for tests of everything about studies."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from umnist_core.labeling import AnswerPost, StudyService, StudySpec
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.log import Draft, EventLog
from umnist_core.labeling.memory import MemoryLog

SMALL = {"canvas": "512", "factor": "0.5..4"}
"""Parameters that make an image in milliseconds."""

TOLD: dict[str, Any] = {
    "contact": "Ada Example, ada@example.org",
    "duration": "about 45 minutes",
    "retention": "ten years, without any name",
    "withdrawal": "write to the contact with your own link",
}
"""What strangers must be told, as a study's settings."""

_keys = itertools.count()


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def pass_(self, **length: float) -> None:
        """Let time pass, as of `datetime.timedelta`."""
        self.time += timedelta(**length)


def small_spec(**changes: Any) -> StudySpec:
    """Return the settings of a study of few small images."""
    few: dict[str, Any] = {
        "name": "A small study",
        "overrides": SMALL,
        "stimuli": 6,
        "images_per_annotator": 3,
        "practice": 1,
        **TOLD,
    }
    return StudySpec(**{**few, **changes})


def write_sums(folder: Path, *sizes: tuple[int, int]) -> Path:
    """Write a folder in Kaggle's layout with an image of 1 of each height and width, and return it.

    It takes the place of ``preset`` and ``overrides``, so leave the latter empty.
    """
    (folder / "train").mkdir(parents=True)
    rows = ["id,digit_sum"]
    for number, size in enumerate(sizes):
        cv2.imwrite(str(folder / "train" / f"{number}.png"), np.full(size, 60, np.uint8))
        rows.append(f"{number},1")
    (folder / "train.csv").write_text("\n".join(rows))
    return folder


def open_small(
    lab: Path, log: EventLog | None = None, *, now: Clock | None = None, **changes: Any
) -> tuple[StudyService, str]:
    """Return a service with one study in it, and the study's id."""
    service = StudyService(log or MemoryLog(), lab, now=now or Clock())
    return service, create_study(service, small_spec(**changes), jobs=1)


def old_study(service: StudyService, **changes: Any) -> str:
    """Make a study as they were made before there were keys: its log has a seed and no key."""
    create = service.log.create

    def draft(fact: StudyCreated, **_: object) -> Draft:
        return Draft(fact.event_kind, {**fact.payload(), "spec": {**fact.spec, "seed": 0}})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StudyCreated, "draft", draft)
        patch.setattr(service.log, "create", lambda *given: create(*given[:3]))
        return create_study(service, small_spec(**changes), jobs=1)


def new_key() -> str:
    """Return an idempotency key that was never used."""
    return f"key-{next(_keys):08}"


def post(assignment: str, answer: int = 9, key: str | None = None, **more: Any) -> AnswerPost:
    """Return an answer as a browser sends it."""
    sample = {"t": 0, "x": 256, "y": 256, "zoom": 1.5, "w": 700, "h": 500, "visible": True}
    response = {
        "response_ms": 5000,
        "active_ms": 4000,
        "idle_ms": 1000,
        "hidden_ms": 0,
        "first_drawn_ms": 120,
        "parts": [{"samples": [sample], "end_ms": 5000}],
        "device": {"screen": [1400, 900], "dpr": 1, "touch": False},
    }
    body = {"key": key or new_key(), "assignment": assignment, "answer": answer, **more}
    return AnswerPost.from_dict({"response": response, **body})


def come_in(service: StudyService, study: str, pool: str | None = None) -> str:
    """Let somebody join, agree and practise; return who it is."""
    token = service.invite(study, pool=pool)[0].token
    assert token is not None
    annotator = service.join(token).annotator
    service.consent(study, annotator, new_key())
    service.begin(study, annotator, new_key())
    for image in service.state(study).practice:
        service.practise(study, annotator, new_key(), image.id, 3)
    return annotator


def answer_all(service: StudyService, study: str, annotator: str) -> list[str]:
    """Answer every image that a person is given; return the assignments."""
    done = []
    while (trial := service.annotator_view(study, annotator).trial) is not None:
        service.answer(study, annotator, post(trial.key))
        done.append(trial.key)
    return done
