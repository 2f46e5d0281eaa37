"""Under a path, over HTTPS, behind the proxies of the guide: what annotators and researchers do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESK, PATIENCE_S
from tests.browser.label_page import LabelLab, Trouble, label_spec
from tests.browser.proxies import PROXIES, nginx_command, running_proxy
from tests.browser.refusing import refusing_browser
from tests.browser.study_app import StudyApp, running_app, settle
from tests.labeling.making import SMALL
from umnist_core.bench.ports import free_port
from umnist_core.labeling.freeze import create_study
from umnist_core.public_address import parse_public_address
from umnist_core.server.proxy_check import check_proxy

SECRET = "correct horse battery staple"

SCENE = "preset=released&canvas=1000&factor=2..8&seed=5&index=3"


@dataclass(frozen=True)
class Lab:
    """A shared app behind a proxy.

    Attributes
    ----------
    app
        Past the proxy.
    home
        Its public address, without a slash at the end.
    study
        Id of a study.
    """

    app: StudyApp
    home: str
    study: str


@contextmanager
def shared_app(folder: Path, port: int) -> Iterator[StudyApp]:
    """Run the app as the guide says, for a proxy that will listen on a port."""
    options = ["--share", "--host", "127.0.0.1", "--trust-proxy", "127.0.0.1"]
    options += ["--base-url", f"https://localhost:{port}/umnist/"]
    with running_app(folder, *options, UMNIST_ADMIN_SECRET=SECRET) as app:
        yield app


def port_of(app: StudyApp) -> int:
    """Return the port on which the app itself listens."""
    port = urlsplit(app.address).port
    assert port is not None
    return port


@pytest.fixture(scope="module", params=sorted(PROXIES))
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run the app with each proxy before it."""
    port = free_port()
    with shared_app(tmp_path_factory.mktemp("lab"), port) as app:
        place = tmp_path_factory.mktemp("proxy")
        with running_proxy(PROXIES[request.param](place, port, port_of(app)), place, port):
            study = create_study(app.service, label_spec(practice=0, overrides=SMALL), jobs=1)
            yield Lab(app, f"https://localhost:{port}/umnist", study)


@pytest.fixture(scope="module")
def unproxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Run the app, and yield the port of its public address and its own."""
    port = free_port()
    with shared_app(tmp_path_factory.mktemp("lab"), port) as app:
        yield port, port_of(app)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a browser of somebody who trusts the test's certificate."""
    context = browser.new_context(
        viewport={"width": DESK[0], "height": DESK[1]}, ignore_https_errors=True
    )
    context.set_default_timeout(1000 * PATIENCE_S)
    yield context
    context.close()


@pytest.fixture
def researcher(context: BrowserContext, lab: Lab) -> Page:
    """Log a researcher in, who was on the way to an image."""
    page = context.new_page()
    page.goto(f"{lab.home}/?{SCENE}")
    page.get_by_label("Admin secret").fill(SECRET)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{lab.home}/?{SCENE}*")
    page.wait_for_selector(".umnist-viewer.ready")
    return page


