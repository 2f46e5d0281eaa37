"""What must not leave the server: invite tokens into any log, paths and hosts into any answer."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.server.conftest import Lab
from tests.server.people import answer_body
from tests.server.serving import serve
from umnist_core import errors
from umnist_core.errors import RefusedError, UmnistError, WorkerError
from umnist_core.labeling import StudyService
from umnist_core.server.labeling import create_label_app
from umnist_core.server.log_tokens import without_tokens
from umnist_core.settings import load_settings
from umnist_core.simulation.client import Client, Tally

PLACE = "/srv/lab-of-anna/umnist.sqlite"

ERRORS = sorted(
    (
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, UmnistError)
        if kind not in (RefusedError, WorkerError)  # refusals are written for people
    ),
    key=lambda kind: kind.__name__,
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give all that every logger of this process writes, the server's access log too."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.access")]
    before = [(one.level, one.propagate) for one in loggers]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.DEBUG)
    yield stream
    for one, (level, propagate) in zip(loggers, before, strict=True):
        one.removeHandler(handler)
        one.setLevel(level)
        one.propagate = propagate


def _raise(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("kind", [errors.StoreError, errors.DamagedFileError, RuntimeError])
def test_token_is_in_no_log_when_joining_fails(
    lab: Lab, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    """On a 503 and a 500, with a traceback whose own text has the address; the reason is there."""
    token = lab.link(lab.study())
    error = kind(f"{PLACE} cannot be read for POST {lab.url}/join/{token}")
    monkeypatch.setattr(lab.service.log, "find_invite", _raise(error))
    with lab.person() as person:
        answer = person.join(token)
    assert answer.status_code in (500, 503)
    assert PLACE in log.getvalue()
    assert "/join/..." in log.getvalue()
    assert token not in log.getvalue()


def test_token_is_in_no_access_log(lab: Lab, log: io.StringIO) -> None:
    """Of uvicorn as an administrator may run it, whatever comes of the request."""
    token = lab.link(lab.study())
    app = create_label_app(lab.service)
    config = uvicorn.Config(app, port=0, log_level="debug", access_log=True, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for path in (f"/join/{token}", f"/join/{token}?a=1", f"/x?next=%2Fjoin%2F{token}"):
                client.get(path)
                client.post(path, json={})
    finally:
        server.should_exit = True
        thread.join()
    assert '"POST /join/... HTTP/1.1" 200' in log.getvalue()
    assert token not in log.getvalue()


def test_token_is_cut_out_of_any_address() -> None:
    """With a prefix, a query or an anchor; other addresses stay."""
    token = "Zz0_-" * 4 + "ab"
    for address in (
        f"https://lab.example.org/hub/join/{token}",
        f"/join/{token}?x=1 HTTP/1.1",
        f"'/join/{token}'",
        f"/login?next=%2Fjoin%2F{token}",
        f"/login?next=%252Fjoin%252F{token}",
        f"/lab//join//{token}",
    ):
        assert token not in without_tokens(address)
    for address in ("/label/s1/api/state", "/join", "joined/s1"):
        assert without_tokens(address) == address


def test_token_is_in_no_error_of_a_simulated_person(lab: Lab) -> None:
    """Whose sentence a command prints and somebody keeps."""

    async def join() -> None:
        async with Client(lab.url, 0, Tally(), ssl.create_default_context()) as person:
            await person.join("a-token-that-nobody-has")

    with pytest.raises(RefusedError, match=r"would not do POST /join/\.\.\.:") as caught:
        asyncio.run(join())
    assert "a-token-that-nobody-has" not in str(caught.value)


@pytest.mark.parametrize("kind", ERRORS)
def test_no_error_of_the_server_names_a_path(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, kind: type[UmnistError]
) -> None:
    """Of the store, of images, of the digits: of whatever kind, at every address."""
    study = lab.study()
    said = kind(f"Expected {PLACE} on db.internal:5432, found none; set UMNIST_DIGITS.")
    with lab.person() as person:
        person.join(lab.link(study, "guided"))
        state = person.begin()
        image = state["trial"]["image"]["dzi"]
        sheet = state["guide"]["sheet"]["dzi"]
        body = answer_body(state["trial"]["assignment"])
        _break(monkeypatch, said)
        answers = [
            person.http.get(image),
            person.http.get(sheet),
            person.http.get(f"{image.removesuffix('.dzi')}_files/3/0_0.png"),
            person.http.get(f"/label/{study}/api/state"),
        ]
        if issubclass(kind, errors.StoreError):
            monkeypatch.setattr(lab.service.log, "append", _raise(said))
            monkeypatch.setattr(lab.service.log, "read", _raise(said))
            monkeypatch.setattr(lab.service.log, "find_invite", _raise(said))
            answers += [person.send("answers", body), person.send("alive", body)]
            answers += [person.http.post("/join/another-token", json={})]
            answers += [person.http.get(f"/label/{study}/api/state")]
    assert any(one.status_code >= 500 for one in answers)
    for one in answers:
        assert not re.search(r"/srv|lab-of-anna|db\.internal|UMNIST_", one.text), one.text


def _break(monkeypatch: pytest.MonkeyPatch, error: UmnistError) -> None:
    tiles = "umnist_core.server.labeling.tiles"
    monkeypatch.setattr(f"{tiles}.file_source", _raise(error))
    monkeypatch.setattr(f"{tiles}.glyph_sheet", _raise(error))
    monkeypatch.setattr(f"{tiles}.LabelTiles.sheet_size", _sheet_size(error))


def _sheet_size(error: UmnistError) -> Callable[..., tuple[int, int]]:
    from umnist_core.server.labeling.tiles import LabelTiles

    whole = LabelTiles.sheet_size

    def sheet_size(self: LabelTiles) -> tuple[int, int]:
        self._glyphs = _raise(error)
        return whole(self)

    return sheet_size


@pytest.mark.parametrize("kind", ERRORS)
def test_store_that_cannot_be_opened_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[UmnistError]
) -> None:
    """Whoever comes first is told that the server is in trouble, and no address of the store."""
    routes = "umnist_core.server.labeling.routes"
    monkeypatch.setattr(f"{routes}.open_service", _raise(kind(f"{PLACE} on db.internal")))
    settings = load_settings({"UMNIST_LABELING": str(tmp_path)})
    with (
        serve(create_label_app(None, settings)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        answers = [client.post("/join/abc", json={}), client.get("/label/s1/api/state")]
    for one in answers:
        assert one.status_code in (500, 503)
        assert not re.search(r"/srv|db\.internal", one.text)


def test_image_that_is_gone_is_not_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is: the file is away, or another limit holds than when the study was made."""
    study = lab.study()
    with lab.person() as person:
        person.join(lab.link(study))
        service: StudyService = lab.service
        for path in service.study_folder(study).glob("*.png"):  # before any is warmed
            path.write_bytes(b"no image")
        address = person.begin()["trial"]["image"]["dzi"]
        answer = person.http.get(address)
    assert (answer.status_code, answer.json()["code"]) == (500, "trouble")
    assert str(service.folder) not in answer.text
