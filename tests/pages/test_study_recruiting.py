"""Recruiting on Studies: what the form makes of it, names and cards of links, payments."""

from __future__ import annotations

from tests.labeling.making import TOLD
from tests.pages.driving import make_study
from tests.pages.test_study_pages import KEEP, open_page, run, texts
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.recruiting import SITES, Recruiting


def test_form_makes_settings_of_recruiting(lab: StudyService, made: list[StudySpec]) -> None:
    """A site brings its parameters; a redirect that is none is told in a sentence."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.text_input(key="new_name").set_value("Recruits")
    page.selectbox(key="new_site").set_value("prolific")
    run(page)
    page.text_input(key="new_redirect_complete").set_value("javascript:alert(1)")
    page.text_input(key="new_code_complete").set_value("C1DONE")
    page.number_input(key="new_pay_complete").set_value(6.5)
    page.text_input(key="new_currency").set_value("gbp")
    page.number_input(key="new_side").set_value(600)
    page.button(key="new_make").click()
    run(page)
    assert "The redirect for complete is an address" in page.error[0].value
    assert made == []
    address = SITES["prolific"].return_to
    page.text_input(key="new_redirect_complete").set_value(address)
    page.button(key="new_make").click()
    run(page)
    assert made[0].recruiting == Recruiting.from_dict(
        {
            "site": "prolific",
            "redirects": {"complete": address},
            "codes": {"complete": "C1DONE"},
            "pay": {"complete": 6.5},
            "currency": "GBP",
            "smallest_side_px": 600,
        }
    )


def test_form_makes_none_where_nothing_is_said(lab: StudyService, made: list[StudySpec]) -> None:
    """A study of which nothing of the kind was set is logged as studies always were."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.text_input(key="new_name").set_value("Plain")
    page.button(key="new_make").click()
    run(page)
    assert made[0].recruiting is None


def test_link_is_named_and_printed_and_payments_are_offered(lab: StudyService) -> None:
    """Of a study that recruits, whose settings say so; others offer no payments."""
    recruiting = Recruiting.from_dict(
        {"site": "prolific", "currency": "EUR", "bonus_rule": "each_answer", "bonus": 0.05}
    )
    study = make_study(lab, recruiting=recruiting, **TOLD)
    lab.open_link(study)
    page = open_page("studies", tab=KEEP, study=study)
    page.text_input(key="name_what").set_value("Pilot A")
    page.button(key="name_link").click()
    run(page)
    assert "small letters" in page.error[0].value
    page.text_input(key="name_what").set_value("pilot-a")
    page.button(key="name_link").click()
    run(page)
    assert lab.invites(study)[0].alias == "pilot-a"
    assert any("/join/pilot-a" in one.value for one in page.code)
    said = texts(page)
    assert "each answer 0.05 EUR" in said.replace("for each", "each")
    buttons = [one.proto.label for one in page.get("download_button")]
    assert {"Save the cards", "Payments", "Ids", "Bonuses for Prolific"} <= {*buttons}
    plain = open_page("studies", tab=KEEP, study=make_study(lab))
    assert "Payments" not in [one.proto.label for one in plain.get("download_button")]