def test_check_finds_nothing_wrong_with_the_guides_configuration(lab: Lab) -> None:
    """Every file, address, websocket and header comes through."""
    assert check_proxy(parse_public_address(lab.home), verify=False) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("proxy_pass http://127.0.0.1:8501;", "proxy_pass http://127.0.0.1:8501/;"), ""),
        (("Host $http_host", "Host $host"), "let the proxy send Host as it came"),
        (("X-Forwarded-Proto", "X-Else"), "arrives as http"),
        (("proxy_set_header Upgrade $http_upgrade;", ""), "Websockets do not come through"),
        (("client_max_body_size 2g;", ""), "client_max_body_size"),
        (("location /umnist/ {", "location /other/ {"), "Expected umnist's JSON"),
        (
            ("location /umnist/ {", "location ~ js$ { return 200 x; }\nlocation /umnist/ {"),
            "the proxy changes or replaces files",
        ),
    ],
    ids=["path cut", "port", "scheme", "websocket", "uploads", "elsewhere", "files"],
)
def test_check_names_what_a_proxy_does_wrong(
    unproxied: tuple[int, int], tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """One mistake at a time in nginx's configuration, each told in one sentence; none, none."""
    port, app_port = unproxied
    with running_proxy(nginx_command(tmp_path, port, app_port, change), tmp_path, port):
        found = check_proxy(parse_public_address(f"https://localhost:{port}/umnist/"), verify=False)
    assert len(found) == (1 if said else 0), found
    assert said in "".join(found)


def test_annotator_answers_through_the_proxy(browser: Browser, lab: Lab) -> None:
    """From the link to an answer that counts, with cookies for HTTPS and the path alone."""
    with ExitStack() as people:
        place = LabelLab(browser, lab.app.service, lab.study, lab.home, Trouble(), people)
        person = place.person(ignore_https_errors=True)
        person.come_to_trials()
        assert person.page.url == f"{lab.home}/label/{lab.study}"
        person.answer(7)
        person.wait_for_image(2)
        assert 7 in place.given()
        cookies = person.context.cookies()
        assert cookies
        assert all(one["secure"] and one["path"].startswith("/umnist/") for one in cookies)
        person.page.keyboard.press("p")
        own = person.page.locator(".own-link code").inner_text()
        assert own.startswith(f"{lab.home}/join/")


def test_researcher_looks_at_images_through_the_proxy(researcher: Page, lab: Lab) -> None:
    """Tiles are images, the noise follows a slider, and files are saved from under the path."""
    tiles: list[str] = []
    researcher.on(
        "response",
        lambda reply: (
            tiles.append(reply.headers.get("content-type", ""))
            if "/scene_files/" in reply.url
            else None
        ),
    )
    researcher.get_by_role("link", name="Noise lab").click()
    researcher.wait_for_url(f"{lab.home}/noise_lab*")
    researcher.wait_for_selector(".umnist-viewer.ready")
    slider = researcher.locator("[data-name=rotation] input[type=range]:visible").last
    slider.focus()
    slider.press("ArrowRight")
    researcher.wait_for_function("location.search.includes('rotation=')")
    settle(researcher)
    assert tiles
    assert set(tiles) == {"image/png"}
    researcher.goto(f"{lab.home}/?{SCENE}")
    researcher.get_by_text("Download", exact=True).click()
    link = researcher.get_by_role("link", name="Truth")
    expect(link).to_have_attribute("href", re.compile(r"^/umnist/tiles/scene\.json\?"))


def test_researcher_gives_out_links_with_the_public_address(researcher: Page, lab: Lab) -> None:
    """And Label's button leads to the annotators' page under the path."""
    researcher.goto(f"{lab.home}/studies?study={lab.study}")
    researcher.wait_for_selector("[data-testid=stMain] .stElementContainer:not(.st-key-home *) p")
    settle(researcher)
    researcher.get_by_role("button", name="Make an open link").click()
    expect(researcher.get_by_text(f"{lab.home}/join/").first).to_be_visible()


def test_browser_that_takes_no_cookies_is_told_so(
    lab: Lab, browser: Browser, tmp_path: Path
) -> None:
    """Annotators before they agree, researchers when they log in; neither goes round in circles."""
    with refusing_browser(browser, tmp_path, ignore_https_errors=True) as page:
        token = lab.app.service.invite(lab.study)[0].token
        page.goto(f"{lab.home}/join/{token}")
        page.get_by_role("button", name="Take part").click()
        expect(page.get_by_text("This browser refused the cookie")).to_be_visible()
        page.goto(f"{lab.home}/?{SCENE}")
        page.get_by_label("Admin secret").fill(SECRET)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("refused the cookie")


def test_websocket_and_log_in_are_closed_to_other_sites(lab: Lab) -> None:
    """Also where the browser's own word (Sec-Fetch-Site) does not come."""
    headers = {"origin": "https://evil.example"}
    reply = httpx.post(f"{lab.home}/login", headers=headers, verify=False, timeout=60)
    assert reply.status_code == 403
