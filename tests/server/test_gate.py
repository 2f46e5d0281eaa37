"""The gate: which requests reach the application at all, alone and shared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.server.serving import serve
from umnist_core.server.admin import Admins, make_admin_secret, save_admin_secret
from umnist_core.server.gate import Gate
from umnist_core.server.login import (
    ALL_FAILED_LOGINS_PER_MINUTE,
    FAILED_LOGINS_PER_MINUTE,
    login_routes,
)
from umnist_core.server.routes import viewer_files_route
from umnist_core.settings import Settings, load_settings

SECRET = "a secret for tests alone"
PAGE = {"accept": "text/html,application/xhtml+xml"}


def _settings(folder: Path, *, is_shared: bool = True, hosts: str = "") -> Settings:
    share = "1" if is_shared else "0"
    return load_settings(
        {"UMNIST_LABELING": str(folder), "UMNIST_SHARE": share, "UMNIST_PUBLIC_HOSTS": hosts}
    )


def _app(settings: Settings) -> Starlette:
    """Return an application that answers everything, with the gate before it."""

    async def inside(request: Request) -> Response:
        return PlainTextResponse("inside")

    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("inside")
        await websocket.close()

    return Starlette(
        routes=[
            *login_routes(settings),
            viewer_files_route(),
            WebSocketRoute("/{path:path}", talk),
            Route("/{path:path}", inside, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(Gate, settings=settings)],
    )


@pytest.fixture(scope="module")
def admin_hash(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of the secret, which is slow to make on purpose."""
    folder = tmp_path_factory.mktemp("lab")
    save_admin_secret(folder, SECRET)
    return (folder / "admin.hash").read_text()


@pytest.fixture
def folder(tmp_path: Path, admin_hash: str) -> Path:
    """Return the folder of a lab with an admin secret."""
    (tmp_path / "admin.hash").write_text(admin_hash)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[httpx.Client]:
    """Yield a browser of a shared app, logged in nowhere."""
    with serve(_app(_settings(folder))) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def _log_in(client: httpx.Client, secret: str = SECRET, target: str = "/") -> httpx.Response:
    headers = {"origin": str(client.base_url).rstrip("/")}
    return client.post("/login", data={"secret": secret, "next": target}, headers=headers)


def _socket_opens(client: httpx.Client, path: str) -> bool:
    address = str(client.base_url).replace("http", "ws").rstrip("/") + path
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"cookie": cookie} if cookie else {}
    try:
        with connect(address, additional_headers=headers) as socket:
            return socket.recv() == "inside"
    except InvalidStatus as error:
        return error.response.status_code != 403  # any other answer is a surprise


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/explore",
        "/tiles/scene.json",
        "/_stcore/health",
        "/_stcore/upload_file/x",
        "/media/file.png",
        "/component/x/index.html",
        "/static/index.html",
        "/label",
        "/label/",
        "/join/",
        "/labels/x",
        "/umnist/x",
        "/umnist/x/",
        "//label/x",
        "/LABEL/x",
        "/x/label/y",
        "/login/",
        "/health/",
        "/%2e/label/x",
    ],
)
def test_shared_app_is_closed_to_whoever_has_not_logged_in(client: httpx.Client, path: str) -> None:
    """A page leads to the log-in, everything else is 403, and no websocket opens."""
    page = client.get(path, headers=PAGE)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/login?next=%2F")
    for method in ("GET", "POST", "PUT", "DELETE"):
        refused = client.request(method, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "closed_to_you")
        assert "inside" not in refused.text
    assert not _socket_opens(client, path)


@pytest.mark.parametrize("path", ["/join/token", "/label/study", "/label/study/api/state"])
def test_annotators_addresses_are_open(client: httpx.Client, path: str) -> None:
    """They check for themselves who comes; a websocket has no business there."""
    assert client.get(path).text == "inside"
    assert client.post(path).text == "inside"
    assert not _socket_opens(client, path)


