"""Who a request comes from: signed cookies and signed addresses.

A session lives in its cookie alone, signed with the server's secret, so a restart ends
none and no list of sessions can leak. An address of an image is signed for one person as
well: with another person's cookie, or with none, it opens nothing.
"""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from umnist_core.labeling.secret import derive_text
from umnist_core.server.web.public import base_path, public_of

ANNOTATOR_COOKIE = "umnist_annotator"
_KNOWN_COOKIE = "umnist_known_"
_PURPOSE = "annotator cookie"

SESSION_DAYS = 180
"""How long a browser stays known; after that the person's own link brings them back."""

_DAY_S = 86_400
_VALUE = re.compile(r"([0-9A-Za-z_-]{1,64})\.([0-9]{1,12})\.([0-9A-Za-z_-]{22})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A person in a study, both by opaque ids."""

    study: str
    annotator: str


class Signer:
    """Signs cookies and addresses, and checks them in constant time.

    Parameters
    ----------
    secret
        As `umnist_core.labeling.secret.load_secret` returns it.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, purpose: str, *parts: str) -> str:
        """Return 22 characters for an address; another purpose gives others."""
        return derive_text(self._secret, purpose, *parts)

    def is_signed(self, signature: str, purpose: str, *parts: str) -> bool:
        """Return whether `sign` gave a signature for these parts."""
        expected = self.sign(purpose, *parts)
        return hmac.compare_digest(signature.encode(), expected.encode())


def read_session(connection: HTTPConnection, signer: Signer, study: str) -> Session | None:
    """Return whose cookie for a study came with a request; None if none that holds did.

    Parameters
    ----------
    connection
        A request below ``/label/STUDY`` or ``/join``.
    signer
        With the secret that the cookie was signed with.
    study
        Id of the study; a cookie of another one is none.
    """
    for name in (ANNOTATOR_COOKIE, f"{_KNOWN_COOKIE}{study}"):
        match = _VALUE.fullmatch(connection.cookies.get(name, ""))
        if match is None:
            continue
        annotator, issued, signature = match.groups()
        is_signed = signer.is_signed(signature, _PURPOSE, study, annotator, issued)
        # One from the future is ours as well: this machine's clock was set back since.
        age_s = time.time() - int(issued)
        if is_signed and age_s <= SESSION_DAYS * _DAY_S:
            return Session(study, annotator)
    return None


def set_session(
    response: Response, connection: HTTPConnection, signer: Signer, session: Session
) -> None:
    """Let a browser be known as a person from now on.

    The cookie is set for the study's own addresses and, under the study's name, for links:
    only so does an open link know who comes back, since browsers send a cookie to the
    addresses below its path alone.

    Parameters
    ----------
    response, connection
        The answer that sets the cookies and the request that it answers.
    signer, session
        What is signed, and with what.
    """
    issued = str(int(time.time()))
    signature = signer.sign(_PURPOSE, session.study, session.annotator, issued)
    for name, path in _places(connection, session):
        response.set_cookie(
            name,
            f"{session.annotator}.{issued}.{signature}",
            max_age=SESSION_DAYS * _DAY_S,
            path=path,
            secure=public_of(connection).scheme == "https",
            httponly=True,
            samesite="strict",
        )


def end_session(response: Response, connection: HTTPConnection, session: Session) -> None:
    """Let a browser forget who it was in a study; parameters as of `set_session`."""
    for name, path in _places(connection, session):
        response.delete_cookie(
            name,
            path=path,
            secure=public_of(connection).scheme == "https",
            httponly=True,
            samesite="strict",
        )


def _places(connection: HTTPConnection, session: Session) -> tuple[tuple[str, str], ...]:
    """Return the cookies of a session: name and path of each."""
    base = base_path(connection)
    return (
        (ANNOTATOR_COOKIE, f"{base}/label/{session.study}"),
        (f"{_KNOWN_COOKIE}{session.study}", f"{base}/join"),
    )
