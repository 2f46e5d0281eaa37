"""Payments, ids and cards: exact sums for those whose part has ended, and nothing beside."""

from __future__ import annotations

import csv
import io
import itertools
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from tests.labeling.making import Clock, new_key, open_small, post
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService
from umnist_core.labeling.cards import LinkCard, cards_page, qr_svg
from umnist_core.labeling.payments import (
    bonus_lines,
    id_table,
    pay_table,
    payments_of,
    totals_of,
)
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.sql import open_log

PAID = {
    "site": "prolific",
    "currency": "GBP",
    "pay": {"complete": 6, "withdrawn": 0.1},
    "bonus_rule": "each_right",
    "bonus": 0.1,
    "bonus_max": 0.25,
}


def label_some(service: StudyService, study: str, person: str, clock: Clock, right: int) -> None:
    """Answer every image, so many of them right, two minutes each."""
    truth = service.log.read_truth(study)
    state = service.state(study)
    while (trial := service.annotator_view(study, person).trial) is not None:
        clock.pass_(minutes=2)
        label = json.loads(truth[state.assignments[trial.key].stimulus])["label"]
        service.answer(study, person, post(trial.key, label if right > 0 else (label + 1) % 28))
        right -= 1


def joined(service: StudyService, study: str, token: str, pid: str) -> str:
    """Come by an open link with an id, agree and begin."""
    person = service.join(token, None, {"PROLIFIC_PID": pid}).annotator
    service.consent(study, person, new_key())
    service.begin(study, person, new_key())
    return person


def test_everybody_is_paid_by_outcome_and_right_answers_once_their_part_is_over(
    tmp_path: Path,
) -> None:
    """Base pay by outcome, a bonus up to its limit, and nothing yet for who goes on."""
    clock = Clock()
    recruiting = Recruiting.from_dict(PAID)
    service, study = open_small(
        tmp_path, now=clock, practice=0, pools=("unguided",), stimuli=12, recruiting=recruiting
    )
    token = service.open_link(study).token or ""
    people = [joined(service, study, token, f"pid{number}") for number in range(4)]
    for person, right in zip(people[:2], (3, 2), strict=True):
        label_some(service, study, person, clock, right)
    trial = service.annotator_view(study, people[2]).trial
    assert trial is not None
    service.answer(study, people[2], post(trial.key))
    service.withdraw(study, people[3], new_key())
    service.invite(study, origin="own")
    service.join(service.invites(study)[-1].token or "")
    rows = payments_of(service, study)
    found = [(one.person, one.outcome, str(one.base_pay), str(one.bonus)) for one in rows]
    assert found == [
        ("pid0", "complete", "6.00", "0.25"),
        ("pid1", "complete", "6.00", "0.20"),
        ("pid2", "", "0.00", "0.00"),
        ("pid3", "withdrawn", "0.10", "0.00"),
    ]
    assert (rows[0].minutes, rows[0].minutes_active) == (6.0, 0.2)
    assert totals_of(rows) == (Decimal("12.10"), Decimal("0.45"))
    assert bonus_lines(service, study) == "pid0,0.25\npid1,0.20\n"
    table = list(csv.DictReader(io.StringIO(pay_table(service, study))))
    assert [row["total"] for row in table] == ["6.25", "6.20", "0.00", "0.10"]
    assert {row["currency"] for row in table} == {"GBP"}
    ids = list(csv.DictReader(io.StringIO(id_table(service, study))))
    assert [row["PROLIFIC_PID"] for row in ids] == ["pid0", "pid1", "pid2", "pid3"]
    assert [row["annotator"] for row in ids] == people


def test_payments_and_ids_are_of_one_moment_while_others_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who comes by another server as the tables are made is in the next ones."""
    store = f"sqlite:///{tmp_path / 'lab.sqlite'}"
    recruiting = Recruiting.from_dict(PAID)
    service, study = open_small(tmp_path, open_log(store), recruiting=recruiting)
    other = StudyService(open_log(store), tmp_path, now=service.now)
    token = service.open_link(study).token or ""
    for pid in ("first", "second"):
        joined(service, study, token, pid)
    read, late = service.log.read_attachment, itertools.count()

    def read_as_somebody_comes(study: str, seq: int) -> str | None:
        other.join(token, None, {"PROLIFIC_PID": f"late-{next(late)}"})
        return read(study, seq)

    monkeypatch.setattr(service.log, "read_attachment", read_as_somebody_comes)
    assert [one.person for one in payments_of(service, study)] == ["first", "second"]
    people = len(service.state(study).annotators)
    assert len(list(csv.DictReader(io.StringIO(id_table(service, study))))) == people > 2
    assert len(service.state(study).annotators) > people


def test_bonus_that_nobody_is_promised_is_refused(tmp_path: Path) -> None:
    """An empty file would look as if everybody had been paid."""
    service, study = open_small(tmp_path, recruiting=Recruiting.from_dict({"site": "prolific"}))
    with pytest.raises(InvalidValueError, match="no bonus"):
        bonus_lines(service, study)


def test_card_shows_the_address_that_its_code_is_read_as() -> None:
    """A reader of QR codes reads what stands beside it; a name is text and no markup."""
    address = "https://lab.example.org/join/pilot-a-7k3f9q2mab"
    page = cards_page("<b>Pilot</b>", [LinkCard(address, is_open=False, until="2026-12-24")])
    assert address in page
    assert "<b>Pilot" not in page
    assert "Until 2026-12-24." in page
    assert "<script" not in page
    svg = qr_svg(address)
    assert [code.text for code in zxingcpp.read_barcodes(_pixels(svg))] == [address]


def _pixels(svg: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    import pyvips

    image = pyvips.Image.svgload_buffer(svg.encode(), scale=8).flatten(background=255)
    return np.ascontiguousarray(image.numpy()[:, :, :3])
