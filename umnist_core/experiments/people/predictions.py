"""Models' answers as tables have them, to be laid beside people's."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.parsing import parse_json
from umnist_core.paths import open_file, shown_name

PIXELS = "pixels_sha256"
PERSON = "seen_by"
"""Column with the person whose view of the image the model was given; empty for the whole."""

_SAID = ("said_sum", "digit_sum")
LARGEST_BYTES = 256 << 20


@dataclass(frozen=True)
class FoundPlace:
    """A digit that a model says is there: class, box as row0, col0, row1, col1, score."""

    label: int
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered to one image.

    Attributes
    ----------
    image
        As the table calls it.
    pixels
        Hash of the image, by which it is paired.
    said
        The sum; None without an answer, which counts as wrong.
    margin
        How much likelier its answer was than the next, 0 to 1; None where it is not told.
    found
        The digits that it says are there; None of models that name none.
    seen_by
        Id of the person whose view of the image it was given; empty for the whole image.
    similarity, correlation
        Of its attention with people's gaze; None where one is missing.
    """

    image: str
    pixels: str
    said: int | None
    margin: float | None = None
    found: tuple[FoundPlace, ...] | None = None
    seen_by: str = ""
    similarity: float | None = None
    correlation: float | None = None


@dataclass(frozen=True)
class ModelAnswers:
    """What one model answered.

    Attributes
    ----------
    name
        Of the model.
    answers
        Whose images can be paired.
    without_pixels
        Rows of the table that have no hash of px, such as of files that could not be opened.
    """

    name: str
    answers: tuple[ModelAnswer, ...]
    without_pixels: int = 0


def read_predictions(path: Path, name: str | None = None) -> ModelAnswers:
    """Read a table of predictions.

    Parameters
    ----------
    path
        CSV of `umnist people predict`, `umnist predict --out` or `umnist evaluate --answers`.
    name
        Of the model; by default what the column ``model`` says, else the name of the file.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    DamagedFileError
        If it is no such table, or has no hashes of pixels to pair images by.
    """
    try:
        with open_file(path) as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise MissingFileError(
            f"Expected predictions at {path}, found none that can be read "
            f"({error.strerror or error}); check the name."
        ) from error
    if len(data) > LARGEST_BYTES:
        raise DamagedFileError(
            f"Expected a table of at most {LARGEST_BYTES >> 20} MiB at {path}, found a larger one; "
            "write one table a study."
        )
    return predictions_of(data, path.name, shown_name(name or ""), shown_name(path.stem))


def predictions_of(data: bytes, where: str, name: str = "", fallback: str = "") -> ModelAnswers:
    """Read the content of a table of predictions; `read_predictions` explains it.

    Parameters
    ----------
    data
        CSV in UTF-8.
    where
        What to call it in a sentence.
    name, fallback
        Name of the model, and the one where neither this nor the table has any.

    Raises
    ------
    DamagedFileError
        As `read_predictions`.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        columns = list(reader.fieldnames or ())
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFileError(
            f"Expected a table of predictions as CSV in {where}, found something else ({error}); "
            "write it with `umnist people predict`."
        ) from error
    said = next((column for column in _SAID if column in columns), None)
    for column, missing in (("said_sum", said is None), (PIXELS, PIXELS not in columns)):
        if missing:
            raise DamagedFileError(
                f"Expected a column {column} in {where}, found {', '.join(columns)[:120] or 'none'}"
                "; write the table with `umnist people predict` or `umnist predict FOLDER --out`."
            )
    answers = [
        _answer(row, said or "", f"{where}, line {line}")
        for line, row in enumerate(rows, 2)
        if row.get(PIXELS)
    ]
    if not answers:
        raise DamagedFileError(f"Expected predictions in {where}, found no row; write it anew.")
    told = next((row["model"] for row in rows if row.get("model")), "")
    return ModelAnswers(name or told or fallback, tuple(answers), len(rows) - len(answers))


def _answer(row: Mapping[str, Any], said: str, where: str) -> ModelAnswer:
    try:
        return ModelAnswer(
            image=row.get("id") or row[PIXELS],
            pixels=row[PIXELS].strip().lower(),
            # "12.0" is what a table of floats writes.
            said=None if not row[said] else int(row[said].strip().removesuffix(".0")),
            margin=_number(row.get("margin_sum")),
            found=_found(row.get("found")),
            seen_by=row.get(PERSON) or "",
            similarity=_number(row.get("gaze_similarity")),
            correlation=_number(row.get("gaze_correlation")),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DamagedFileError(
            f"Expected sums, numbers and found digits in {where}, found something else "
            f"({str(error)[:80]}); write the table anew."
        ) from error


def _number(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _found(text: str | None) -> tuple[FoundPlace, ...] | None:
    if not text:
        return None
    return tuple(
        FoundPlace(int(label), (float(row0), float(col0), float(row1), float(col1)), float(score))
        for label, row0, col0, row1, col1, score in parse_json(text)
    )


def found_text(found: tuple[FoundPlace, ...]) -> str:
    """Return found digits as a cell of a table, as `umnist predict` writes them."""
    return json.dumps([[one.label, *one.box, one.score] for one in found])
