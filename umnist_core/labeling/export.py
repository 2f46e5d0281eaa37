"""A study as files for others: tables, and one zip from which every figure can be recomputed.

An export holds the truth and all that people gave, and of a closed study the key; it holds no
link and no id that one carried, no secret of the server and no path of this machine. It is
written whole or not at all, from the log as it is at one moment, for its owner alone to read.
`umnist_core.labeling.importing` reads it back.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import scipy
from pyarrow import parquet

from umnist_core import __version__
from umnist_core.errors import ConflictError, InvalidValueError, WriteError
from umnist_core.files import PRIVATE_FOLDER, open_whole
from umnist_core.labeling import codebook
from umnist_core.labeling.archive import image_checksums, write_study
from umnist_core.labeling.box_table import boxes_of
from umnist_core.labeling.descriptor import DESCRIPTOR, descriptor
from umnist_core.labeling.events import ORIGINS
from umnist_core.labeling.export_sources import sources
from umnist_core.labeling.judging import judge, rules_words, with_judgement
from umnist_core.labeling.log import LogReader
from umnist_core.labeling.preregistered import preregistration_files
from umnist_core.labeling.private import open_private
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.results import (
    FoldedStudy,
    annotators_of,
    answers_of,
    digits_of,
    report_of,
    stimuli_of,
    traces_by_label,
    traces_of,
    views_of,
)
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.survey_table import asked_rows, asked_text, questions_of
from umnist_core.labeling.threshold_table import thresholds_of
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.verify import Verification
from umnist_core.scoring import StudyReport
from umnist_core.scoring.search_curves import search_curves
from umnist_core.spreadsheets import plain_cell

FORMAT = "umnist-study"
VERSION = 1
"""Raised when an export of an older version of umnist could no longer be read by a new one."""

KINDS = ("csv", "parquet", "json")

HEADER = "study.json"
CHECKSUMS = "checksums.json"
LOG = "log/"
"""Where the log, the truth and the images lie in an export."""

_TYPES: Mapping[str, Any] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "ints": pa.list_(pa.int64()),
}


@dataclass(frozen=True)
class ExportReport:
    """What an export holds.

    Attributes
    ----------
    path
        The file.
    rows
        Table -> its rows.
    verification
        What checking the log found while it was written. An export of a log with faults is
        written as it is, names them, and cannot be imported.
    has_images
        Whether the frozen images are in it.
    """

    path: Path
    rows: Mapping[str, int]
    verification: Verification
    has_images: bool


def export_tables(
    service: StudyService, study: str, folder: Path, kind: str = "csv", *, force: bool = False
) -> list[Path]:
    """Write the tables of a study and their codebook, all of them or none.

    Parameters
    ----------
    service, study
        Where the study is, and its id.
    folder
        Made if it is not there; the one above it must exist.
    kind
        One of `KINDS`. In CSV, lists are JSON in a cell; JSON is a list of objects, null where
        nothing is known.
    force
        Replace files of the same names.

    Returns
    -------
    list[Path]
        The files.

    Raises
    ------
    InvalidValueError
        If the kind is another.
    ConflictError
        If there is such a file already.
    NotFoundError, DamagedFileError, StoreError
        As of `umnist_core.labeling.results.load_answers`.
    WriteError
        If a file cannot be written; nothing is changed then.
    """
    if kind not in KINDS:
        raise InvalidValueError(f"Tables are written as {', '.join(KINDS)}; got {kind[:20]!r}.")
    names = [*(f"{name}.{kind}" for name in codebook.TABLES), "codebook.json", "codebook.md"]
    there = [folder / name for name in names if (folder / name).exists()]
    if there and not force:
        raise ConflictError(
            f"There is a file {there[0]} already, unchanged; choose another folder, or replace "
            "what is there with --force."
        )
    with service.log.snapshot() as log:
        folded = FoldedStudy.of(log, study)
        tables = _tables_of(folded, log)
    service.note_seen(study, "export")
    files = {**_table_files(tables, kind), **_codebook_files(folded.state.spec)}
    return _write_together(folder, files)


def export_study(
    service: StudyService,
    study: str,
    target: Path,
    with_images: bool = False,
    *,
    force: bool = False,
) -> ExportReport:
    """Write one zip with everything of a study, and a script that recomputes every figure.

    Parameters
    ----------
    service, study
        Where the study is, and its id.
    target
        The zip file; its folder must exist.
    with_images
        Whether the frozen images go with it.
    force
        Replace a file of that name.

    Raises
    ------
    ConflictError
        If there is such a file already.
    MissingFileError
        If an image is missing.
    NotFoundError, DamagedFileError, StoreError
        As of `umnist_core.labeling.results.load_answers`; DamagedFileError also for an image
        that is not what it was.
    WriteError
        If the file cannot be written.
    """
    if target.exists() and not force:
        raise ConflictError(
            f"There is a file {target} already, unchanged; choose another name, or replace it with "
            "--force."
        )
    with (
        service.log.snapshot() as log,
        open_whole(target, private=True) as file,
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
    ):
        folded = FoldedStudy.of(log, study)
        images = service.study_folder(study) if with_images else None
        is_sealed = folded.state.status == "closed"
        found = write_study(
            archive, log, folded.events, images, LOG, with_key=is_sealed, with_ids=False
        )
        tables = _tables_of(folded, log)
        figures = _figures(tables)
        header = _header(folded, tables, found, with_images=with_images)
        csv_files = {name: _csv(name, frame) for name, frame in tables.items()}
        parts = {
            HEADER: _json(header),
            DESCRIPTOR: _json(descriptor(header, csv_files)),
            **_texts(folded.state),
            **_image_list(folded),
            **{f"tables/{name}.csv": data for name, data in csv_files.items()},
            **{f"tables/{name}": data for name, data in _table_files(tables, "parquet").items()},
            **_codebook_files(folded.state.spec),
            "figures.json": _json(figures.to_dict()),
            **preregistration_files(folded, figures),
            **sources(),
        }
        parts["README.md"] = _readme(folded, found, with_images=with_images).encode()
        # The log needs none: its own hashes cover it, and the first event's the images.
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        for name, data in {**parts, CHECKSUMS: _json(sums)}.items():
            archive.writestr(name, data)
    service.note_seen(study, "export")
    rows = {name: len(frame) for name, frame in tables.items()}
    return ExportReport(target, rows, found, with_images)


# -- tables -----------------------------------------------------------------------


def read_tables(log: LogReader, study: str) -> dict[str, pd.DataFrame]:
    """Return every table of a study, surplus answers included.

    Parameters
    ----------
    log
        A snapshot, so that the tables fit each other.
    study
        Id of the study.

    Raises
    ------
    NotFoundError, DamagedFileError, StoreError
        As of `umnist_core.labeling.results.load_answers`.
    """
    return _tables_of(FoldedStudy.of(log, study), log)


def _tables_of(folded: FoldedStudy, log: LogReader) -> dict[str, pd.DataFrame]:
    traces = traces_of(log, folded.study)
    answers, judgement = answers_of(folded, with_surplus=True), judge(folded, traces)
    digits = digits_of(folded.truth, answers, traces)
    counted = answers[answers["counted"]]
    return {
        "answers": with_judgement(answers, digits, judgement),
        "digits": digits,
        "boxes": boxes_of(folded, answers),
        "annotators": annotators_of(folded, judgement),
        "questions": questions_of(folded.study, folded.state),
        "stimuli": stimuli_of(folded),
        "traces": views_of(answers, traces),
        "search": search_curves(counted, digits, traces_by_label(counted, traces)),
        "thresholds": thresholds_of(folded),
    }


def _figures(tables: Mapping[str, pd.DataFrame]) -> StudyReport:
    answers = tables["answers"]
    counted = answers[answers["counted"]].reset_index(drop=True)
    return report_of(counted, tables["digits"])


def _table_files(tables: Mapping[str, pd.DataFrame], kind: str) -> dict[str, bytes]:
    encode = {"csv": _csv, "parquet": _parquet, "json": _records}[kind]
    return {f"{name}.{kind}": encode(name, frame) for name, frame in tables.items()}


def _csv(name: str, frame: pd.DataFrame) -> bytes:
    lists = [one.name for one in codebook.TABLES[name] if one.kind == "ints"]
    as_json = {key: frame[key].map(_list_text).astype(object) for key in lists}
    plain = frame.assign(**as_json)
    texts = plain.select_dtypes(["object", "string"]).columns
    plain[texts] = plain[texts].map(plain_cell)
    text: str = plain.to_csv(index=False, lineterminator="\n")
    return text.encode()


def _list_text(value: object) -> str | None:
    return json.dumps(value) if isinstance(value, list) else None


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    fields = [
        pa.field(one.name, _TYPES[one.kind], metadata={"meaning": one.meaning})
        for one in codebook.TABLES[name]
    ]
    content = pa.Table.from_pandas(frame, schema=pa.schema(fields), preserve_index=False)
    buffer = io.BytesIO()
    parquet.write_table(content, buffer)
    return buffer.getvalue()


def _records(name: str, frame: pd.DataFrame) -> bytes:
    columns = [one.name for one in codebook.TABLES[name]]
    buffer = io.BytesIO(b"[")
    buffer.seek(1)
    for place, row in enumerate(frame.itertuples(index=False, name=None)):
        # NaN, which JSON does not have, is the one value that is not itself; NA is neither.
        plain = [None if value is pd.NA or value != value else value for value in row]  # noqa: PLR0124
        text = json.dumps(dict(zip(columns, plain, strict=True)), allow_nan=False)
        buffer.write(f"{',' if place else ''}\n{text}".encode())
    buffer.write(b"\n]\n")
    return buffer.getvalue()


def _codebook_files(spec: StudySpec) -> dict[str, bytes]:
    asked = asked_rows(spec.asking)
    book = codebook.codebook()
    if asked:
        book["questions"]["asked"] = asked
    return {
        "codebook.json": _json(book),
        "codebook.md": (codebook.codebook_text() + asked_text(spec.asking)).encode(),
    }


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1, allow_nan=False)}\n".encode()


def _write_together(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files beside their places first, so that a full disk leaves none of them."""
    try:
        if not folder.is_dir():
            folder.mkdir(PRIVATE_FOLDER)
            folder.chmod(PRIVATE_FOLDER)  # a umask may take from its owner too
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=".exporting-"))
        try:
            for name, data in files.items():
                with os.fdopen(open_private(staging / name), "wb") as file:
                    file.write(data)
            for name in files:
                (staging / name).replace(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise WriteError(
            f"The tables could not be written to {folder} ({error.strerror or error}); choose a "
            "folder that can be made and has room."
        ) from error
    return [folder / name for name in files]


# -- what goes beside -------------------------------------------------------------


def _header(
    folded: FoldedStudy,
    tables: Mapping[str, pd.DataFrame],
    found: Verification,
    *,
    with_images: bool,
) -> dict[str, Any]:
    state = folded.state
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": folded.study,
        "name": state.spec.name,
        "status": state.status,
        "is_sealed": state.status == "closed",
        **({"is_self": True} if state.spec.is_self else {}),
        "created_utc": state.created_utc,
        "exported_utc": text_of_time(datetime.now(UTC)),
        "events": found.events,
        "head_hash": found.head_hash,
        "erased_people": state.erased,
        "people_by_origin": _origins(state),
        "faults": list(found.faults),
        "has_images": with_images,
        "rows": {name: len(frame) for name, frame in tables.items()},
        "glyphs": dict(state.glyphs),
        "versions": {
            "created_with": dict(state.versions),
            "answered_with": sorted(set(tables["answers"]["app"])),
            "exported_with": {
                "umnist": __version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
                "scipy": scipy.__version__,
                "pandas": pd.__version__,
            },
        },
    }