def test_health_says_ok_and_no_more(client: httpx.Client) -> None:
    """A monitor needs no log-in, and learns of its own request alone."""
    reply = client.get("/health").json()
    assert reply.pop("seen")["client"] == "127.0.0.1"
    assert reply == {"status": "ok"}
    _log_in(client)
    assert client.get("/health").text == "inside"


def test_admin_secret_opens_everything(client: httpx.Client) -> None:
    """With the cookie pages, routes and websockets are as they are without the gate."""
    answer = _log_in(client, target="/explore?seed=1")
    sent = client.get(answer.headers["location"])
    assert (sent.status_code, sent.headers["location"]) == (303, "/explore?seed=1")
    assert client.get("/explore", headers=PAGE).text == "inside"
    assert client.put("/_stcore/upload_file/x").text == "inside"
    assert _socket_opens(client, "/_stcore/stream")


def test_admin_cookie_is_out_of_reach_of_scripts_and_ends(client: httpx.Client) -> None:
    """HttpOnly, SameSite, and for hours."""
    header = _log_in(client).headers["set-cookie"].lower()
    for flag in ("httponly", "samesite=lax", "path=/;", "max-age=43200"):
        assert flag in header
    assert SECRET not in header


def test_changed_or_old_admin_cookie_opens_nothing(
    client: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with a later end written into it, and not after its end."""
    _log_in(client)
    expires, signature = str(client.cookies["umnist_admin"]).split(".")
    client.cookies.clear()
    for value in (
        f"{int(expires) + 9}.{signature}",
        f"{expires}.",
        f"{expires}.x",
        "",
        ".",
        "1.2.3",
    ):
        answer = client.get("/explore", headers={"cookie": f"umnist_admin={value}"})
        assert answer.status_code == 403
    good = {"cookie": f"umnist_admin={expires}.{signature}"}
    assert client.get("/explore", headers=good).text == "inside"
    monkeypatch.setattr("umnist_core.server.admin.time.time", lambda: int(expires) + 1.0)
    assert client.get("/explore", headers=good).status_code == 403


def test_new_secret_ends_every_session(client: httpx.Client, folder: Path) -> None:
    """At once and without a restart; the old secret is wrong from then on."""
    _log_in(client)
    save_admin_secret(folder, "another secret for tests")
    assert client.get("/explore").status_code == 403
    assert _log_in(client).status_code == 403
    assert _log_in(client, "another secret for tests").status_code == 303


def test_log_out_forgets_the_cookie(client: httpx.Client) -> None:
    """By a post alone: a link that logged out would let any page do it."""
    _log_in(client)
    assert client.get("/logout").status_code == 200
    assert client.get("/explore").text == "inside"
    assert client.post("/logout").status_code == 403
    headers = {"origin": str(client.base_url).rstrip("/")}
    assert client.post("/logout", headers=headers).status_code == 303
    assert client.get("/explore").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "null"}, {"origin": "http://other.example"}, {"sec-fetch-site": "cross-site"}],
)
def test_log_in_from_another_site_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    """Or from a client that does not say where it comes from: a form always does."""
    answer = client.post("/login", data={"secret": SECRET}, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "target", ["//other.example", "/\\other.example", "https://other.example", "", "/a\r\nb: c"]
)
def test_log_in_leads_to_no_other_site(client: httpx.Client, target: str) -> None:
    """Whatever the form says."""
    answer = _log_in(client, target=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?entered=1&next=%2F")
    assert client.get(answer.headers["location"]).headers["location"] == "/"
    sent = client.get("/login", params={"entered": "1", "next": target})
    assert (sent.status_code, sent.headers["location"]) == (303, "/")


def test_form_shows_what_it_was_given_as_text(client: httpx.Client) -> None:
    """No script of an address runs on the page."""
    page = client.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_guessing_the_secret_is_slowed_down(client: httpx.Client) -> None:
    """After ten wrong ones the right one has to wait as well."""
    codes = [_log_in(client, f"guess {number}").status_code for number in range(10)]
    assert codes == [403] * FAILED_LOGINS_PER_MINUTE
    for number in range(100):  # turns flow back meanwhile
        if _log_in(client, f"another guess {number}").status_code == 429:
            break
    slowed = _log_in(client)
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    assert FAILED_LOGINS_PER_MINUTE < ALL_FAILED_LOGINS_PER_MINUTE


def test_log_ins_at_once_are_as_many_tries(client: httpx.Client) -> None:
    """Of those that come together only as many are checked as may fail."""
    with ThreadPoolExecutor(40) as threads:
        guesses = [threads.submit(_log_in, client, f"guess {number}") for number in range(40)]
    codes = [guess.result().status_code for guess in guesses]
    assert codes.count(403) < 2 * FAILED_LOGINS_PER_MINUTE  # turns flow back meanwhile
    assert codes.count(403) + codes.count(429) == 40


def test_large_form_is_refused(client: httpx.Client) -> None:
    """A secret is short; so is what is read."""
    assert _log_in(client, "x" * 10_000).status_code == 413


def test_app_without_a_secret_lets_nobody_in(tmp_path: Path) -> None:
    """And says how to set one."""
    with serve(_app(_settings(tmp_path))) as url, httpx.Client(base_url=url, timeout=60) as client:
        for secret in ("", SECRET):
            answer = _log_in(client, secret)
            assert answer.status_code == 403
            assert "umnist app --share" in answer.text
        assert client.get("/explore").status_code == 403


def test_app_alone_on_its_machine_asks_for_no_log_in(tmp_path: Path) -> None:
    """And answers under its own machine's names only, so no name can be made to lead here."""
    with (
        serve(_app(_settings(tmp_path, is_shared=False))) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for host in ("127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:80", "localhost."):
            assert client.get("/explore", headers={"host": host}).text == "inside"
        for host in ("other.example", "127.0.0.1.other.example", "", "a b", "[::1", "user@x"):
            answer = client.get("/label/study/api/state", headers={"host": host})
            assert answer.status_code in (400, 421)
            assert "inside" not in answer.text


def test_shared_app_answers_under_the_names_that_it_was_given(folder: Path) -> None:
    """And under those of its own machine; without names, under any."""
    named = _settings(folder, hosts="Labeling.Example.org")
    with serve(_app(named)) as url, httpx.Client(base_url=url, timeout=60) as client:
        for host, status in (("labeling.example.org:443", 200), ("localhost", 200), ("x.org", 421)):
            assert client.get("/join/x", headers={"host": host}).status_code == status
    with serve(_app(_settings(folder))) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/join/x", headers={"host": "x.org"}).status_code == 200


def test_secret_is_kept_as_a_hash_that_its_owner_alone_reads(folder: Path) -> None:
    """Argon2id, 0600; a made one is long and has no letters that look alike."""
    save_admin_secret(folder, SECRET)
    path = folder / "admin.hash"
    assert path.read_text().startswith("$argon2id$")
    assert SECRET not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Admins(folder).is_secret(SECRET)
    assert not Admins(folder).is_secret(SECRET.upper())
    made = make_admin_secret()
    assert (len(made), set("il01o") & set(made)) == (29, set())


def test_short_secret_is_refused(tmp_path: Path) -> None:
    """With its length, and nothing is kept."""
    with pytest.raises(ValueError, match="12 characters or more, found 5"):
        save_admin_secret(tmp_path, "short")
    assert list(tmp_path.iterdir()) == []


def test_admin_cookie_expires_by_the_clock(folder: Path) -> None:
    """Twelve hours from now."""
    with serve(_app(_settings(folder))) as url, httpx.Client(base_url=url, timeout=60) as client:
        _log_in(client)
        expires = int(str(client.cookies["umnist_admin"]).split(".")[0])
    assert abs(expires - time.time() - 12 * 3600) < 600
