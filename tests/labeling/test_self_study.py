"""Studies of oneself: one person, one link, no consent, and the sum told after each answer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.labeling.making import SMALL, answer_all, open_small, post
from umnist_core.errors import InvalidValueError, RefusedError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.events import OWN
from umnist_core.labeling.export import export_study
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.results import load_answers
from umnist_core.labeling.self_study import self_spec, self_studies, self_values, summarise
from umnist_core.labeling.verify import verify_log
from umnist_core.simulation.people import Crowd
from umnist_core.simulation.run import invite_people

FEW: dict[str, Any] = {"overrides": SMALL, "stimuli": 3, "images_per_annotator": 3}


def open_self(lab: Path, **changes: Any) -> tuple[StudyService, str]:
    """Return a service with a study of oneself of three small images, and its id."""
    service = StudyService(MemoryLog(), lab)
    values = {**self_values("unguided"), "trial_feedback": True, **FEW, **changes}
    return service, create_study(service, StudySpec.from_dict(values), jobs=1)


def join_self(service: StudyService) -> str:
    """Come in by the one link of the newest; return who it is."""
    token = self_studies(service)[0].token
    assert token is not None
    return service.join(token).annotator


def truth_of(service: StudyService, study: str, assignment: str) -> dict[str, Any]:
    """Return what is in the image of an assignment."""
    stimulus = service.state(study).assignments[assignment].stimulus
    truth: dict[str, Any] = json.loads(service.log.read_truth(study)[stimulus])
    return truth


def test_first_image_is_open_at_once(tmp_path: Path) -> None:
    """No consent, no instructions, no practice; the person is one of the study's makers."""
    service, study = open_self(tmp_path)
    person = join_self(service)
    view = service.annotator_view(study, person)
    assert (view.phase, view.origin, view.progress.total) == ("trial", OWN, 3)
    assert join_self(service) == person
    assert "consented" not in {event.kind for event in service.log.read(study)}


def test_study_is_made_with_its_link_in_one_go(tmp_path: Path) -> None:
    """The first two events are of the same moment, so none is there without a link."""
    service, study = open_self(tmp_path)
    created, link = service.log.read(study)
    assert (created.kind, link.kind) == ("study_created", "invite_created")
    assert created.time_utc == link.time_utc


def test_the_sum_is_told_of_an_answer_and_not_before(tmp_path: Path) -> None:
    """Nor of an image of somebody else, nor where feedback is off; an answer stays as it is."""
    service, study = open_self(tmp_path)
    person = join_self(service)
    trial = service.annotator_view(study, person).trial
    assert trial is not None
    assert service.feedback(study, person, trial.key) is None
    truth = truth_of(service, study, trial.key)
    service.answer(study, person, post(trial.key, 9))
    told = service.feedback(study, person, trial.key)
    assert told is not None
    assert told.image is not None
    assert (told.answer, told.image.label) == (9, truth["label"])
    assert told.is_correct == (truth["label"] == 9)
    assert [one["label"] for one in told.image.digits] == [one["label"] for one in truth["digits"]]
    assert service.feedback(study, "p-somebody", trial.key) is None
    with pytest.raises(RefusedError, match="has its answer already"):
        service.answer(study, person, post(trial.key, truth["label"]))


def test_nothing_is_told_in_studies_of_others_or_without_feedback(tmp_path: Path) -> None:
    """Where the setting is off, an answer brings nothing."""
    service, study = open_self(tmp_path, trial_feedback=False)
    person = join_self(service)
    (key, *_) = answer_all(service, study, person)
    assert service.feedback(study, person, key) is None


def test_nobody_else_comes_in(tmp_path: Path) -> None:
    """By no further link, own, open or simulated; so it is never pooled with others."""
    service, study = open_self(tmp_path)
    for invite in (
        lambda: service.invite(study),
        lambda: service.invite(study, origin=OWN),
        lambda: service.open_link(study),
        lambda: invite_people(service, study, 1, Crowd(), 0),
    ):
        with pytest.raises((RefusedError, InvalidValueError)):
            invite()
    assert len(service.invites(study)) == 1


