"""Studies, Label and Results as Streamlit runs them, on a real store."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import httpx
import pandas as pd
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from pages._ui.shared.making import makings, start_making
from pages._ui.studies.form import spec_from
from pages._ui.studies.plan import TELL
from tests.labeling.making import TOLD, old_study, small_spec
from tests.pages.driving import make_study, open_lab, wait_for
from tests.pyramid.making import READ_BY_CHOICE, write_read_by_choice
from tests.server.serving import serve
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.export import export_study
from umnist_core.labeling.watching import WatchedStudy, Watcher
from umnist_core.server.downloads import download_routes

PAGES = Path(__file__).resolve().parents[2] / "pages"
PATIENCE_S = 60


KEEP = "Check and keep"


def open_page(name: str, *, tab: str | None = None, **query: str) -> AppTest:
    """Run a page, and see that it did not fail."""
    page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=PATIENCE_S)
    if tab is not None:
        page.session_state["study_tabs"] = tab
    for key, value in query.items():
        page.query_params[key] = value
    return run(page)


def run(page: AppTest) -> AppTest:
    """Run a page again, and see that it did not fail."""
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """Return everything that a page says in words."""
    elements = [
        *page.markdown,
        *page.caption,
        *page.info,
        *page.warning,
        *page.error,
        *page.success,
    ]
    return "\n".join(str(element.value) for element in elements)


def test_empty_pages_say_what_to_do(lab: StudyService) -> None:
    """The first visit tells how to begin, on all three pages."""
    assert "There is no study yet" in texts(open_page("studies"))
    assert "No study is open" in texts(open_page("label"))
    assert "There is no study yet" in texts(open_page("results"))


def test_list_leads_to_each_study(lab: StudyService) -> None:
    """A study's name opens it, and the address then names it."""
    first, second = make_study(lab, name="First *one*"), make_study(lab, name="Second")
    page = open_page("studies")
    assert {page.button(key=f"open_{study}").label for study in (first, second)} == {
        r"First \*one\*",
        "Second",
    }
    page.button(key=f"open_{first}").click()
    run(page)
    assert page.query_params["study"] == first
    assert "First" in page.subheader[0].value


def test_pages_say_whose_data_are_not_of_invited_people(lab: StudyService) -> None:
    """On the study's own page and on Results; of a study of invited people nothing is said."""
    marked, plain = make_study(lab, name="Marked"), make_study(lab, name="Plain")
    for study, origins in ((marked, ("simulated", "simulated", "own")), (plain, ("invited",))):
        for origin in origins:
            lab.join(lab.invite(study, origin=origin)[0].token or "")
    said = "Not all data are of invited people: 2 people simulated and 1 try of the study's makers"
    for page in ("studies", "results"):
        assert said in texts(open_page(page, study=marked))
        assert "Not all data" not in texts(open_page(page, study=plain))


def test_links_are_made_once_for_each_person(lab: StudyService) -> None:
    """As many links as asked for, for the pool that was chosen, each shown once."""
    study = make_study(lab)
    page = open_page("studies", study=study)
    page.number_input(key="invite_count").set_value(4)
    page.selectbox(key="invite_pool").set_value("guided")
    page.number_input(key="invite_days").set_value(7)
    page.button(key="invite_make").click()
    run(page)
    rows = lab.invites(study)
    assert [row.pool for row in rows] == ["guided"] * 4
    assert all(row.expires_utc for row in rows)
    shown = page.code[-1].value.split()
    assert [link.rpartition("/join/")[2] for link in shown] == [row.token for row in rows]
    run(page)
    assert len(lab.invites(study)) == 4


def test_open_link_is_made_shown_and_revoked(lab: StudyService) -> None:
    """After revoking it, another one can be made."""
    study = make_study(lab)
    page = open_page("studies", study=study)
    page.button(key="open_link").click()
    run(page)
    token = lab.invites(study)[0].token
    assert any(str(token) in code.value for code in page.code)
    assert any(f"/join/{token}" in link.proto.url for link in _links(open_page("label")))
    page.button(key="revoke_open").click()
    run(page)
    assert lab.invites(study)[0].is_revoked
    assert page.button(key="open_link")
    assert _links(open_page("label")) == []


def test_open_link_is_not_offered_where_strangers_would_not_be_told(lab: StudyService) -> None:
    """The page says what is missing, and the button does nothing."""
    study = make_study(lab, contact="", retention="")
    page = open_page("studies", study=study)
    assert page.button(key="open_link").disabled
    assert "does not say its retention, contact" in texts(page)


