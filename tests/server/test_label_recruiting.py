"""Recruiting over HTTP: ids reach the store and no log, and the server asks for the device too."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.labeling.making import new_key
from tests.server.conftest import Lab
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.server.log_tokens import keep_tokens_out_of_logs, without_tokens

PROLIFIC = Recruiting.from_dict(
    {"site": "prolific", "smallest_side_px": 600, "codes": {"screened_out": "S0RRY"}}
)
PHONE = {"screen": [390, 844], "touch": True, "touch_first": True}
DESK = {"screen": [1400, 900], "touch": False, "touch_first": False}


def test_ids_are_taken_from_the_request_and_the_rest_is_forgotten(lab: Lab) -> None:
    """What a study does not name is nowhere; what is no list of texts is refused."""
    study = lab.study(recruiting=PROLIFIC)
    token = lab.open_link(study)
    with lab.person() as person:
        given = {"PROLIFIC_PID": "pid00001", "gclid": "nobody's business"}
        assert person.http.post(f"/join/{token}", json={"ids": given}).status_code == 200
        (row,) = lab.service.annotators(study)
        assert dict(lab.service.ids(study, row.annotator)) == {"PROLIFIC_PID": "pid00001"}
        wrong: tuple[Any, ...] = ([], "x", {"PROLIFIC_PID": 1}, {"PROLIFIC_PID": None})
        for ids in wrong:
            answer = person.http.post(f"/join/{token}", json={"ids": ids})
            assert answer.status_code == 422
    with lab.person() as other:
        answer = other.http.post(f"/join/{token}", json={"ids": {"PROLIFIC_PID": "%PID%"}})
        assert (answer.status_code, answer.json()["code"]) == (410, "no_id")


def test_server_takes_no_consent_from_a_device_that_does_not_fit(lab: Lab) -> None:
    """Whatever the page did; and ends the part only of somebody whose device does not."""
    study = lab.study(recruiting=PROLIFIC)
    with lab.person() as person:
        person.join(lab.link(study))
        assert person.state()["gate"] == {"smallest_side_px": 600, "touch": "allowed"}
        for device in (None, PHONE):
            answer = person.send("consent", {"key": new_key(), "device": device})
            assert (answer.status_code, answer.json()["code"]) == (409, "device")
        answer = person.send("screen-out", {"key": new_key(), "device": DESK})
        assert answer.json()["code"] == "fits"
        broken: tuple[Any, ...] = (
            {},
            "phone",
            {**PHONE, "screen": [390, -1]},
            {**PHONE, "touch": 1},
        )
        for given in broken:
            answer = person.send("consent", {"key": new_key(), "device": given})
            assert answer.status_code == 422
        state = person.send("screen-out", {"key": new_key(), "device": PHONE}).json()["state"]
        assert (state["outcome"], state["code"], state["leave"]) == ("screened_out", "S0RRY", None)
    with lab.person() as other:
        other.join(lab.link(study))
        answer = other.send("consent", {"key": new_key(), "device": DESK})
        assert answer.json()["state"]["phase"] == "instructions"


@pytest.mark.parametrize(("debriefing", "countdown_s"), [("", 10), ("It was about noise.", 0)])
def test_nobody_is_sent_away_by_itself_from_a_debriefing(
    lab: Lab, debriefing: str, countdown_s: int
) -> None:
    """The button is there, and the text stays until it is read."""
    there = "https://lab.example.org/back"
    study = lab.study(
        recruiting=Recruiting.from_dict({"redirects": {"withdrawn": there}}),
        asking=Asking.from_dict({"debriefing": debriefing}),
    )
    with lab.person() as person:
        person.join(lab.link(study))
        state = person.send("withdraw", {"key": new_key()}).json()["state"]
        assert (state["leave"]["to"], state["leave"]["countdown_s"]) == (there, countdown_s)
        assert (state["asked"]["debriefing"] or "") == debriefing


def test_no_log_holds_an_id_of_a_link(caplog: pytest.LogCaptureFixture) -> None:
    """However a server writes an address; the rest of the line stays."""
    keep_tokens_out_of_logs()
    with caplog.at_level(logging.INFO):
        line = '%s - "GET %s HTTP/1.1" %d'
        path = "/join/abcdef?PROLIFIC_PID=5f3c9a1e&STUDY_ID=st1"
        logging.getLogger("recruiting.access").info(line, "127.0.0.1:9", path, 200)
    assert "5f3c9a1e" not in caplog.text
    assert "st1" not in caplog.text
    assert '/join/... HTTP/1.1" 200' in caplog.text
    assert "5f3c" not in without_tokens("https://lab.example.org/base/join/tok%3FPID=5f3c&x=1")