def _key_words(state: StudyState) -> str:
    """Return where the study's key is."""
    if not state.has_key:
        return "none, as this study was made before studies had keys"
    if state.status != "closed":
        return "given out when the study is closed"
    return "in log/attachments.jsonl, of event 1; `umnist study remake` makes the images of it"


def _origins(state: StudyState) -> dict[str, int]:
    """Return whose data there are: origin -> people, of all origins."""
    return {
        origin: sum(one.origin == origin for one in state.annotators.values()) for origin in ORIGINS
    }


def _texts(state: StudyState) -> dict[str, bytes]:
    """Return what people were told and asked, and all settings."""
    spec = state.spec
    versions = state.consents if len(state.consents) > 1 else ()
    debriefing = spec.asking.debriefing.strip()
    return {
        **{f"texts/consent_{one.version}.txt": one.text.encode() for one in versions},
        **({"texts/debriefing.txt": debriefing.encode()} if debriefing else {}),
        "settings.json": _json(spec.to_dict()),
        "texts/consent.txt": spec.consent_text.encode(),
        "texts/question.txt": spec.question.encode(),
        **{
            f"texts/instructions_{pool}.txt": spec.instructions_text(pool).encode()
            for pool in spec.pools
        },
    }


def _image_list(folded: FoldedStudy) -> dict[str, bytes]:
    practice = {image.id for image in folded.state.practice}
    rows = [
        {
            "file": name,
            "sha256": checksum,
            "use": "practice" if name.partition(".")[0] in practice else "study",
        }
        for name, checksum in image_checksums(folded.events[0]).items()
    ]
    return {"images.json": _json(rows)}