def test_form_takes_consent_fields_and_feedback(lab: StudyService, made: list[StudySpec]) -> None:
    """Each is a field of its own, and goes into the study's settings, which show them."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.text_input(key="new_name").set_value("Strangers")
    for name, text in TOLD.items():
        page.text_input(key=f"new_{name}").set_value(text)
    assert page.selectbox(key="new_feedback_unguided").value == "correctness"
    page.selectbox(key="new_feedback_guided").set_value("correctness")
    page.button(key="new_make").click()
    run(page)
    (spec,) = made
    assert {name: getattr(spec, name) for name in TOLD} == TOLD
    assert spec.practice_feedback == {"unguided": "correctness", "guided": "correctness"}


def test_list_says_what_was_chosen_to_read_the_images_of_a_study(
    lab: StudyService, tmp_path: Path
) -> None:
    """The study is in the list as well, and what is said stays until it is understood."""
    data = str(write_read_by_choice(tmp_path / "data"))
    few = {"stimuli": 4, "images_per_annotator": 2, "practice": 1}
    spec = small_spec(name="Sums *of* files", folder=data, overrides={}, **few)
    making = start_making(lab, spec)
    wait_for(lambda: making.is_over)
    page = open_page("studies")
    for sentence in ("“Sums \\*of\\* files” is made.", *READ_BY_CHOICE):
        assert sentence in page.info[0].value
    assert page.button(key=f"open_{making.study}")
    page.button(key=f"forget_{making.number}").click()
    assert not run(page).info
    assert making not in makings()


def test_settings_of_a_study_say_what_practice_tells(lab: StudyService) -> None:
    """For each pool, in words; and the consent as people read it."""
    study = make_study(lab)
    page = open_page("studies", study=study)
    assert "unguided: Right or not yet; guided: The sum, each digit and its place" in texts(page)
    assert any(TOLD["contact"] in str(text.value) for text in page.text)


def _links(page: AppTest) -> list[Any]:
    return list(page.get("link_button"))


def test_used_link_can_be_revoked(lab: StudyService) -> None:
    """The link of somebody who has joined is among those that can be revoked."""
    study = make_study(lab)
    row = lab.invite(study)[0]
    assert row.token is not None
    lab.join(row.token)
    page = open_page("studies", study=study)
    page.multiselect(key="revoke_which").set_value([row.invite])
    run(page)
    page.button(key="revoke").click()
    run(page)
    assert lab.invites(study)[0].is_revoked


def test_study_is_paused_and_goes_on(lab: StudyService) -> None:
    """The button changes the study, and becomes the other one."""
    study = make_study(lab)
    page = open_page("studies", study=study)
    page.button(key="pause").click()
    run(page)
    assert lab.overview(study).status == "paused"
    page.button(key="resume").click()
    run(page)
    assert lab.overview(study).status == "open"


def test_study_closes_only_after_asking_and_shows_its_seal(lab: StudyService) -> None:
    """One click closes nothing; the second does, and the hash of the last event is shown."""
    study = make_study(lab, 2)
    page = open_page("studies", study=study)
    page.button(key="close").click()
    run(page)
    assert lab.overview(study).status == "open"
    assert "still missing" in texts(page)
    page.button(key="close_really").click()
    run(page)
    one = lab.overview(study)
    assert one.status == "closed"
    assert one.head_hash in [code.value for code in page.code]


def test_person_is_erased_only_after_asking(lab: StudyService) -> None:
    """One click erases nobody; the second does, and the page says how many were."""
    study = make_study(lab, 2)
    person = lab.annotators(study)[0].annotator
    page = open_page("studies", study=study)
    page.selectbox(key="erase_who").set_value(person)
    run(page)
    page.button(key="erase").click()
    run(page)
    assert len(lab.annotators(study)) == 2
    page.button(key="erase_really").click()
    run(page)
    assert person not in [row.annotator for row in lab.annotators(study)]
    assert "1 person erased" in texts(page)


def test_verify_says_that_all_is_well_and_what_is_not(lab: StudyService) -> None:
    """A frozen image that was changed is named."""
    study = make_study(lab, 1)
    page = open_page("studies", tab=KEEP, study=study)
    page.button(key="verify").click()
    run(page)
    assert "All is as it was logged" in texts(page)
    lab.pause(study)
    page.checkbox(key="export_images").set_value(True)
    run(page)
    assert "All is as it was logged" in texts(page), "It stays until the next."
    assert "; 1 event came after it." in texts(page)
    image = lab.state(study).stimuli[0]
    lab.stimulus_file(study, image).write_bytes(b"something else")
    page.button(key="verify").click()
    run(page)
    assert f"Image {image} is not what it was" in texts(page)
    assert "All is as it was logged" not in texts(page)


@pytest.mark.parametrize("kind", ["export", "tables-csv", "backup"])
def test_files_are_prepared_and_then_saved(lab: StudyService, kind: str) -> None:
    """Each is a zip that can be opened, and lies on the disk and not in the page's memory."""
    study = make_study(lab, 2)
    key = kind if kind == "backup" else f"{kind}-{study}"
    page = open_page("studies", tab=KEEP, study=study)
    page.button(key=f"prepare_{key}").click()
    run(page)
    assert texts(page).count("error") == 0
    made = page.session_state[f"file_{key}"]
    with serve(Starlette(routes=download_routes())) as address:
        served = httpx.get(f"{address}{made.address}", timeout=60)
    assert is_zipfile(BytesIO(served.content))
    assert len(served.content) == made.size_bytes
    (button,) = page.get("link_button")
    assert button.proto.url == made.address


