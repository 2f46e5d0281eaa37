"""Addresses behind proxies, as they are given."""

from __future__ import annotations

import pytest

from umnist_core.errors import InvalidValueError
from umnist_core.public_address import PublicAddress, parse_networks, parse_public_address
from umnist_core.settings import load_settings


@pytest.mark.parametrize(
    ("text", "address", "origin"),
    [
        ("https://lab.org", PublicAddress("https", "lab.org"), "https://lab.org"),
        ("https://Lab.org:443/", PublicAddress("https", "lab.org"), "https://lab.org"),
        (
            "http://lab.org:8080/umnist/",
            PublicAddress("http", "lab.org", 8080, "/umnist"),
            "http://lab.org:8080",
        ),
        ("https://[::1]/a/b.c", PublicAddress("https", "[::1]", None, "/a/b.c"), "https://[::1]"),
    ],
)
def test_address_is_read_as_browsers_write_it(
    text: str, address: PublicAddress, origin: str
) -> None:
    """Without the scheme's own port, with the path that stands before all others."""
    assert parse_public_address(text) == address
    assert address.origin == origin
    assert address.to("/join/x") == f"{origin}{address.path}/join/x"


@pytest.mark.parametrize(
    "text",
    [
        "lab.org",
        "/umnist",
        "ftp://lab.org",
        "https://",
        "https://lab.org/?a=1",
        "https://lab.org/#x",
        "https://me:pw@lab.org/",
        "https://lab.org:99999/",
        "http://[",
        "https://lab.org/../x",
        "https://lab.org/a//b",
        'https://lab.org/"',
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(text: str) -> None:
    """And so it is where it comes from the environment."""
    with pytest.raises(InvalidValueError, match=r"such as https://lab\.org/umnist/, found"):
        parse_public_address(text)
    with pytest.raises(InvalidValueError, match="such as"):
        load_settings({"UMNIST_BASE_URL": text})


def test_trusted_proxies_are_addresses_and_networks() -> None:
    """Of either version; anything else is refused in a sentence."""
    found = load_settings({"UMNIST_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"}).trusted_proxies
    assert [str(network) for network in found] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    for wrong in ("nginx", "10.0.0.1/8", "*", "1.2.3"):
        with pytest.raises(InvalidValueError, match="a network such as"):
            parse_networks([wrong])
