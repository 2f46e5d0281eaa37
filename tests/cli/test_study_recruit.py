"""``umnist study`` on recruiting: names, cards, ids and payments, in this process."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.datasets.making import run
from tests.labeling.making import small_spec
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.service import close_services, open_service
from umnist_core.settings import load_settings

BASE = "https://lab.example.org"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyService:
    """Return a service of a folder of this test, with a study called Pilot."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    close_services()
    opened = open_service(load_settings())
    recruiting = Recruiting.from_dict(
        {"site": "prolific", "currency": "GBP", "bonus_rule": "each_answer", "bonus": 0.1}
    )
    create_study(opened, small_spec(name="Pilot", recruiting=recruiting), jobs=1)
    return opened


Study = Callable[..., str]


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Study:
    """Return what runs ``umnist study`` and gives all that it says."""

    def say(*words: str) -> str:
        capfd.readouterr()
        run(["study", *words], monkeypatch)
        said = capfd.readouterr()
        return said.out + said.err

    return say


def test_link_is_named_printed_and_found_by_its_name(
    service: StudyService, tmp_path: Path, study: Study
) -> None:
    """A card has its code and whole address; there is none of a link that somebody uses."""
    (one,) = service.studies()
    shared = service.open_link(one)
    used, unused = service.invite(one, 2)
    service.join(used.token or "")
    done = study("name-link", "Pilot", f"{BASE}/join/{shared.token}", "pilot-a", "--base-url", BASE)
    assert done == f"{BASE}/join/pilot-a\n"
    again = study("name-link", "Pilot", unused.invite, "pilot-a")
    assert again.startswith("/join/pilot-a-")
    assert "no such link" in study("name-link", "Pilot", "nothing", "pilot-b")
    cards = tmp_path / "cards.html"
    assert "--base-url" in study("cards", "Pilot", str(cards))
    assert study("cards", "Pilot", str(cards), "--base-url", BASE)
    page = cards.read_text()
    assert page.count('class="card"') == 2
    assert f"{BASE}/join/pilot-a<" in page
    assert (used.token or "") not in page
    assert stat.S_IMODE(cards.stat().st_mode) == 0o600
    assert "already" in study("cards", "Pilot", str(cards), "--base-url", BASE)
    assert study("revoke", "Pilot", f"{BASE}/join/pilot-a")
    assert service.invites(one)[0].is_revoked


def test_ids_and_payments_are_files_of_their_owner_alone(
    service: StudyService, tmp_path: Path, study: Study
) -> None:
    """None is replaced; the sentence says the sums and their currency."""
    (one,) = service.studies()
    service.join(service.open_link(one).token or "", None, {"PROLIFIC_PID": "pid00001"})
    ids, pay, bonus = (tmp_path / name for name in ("ids.csv", "pay.csv", "bonus.csv"))
    assert "1 person" in study("ids", "Pilot", str(ids))
    assert "pid00001" in ids.read_text()
    done = study("pay", "Pilot", str(pay), "--bonus", str(bonus))
    assert "base pay 0.00 GBP, bonus 0.00 GBP; 1 still take part" in done
    assert "pid00001" in pay.read_text()
    assert bonus.read_text() == ""
    assert {stat.S_IMODE(path.stat().st_mode) for path in (ids, pay, bonus)} == {0o600}
    assert "unchanged" in study("ids", "Pilot", str(ids))


def test_settings_of_recruiting_are_written_and_read_as_a_file(
    tmp_path: Path, study: Study
) -> None:
    """What `--recruit` takes is printed, changed in the file, and printed again."""
    printed = study("create", "Pilot", "--recruit", "prolific", "--print-spec")
    values = yaml.safe_load(printed)
    assert values["recruiting"]["person_id"] == "PROLIFIC_PID"
    values["recruiting"]["codes"] = {"complete": "C1DONE"}
    file = tmp_path / "pilot.yaml"
    file.write_text(yaml.safe_dump(values))
    again = yaml.safe_load(study("create", "--spec", str(file), "--print-spec"))
    assert again == values
    file.write_text(yaml.safe_dump({**values, "recruiting": {"sight": "prolific"}}))
    assert "no setting 'sight'" in study("create", "--spec", str(file), "--print-spec")
