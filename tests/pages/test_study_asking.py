"""What a study asks beside images, composed in the form of a new study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.driving import make_study
from umnist_core.labeling import StudyService, StudySpec

PAGE = Path(__file__).resolve().parents[2] / "pages" / "studies.py"
PATIENCE_S = 120


def run(changed: Any) -> AppTest:
    """Run the page again, after a change of one of its elements, and see that it did not fail."""
    page: AppTest = changed.run()
    assert not page.exception
    return page


def test_questions_are_added_moved_removed_and_previewed(
    lab: StudyService, made: list[StudySpec]
) -> None:
    """What was composed is in the settings; what cannot be is said, and nothing is made of it."""
    page = run(AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S))
    run(page.button(key="new_study").click())
    page.text_input(key="new_name").set_value("Asking")
    for _ in range(3):
        run(page.button(key="new_before_add").click())
    assert page.button(key="new_make").disabled
    assert "text of question q1 is a text of 1 to 500" in page.error[0].value
    page.text_input(key="new_q1_text").set_value("How old are you?")
    page.selectbox(key="new_q1_kind").set_value("number")
    page.text_input(key="new_q2_text").set_value("Which hand?")
    page.text_area(key="new_q2_options").set_value("left\nright\n")
    run(page.button(key="new_before2_Up").click())
    run(page.button(key="new_before3_remove").click())
    run(page.toggle(key="new_before_preview").set_value(True))
    assert not page.error
    assert page.radio(key="new_preview_0_q2").options == ["left", "right"]
    run(page.button(key="new_gate_add").click())
    run(page.text_area(key="new_g4_options").set_value("the sum\nthe count"))
    page.text_input(key="new_g4_text").set_value("What is asked for?")
    page.number_input(key="new_break_every").set_value(10)
    page.text_area(key="new_debriefing").set_value("Thanks.")
    run(page)
    assert [one.value for one in page.error] == []
    run(page.button(key="new_make").click())
    asking = made[0].asking
    assert [one.name for one in asking.before[0].questions] == ["q2", "q1"]
    assert asking.before[0].questions[0].options == ("left", "right")
    assert asking.gate is not None
    assert asking.gate.questions[0].right == "the sum"
    assert (asking.break_every, asking.debriefing) == (10, "Thanks.")


def test_consent_is_amended_on_the_page(lab: StudyService) -> None:
    """Another text is another version, which the page counts people for."""
    study = make_study(lab)
    page = AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S)
    page.query_params["study"] = study
    run(page)
    assert page.button(key="amend").disabled
    run(page.text_input(key="amend_retention").set_value("five years"))
    run(page.button(key="amend").click())
    said = [one.value for one in page.caption]
    assert any(text.startswith("Version 2") for text in said)
    assert "five years" in lab.state(study).spec.consent_text