def test_traces_are_gone_through_while_somebody_watches_alone(
    lab: StudyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of many people's answers must not be slow for a tab that nobody has opened."""
    study = make_study(lab, 1)
    watched = []
    watch = Watcher.watch

    def counted(watcher: Watcher, study: str) -> WatchedStudy:
        watched.append(study)
        return watch(watcher, study)

    monkeypatch.setattr(Watcher, "watch", counted)
    page = open_page("studies", study=study)
    assert watched == []
    page.session_state["study_tabs"] = "Watch"
    run(page)
    assert watched == [study]


def test_exported_study_can_be_imported_elsewhere(
    lab: StudyService, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What one machine has exported is in the list of another, with its answers."""
    elsewhere = open_lab(tmp_path_factory.mktemp("elsewhere"))
    study = make_study(elsewhere, 2, name="From elsewhere")
    target = tmp_path_factory.mktemp("sent") / "study.zip"
    export_study(elsewhere, study, target, with_images=True)
    page = open_page("studies")
    page.file_uploader(key="import_zip_0").set_value(
        ("study.zip", target.read_bytes(), "application/zip")
    )
    run(page)
    page.button(key="import").click()
    run(page)
    assert lab.overview(study).pools == elsewhere.overview(study).pools
    assert "was checked and taken in" in texts(page)
    page.file_uploader(key="import_zip_1").set_value(
        ("study.zip", b"PK nonsense", "application/zip")
    )
    run(page)
    page.button(key="import").click()
    run(page)
    assert len(page.error) == 1


def test_study_of_before_says_that_its_images_can_be_guessed(lab: StudyService) -> None:
    """In the list and on its own page; one with a key says nothing of it, and has no seed."""
    old, new = old_study(lab), make_study(lab)
    assert texts(open_page("studies")).count("images can be guessed") == 1
    page = open_page("studies", study=old)
    assert [one.value for one in page.warning if "Its images can be guessed" in one.value]
    assert "seed 0" in texts(page)
    page = open_page("studies", study=new)
    assert "guessed" not in texts(page)
    assert not [one for one in page.warning if "guessed" in one.value]
    assert "seed" not in texts(page)


def test_unknown_study_is_told_and_leads_back(lab: StudyService) -> None:
    """A link to a study of another machine is no error of the page."""
    page = open_page("studies", study="s-elsewhere")
    assert "There is no study" in texts(page)
    page.button(key="all_studies").click()
    assert "There is no study yet" in texts(run(page))


def test_form_says_what_is_missing_and_keeps_what_was_typed(lab: StudyService) -> None:
    """Without a name nothing is made, and the number of images is still there."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.number_input(key="new_stimuli").set_value(50)
    page.button(key="new_make").click()
    run(page)
    assert "The name is a text" in texts(page)
    assert page.number_input(key="new_stimuli").value == 50
    assert lab.studies() == []


def test_form_plans_both_ways_and_simulates(lab: StudyService) -> None:
    """A row for each ICC; the more alike, the less power, and the more people it takes."""
    page = open_page("studies")
    page.button(key="new_study").click()
    run(page)
    page.number_input(key="new_stimuli").set_value(300)
    page.number_input(key="new_plan_high").set_value(60.0)
    page.button(key="new_plan_simulate").click()
    run(page)
    table = _plan_of(page)
    assert table["People"].tolist() == ["20"] * 5
    powers = [float(text.split()[0]) for text in table["Power"]]
    assert powers == sorted(powers, reverse=True)
    assert all(" ± " in text for text in table["Simulated"])
    page.segmented_control(key="new_plan_question").set_value(TELL)
    run(page)
    people = [int(text.replace(",", "")) for text in _plan_of(page)["People"]]
    assert people == sorted(people)
    assert "Simulated" not in _plan_of(page)  # another plan was simulated
    page.number_input(key="new_plan_high").set_value(49.3)
    run(page)
    assert "A difference is not 0" in texts(page)


def _plan_of(page: AppTest) -> pd.DataFrame:
    (found,) = [one.value for one in page.dataframe if "ICC" in one.value]
    table: pd.DataFrame = found
    return table


def test_form_reads_parameters_and_refuses_unknown_ones() -> None:
    """What is typed as overrides goes into the settings, checked."""
    values = {"name": "A", "preset": "released", "overrides": "canvas=600 rotation=-5..5"}
    assert dict(spec_from(values).overrides) == {"canvas": "600", "rotation": "-5..5"}
    with pytest.raises(InvalidValueError, match="no_such"):
        spec_from({**values, "overrides": "no_such=3"})


def test_results_of_an_open_study_are_masked_until_asked_for(lab: StudyService) -> None:
    """Neither accuracy nor image is there before the switch is set; afterwards it says so."""
    study = make_study(lab, 4)
    page = open_page("results", study=study)
    assert "optional stopping" in texts(page)
    assert "points" not in texts(page)
    assert not page.selectbox(key="results_study").disabled
    with pytest.raises(KeyError):
        page.selectbox(key="results_image")
    page.toggle(key=f"results_mask_{study}").set_value(True)
    run(page)
    assert "still open" in texts(page)
    assert "points" in texts(page)


@pytest.mark.parametrize("people", [0, 1, 5])
def test_every_section_of_results_can_be_read(lab: StudyService, people: int) -> None:
    """Each section of a closed study opens, with nobody, one person and several."""
    study = make_study(lab, people, repeats=1)
    lab.close(study)
    page = open_page("results", study=study)
    for section in ("Accuracy", "This image", "Why wrong", "By image", "People", "Power"):
        page.segmented_control(key="results_section").set_value(section)
        run(page)


def test_results_step_from_image_to_image(lab: StudyService) -> None:
    """The list has every image, hardest first, and the chosen one's answers are told."""
    study = make_study(lab, 6, labels_per_image=3)
    lab.close(study)
    page = open_page("results", study=study)
    choice = page.selectbox(key="results_image")
    assert len(choice.options) == 6
    shares = [
        int(option.split()[1]) / int(option.split()[3])
        for option in choice.options
        if "of" in option.split()[2]
    ]
    assert shares == sorted(shares)
    assert len(shares) == 6
    page.segmented_control(key="results_section").set_value("This image")
    run(page)
    assert re.search(r"uided, \d+ answers?:", texts(page))


def test_images_and_studies_of_the_same_title_are_not_mixed_up(lab: StudyService) -> None:
    """What is chosen stays chosen, though others have the same figures or the same name."""
    studies = [make_study(lab, 0, name="The same name") for _ in range(3)]
    for study in studies:
        lab.close(study)
    page = open_page("results", study=studies[1])
    assert len(set(page.selectbox(key="results_study").options)) == 3
    assert len(set(page.selectbox(key="results_image").options)) == 6
    image = lab.state(studies[1]).stimuli[3]
    page.session_state["results_image"] = image
    for section in ("This image", "By image"):
        page.segmented_control(key="results_section").set_value(section)
        run(page)
        assert page.selectbox(key="results_study").value == studies[1]
        assert page.selectbox(key="results_image").value == image


def test_label_takes_a_pasted_link_and_refuses_other_things(lab: StudyService) -> None:
    """A link leads on by its token alone; what is none is told."""
    page = open_page("label")
    page.text_input(key="label_link").set_value("http://elsewhere/join/abcdefgh123")
    run(page)
    assert [link.proto.url for link in _links(page)] == ["/join/abcdefgh123"]
    page.text_input(key="label_link").set_value("hello")
    run(page)
    assert "no invite link" in texts(page)


def test_unreadable_store_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the store, each page says it and does not fail."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.setenv("UMNIST_DATABASE_URL", "sqlite:////no/such/folder/here/umnist.sqlite")
    (tmp_path / "umnist.sqlite").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("UMNIST_DATABASE_URL", f"sqlite:///{tmp_path / 'umnist.sqlite'}")
    for name in ("studies", "label", "results"):
        page = open_page(name)
        assert len(page.error) == 1
