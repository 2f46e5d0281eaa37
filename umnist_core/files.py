"""Writing files whole or not at all."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from umnist_core.errors import UmnistError, WriteError
from umnist_core.paths import check_file

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
"""Permissions of what belongs to its owner alone."""


def write_whole(path: Path, data: bytes | memoryview, *, private: bool = False) -> None:
    """Write a file so that its name holds either what was there before or all of ``data``.

    Parameters
    ----------
    path
        Where to; its folder must exist. An existing file is replaced.
    data
        The whole content.
    private
        As for `open_whole`.

    Raises
    ------
    WriteError
        If the folder is missing or not writable, the disk is full, or a folder, a device or a pipe
        stands there. Nothing is left behind.
    """
    with open_whole(path, private=private) as file:
        file.write(data)


@contextmanager
def open_whole(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write to, which gets its name when the block ends, and goes if it fails.

    Parameters
    ----------
    path
        As for `write_whole`.
    private
        Whether its owner alone may read it, from its first byte on and whatever the umask; else
        the umask decides.

    Raises
    ------
    WriteError
        As of `write_whole`.
    """
    temporary: Path | None = None
    try:
        if path.exists():
            check_file(path)  # a device or a pipe would be replaced by a file
        # In the same folder, because a rename is only atomic within one file system.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(PRIVATE_FILE if private else 0o666 & ~_umask())
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError) or isinstance(error, UmnistError):
            raise
        reason = error.strerror or str(error)
        raise WriteError(
            f"{path} could not be written ({reason}); what was there is unchanged. "
            "Choose a folder that exists and has room."
        ) from error


def temporary_folder() -> Path:
    """Return a new folder for temporary files, which the caller removes.

    Raises
    ------
    WriteError
        If none can be made, as where neither TMPDIR nor the system's own can be written.
    """
    try:
        return Path(tempfile.mkdtemp(prefix="umnist-"))
    except OSError as error:
        raise WriteError(
            f"Expected a folder for temporary files that can be written, found none "
            f"({error.strerror or error}); make room, or set TMPDIR to another folder."
        ) from error


@cache
def passing_folder(purpose: str) -> Path:
    """Return this process's folder for files of a purpose, which goes when the process ends.

    Raises
    ------
    WriteError
        As `temporary_folder`.
    """
    folder = temporary_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _umask() -> int:
    # The umask can only be read by setting it; mkstemp made the file private to its owner.
    mask = os.umask(0)
    os.umask(mask)
    return mask
