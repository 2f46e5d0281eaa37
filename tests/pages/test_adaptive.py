"""Adaptive studies on the pages: in the form, among the settings, in the results."""

from __future__ import annotations

from typing import Any

from pages._ui.studies.form import spec_from
from tests.pages.driving import make_study
from tests.pages.test_study_pages import open_page, run, texts
from umnist_core.labeling import StudyService
from umnist_core.labeling.adaptive import STAIRCASE, Adaptive
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.threshold_table import pool_thresholds, thresholds_of

SMALL: dict[str, Any] = {
    "adaptive": Adaptive(STAIRCASE, (14, 28, 56)),
    "stimuli": 12,
    "images_per_annotator": 4,
    "labels_per_image": 2,
    "practice": 0,
    "overrides": {"canvas": "512", "digits": "3"},
}


def test_form_says_what_people_see_and_how_many_images_are_made(lab: StudyService) -> None:
    """With sizes that cannot be it says why, and makes nothing."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.segmented_control(key="new_adaptive").set_value(STAIRCASE)
    run(page)
    assert "A person first sees digits of 336 px" in texts(page)
    assert "440 images are made: 11 sizes with 40 each" in texts(page)
    assert "800 labels from each pool: 20 people a pool." in texts(page)
    assert page.number_input(key="new_repeats").disabled
    page.selectbox(key="new_down").set_value(2)
    page.text_input(key="new_levels").set_value("28, 56, 84")
    run(page)
    assert "at which 71 % of the sums are right" in texts(page)
    assert "120 images are made" in texts(page)
    assert not page.button(key="new_make").disabled
    page.text_input(key="new_levels").set_value("28, 50")
    run(page)
    assert "14 or a multiple of 28 px" in texts(page)
    assert page.button(key="new_make").disabled


def test_form_makes_settings_and_a_promise_of_thresholds(lab: StudyService) -> None:
    """The draft says how sizes follow, and promises the analysis that there can be."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.segmented_control(key="new_adaptive").set_value("quest_plus")
    run(page)
    page.button(key="new_preregistration_draft").click()
    run(page)
    text = page.text_area(key="new_preregistration").value
    assert text is not None
    assert "QUEST+ over digits of 14, 28, 56, 84" in text
    assert "The mean threshold in px of each pool" in text
    assert "20 people with 40 images each give 800 labels" in text
    spec = spec_from({"name": "A", "preset": "released", **SMALL, "overrides": "canvas=512"})
    assert spec.adaptive == SMALL["adaptive"]


def test_settings_and_results_show_thresholds(lab: StudyService) -> None:
    """First of all sections, with the mean of each pool and the answers of one person."""
    study = make_study(lab, 4, **SMALL)
    lab.close(study)
    page = open_page("studies", study=study)
    assert "a staircase over digits of 14, 28, 56 px" in texts(page)
    page = open_page("results", study=study)
    assert page.segmented_control(key="results_section").value == "Thresholds"
    table = thresholds_of(FoldedStudy.of(lab.log, study))
    for mean in pool_thresholds(table).values():
        assert f"{mean.px:.1f} px ({mean.low:.1f} to {mean.high:.1f}), 2 people." in texts(page)
    last = table.to_dict("records")[-1]
    page.selectbox(key="results_threshold_person").set_value(last["annotator"])
    run(page)
    assert f"{last['right']} of 4 answers right." in texts(page)
    page.segmented_control(key="results_section").set_value("Accuracy")
    run(page)
    assert "sizes of digits followed from each person's answers" in texts(page)
