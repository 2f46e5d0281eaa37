"""What a lab writes is its owner's alone: files 0600, folders 0700, whatever the umask.

A file is made so, not made and then closed: between the two, others could open it. What an
earlier version left open to others is closed when it is opened here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from umnist_core.files import PRIVATE_FILE, PRIVATE_FOLDER

_log = logging.getLogger(__name__)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_told: set[Path] = set()
"""Folders of which this process has said already that others can read them."""

_turn = threading.Lock()


def open_private(path: Path) -> int:
    """Make a file that its owner alone may read and write, and open it for writing.

    Returns
    -------
    int
        A file descriptor, to be closed by the caller.

    Raises
    ------
    FileExistsError
        If there is something of that name.
    OSError
        If it cannot be made.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    os.fchmod(handle, PRIVATE_FILE)  # a umask may take from its owner too
    return handle


def make_private_folder(path: Path) -> None:
    """Make a folder that its owner alone may enter, and those above it that are missing.

    A folder that is there stays as it is.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    try:
        path.mkdir(PRIVATE_FOLDER)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        path.chmod(PRIVATE_FOLDER)  # a umask may take from its owner too


def close_store_to_others(database: Path) -> None:
    """Make an SQLite file private, made empty if it is not there, with what SQLite keeps beside it.

    SQLite gives its log and shared memory the permissions of the file itself.

    Parameters
    ----------
    database
        The file. What hinders making it is left to SQLite to say.
    """
    try:
        os.close(open_private(database))
    except OSError:
        beside = (Path(f"{database}{ending}") for ending in ("", "-wal", "-shm", "-journal"))
        _close_to_others(database, beside)


def close_lab_to_others(folder: Path) -> None:
    """Make everything private that an earlier version wrote into a lab's folder.

    The owner is told once in the log, in one sentence, of what cannot be made so.

    Parameters
    ----------
    folder
        `umnist_core.settings.Settings.labeling_dir`.
    """
    # What cannot be looked into is found by whoever needs it, who says so better.
    with contextlib.suppress(OSError):
        _close_to_others(folder, _lab_paths(folder))


def _lab_paths(folder: Path) -> Iterator[Path]:
    """Yield what a lab's folder holds of ours, each folder before what is in it."""
    studies = folder / "studies"
    yield from (folder, folder / "secret.key", folder / "admin.hash", studies)
    if not studies.is_dir():
        return
    for study in sorted(studies.iterdir()):
        if study.is_dir() and not study.is_symlink():
            yield study
            yield from (Path(one.path) for one in os.scandir(study) if not one.is_symlink())


def _close_to_others(place: Path, paths: Iterable[Path]) -> None:
    """Take group's and others' permissions from paths; tell once what stays open."""
    reasons = {}
    for path in paths:
        if reason := _close_one(path):
            reasons[path] = reason
    with _turn:
        is_new = bool(reasons) and place not in _told
        _told.update([place] if reasons else [])
    if is_new:
        first, reason = next(iter(reasons.items()))
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        _log.warning(
            "Other users of this machine can read %s%s, and that could not be changed (%s); make "
            "what is in %s yours alone, or keep it elsewhere.",
            first,
            more,
            reason,
            place,
        )


def _close_one(path: Path) -> str:
    """Make one path private; return what hinders, or nothing."""
    try:
        found = path.stat().st_mode
    except OSError:  # it is not there, or another's
        return ""
    if not found & _OTHERS:
        return ""
    if found & stat.S_ISVTX:
        return "it is a folder that everybody shares"
    try:
        path.chmod(stat.S_IMODE(found) & ~_OTHERS)
        # Some file systems take a change of permissions and make none.
        is_open = path.stat().st_mode & _OTHERS
    except OSError as error:
        return error.strerror or str(error)
    return "its file system keeps no permissions" if is_open else ""
