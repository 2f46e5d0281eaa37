"""The researchers' secret of a shared app: how it is kept, and the cookie that it buys.

Only an argon2 hash of it lies on the disk. The cookie is signed over that hash, so a new
secret ends every session that the old one opened.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from pathlib import Path

from starlette.requests import HTTPConnection
from starlette.responses import Response

from umnist_core.errors import DamagedFileError, InvalidValueError, WriteError
from umnist_core.labeling.private import make_private_folder, open_private
from umnist_core.labeling.secret import derive_text, load_secret
from umnist_core.server.web.public import base_path, public_of

ADMIN_COOKIE = "umnist_admin"
SESSION_HOURS = 12

SHORTEST_SECRET = 12
"""Characters; a shorter one of somebody's own choosing can be guessed."""

_NAME = "admin.hash"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
_GROUPS, _GROUP = 5, 5


def make_admin_secret() -> str:
    """Return a new secret that can be typed: five groups of five letters, 123 bits."""
    groups = ["".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    return "-".join(groups)


def save_admin_secret(folder: Path, secret: str) -> None:
    """Keep the hash of a secret, in place of any other.

    Parameters
    ----------
    folder
        `Settings.labeling_dir`; made if it is not there.
    secret
        12 characters or more.

    Raises
    ------
    InvalidValueError
        If the secret is too short.
    WriteError
        If the hash cannot be written.
    """
    from argon2 import PasswordHasher

    if len(secret) < SHORTEST_SECRET:
        raise InvalidValueError(
            f"An admin secret has {SHORTEST_SECRET} characters or more, found {len(secret)}; "
            "choose a longer one, or leave UMNIST_ADMIN_SECRET unset to have one made."
        )
    path = folder / _NAME
    temporary = path.with_name(f".{_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        make_private_folder(folder)
        with os.fdopen(open_private(temporary), "w") as file:
            file.write(PasswordHasher().hash(secret))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WriteError(
            f"The admin secret could not be kept in {path} ({error.strerror or error}); make its "
            "folder writable for the user who runs the app."
        ) from error


class Admins:
    """Who is a researcher.

    Parameters
    ----------
    folder
        `Settings.labeling_dir`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._folder = folder
        self._key: bytes | None = None

    def find_hash(self) -> str | None:
        """Return the hash of the secret; None while none has been set.

        Raises
        ------
        DamagedFileError
            If it is there and cannot be read.
        """
        try:
            return self._path.read_text("ascii")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DamagedFileError(
                f"The hash of the admin secret in {self._path} could not be read; make a new "
                "secret with `umnist app --share --new-secret`."
            ) from error

    def is_secret(self, text: str) -> bool:
        """Return whether a text is the secret; takes some 50 ms and 64 MiB on purpose.

        Raises
        ------
        DamagedFileError
            As `find_hash`.
        """
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        known = self.find_hash()
        if known is None:
            return False
        try:
            return PasswordHasher().verify(known, text)
        except (VerificationError, InvalidHashError):
            return False

    def is_admin(self, connection: HTTPConnection) -> bool:
        """Return whether a request comes with a cookie that holds; never raises."""
        expires, _, signature = connection.cookies.get(ADMIN_COOKIE, "").partition(".")
        is_number = expires.isascii() and expires.isdecimal() and len(expires) <= 12
        if not is_number or int(expires) < time.time():
            return False
        try:
            expected = self._sign(expires)
        except (DamagedFileError, WriteError):
            return False
        return expected is not None and hmac.compare_digest(signature.encode(), expected.encode())

    def set_session(self, response: Response, connection: HTTPConnection) -> None:
        """Let a browser be a researcher's for 12 hours, or until the secret is replaced.

        Raises
        ------
        DamagedFileError, WriteError
            If the server's secrets cannot be read.
        """
        expires = str(int(time.time()) + SESSION_HOURS * 3600)
        response.set_cookie(
            ADMIN_COOKIE,
            f"{expires}.{self._sign(expires)}",
            max_age=SESSION_HOURS * 3600,
            path=f"{base_path(connection)}/",
            secure=public_of(connection).scheme == "https",
            httponly=True,
            # Not strict: a link to a page of the app in a chat or document must open it.
            samesite="lax",
        )

    def _sign(self, expires: str) -> str | None:
        known = self.find_hash()
        if known is None:
            return None
        if self._key is None:
            self._key = load_secret(self._folder)
        return derive_text(self._key, "admin cookie", known, expires)