def test_going_on_is_offered_until_it_is_over(tmp_path: Path) -> None:
    """The same link leads back; one that was stopped or is complete is over."""
    service, study = open_self(tmp_path)
    person = join_self(service)
    trial = service.annotator_view(study, person).trial
    assert trial is not None
    service.answer(study, person, post(trial.key))
    (one,) = self_studies(service)
    assert (one.answered, one.is_over, one.token is None) == (1, False, False)
    service.withdraw(study, person, "key-to-stop-1")
    (one,) = self_studies(service)
    assert (one.answered, one.is_over, one.token) == (1, True, None)


def test_summary_counts_right_answers_and_reasons_of_wrong_ones(tmp_path: Path) -> None:
    """One right, one misadded, one whose digits were not entered; before any, nothing."""
    service, study = open_self(tmp_path)
    person = join_self(service)
    assert summarise(service, study).answered == 0
    for kind in ("right", "misadded", "wrong"):
        trial = service.annotator_view(study, person).trial
        assert trial is not None
        truth = truth_of(service, study, trial.key)
        label = truth["label"]
        digits = [one["label"] for one in truth["digits"]]
        answer = label if kind == "right" else (label + 1) % 28
        more: dict[str, Any] = {"digits": digits} if kind == "misadded" else {}
        service.answer(study, person, post(trial.key, answer, **more))
    found = summarise(service, study)
    assert (found.answered, found.right) == (3, 1)
    assert found.reasons["misadded"] == 1
    assert sum(found.reasons.values()) == 2
    assert set(load_answers(service, study)["origin"]) == {OWN}


def test_self_goes_out_and_comes_in_and_verifies(tmp_path: Path) -> None:
    """An export says what it is, and elsewhere it is one of oneself still, without its link."""
    service, study = open_self(tmp_path / "here")
    answer_all(service, study, join_self(service))
    assert not verify_log(service.log, study).faults
    path = tmp_path / "self.zip"
    export_study(service, study, path, with_images=True)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("settings.json"))["is_self"] is True
        assert json.loads(archive.read("study.json"))["is_self"] is True
        assert "study of oneself" in archive.read("README.md").decode()
    other = StudyService(MemoryLog(), tmp_path / "there")
    import_study(other, path)
    (one,) = self_studies(other)
    assert (one.study, one.answered, one.token) == (study, 3, None)


def test_studies_of_others_are_written_as_before(tmp_path: Path) -> None:
    """Neither setting is named in their logs, and they are none of oneself."""
    service, study = open_small(tmp_path)
    payload = service.log.read(study)[0].payload
    assert payload is not None
    assert not {"is_self", "trial_feedback"} & set(payload["spec"])
    assert self_studies(service) == []


def test_defaults_are_twenty_released_images() -> None:
    """Of one pool, each seen once."""
    spec = self_spec("guided", has_feedback=True)
    assert (spec.preset, spec.stimuli, spec.images_per_annotator) == ("released", 20, 20)
    assert (spec.pools, spec.practice, spec.is_self) == (("guided",), 0, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"practice": 2}, "has no practice; got 2"),
        ({"repeats": 1}, "has no repeats"),
        ({"allow_change": True}, "has no allow_change"),
        ({"pools": ("unguided", "guided")}, "got 2 pools"),
        ({"images_per_annotator": 2}, "3 images of which 2 are shown"),
        ({"is_self": "yes"}, "is_self is true or false; got 'yes'"),
        ({"is_self": False}, "trial_feedback tells the sum"),
    ],
)
def test_settings_that_are_for_others_are_refused(changes: dict[str, Any], said: str) -> None:
    """In one sentence that names what to leave out."""
    values = {**self_values("unguided"), "trial_feedback": True, **FEW, **changes}
    with pytest.raises(InvalidValueError, match=said):
        StudySpec.from_dict(values)
