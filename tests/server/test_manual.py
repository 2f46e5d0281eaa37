"""The documents as pages of the app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tests.server.serving import serve
from umnist_core.server import manual
from umnist_core.server.front import under
from umnist_core.server.gate import Gate
from umnist_core.settings import load_settings


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a site of one page where that of the installation is looked for."""
    folder = tmp_path / "site"
    (folder / "guide").mkdir(parents=True)
    (folder / "index.html").write_text("<p>first")
    (folder / "guide" / "show.html").write_text("<p>show")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(manual, "MANUAL_DIR", folder)
    return folder


def app(*, is_shared: bool, folder: Path) -> Starlette:
    """Return an application of the documents alone, with the gate before it."""
    values = {"UMNIST_LABELING": str(folder), "UMNIST_SHARE": "1" if is_shared else "0"}
    return Starlette(
        routes=under("/umnist", manual.manual_routes()),
        middleware=[Middleware(Gate, settings=load_settings(values))],
    )


@pytest.fixture
def alone(site: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve them to this machine alone, under a base path."""
    with (
        serve(app(is_shared=False, folder=tmp_path / "lab")) as address,
        httpx.Client(base_url=f"{address}/umnist/docs") as client,
    ):
        yield client


def test_pages_are_served_and_may_ask_nobody_else(alone: httpx.Client) -> None:
    """Also without the name of the first one."""
    assert alone.get("/").text == "<p>first"
    shown = alone.get("/guide/show.html")
    assert shown.text == "<p>show"
    policy = shown.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/nothing.html", "/../secret.txt", "/%2e%2e/secret.txt"])
def test_what_is_no_page_is_refused_in_a_sentence(alone: httpx.Client, path: str) -> None:
    """Nothing beside the site is served."""
    refused = alone.get(path)
    assert refused.status_code == 404
    assert "secret" not in refused.text.replace("secret.txt", "")


def test_missing_site_is_told_in_a_sentence(alone: httpx.Client, site: Path) -> None:
    """As where a build left it out."""
    (site / "index.html").unlink()
    refused = alone.get("/guide/nothing.html")
    assert refused.status_code == 404
    assert refused.text.startswith("The documents were not built with this installation;")


def test_shared_app_shows_them_to_researchers_alone(site: Path, tmp_path: Path) -> None:
    """As all that is not an annotator's."""
    with serve(app(is_shared=True, folder=tmp_path / "lab")) as address:
        page = httpx.get(f"{address}/umnist/docs/index.html", headers={"accept": "text/html"})
    assert page.status_code in (303, 403)
    assert "first" not in page.text
