"""Cookies, posts of other sites, and how much and how often anybody may send."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import Cookie
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.exceptions import HTTPException

from tests.labeling.making import new_key
from tests.server.conftest import Lab
from tests.server.people import JSON, Person, answer_body
from umnist_core.server.labeling import routes
from umnist_core.server.web import fields
from umnist_core.server.web.limits import RateLimit, take_turns


@pytest.fixture
def person(lab: Lab) -> Iterator[Person]:
    """Yield somebody at the first trial."""
    with lab.person() as person:
        person.join(lab.link(lab.study()))
        person.begin()
        yield person


def _cookies(person: Person) -> dict[str, Cookie]:
    return {cookie.name: cookie for cookie in person.http.cookies.jar}


def test_cookie_is_out_of_reach_of_scripts_and_of_other_sites(lab: Lab) -> None:
    """HttpOnly, SameSite, for the study's own addresses, and for a limited time."""
    study = lab.study()
    with lab.person() as person:
        headers = person.join(lab.link(study)).headers.get_list("set-cookie")
    assert len(headers) == 2
    for header in headers:
        flags = {part.strip().lower() for part in header.split(";")[1:]}
        assert {"httponly", "samesite=strict"} <= flags
        assert any(flag.startswith("max-age=") for flag in flags)
        assert "secure" not in flags  # the test speaks plain HTTP
    assert f"path=/label/{study};" in headers[0].lower()
    assert "path=/join;" in headers[1].lower()


