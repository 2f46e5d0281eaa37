"""Label 20 now on the page Label: what it makes, and what is offered of what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.label import alone
from tests.labeling.making import SMALL, answer_all, new_key
from tests.pages.driving import open_lab
from tests.pages.test_study_pages import open_page, run, texts
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.self_study import self_studies, self_values


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyService:
    """Let the app keep its studies in a folder of this test, and return a service of it."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    return open_lab(tmp_path)


def make_self(service: StudyService) -> str:
    """Make a study of oneself of two small images."""
    few = {"overrides": SMALL, "stimuli": 2, "images_per_annotator": 2}
    return create_study(service, StudySpec.from_dict({**self_values("guided"), **few}), jobs=1)


def links_of(page: AppTest) -> dict[str, str]:
    """Return the links that look like buttons: what they say, and where they lead."""
    return {one.proto.label: one.proto.url for one in page.get("link_button")}


def test_button_makes_what_is_chosen(
    service: StudyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unguided with feedback unless chosen otherwise; no second one by the same click."""
    made: list[StudySpec] = []
    monkeypatch.setattr(alone, "start_making", lambda _service, spec: made.append(spec))
    page = open_page("label")
    page.button(key="self_make").click()
    run(page)
    page.session_state["self_pool"] = "guided"
    page.session_state["self_feedback"] = False
    page.button(key="self_make").click()
    run(page)
    run(page)
    told = [(one.pools, one.trial_feedback, one.is_self, one.stimuli) for one in made]
    assert told == [(("unguided",), True, True, 20), (("guided",), False, True, 20)]


def test_one_is_gone_on_with_until_it_is_over(service: StudyService) -> None:
    """Never under what others take part in; afterwards its results are a click away."""
    study = make_self(service)
    (one,) = self_studies(service)
    assert one.token is not None
    page = open_page("label")
    assert links_of(page) == {"Open the first image": f"/join/{one.token}#go"}
    assert "No study is open on this machine" in texts(page)
    person = service.join(one.token).annotator
    answer_all(service, study, person)
    page = run(page)
    assert links_of(page) == {}
    assert "2 of 2 images answered" in texts(page)


def test_self_is_said_and_its_results_are_not_hidden(service: StudyService) -> None:
    """In Results while it is open, and in Studies with its settings and without invitations."""
    study = make_self(service)
    (one,) = self_studies(service)
    assert one.token is not None
    service.withdraw(study, service.join(one.token).annotator, new_key())
    page = open_page("results", study=study)
    assert "self: a study of oneself" in texts(page)
    assert not page.toggle
    page = open_page("studies", study=study)
    assert "nobody is invited to it" in texts(page)
    assert "the sum is told at the end" in texts(page)
    assert [one.key for one in page.button if one.key == "invite_make"] == []
