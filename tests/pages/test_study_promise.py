"""Preregistration and factors on the pages: in the form, among the settings, in the results."""

from __future__ import annotations

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.studies.form import spec_from
from tests.labeling.test_preregistration import TEXT, promise
from tests.pages.driving import make_study
from tests.pages.test_study_pages import open_page, run, texts
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import ResultsSeen
from umnist_core.labeling.log import sha256

_STALE = "Settings have changed since the draft was written."


def _form() -> AppTest:
    page = open_page("studies")
    page.button(key="new_study").click()
    return run(page)


def test_form_says_once_what_such_a_study_finds(lab: StudyService) -> None:
    """The sentence and the table of the plan are of one calculation."""
    page = _form()
    (row,) = page.dataframe[0].value.query("ICC == '0.02'").to_dict("records")
    assert f"find a difference of {row['Finds']} points between the pools" in texts(page)


def test_form_writes_a_draft_and_gives_the_text_before_back(lab: StudyService) -> None:
    """What was typed is not lost when a draft takes its place."""
    page = _form()
    page.text_area(key="new_preregistration").set_value("My own words")
    page.number_input(key="new_images").set_value(25)
    run(page)
    page.button(key="new_preregistration_draft").click()
    run(page)
    draft = page.text_area(key="new_preregistration").value
    assert "40 people with 25 images each give 1,000 labels" in (draft or "")
    assert "square brackets" in texts(page)
    assert _STALE not in texts(page)
    page.number_input(key="new_images").set_value(20)
    run(page)
    assert _STALE in texts(page)
    page.number_input(key="new_images").set_value(25)
    run(page)
    assert _STALE not in texts(page)
    page.button(key="new_preregistration_undo").click()
    run(page)
    assert page.text_area(key="new_preregistration").value == "My own words"
    assert _STALE not in texts(page)


def test_draft_that_cannot_be_is_one_sentence(lab: StudyService) -> None:
    """As when the study is made, and the text stays."""
    page = _form()
    page.number_input(key="new_stimuli").set_value(5)
    run(page)
    page.button(key="new_preregistration_draft").click()
    run(page)
    assert "the study has 5; show fewer or make more" in texts(page)
    assert not page.text_area(key="new_preregistration").value


def test_settings_show_the_seal_and_no_result(lab: StudyService) -> None:
    """What was planned beside what was done, without what the analysis found."""
    study = make_study(lab, 4, preregistration=promise())
    page = open_page("studies", study=study)
    assert sha256(TEXT) in [code.value for code in page.code]
    assert "**People, guided**: under way  \n  Planned: 2." in texts(page)
    assert "**Primary analysis**" not in texts(page)
    assert "judged when it is closed" in texts(page)


def test_results_lay_done_beside_planned_and_log_the_look(lab: StudyService) -> None:
    """Showing an open study is logged once, and the section says that it was not planned."""
    study = make_study(lab, 4, preregistration=promise())
    page = open_page("results", study=study)
    assert ResultsSeen.event_kind not in [one.kind for one in lab.log.read(study)]
    page.toggle(key=f"results_mask_{study}").set_value(True)
    run(page)
    page.segmented_control(key="results_section").set_value("Plan")
    run(page)
    assert "**Looks at accuracies before the end**: :orange-badge[different]" in texts(page)
    assert "**Primary analysis**" in texts(page)
    assert "one thing otherwise than planned" in texts(page)
    assert [one.kind for one in lab.log.read(study)].count(ResultsSeen.event_kind) == 1


def test_form_says_what_factors_make_and_what_would_fit(lab: StudyService) -> None:
    """Cells and images of each; numbers that are no multiple are said before anything is made."""
    page = _form()
    page.text_input(key="new_factors").set_value("shape_pairs=0,5 checkerboard=4,8,16")
    run(page)
    assert "6 cells, so images, and images a person, are a multiple of 6" in texts(page)
    assert "996 and 30 would do" in texts(page)
    page.number_input(key="new_stimuli").set_value(996)
    run(page)
    assert "6 cells: 166 images of each, 5 of each for a person." in texts(page)
    page.text_input(key="new_factors").set_value("shape_pairs")
    run(page)
    assert "NAME=LEVEL,LEVEL" in texts(page)


def test_form_refuses_levels_that_a_parameter_cannot_have() -> None:
    """Before anything is made; what can be is in the settings."""
    values = {"name": "A", "preset": "released", "overrides": "", "stimuli": 60}
    spec = spec_from({**values, "factors": "shape_pairs=0,5 checkerboard=4,8,16"})
    assert spec.factors == {"shape_pairs": ["0", "5"], "checkerboard": ["4", "8", "16"]}
    with pytest.raises(InvalidValueError, match="shape_pairs"):
        spec_from({**values, "factors": "shape_pairs=0,many"})


def test_settings_and_results_show_the_factors(lab: StudyService) -> None:
    """Their levels in a sentence, and a chart for each with one of the cells."""
    factors = {"shape_pairs": ["0", "4"], "checkerboard": ["0", "8"]}
    few: dict[str, Any] = {"stimuli": 8, "images_per_annotator": 4, "overrides": {"canvas": "512"}}
    study = make_study(lab, 4, factors=factors, practice=0, **few)
    lab.close(study)
    page = open_page("studies", study=study)
    assert "4 cells, 1 image of each for every person" in texts(page)
    page = open_page("results", study=study)
    page.segmented_control(key="results_section").set_value("By image")
    run(page)
    for title in ("Factor shape_pairs", "Factor checkerboard", "Cells"):
        assert f"**{title}**" in texts(page)


def test_form_offers_the_time_that_people_have_taken(lab: StudyService) -> None:
    """To the consent and to the plan; where nobody has answered such images it says so."""
    page = _form()
    assert "nobody of this store has answered such images" in texts(page)
    make_study(lab, 3)
    page.text_input(key="new_overrides").set_value("canvas=512 factor=0.5..4")
    run(page)
    assert re.search(r"Measured: \d minutes? \(\d to \d\), 3 people", texts(page))
    page.button(key="new_duration_use").click()
    run(page)
    assert (page.text_input(key="new_duration").value or "").startswith("About ")
    page.button(key="new_plan_measured").click()
    run(page)
    assert 0.1 <= (page.number_input(key="new_plan_minutes").value or 0) <= 0.3
