"""The language of a study, chosen in the form of a new one."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.test_study_asking import PAGE, PATIENCE_S, run
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.language import language_text, shipped, template


def test_texts_follow_the_language_unless_somebody_wrote_them(
    lab: StudyService, made: list[StudySpec]
) -> None:
    """To another language and back; what was edited stays as it is."""
    page = run(AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S))
    run(page.button(key="new_study").click())
    page.text_input(key="new_name").set_value("Pilot")
    own = "Look well."
    run(page.text_area(key="new_instructions_guided").set_value(own))
    for tag in ("fr", "de"):
        run(page.selectbox(key="new_language").set_value(tag))
        say = shipped(tag).say
        assert page.text_area(key="new_consent").value == say("text.consent")
        unguided = page.text_area(key="new_instructions_unguided").value
        assert unguided == say("text.instructions.unguided")
        assert page.text_area(key="new_instructions_guided").value == own
    run(page.button(key="new_make").click())
    assert (made[0].language, made[0].words) == ("de", {})
    assert made[0].consent == shipped("de").say("text.consent")
    assert made[0].instructions["guided"] == own


def test_file_of_a_language_is_taken_whole_or_its_fault_is_said(
    lab: StudyService, made: list[StudySpec]
) -> None:
    """No study is made until there is one that lacks nothing."""
    page = run(AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S))
    run(page.button(key="new_study").click())
    page.text_input(key="new_name").set_value("Pilot")
    run(page.selectbox(key="new_language").set_value("own"))
    assert page.button(key="new_make").disabled
    whole = language_text(template("nl"))
    lacking = whole.replace('"gate.title"', '"gate.tittle"')
    upload = page.file_uploader(key="new_language_file")
    run(upload.set_value(("nl.json", lacking.encode(), "application/json")))
    assert "In nl.json, the sentence 'gate.title' is missing" in page.error[0].value
    assert page.button(key="new_make").disabled
    run(
        page.file_uploader(key="new_language_file").set_value(
            ("nl.json", whole.encode(), "application/json")
        )
    )
    assert not page.error
    run(page.button(key="new_make").click())
    assert made[0].language == "nl"
    assert made[0].words["sentences"] == template("nl").sentences
