"""A study as entries of a zip file, which belong to no store: backups and exports hold it.

``events.jsonl`` and ``attachments.jsonl`` have one JSON object a line, in order;
``claims.json`` what the store guards, with the pools of people who were erased;
``truth.json`` the truth; ``images/`` the frozen images. A file that somebody gives us is
never unpacked by the names in it: what is taken out is named by the events, which are
checked against their hashes first.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    MissingFileError,
    WriteError,
)
from umnist_core.files import PRIVATE_FILE, open_whole, write_whole
from umnist_core.labeling.events import PersonErased, StudyCreated
from umnist_core.labeling.log import Claims, Event, LogReader, StudyCopy, canonical_json
from umnist_core.labeling.private import make_private_folder
from umnist_core.labeling.recruits import is_ids
from umnist_core.labeling.study_key import KEY_SEQ
from umnist_core.labeling.verify import Verification, verify_events
from umnist_core.labeling.zip_checks import GivenZip

MANIFEST = "manifest.json"
"""List of the checksums of a study's images, beside them."""

_CHUNK = 1 << 20
_IMAGE = re.compile(r"[A-Za-z0-9_-]{1,80}\.[a-z0-9]{1,5}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
_EVENT_FIELDS = {field.name for field in fields(Event)}


# -- writing ----------------------------------------------------------------------


def write_study(
    archive: ZipFile,
    log: LogReader,
    events: Sequence[Event],
    images: Path | None,
    prefix: str,
    *,
    with_key: bool = True,
    with_ids: bool = True,
) -> Verification:
    """Write everything of a study into a zip file.

    Parameters
    ----------
    archive
        Open for writing.
    log
        A snapshot, so that the parts fit each other.
    events
        All events of the study, as the log has them.
    images
        Folder of its frozen images; None leaves them out.
    prefix
        What the names of its entries begin with, such as ``"studies/ID/"``.
    with_key
        Whether the study's key goes with it.
    with_ids
        Whether what people's links carried goes with it.

    Returns
    -------
    Verification
        Of what was written; it is written in any case.

    Raises
    ------
    MissingFileError, DamagedFileError
        If an image is missing or not what it was.
    StoreError
        As of `umnist_core.labeling.verify.verify_log`.
    """
    study = events[0].study
    found = verify_events(log, events)
    with _new_entry(archive, f"{prefix}events.jsonl") as file:
        for event in events:
            file.write(f"{canonical_json(asdict(event))}\n".encode())
    kept_back = set() if with_ids else {event.seq for event in events if is_ids(event)}
    with _new_entry(archive, f"{prefix}attachments.jsonl") as file:
        for seq, attachment in log.iter_attachments(study):
            if seq in kept_back or (seq == KEY_SEQ and not with_key):
                continue
            file.write(f"{canonical_json({'seq': seq, 'attachment': attachment})}\n".encode())
    with _new_entry(archive, f"{prefix}claims.json") as file:
        file.write(canonical_json(asdict(log.read_claims(study))).encode())
    with _new_entry(archive, f"{prefix}truth.json") as file:
        file.write(canonical_json(log.read_truth(study)).encode())
    if images is not None:
        _write_images(archive, events[0], images, prefix)
    return found


def _new_entry(archive: ZipFile, name: str, *, pack: bool = True) -> IO[bytes]:
    entry = ZipInfo(name, time.localtime()[:6])
    entry.compress_type = ZIP_DEFLATED if pack else ZIP_STORED
    # Without any, some programs unpack files that nobody may read.
    entry.external_attr = PRIVATE_FILE << 16
    # Zip's own limit of 2 GiB has to be lifted before the size is known.
    return archive.open(entry, "w", force_zip64=True)


def _write_images(archive: ZipFile, created: Event, folder: Path, prefix: str) -> None:
    for name, checksum in image_checksums(created).items():
        digest = hashlib.sha256()
        try:
            source = (folder / name).open("rb")
        except OSError as error:
            raise MissingFileError(
                f"Image {folder / name} could not be read ({error.strerror or error}); put it "
                "back, or leave the images out."
            ) from error
        # Images are packed already.
        with source, _new_entry(archive, f"{prefix}images/{name}", pack=False) as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != checksum:
            raise DamagedFileError(
                f"Image {folder / name} is not what it was when the study was made; put the right "
                "one back, or leave the images out."
            )


def image_checksums(created: Event) -> dict[str, str]:
    """Return file name -> SHA-256 of a study's images, as its first event has them.

    Raises
    ------
    DamagedFileError
        If a name is none that a study gives.
    """
    files = StudyCreated.read(created.payload).files
    for name in files:
        if not _IMAGE.fullmatch(name):
            raise DamagedFileError(
                f"Expected names of images of letters and digits, found {name[:40]!r}; this is no "
                "study that umnist has made."
            )
    return files


# -- reading ----------------------------------------------------------------------


def read_study(archive: GivenZip, prefix: str) -> StudyCopy:
    """Return a study of a zip file, checked as `umnist study verify` does.

    Parameters
    ----------
    archive
        Open for reading; it must stay so until the copy's attachments are read.
    prefix
        As for `write_study`.

    Returns
    -------
    StudyCopy
        For `umnist_core.labeling.log.EventLog.restore`.

    Raises
    ------
    DamagedFileError
        If something is missing, or is not what was logged.
    TooLargeError
        If it needs more memory than any that umnist writes.
    """
    source = ArchivedStudy(archive, prefix)
    events = source.read(source.study)
    faults = verify_events(source, events).faults
    if faults:
        raise DamagedFileError(
            f"Expected study {source.study} as it was logged, found {len(faults)} faults, the "
            f"first of them: {faults[0].rstrip('.')}; use another copy."
        )
    copy = StudyCopy(
        study=source.study,
        events=tuple(events),
        claims=source.read_claims(source.study),
        attachments=source.iter_attachments(source.study),
        truth=source.read_truth(source.study),
        erasures=source.erasure_count(source.study),
    )
    _check_names(copy)
    return copy


def _check_names(copy: StudyCopy) -> None:
    """Refuse a study whose images are other than those with a checksum.

    A hash shows that a log is as somebody made it, not who made it: an image called
    ``../../secret`` would be read from there.

    Raises
    ------
    DamagedFileError
        If so.
    """
    created = StudyCreated.read(copy.events[0].payload)
    image_checksums(copy.events[0])
    images = set(created.manifest)
    named = {*created.stimuli, *(one["id"] for one in created.practice)}
    others = (set(created.sizes), set(created.suffixes), named)
    if any(names != images for names in others) or set(copy.truth) != set(created.stimuli):
        raise DamagedFileError(
            f"Expected study {copy.study} to have truth, size and checksum of each of its images, "
            "found that some lack or are too many; use another copy."
        )
    suffixes = created.suffixes.values()
    if not all(map(_NAME.fullmatch, images)) or not all(map(_SUFFIX.fullmatch, suffixes)):
        raise DamagedFileError(
            f"Expected names of images of letters and digits in study {copy.study}, found others; "
            "it was not made by umnist."
        )


@contextmanager
def images_in_place(
    archive: ZipFile,
    copies: Sequence[StudyCopy],
    folder: Path | None,
    prefix: Callable[[str], str],
) -> Iterator[None]:
    """Write all images, give their folders their names, and take them away if the block fails.

    Parameters
    ----------
    archive, copies
        Where the images are, and what `read_study` returned for their studies.
    folder
        Where each study's folder of images goes; None to write none.
    prefix
        Returns the prefix of a study's entries, as for `write_study`.

    Raises
    ------
    ConflictError
        If there is a folder of that name.
    WriteError, DamagedFileError
        If the images cannot be written, or are not what was logged.
    """
    if folder is None or not copies:
        yield
        return
    made: list[Path] = []
    staging = folder / f".restoring-{copies[0].study}"
    try:
        with said_as_write_error(folder):
            shutil.rmtree(staging, ignore_errors=True)
            make_private_folder(staging)
        for copy in copies:
            if (folder / copy.study).exists():
                raise ConflictError(
                    f"The store has no study {copy.study}, but there is a folder "
                    f"{folder / copy.study}; nothing was changed, so look at it and move it away."
                )
            with said_as_write_error(folder):
                make_private_folder(staging / copy.study)
            extract_images(archive, prefix(copy.study), copy.events[0], staging / copy.study)
        for copy in copies:
            final = folder / copy.study
            with said_as_write_error(folder):
                (staging / copy.study).rename(final)
            made.append(final)
        yield
    except BaseException:
        for final in made:
            shutil.rmtree(final, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def said_as_write_error(folder: Path) -> Iterator[None]:
    """Say that images could not be written to a folder; WriteError for every OSError within."""
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"The images could not be written to {folder} ({error.strerror or error}); nothing was "
            "added. Choose a folder that can be written and has room."
        ) from error


class ArchivedStudy:
    """Reads one study of a zip file as a log of one.

    Parameters
    ----------
    archive, prefix
        As for `read_study`.

    Raises
    ------
    DamagedFileError, TooLargeError
        As of `read_study`.
    """

    def __init__(self, archive: GivenZip, prefix: str) -> None:
        self._archive = archive
        self._prefix = prefix
        self._events = [
            _event(item) for item in archive.iter_json(f"{prefix}events.jsonl", is_kept=True)
        ]
        if not self._events:
            raise DamagedFileError(f"Expected events in {prefix}events.jsonl, found none.")
        self.study = self._events[0].study

    def read(self, study: str, after_seq: int = 0) -> list[Event]:
        """Return events."""
        return self._events[after_seq:]

    def iter_attachments(self, study: str) -> Iterator[tuple[int, str]]:
        """Yield attachments."""
        name = f"{self._prefix}attachments.jsonl"
        for item in self._archive.iter_json(name, is_kept=False):
            seq, attachment = item["seq"], item["attachment"]
            if type(seq) is not int or not isinstance(attachment, str):
                raise DamagedFileError("Expected attachments with numbers and texts; use a copy.")
            yield seq, attachment

    def read_truth(self, study: str) -> dict[str, str]:
        """Return the truth."""
        return {
            str(name): str(text)
            for name, text in self._archive.read_json(f"{self._prefix}truth.json").items()
        }

    def studies(self) -> list[str]:
        """Return the one id."""
        return [self.study]

    def read_claims(self, study: str) -> Claims:
        """Return claims."""
        data = self._archive.read_json(f"{self._prefix}claims.json")
        return Claims(
            **{name: tuple(tuple(claim) for claim in claims) for name, claims in data.items()}
        )

    def erasure_count(self, study: str) -> int:
        """Return how many people were erased."""
        return sum(event.kind == PersonErased.event_kind for event in self._events)


def _event(data: Mapping[str, Any]) -> Event:
    """Return an event whose fields are of the kinds that a log has."""
    if set(data) != _EVENT_FIELDS or type(data["seq"]) is not int or data["seq"] < 1:
        raise DamagedFileError("Expected an event with its number and fields; use another copy.")
    may_lack = {"subject", "attachment_hash"}
    for name in _EVENT_FIELDS - {"seq", "payload"}:
        value = data[name]
        if not (value is None and name in may_lack) and not _is_word(value):
            raise DamagedFileError(f"Expected an event's {name} as a short text; use another copy.")
    if not isinstance(data["payload"], dict | None):
        raise DamagedFileError("Expected an event's payload as an object; use another copy.")
    if not _ID.fullmatch(data["study"]):
        raise DamagedFileError("Expected a study's id of letters and digits; use another copy.")
    return Event(**data)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 200 and value.isascii() and value.isprintable()


def extract_images(
    archive: ZipFile,
    prefix: str,
    created: Event,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a study's images out, each checked against the first event.

    Parameters
    ----------
    archive, prefix
        As for `read_study`.
    created
        The study's first event, of a copy that is checked.
    folder
        Where to; it is there and empty.
    progress
        Told of every image: how many are written, and how many there are.

    Returns
    -------
    int
        How many there are.

    Raises
    ------
    DamagedFileError
        If one is missing or another than it was.
    WriteError
        If one cannot be written.
    """
    checksums = image_checksums(created)
    for done, (name, checksum) in enumerate(checksums.items(), 1):
        digest = hashlib.sha256()
        with (
            archive.open(f"{prefix}images/{name}") as source,
            open_whole(folder / name, private=True) as target,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != checksum:
            raise DamagedFileError(f"Image {name} is not what it was; use another copy.")
        if progress is not None:
            progress(done, len(checksums))
    listed = StudyCreated.read(created.payload).manifest
    manifest = {name: str(value) for name, value in listed.items()}
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=1).encode(), private=True)
    return len(checksums)