def _kind_words(spec: StudySpec) -> str:
    if not spec.has_truth:
        return "study for data, of images without truth,"
    return "study of oneself, without consent," if spec.is_self else "human-baseline study"


def _readme(folded: FoldedStudy, found: Verification, *, with_images: bool) -> str:
    state = folded.state
    sealed = "closed, and so complete" if state.status == "closed" else "not closed: answers follow"
    digits = "STAND-IN DIGITS, not MNIST" if state.glyphs["is_stand_in"] else state.glyphs["name"]
    sound = "sound" if not found.faults else f"{len(found.faults)} faults, listed in study.json"
    origins = [f"{number} {name}" for name, number in _origins(state).items() if number]
    where = "in log/images" if with_images else "not in this export"
    return f"""\
# {state.spec.name}

A {_kind_words(state.spec)} of umnist {__version__}, id {folded.study}. It is {sealed}.
Log: {found.events} events, {sound}; hash of the last {found.head_hash}.
People: {", ".join(origins) or "none"}. Rules of exclusion: {rules_words(state.spec)}.
Digits: {digits}. Images: {where}; their SHA-256 are in images.json. Key: {_key_words(state)}.

**This holds the truth of the images**: do not give it to people who are still to label them.

    python recompute.py

follows the log hash by hash, computes every figure anew from the tables and traces, and compares
with figures.json. It needs Python 3.11 with NumPy, SciPy and pandas, and no umnist.

    Rscript mixed_model.R

fits the crossed mixed model with lme4, and writes mixed_model.csv.

| what | where |
|---|---|
| tables, as CSV and Parquet | tables/ |
| every column, with unit and zero | codebook.md, codebook.json |
| the same by the Data Package standard 2.0 | datapackage.json |
| figures at the time of the export | figures.json |
| state, versions, last hash | study.json |
| settings | settings.json |
| consent, question, instructions | texts/ |
| events, traces, claims, truth | log/ |
| how figures are computed | recompute.py, scoring/, mixed_model.R (MIT licence, as umnist) |

`umnist study import` reads it back.
"""
