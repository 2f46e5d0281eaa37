"""The app's settings: safe ones, and colours that can be read on both grounds."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml"

READABLE_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3: the least contrast of text with its ground."""


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """Read the settings as Streamlit does."""
    return tomllib.loads(CONFIG.read_text())


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_server_is_reachable_from_this_machine_alone(config: dict[str, Any]) -> None:
    """The server binds a loopback address and refuses foreign host names and origins."""
    server = config["server"]
    assert ipaddress.ip_address(server["address"]).is_loopback
    assert set(server["allowedHosts"]) == {"127.0.0.1", "localhost", "::1"}
    assert server["enableCORS"] is True
    assert server["enableXsrfProtection"] is True
    assert server.get("enableAgentApi", False) is False


def test_nothing_is_reported_or_fetched(config: dict[str, Any]) -> None:
    """No usage statistics are sent, and no font or theme comes from another host."""
    assert config["browser"]["gatherUsageStats"] is False
    settings = [line.partition(" #")[0] for line in CONFIG.read_text().splitlines()]
    assert not [line for line in settings if "://" in line]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
@pytest.mark.parametrize("ink", ["textColor", "primaryColor", "linkColor", "orangeTextColor"])
def test_colours_can_be_read(config: dict[str, Any], theme: str, ground: str, ink: str) -> None:
    """Text, accent and warning stand out from both grounds of both themes."""
    colours = config["theme"][theme]
    assert _contrast(colours[ink], colours[ground]) >= READABLE_CONTRAST


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_grounds_are_neutral(config: dict[str, Any], theme: str) -> None:
    """The frame around the image is grey, so that it tints nothing."""
    colours = config["theme"][theme]
    for name in ("backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor"):
        assert len({colours[name][i : i + 2] for i in (1, 3, 5)}) == 1
