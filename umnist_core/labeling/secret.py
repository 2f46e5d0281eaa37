"""The server's own secret, from which links, cookies and addresses are signed.

It lies beside the store and is never in it, in a backup or in an export.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from umnist_core.errors import DamagedFileError, WriteError
from umnist_core.labeling.private import make_private_folder, open_private

SECRET_BYTES = 32
_NAME = "secret.key"


def load_secret(folder: Path) -> bytes:
    """Return the secret of a folder; it is made when it is first asked for.

    Two processes that ask at once get the same one.

    Parameters
    ----------
    folder
        `Settings.labeling_dir`; made if it is not there.

    Returns
    -------
    bytes
        32 random bytes.

    Raises
    ------
    WriteError
        If it cannot be made.
    DamagedFileError
        If the file is not such a secret.
    """
    path = folder / _NAME
    try:
        if not path.exists():
            make_private_folder(folder)
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise WriteError(
            f"The server's secret {path} could not be read or made ({error.strerror or error}); "
            "make its folder writable for the user who runs the app."
        ) from error
    if len(secret) != SECRET_BYTES:
        raise DamagedFileError(
            f"Expected {SECRET_BYTES} random bytes in {path}, found {len(secret)}; remove the file "
            "to have a new one made, which ends all sessions (links go on working)."
        )
    return secret


def derive(secret: bytes, purpose: str, *parts: str) -> bytes:
    """Return 32 bytes that only the holder of the secret can compute."""
    text = "\n".join((purpose, *parts))
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()


def derive_text(secret: bytes, purpose: str, *parts: str) -> str:
    """Return the first 16 bytes of `derive` in 22 characters that fit into an address."""
    digest = derive(secret, purpose, *parts)[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _make(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = open_private(temporary)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a rename: whoever comes second must not replace the first one's.
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)
