"""A study of oneself over HTTP: what is in an image comes after its answer, and not before."""

from __future__ import annotations

import json
from typing import Any

from tests.labeling.making import SMALL
from tests.server.conftest import Lab
from tests.server.leaks import is_in, spellings_of, texts_of
from tests.server.people import Person, answer_body
from tests.server.test_label_leaks import received
from umnist_core.labeling import StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.self_study import self_studies, self_values


def _begin(lab: Lab, **changes: Any) -> tuple[Person, str]:
    """Make a study of oneself of three small images, and come in."""
    values = {**self_values("unguided"), "trial_feedback": True, "overrides": SMALL}
    few = {"stimuli": 3, "images_per_annotator": 3}
    create_study(lab.service, StudySpec.from_dict({**values, **few, **changes}), jobs=1)
    (one,) = self_studies(lab.service)
    person = lab.person()
    person.join(one.token)
    return person, one.study


def _places(lab: Lab, study: str, assignment: str) -> set[bytes]:
    """Return every digit's place in an image, in every spelling."""
    stimulus = lab.service.state(study).assignments[assignment].stimulus
    digits = json.loads(lab.service.log.read_truth(study)[stimulus])["digits"]
    places = [(one["row"], one["col"], one["side_px"]) for one in digits]
    return set().union(*(spellings_of([*place]) for place in places)) | {
        f'"x":{col},"y":{row}'.encode() for row, col, _ in places
    }


def _told(person: Person, places: set[bytes]) -> bool:
    texts = list(texts_of(received(one) for one in person.received))
    return any(is_in(place, text) for place in places for text in texts)


def test_image_is_told_with_its_answer_and_never_before(lab: Lab) -> None:
    """Tiles and states of an open image and of the next hold no place of a digit."""
    person, study = _begin(lab)
    with person:
        state = person.state()
        assert state["self"] == {"feedback": True, "summary": None}
        while state["phase"] == "trial":
            trial, after = state["trial"], state["next"]
            person.look(trial["image"])
            places = _places(lab, study, trial["assignment"])
            coming = _places(lab, study, after["assignment"]) if after else set()
            assert not _told(person, places)
            reply = person.answer(state).json()
            assert _told(person, places)
            assert not _told(person, coming)
            told = reply["feedback"]
            assert set(told) == {"answer", "sum", "correct", "digits"}
            assert told["sum"] == sum(one["label"] for one in told["digits"])
            state = reply["state"]
        assert state["phase"] == "done"
        summary = state["self"]["summary"]
        assert summary["answered"] == 3
        assert summary["right"] + sum(summary["reasons"].values()) == 3


def test_answer_that_is_sent_again_is_told_again(lab: Lab) -> None:
    """Whose first reply was lost learns the same by the same key, and nothing counts twice."""
    person, _ = _begin(lab)
    with person:
        body = answer_body(person.state()["trial"]["assignment"])
        first, again = (person.send("answers", body).json() for _ in range(2))
        assert again["feedback"] == first["feedback"]
        assert again["state"]["progress"]["done"] == 1


def test_nothing_is_told_without_feedback_until_the_end(lab: Lab) -> None:
    """Then only how many were right, and why the others were not."""
    person, _ = _begin(lab, trial_feedback=False)
    with person:
        state = person.state()
        while state["phase"] == "trial":
            reply = person.answer(state).json()
            assert "feedback" not in reply
            state = reply["state"]
        assert set(state["self"]["summary"]) == {"answered", "right", "reasons"}
