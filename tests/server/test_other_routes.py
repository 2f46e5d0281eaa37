"""Health and the viewer's files."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from umnist_core import __version__
from umnist_core.server.assets import STATIC_DIR, static_version


def test_health_says_version_digits_and_caches(client: httpx.Client) -> None:
    """What an operator needs to know, as JSON."""
    response = client.get("/health")
    assert response.status_code == 200
    health = response.json()
    assert health["status"] == "ok"
    assert health["version"] == __version__
    assert "digits" in health["digits"]
    assert set(health["cache"]) == {"pyramids", "answers"}


def test_health_tells_that_the_digits_are_missing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder without MNIST is an error that it names, and not a traceback."""
    monkeypatch.setenv("UMNIST_DIGITS", str(tmp_path))
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "no digits"


def test_viewer_files_are_kept_for_ever_under_their_version(client: httpx.Client) -> None:
    """Another version is not mixed in, and nothing outside the folder is served."""
    name = next(path.name for path in STATIC_DIR.glob("*.js"))
    response = client.get(f"/assets/{static_version()}/{name}")
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.content == (STATIC_DIR / name).read_bytes()
    old = client.get(f"/assets/000000000000/{name}")
    assert (old.status_code, "reload the page" in old.text) == (404, True)
    for outside in ("nothing.js", "%2E%2E/assets.py", "..%2Fassets.py"):
        response = client.get(f"/assets/{static_version()}/{outside}")
        assert (response.status_code, "has no file" in response.text) == (404, True)


def test_nothing_else_is_served(client: httpx.Client) -> None:
    """An unknown path gets a sentence."""
    response = client.get("/etc/passwd")
    assert response.status_code == 404
    assert "tiles are under /tiles" in response.text
