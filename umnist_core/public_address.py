"""Proxies before the app: the address that they give it, and which of them are believed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from umnist_core.errors import InvalidValueError

_PATH = re.compile(r"(?:/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)*")
_PORTS = {"http": 80, "https": 443}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Where the app is for a browser.

    Attributes
    ----------
    scheme
        ``http`` or ``https``.
    host
        Host name or IP address; IPv6 in brackets, in lower case.
    port
        None for the scheme's own.
    path
        What stands before each of the app's own paths, such as ``/umnist``; empty at the root.
    """

    scheme: str
    host: str
    port: int | None = None
    path: str = ""

    @property
    def origin(self) -> str:
        """As browsers send it, such as ``https://lab.org``."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def hostname(self) -> str:
        """As names are looked up: IPv6 without brackets."""
        return self.host.strip("[]")

    @property
    def browser_port(self) -> int:
        """The port that a browser connects to."""
        return self.port or _PORTS[self.scheme]

    @property
    def netloc(self) -> str:
        """As in the ``Host`` header of a browser."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def to(self, path: str) -> str:
        """Return the whole address of one of the app's own paths, such as ``/join/token``."""
        return f"{self.origin}{self.path}{path}"


def parse_public_address(text: str) -> PublicAddress:
    """Read an address as somebody gives it, such as ``https://lab.org/umnist/``.

    Raises
    ------
    InvalidValueError
        If it is no address of HTTP or HTTPS, or has more than a host, a port and a path.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets that do not close, a port of letters
        parts, host, port = urlsplit(""), None, None
    path = parts.path.rstrip("/")
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    is_host = host is not None and re.fullmatch(r"[0-9A-Za-z_.:-]+", host) is not None
    if parts.scheme not in _PORTS or not is_host or not is_plain or not _PATH.fullmatch(path):
        raise InvalidValueError(
            "Expected the address that people open the app by, such as https://lab.org/umnist/, "
            f"found {text[:200]!r}; give scheme, host and path, without a query."
        )
    assert host is not None
    shown = f"[{host}]" if ":" in host else host.rstrip(".")
    return PublicAddress(parts.scheme, shown, None if port == _PORTS[parts.scheme] else port, path)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses of proxies: IP addresses and networks such as ``10.0.0.0/8``.

    Raises
    ------
    InvalidValueError
        If one is neither.
    """
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text.strip()))
        except ValueError as error:
            raise InvalidValueError(
                "Expected the IP address of a trusted proxy, or a network such as 10.0.0.0/8, "
                f"found {text[:100]!r}; correct --trust-proxy or UMNIST_TRUSTED_PROXIES."
            ) from error
    return tuple(networks)
