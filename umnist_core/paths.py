"""Paths as people give them: a home's ``~``, files that are none, and what is never data.

Every file that somebody names is opened here or checked here: whatever stands at a path, a pipe
that nobody writes to or a device without an end, opening it gives a file or an `OSError` at once.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from umnist_core.errors import InvalidValueError

_DEBRIS = frozenset(
    (
        "$recycle.bin",
        "@eadir",
        "__macosx",
        "desktop.ini",
        "ehthumbs.db",
        "icon\r",
        "lost+found",
        "system volume information",
        "thumbs.db",
    )
)
"""What Windows, macOS, Linux and network drives leave in folders, in lower case."""


def is_debris(name: str) -> bool:
    """Return whether a file or folder of this name is never data: hidden, or a system's own.

    Parameters
    ----------
    name
        Its last part, such as ``._a.png``, ``.DS_Store``, ``Thumbs.db`` or ``lost+found``.
    """
    return name.startswith(".") or name.lower() in _DEBRIS


def has_debris(path: str) -> bool:
    """Return whether a part of a relative path with ``/`` is debris, as in archives."""
    return any(is_debris(part) for part in path.split("/") if part not in ("", ".", ".."))


def check_name(path: Path | str) -> None:
    """Refuse a path that no file or folder can have, whether one is there or not.

    Raises
    ------
    InvalidValueError
        If it is empty or too long, or holds a NUL or what is no letter.
    """
    reason = "nothing" if not str(path) else ""
    try:
        os.lstat(path)
    except ValueError:
        reason = "a letter that no name can have"
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            reason = str(error.strerror).lower()
    if reason:
        raise InvalidValueError(
            f"Expected a path on this machine, found {str(path)[:80]!r} ({reason}); correct it."
        )


def shown_name(name: str) -> str:
    """Return the name of a file as a text, with backslashes for what of it is none."""
    return name.encode(errors="backslashreplace").decode()


def expand_home(path: Path | str) -> Path:
    """Return a path that somebody gives, with the home folder for a leading ``~`` or ``~user``.

    Raises
    ------
    InvalidValueError
        If that home is not known, or as `check_name`.
    """
    check_name(path)
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InvalidValueError(
            f"Expected a path on this machine, found {str(path)[:80]!r} whose home folder is not "
            "known; write the path out."
        ) from error


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        If there is none, it cannot be read, or it is something else; ``strerror`` says which.
    """
    check_file(path)
    # Should another thing have taken its place since: nothing is waited for.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    try:
        _check_mode(path, os.fstat(handle).st_mode)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file; errors as of `open_file`."""
    with open_file(path) as file:
        return file.read()


def check_file(path: Path) -> os.stat_result:
    """Return what the system says of a regular file; errors as of `open_file`."""
    try:
        found = path.stat()
    except ValueError as error:  # a NUL, or letters that no name can have
        raise OSError(errno.EINVAL, "a name that no file can have", str(path)) from error
    _check_mode(path, found.st_mode)
    return found


def _check_mode(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"{_kind(mode)} and no file", str(path))


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
