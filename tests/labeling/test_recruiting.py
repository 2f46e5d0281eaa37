"""Recruiting: whose id is whose, where people go afterwards, and nothing of an id once erased."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.labeling.making import answer_all, new_key, open_small, small_spec
from umnist_core.bench.durability import STORES, temporary_store
from umnist_core.errors import ConflictError, InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.backup import restore_backup, write_backup
from umnist_core.labeling.export import export_study
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.people import OUTCOMES
from umnist_core.labeling.recruiting import ENDINGS, Recruiting, misfit_of, redirect_of, site_name
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.verify import verify_log

PID = "5f3c9a1e7b2d4c6a8e0f1b3d"
"""An id as Prolific has them."""

IDS = {"PROLIFIC_PID": PID, "STUDY_ID": "st1", "SESSION_ID": "se1"}
PROLIFIC = Recruiting.from_dict(
    {
        "site": "prolific",
        "codes": {"complete": "C1DONE", "screened_out": "S0RRY"},
        "redirects": {
            "complete": "https://app.prolific.com/submissions/complete?cc={code}",
            "withdrawn": "https://lab.example.org/bye?who={PROLIFIC_PID}&code={code}",
            "quota_full": "https://lab.example.org/full",
        },
        "smallest_side_px": 600,
    }
)
DESK = {"screen": [1400, 900], "touch": False, "touch_first": False}
PHONE = {"screen": [390, 844], "touch": True, "touch_first": True}


def open_recruiting(lab: Path, **changes: Any) -> tuple[StudyService, str, str]:
    """Return a service, a study that recruits by Prolific, and its open link's token."""
    more = {"practice": 0, "pools": ("unguided",), "recruiting": PROLIFIC}
    service, study = open_small(lab, **{**more, **changes})
    return service, study, service.open_link(study).token or ""


@pytest.fixture(params=STORES)
def services(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[list[StudyService], str]]:
    """Yield two services of one store, as of two servers, and a study there."""
    with temporary_store(request.param, tmp_path) as (folder, url):
        logs = [open_log(url) for _ in range(2)]
        both = [StudyService(log, folder) for log in logs]
        spec = small_spec(practice=0, stimuli=20, recruiting=PROLIFIC)
        yield both, create_study(both[0], spec, jobs=1)
        for log in logs:
            log.close()


def test_the_consent_tells_of_what_the_link_brings() -> None:
    """In a study that takes ids, whatever its own text; and in no other."""
    plain = StudySpec("A study")
    told = dataclasses.replace(plain, recruiting=PROLIFIC)
    assert "What your link brings: PROLIFIC_PID, STUDY_ID, SESSION_ID" in told.consent_text
    assert "kept apart from your answers" in told.consent_text
    assert "What your link brings" not in plain.consent_text