@pytest.mark.parametrize("place", [0, -1])
def test_changed_cookie_is_no_cookie(lab: Lab, person: Person, place: int) -> None:
    """Another name or another signature lets nobody in."""
    cookie = _cookies(person)["umnist_annotator"]
    value = str(cookie.value)
    changed = ("q" if value[0] != "q" else "p") + value[1:] if place == 0 else value[:-1] + "_"
    header = {"cookie": f"umnist_annotator={changed}"}
    answer = httpx.get(f"{lab.url}/label/{person.study}/api/state", headers=header, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_session")


def test_cookie_of_one_study_opens_no_other(lab: Lab, person: Person) -> None:
    """Sent by hand where a browser would not send it, it is refused all the same."""
    other = lab.study()
    header = {"cookie": f"umnist_annotator={_cookies(person)['umnist_annotator'].value}"}
    answer = httpx.get(f"{lab.url}/label/{other}/api/state", headers=header, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_session")
    # The cookie itself does not hold there, before anybody looks whose it is.
    assert "This browser is not known" in answer.json()["error"]


def test_cookie_does_not_last_for_ever(
    lab: Lab, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half a year the browser is unknown, even if it kept the cookie."""
    monkeypatch.setattr("umnist_core.server.labeling.sessions.SESSION_DAYS", -1)
    answer = person.http.get(f"/label/{person.study}/api/state")
    assert answer.status_code == 401


def test_cookie_holds_when_the_clock_is_set_back(
    lab: Lab, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is thrown out because the cookie seems to come from the future."""
    earlier = SimpleNamespace(time=lambda: time.time() - 400 * 86_400)
    monkeypatch.setattr("umnist_core.server.labeling.sessions.time", earlier)
    answer = person.http.get(f"/label/{person.study}/api/state")
    assert answer.status_code == 200


def _host(lab: Lab) -> str:
    return urlsplit(lab.url).netloc


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://other.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_post_from_another_site_is_refused(
    lab: Lab, person: Person, headers: dict[str, str]
) -> None:
    """Whichever way the browser says where it comes from; nothing is read or changed."""
    before = lab.service.state(person.study).head
    body = answer_body(person.state()["trial"]["assignment"])
    answer = person.send("answers", body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "other_site")
    assert person.http.post("/join/token", json={}, headers=headers).status_code == 403
    assert lab.service.state(person.study).head == before


def test_post_from_our_own_page_is_taken(lab: Lab, person: Person) -> None:
    """As browsers send it, with Origin alone or with both."""
    origin = {"origin": f"http://{_host(lab)}"}
    for headers in (origin, {**origin, "sec-fetch-site": "same-origin"}):
        assert person.send("consent", {"key": new_key()}, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_post_that_a_form_could_send_is_refused(person: Person, kind: str) -> None:
    """A form cannot send JSON, so only JSON is read."""
    path = f"/label/{person.study}/api/consent"
    answer = person.http.post(path, content=b"{}", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "invalid")


_DEEP = b"[" * 200_000 + b"]" * 200_000


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"key": NaN}', b"\xff\xfe", b'{"key": "\\ud800"}', _DEEP],
    ids=["empty", "cut", "list", "null", "nan", "bytes", "half a character", "deep"],
)
def test_body_that_is_no_json_object_gets_one_sentence(person: Person, body: bytes) -> None:
    """422, never a traceback, and the session goes on."""
    path = f"/label/{person.study}/api/answers"
    answer = person.http.post(path, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["error"].count(".") <= 2
    assert person.state()["phase"] == "trial"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answer", 28),
        ("answer", -1),
        ("answer", "7"),
        ("answer", True),
        ("answer", None),
        ("key", "short"),
        ("key", "../../../etc/passwd"),
        ("assignment", "a b"),
        ("confidence", 101),
        ("digits", [10]),
        ("digits", "123"),
        ("response", []),
        ("response", {"parts": [{"samples": [{"t": "x"}]}]}),
    ],
)
def test_answer_with_a_wrong_field_is_refused_by_name(
    lab: Lab, person: Person, field: str, value: object
) -> None:
    """422, and nothing is kept."""
    assignment = person.state()["trial"]["assignment"]
    answer = person.send("answers", {**answer_body(assignment), field: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not lab.service.state(person.study).assignments[assignment].given


def test_body_over_a_mebibyte_is_refused(person: Person) -> None:
    """By its announced length, and while it comes where it announces none."""
    path = f"/label/{person.study}/api/answers"
    large = json.dumps({"key": "x" * routes.BODY_MAX_BYTES}).encode()
    told = person.http.post(path, content=large, headers=JSON)
    untold = person.http.post(path, content=iter([large[:9], large[9:]]), headers=JSON)
    for answer in (told, untold):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_answer_with_the_longest_trace_is_taken(person: Person) -> None:
    """4,000 samples fit with room to spare."""
    body: dict[str, Any] = answer_body(person.state()["trial"]["assignment"])
    sample = {"t": 123456.789, "x": 1234.5678, "y": 1234.5678, "zoom": 0.123456789}
    samples = [{**sample, "w": 1400, "h": 900, "visible": True}] * 4000
    body["response"]["parts"] = [{"samples": samples, "end_ms": 200000.5}]
    assert len(json.dumps(body)) < routes.BODY_MAX_BYTES / 2
    assert person.send("answers", body).status_code == 200


def test_body_that_does_not_come_is_given_up(
    lab: Lab, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a body holds no connection for ever; its page keeps the answer and sends it again."""
    monkeypatch.setattr(fields, "BODY_PATIENCE_S", 0.2)
    address = urlsplit(lab.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(
            f"POST /join/token HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        answer = connection.recv(65536)
    assert b" 408 " in answer.split(b"\r\n")[0]


def test_guessing_links_is_slowed_down(lab: Lab) -> None:
    """After ten links that do not exist, with the seconds to wait, even for a right one."""
    token = lab.link(lab.study())
    with lab.person() as person:
        codes = [person.join(f"guess-{number}").status_code for number in range(12)]
        assert codes == [404] * routes.FAILED_JOINS_PER_MINUTE + [429, 429]
        slowed = person.join(token)
    assert (slowed.status_code, slowed.json()["code"]) == (429, "slow_down")
    assert 1 <= int(slowed.headers["retry-after"]) <= 6


def test_guesses_at_once_are_as_many_tries(lab: Lab) -> None:
    """Forty that come together are not let through as one."""
    with ThreadPoolExecutor(40) as threads:
        guesses = [
            threads.submit(httpx.post, f"{lab.url}/join/guess-{number}", json={}, timeout=60)
            for number in range(40)
        ]
    codes = [guess.result().status_code for guess in guesses]
    assert codes.count(404) < 2 * routes.FAILED_JOINS_PER_MINUTE  # turns flow back meanwhile
    assert codes.count(404) + codes.count(429) == 40


def test_class_that_joins_at_once_is_not_slowed_down(lab: Lab) -> None:
    """Those who have links from us are no guesses, however many come together."""
    token = lab.open_link(lab.study(images_per_annotator=1, practice=0))
    with ThreadPoolExecutor(40) as threads:
        joins = [
            threads.submit(httpx.post, f"{lab.url}/join/{token}", json={}, timeout=60)
            for _ in range(40)
        ]
    assert 429 not in {join.result().status_code for join in joins}


def test_whole_lab_can_join_from_one_address(lab: Lab) -> None:
    """As many right links in a row as a lab has people are let in, a burst beyond is not."""
    study = lab.study(images_per_annotator=1, practice=0)
    token = lab.link(study)
    with lab.person() as person:
        codes = [person.join(token).status_code for _ in range(routes.JOINS_PER_MINUTE)]
        assert codes == [200] * routes.JOINS_PER_MINUTE
        for _ in range(10 * routes.JOINS_PER_MINUTE):  # turns flow back meanwhile
            if person.join(token).status_code == 429:
                return
    pytest.fail("Nobody was slowed down.")


def test_rate_limit_gives_turns_back_evenly() -> None:
    """Each client has its own; sixty a minute are one a second."""
    now = [0.0]
    limit = RateLimit(60, clock=lambda: now[0])
    assert {limit.take("a") for _ in range(60)} == {0}
    assert (limit.take("a"), limit.take("b")) == (1, 0)
    now[0] += 1
    assert (limit.take("a"), limit.take("a")) == (0, 1)
    limit.give_back("a")
    assert (limit.take("a"), limit.take("a")) == (0, 1)


def test_rate_limit_counts_before_what_it_limits_is_done() -> None:
    """However many threads come at once, no more turns are taken than there are."""
    limit, everyone = RateLimit(10, clock=lambda: 0.0), threading.Barrier(50)

    def come() -> int:
        everyone.wait()
        return limit.take("a")

    with ThreadPoolExecutor(50) as threads:
        waits = [threads.submit(come) for _ in range(50)]
    assert sum(wait.result() == 0 for wait in waits) == 10


def test_turns_of_several_limits_are_taken_together_or_not_at_all() -> None:
    """Who is refused by one limit has used up nothing of another."""
    roomy, narrow = (RateLimit(count, clock=lambda: 0.0) for count in (2, 1))
    take_turns((roomy, "a"), (narrow, "a"))
    for _ in range(5):
        with pytest.raises(HTTPException):
            take_turns((roomy, "a"), (narrow, "a"))
    assert roomy.take("a") == 0


def test_rate_limit_remembers_no_more_clients_than_it_may() -> None:
    """Whoever was quiet longest is forgotten first."""
    limit = RateLimit(1, clients_max=3, clock=lambda: 0.0)
    for client in "abcd":
        limit.take(client)
    assert [limit.take(client) > 0 for client in "bcda"] == [True, True, True, False]
