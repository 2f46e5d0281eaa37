"""Backups of a whole store: of one moment, while people answer, for any other store.

A backup is one zip file (`umnist_core.labeling.archive`) with ``backup.json``, which names
the last hash of every study. It holds the truth and what people gave, so keep it as the
store is kept; the server's secret is not in it: after restoring elsewhere, the links that
people have work, and cannot be shown again. What a person gave is in older backups still
when the person is erased.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from umnist_core import __version__
from umnist_core.errors import ConflictError, DamagedFileError
from umnist_core.files import open_whole
from umnist_core.labeling.archive import images_in_place, read_study, write_study
from umnist_core.labeling.log import EventLog, StudyCopy
from umnist_core.labeling.verify import Verification, read_events
from umnist_core.labeling.zip_checks import GivenZip, open_given, said_as_damage

FORMAT = "umnist-backup"
VERSION = 1
"""Raised when a backup of an older version of umnist could no longer read a new one."""

_HEADER = "backup.json"


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds.

    Attributes
    ----------
    path
        The file.
    studies
        What checking each of them found while it was written.
    has_images
        Whether the frozen images are in it.
    """

    path: Path
    studies: tuple[Verification, ...]
    has_images: bool


def write_backup(log: EventLog, folder_of_stimuli: Path | None, target: Path) -> BackupReport:
    """Write all studies into one file, whole or not at all.

    Parameters
    ----------
    log
        The store; it can be in use.
    folder_of_stimuli
        Folder with a folder of frozen images for each study; None leaves them out.
    target
        The zip file; its folder must exist, and the file must not.

    Returns
    -------
    BackupReport
        With what is wrong in the store, if something is: it is backed up as it is, but
        `restore_backup` will not take it.

    Raises
    ------
    ConflictError
        If there is such a file already.
    MissingFileError, DamagedFileError
        If a frozen image is missing or not what it was.
    WriteError
        If the file cannot be written.
    StoreError
        If the store cannot be read.
    """
    if target.exists():
        raise ConflictError(f"There is a file {target} already, unchanged; choose another name.")
    with (
        log.snapshot() as snapshot,
        open_whole(target, private=True) as file,
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
    ):
        found = tuple(
            write_study(
                archive,
                snapshot,
                read_events(snapshot, study),
                None if folder_of_stimuli is None else folder_of_stimuli / study,
                _prefix(study),
            )
            for study in snapshot.studies()
        )
        header = {
            "format": FORMAT,
            "version": VERSION,
            "umnist": __version__,
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "has_images": folder_of_stimuli is not None,
            "studies": [
                {"study": one.study, "events": one.events, "head_hash": one.head_hash}
                for one in found
            ],
        }
        archive.writestr(_HEADER, json.dumps(header, indent=1))
    return BackupReport(target, found, folder_of_stimuli is not None)


def restore_backup(source: Path, log: EventLog, folder_of_stimuli: Path | None) -> list[str]:
    """Put the studies of a backup into a store that has none of them, all or none.

    Everything is checked before anything is written.

    Parameters
    ----------
    source
        The zip file.
    log
        Where to.
    folder_of_stimuli
        Where the folders of frozen images go; made if it is not there. None leaves them out.

    Returns
    -------
    list[str]
        Ids of the studies.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError, TooLargeError
        If it is no backup, not whole, of a newer version, or made to do harm.
    ConflictError
        If the store has one of the studies, or their images' folders hold something else.
    WriteError, StoreError
        If something cannot be written; nothing was added then.
    """
    with said_as_damage(source), open_given(source, "a backup") as archive:
        header = _read_header(archive, source)
        copies = [_checked(archive, one) for one in header["studies"]]
        names = [copy.study for copy in copies]
        if there := sorted(set(names) & set(log.studies())):
            raise ConflictError(
                f"The store has study {there[0]} already; nothing was changed. Restore into a new "
                "store."
            )
        folder = folder_of_stimuli if header["has_images"] else None
        with images_in_place(archive, copies, folder, _prefix):
            log.restore(copies)
    return names


def _prefix(study: str) -> str:
    return f"studies/{study}/"


def _read_header(archive: GivenZip, source: Path) -> dict[str, Any]:
    header: dict[str, Any] = archive.read_json(_HEADER)
    if header["format"] != FORMAT or type(header["version"]) is not int:
        raise DamagedFileError(f"Expected a backup of umnist at {source}, found something else.")
    if header["version"] > VERSION:
        raise DamagedFileError(
            f"Expected a backup of version {VERSION} or older, found version {header['version']} "
            f"at {source}; update umnist."
        )
    return header


def _checked(archive: GivenZip, entry: dict[str, Any]) -> StudyCopy:
    """Return a study that is what the head of the backup says it is."""
    copy = read_study(archive, _prefix(entry["study"]))
    last = copy.events[-1]
    found = (copy.study, last.seq, last.hash)
    if found != (entry["study"], entry["events"], entry["head_hash"]):
        raise DamagedFileError(
            f"Expected {entry['events']} events of study {entry['study']}, found {last.seq} of "
            f"study {copy.study}, or others; use another copy."
        )
    return copy
