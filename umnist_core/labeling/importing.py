"""Reading an exported study back into a store, after checking all of it.

A file that somebody gives us is believed in nothing: its log is followed hash by hash, its
images and tables are compared with their checksums, and what an image is called is checked
before any name becomes a path. Only then is anything written, and then all of it or nothing.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from umnist_core.errors import ConflictError, DamagedFileError
from umnist_core.labeling.archive import images_in_place, read_study
from umnist_core.labeling.export import CHECKSUMS, FORMAT, HEADER, LOG, VERSION
from umnist_core.labeling.log import StudyCopy
from umnist_core.labeling.results import FoldedStudy, answers_of, stimuli_of
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.zip_checks import GivenZip, open_given, said_as_damage

_CHUNK = 1 << 20


@dataclass(frozen=True)
class ExportHeader:
    """What an export says of itself; checked against its log when it is imported.

    Attributes
    ----------
    study
        Id.
    events, head_hash
        Length of the log and hash of its last event.
    has_images
        Whether the frozen images are in it.
    """

    study: str
    events: int
    head_hash: str
    has_images: bool


def import_study(service: StudyService, source: Path) -> str:
    """Put an exported study into the store; nothing can be added to it if it was closed.

    Links that people have work here too; they cannot be shown again unless this server has the
    secret of the one that made them. Without its images, a study shows its results, but no one
    can label.

    Parameters
    ----------
    service
        Where to.
    source
        The zip file of `umnist_core.labeling.export.export_study`.

    Returns
    -------
    str
        Id of the study.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DamagedFileError, TooLargeError
        If it is no export, not whole, of a newer version, or made to do harm.
    ConflictError
        If the store has the study, or its images' folder holds something else.
    WriteError, StoreError
        If something cannot be written; nothing was added then.
    """
    with said_as_damage(source), open_export(source) as archive:
        header, copy = read_export(archive, source)
        check_export(archive, copy)
        if copy.study in service.studies():
            raise ConflictError(
                f"The store has study {copy.study} already; nothing was changed. Import into "
                "another store, chosen with UMNIST_LABELING."
            )
        folder = service.study_folder(copy.study).parent if header.has_images else None
        with images_in_place(archive, [copy], folder, lambda _study: LOG):
            service.log.restore([copy])
    return copy.study


def open_export(source: Path) -> AbstractContextManager[GivenZip]:
    """Open an exported study's zip file; errors as `import_study`."""
    return open_given(source, "an exported study")


def read_export(archive: GivenZip, source: Path) -> tuple[ExportHeader, StudyCopy]:
    """Return what an export says of itself and the study in it, whose log is checked.

    Parameters
    ----------
    archive
        Of `open_export`; it must stay open until the copy's attachments are read.
    source
        What to call it in a sentence.

    Raises
    ------
    DamagedFileError, TooLargeError
        As `import_study`, within `said_as_damage`.
    """
    header = _read_header(archive, source)
    copy = read_study(archive, LOG)
    _check_head(header, copy)
    return header, copy


def check_export(archive: GivenZip, copy: StudyCopy) -> None:
    """Refuse an export that hashes right and still cannot be folded, or whose files are others.

    Raises
    ------
    DamagedFileError
        If so, at the latest as `said_as_damage` says it.
    """
    _check_usable(copy)
    _check_checksums(archive)


def _read_header(archive: GivenZip, source: Path) -> ExportHeader:
    if HEADER not in archive.namelist():
        hint = " (this is a backup: use `umnist study restore`)"
        is_backup = "backup.json" in archive.namelist()
        raise DamagedFileError(
            f"Expected an exported study at {source}, found a zip without "
            f"{HEADER}{hint if is_backup else ''}; choose a file that `umnist study export` wrote."
        )
    data = archive.read_json(HEADER)
    if data["format"] != FORMAT or type(data["version"]) is not int:
        raise DamagedFileError(
            f"Expected an exported study at {source}, found {str(data['format'])[:40]!r}; choose a "
            "file that `umnist study export` wrote."
        )
    if data["version"] > VERSION:
        raise DamagedFileError(
            f"Expected an export of version {VERSION} or older, found version {data['version']} at "
            f"{source}; update umnist."
        )
    return ExportHeader(data["study"], data["events"], data["head_hash"], data["has_images"])


def _check_head(header: ExportHeader, copy: StudyCopy) -> None:
    last = copy.events[-1]
    if (copy.study, last.seq, last.hash) != (header.study, header.events, header.head_hash):
        raise DamagedFileError(
            f"Expected {header.events} events of study {header.study} with the last hash that "
            f"{HEADER} names, found {last.seq} of study {copy.study}, or others; use another copy."
        )


def _check_usable(copy: StudyCopy) -> None:
    """Refuse what hashes right and still cannot be folded and read.

    Raises
    ------
    DamagedFileError
        If so, at the latest as `said_as_damage` says it.
    """
    truth = {name: json.loads(text) for name, text in copy.truth.items()}
    folded = FoldedStudy(copy.events, truth)
    answers_of(folded, with_surplus=True)
    stimuli_of(folded)


def _check_checksums(archive: GivenZip) -> None:
    names = set(archive.namelist())
    for name, checksum in archive.read_json(CHECKSUMS).items():
        if name not in names or _digest(archive, name) != checksum:
            raise DamagedFileError(
                f"Expected {name[:80]} as it was exported, found that it is missing or another; "
                "use another copy."
            )


def _digest(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