def test_same_id_is_the_same_person_on_every_server_also_at_once(
    services: tuple[list[StudyService], str],
) -> None:
    """Sixteen requests at once by two servers make one person of one id, and two of two."""
    both, study = services
    token = both[0].open_link(study).token or ""
    people = [IDS, {**IDS, "PROLIFIC_PID": "other0"}] * 8

    def come(number: int) -> str:
        return both[number // 2 % 2].join(token, None, people[number]).annotator

    with ThreadPoolExecutor(16) as pool:
        came = list(pool.map(come, range(16)))
    assert len(set(came)) == 2
    assert len({one for one, ids in zip(came, people, strict=True) if ids is IDS}) == 1
    assert [dict(both[1].ids(study, one)) for one in came[:2]] == people[:2]


def test_nothing_of_an_id_is_left_once_its_person_is_erased(
    services: tuple[list[StudyService], str], tmp_path: Path
) -> None:
    """Neither in the store's file, nor in a backup, nor in an export; and the chain verifies."""
    (service, other), study = services
    token = service.open_link(study).token or ""
    gone = service.join(token, None, IDS).annotator
    kept = service.join(token, None, {**IDS, "PROLIFIC_PID": "kept0000"}).annotator
    service.erase(study, gone)
    assert verify_log(other.log, study).faults == ()
    backup = tmp_path / "backup.zip"
    write_backup(service.log, None, backup)
    export_study(service, study, tmp_path / "export.zip")
    assert _holds(backup, "kept0000")
    assert not _holds(backup, PID)
    assert not _holds(tmp_path / "export.zip", PID)
    assert dict(other.ids(study, kept))["PROLIFIC_PID"] == "kept0000"
    if (file := Path(service.log.place)).is_file():
        with sqlite3.connect(file) as store:
            store.execute("pragma wal_checkpoint(truncate)")
        assert b"kept0000" in file.read_bytes()
        assert PID.encode() not in file.read_bytes()


def _holds(path: Path, text: str) -> bool:
    with ZipFile(path) as archive:
        return any(text.encode() in archive.read(name) for name in archive.namelist())


def test_export_holds_no_id_and_is_as_good_without(tmp_path: Path) -> None:
    """It is recomputed, read back and goes on; a backup has the ids and brings them back."""
    service, study, token = open_recruiting(tmp_path / "lab")
    person = service.join(token, None, IDS).annotator
    service.consent(study, person, new_key())
    service.begin(study, person, new_key())
    answer_all(service, study, person)
    export, backup = tmp_path / "export.zip", tmp_path / "backup.zip"
    report = export_study(service, study, export)
    assert report.verification.faults == ()
    assert not _holds(export, PID)
    with ZipFile(export) as archive:
        archive.extractall(tmp_path / "unpacked")
    script = [sys.executable, "-B", str(tmp_path / "unpacked" / "recompute.py")]
    said = subprocess.run(script, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    again, _ = open_small(tmp_path / "other")
    import_study(again, export)
    assert verify_log(again.log, study).faults == ()
    assert again.ids(study, person) == {}
    write_backup(service.log, service.folder / "studies", backup)
    restored, _ = open_small(tmp_path / "third")
    restore_backup(backup, restored.log, restored.folder / "studies")
    assert dict(restored.ids(study, person)) == IDS


def test_link_of_strangers_without_the_id_is_refused_in_a_kind_sentence(tmp_path: Path) -> None:
    """Missing, a placeholder of any site, or not accepted yet; nothing is recorded."""
    service, study, token = open_recruiting(tmp_path)
    head = service.overview(study).events
    for value, said in {
        "": "has no PROLIFIC_PID",
        "{{%PROLIFIC_PID%}}": "placeholder",
        "%PROLIFIC_PID%": "placeholder",
        "${e://Field/PROLIFIC_PID}": "placeholder",
        "[PROLIFIC_PID]": "placeholder",
        "a b": "characters",
        "x" * 129: "characters",
    }.items():
        with pytest.raises(RefusedError, match=said) as error:
            service.join(token, None, {"PROLIFIC_PID": value})
        assert error.value.code == "no_id"
    assert service.overview(study).events == head
    personal = service.invite(study)[0].token or ""
    assert service.ids(study, service.join(personal).annotator) == {}
    turk = Recruiting.from_dict({"site": "mturk"})
    service, study, token = open_recruiting(tmp_path / "turk", recruiting=turk)
    with pytest.raises(RefusedError, match="not accepted the task yet"):
        service.join(token, None, {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"})


def test_id_comes_before_what_the_browser_remembers(tmp_path: Path) -> None:
    """Two people at one computer are two; without an id, a browser is who it was."""
    service, _, token = open_recruiting(tmp_path)
    first = service.join(token, None, IDS).annotator
    second = service.join(token, first, {**IDS, "PROLIFIC_PID": "second00"}).annotator
    assert first != second
    assert service.join(token, second, IDS).annotator == first
    assert service.join(token, second).annotator == second


def test_who_withdrew_or_was_screened_out_cannot_begin_anew(tmp_path: Path) -> None:
    """The same id leads to how it ended, with the code and the address of that outcome."""
    service, study, token = open_recruiting(tmp_path)
    first = service.join(token, None, IDS).annotator
    service.screen_out(study, first, new_key(), PHONE)
    assert service.join(token, None, IDS).annotator == first
    view = service.annotator_view(study, first)
    assert (view.phase, view.outcome, view.code) == ("done", "screened_out", "S0RRY")
    with pytest.raises(RefusedError) as error:
        service.consent(study, first, new_key())
    assert error.value.code == "screened_out"
    ids = {**IDS, "PROLIFIC_PID": "second00"}
    second = service.join(token, None, ids).annotator
    service.withdraw(study, second, new_key())
    assert service.join(token, None, ids).annotator == second
    assert service.annotator_view(study, second).outcome == "withdrawn"
    assert service.overview(study).pools[0].screened_out == 1


def test_later_ids_of_the_same_person_take_the_place_of_the_first(tmp_path: Path) -> None:
    """A site may give a new session; another person's ids never come to a personal link."""
    service, study, token = open_recruiting(tmp_path)
    one = service.join(token, None, IDS).annotator
    events = service.overview(study).events
    service.join(token, None, IDS)
    assert service.overview(study).events == events
    for number in range(30):
        service.join(token, None, {**IDS, "SESSION_ID": f"se{number + 2}"})
    assert dict(service.ids(study, one)) == {**IDS, "SESSION_ID": "se20"}
    own = service.invites(study)[-1]
    assert own.annotator == one
    service.join(own.token or "", None, {**IDS, "PROLIFIC_PID": "another0"})
    assert service.ids(study, one)["PROLIFIC_PID"] == PID


def test_device_that_does_not_fit_ends_a_part_only_where_it_is_so(tmp_path: Path) -> None:
    """Not on a desk, not after consent; and a phone fits no better when it is turned."""
    service, study, token = open_recruiting(tmp_path)
    person = service.join(token, None, IDS).annotator
    with pytest.raises(RefusedError) as error:
        service.screen_out(study, person, new_key(), DESK)
    assert error.value.code == "fits"
    with pytest.raises(RefusedError, match="at least 600 px; this one has 390"):
        service.check_device(study, {**PHONE, "screen": [844, 390]})
    service.check_device(study, DESK)
    service.consent(study, person, new_key())
    with pytest.raises(RefusedError) as error:
        service.screen_out(study, person, new_key(), PHONE)
    assert error.value.code == "has_begun"
    gates = [Recruiting(touch=touch).gate for touch in ("allowed", "required", "refused")]
    laptop = {**DESK, "touch": True}
    fits = [[misfit_of(gate, one) is None for one in (DESK, laptop, PHONE)] for gate in gates]
    assert fits == [[True, True, True], [False, True, True], [True, True, False]]


def test_everybody_is_sent_where_their_outcome_says_with_code_and_ids(tmp_path: Path) -> None:
    """Filled in as addresses are; nowhere, where the address needs what somebody lacks."""
    service, study, token = open_recruiting(tmp_path, stimuli=3, images_per_annotator=3)
    person = service.join(token, None, IDS).annotator
    service.consent(study, person, new_key())
    service.begin(study, person, new_key())
    assert service.annotator_view(study, person).redirect is None
    leaver = service.join(token, None, {**IDS, "PROLIFIC_PID": "a+b/c"}).annotator
    service.withdraw(study, leaver, new_key())
    assert service.annotator_view(study, leaver).redirect is None  # no answer, no code
    answer_all(service, study, person)
    view = service.annotator_view(study, person)
    assert view.code == "C1DONE"
    assert view.redirect == "https://app.prolific.com/submissions/complete?cc=C1DONE"
    last = service.join(token, None, {**IDS, "PROLIFIC_PID": "third000"}).annotator
    assert service.annotator_view(study, last).redirect == "https://lab.example.org/full"
    sent = redirect_of(PROLIFIC, "withdrawn", "A&B", {"PROLIFIC_PID": "a+b/c"})
    assert sent == "https://lab.example.org/bye?who=a%2Bb%2Fc&code=A%26B"
    assert [site_name(one) for one in (sent, "https://app.prolific.com/x")] == [
        "lab.example.org",
        "Prolific",
    ]
    assert ENDINGS == OUTCOMES


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "ftp://example.org/",
        "//example.org/x",
        "https://{PROLIFIC_PID}.example.org/",
        "https://example.org@evil.example/",
        "https://example.org/{nobody}",
        "https://example.org/{{code}}",
        "https://example.org/ x",
        "https:///x",
        "",
        7,
    ],
)
def test_redirect_that_is_no_plain_web_address_is_refused(address: object) -> None:
    """No script, no host that an id chooses, no placeholder that stays unfilled."""
    with pytest.raises(InvalidValueError, match="redirect for complete"):
        Recruiting.from_dict({"site": "prolific", "redirects": {"complete": address}})


@pytest.mark.parametrize(
    "values",
    [
        {"site": "elsewhere"},
        {"ids": ["code"]},
        {"ids": ["a b"]},
        {"ids": ["a", "a"]},
        {"person_id": "x"},
        {"touch": "maybe"},
        {"pay": {"complete": 5}},
        {"currency": "GBP", "pay": {"complete": 5.001}},
        {"currency": "GBP", "pay": {"complete": float("nan")}},
        {"currency": "pounds"},
        {"currency": "GBP", "bonus": 0.1},
        {"codes": {"complete": ""}},
        {"codes": {"finished": "X"}},
        {"smallest_side_px": -1},
        {"nothing": 1},
        "prolific",
    ],
)
def test_setting_that_cannot_be_is_refused_in_a_sentence(values: Any) -> None:
    """What a study is recruited with is checked before it is made."""
    with pytest.raises(InvalidValueError, match=r"\.$"):
        Recruiting.from_dict(values)


def test_settings_are_read_as_they_were_written_and_absent_where_there_are_none() -> None:
    """A study without them is logged as studies were before there were any."""
    spec = small_spec(recruiting=PROLIFIC)
    assert StudySpec.from_log(spec.to_dict()) == spec
    assert "recruiting" not in small_spec().to_dict()


def test_link_has_a_name_that_opens_it_and_a_personal_one_cannot_be_guessed(
    tmp_path: Path,
) -> None:
    """The name alone opens an open link, in any case; a personal one has a secret ending."""
    service, study, token = open_recruiting(tmp_path)
    shared, (personal,) = service.invites(study)[0], service.invite(study)
    assert service.name_link(study, shared.invite, "pilot-a") == "pilot-a"
    assert service.join("Pilot-A", None, IDS).annotator == service.join(token, None, IDS).annotator
    alias = service.name_link(study, personal.invite, "desk-3")
    assert alias.startswith("desk-3-")
    assert len(alias) == len("desk-3-") + 10
    with pytest.raises(NotFoundError):
        service.join("desk-3")
    person = service.join(alias).annotator
    assert service.join(personal.token or "").annotator == person
    assert [one.alias for one in service.invites(study)][:2] == ["pilot-a", alias]
    with pytest.raises(ConflictError, match="already"):
        service.name_link(study, shared.invite, "pilot-a")
    for name in ("Pilot", "a", "-ab", "a b", "ab-", "x" * 41):
        with pytest.raises(InvalidValueError):
            service.name_link(study, shared.invite, name)
    service.revoke(study, personal.invite)
    with pytest.raises(RefusedError):
        service.join(alias)
    assert verify_log(service.log, study).faults == ()
    export_study(service, study, tmp_path / "export.zip")
    assert not _holds(tmp_path / "export.zip", alias)
