"""Scores of submissions in Kaggle's form: a sum for each image, against a folder's own truth.

Kaggle's file has the columns ``id`` and ``digit_sum``, a row for each image of one split. Which
sums are right is known of folders that `umnist generate` wrote, test images included, and of
whatever has labels.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from umnist_core.datasets.reader import DatasetReader
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError, TooLargeError
from umnist_core.paths import check_file, read_file, shown_name
from umnist_core.scenes import Scene
from umnist_core.scoring import wilson
from umnist_core.scoring.breakdown import SMALLEST_SIDE_EDGES_PX

COLUMNS = ("id", "digit_sum")

MAX_BYTES = 64 * 2**20
"""Of a submission; Kaggle's own of 28,000 images has half a megabyte."""

_MAX_SUM = 10**6

Row = dict[str, Any]


@dataclass(frozen=True)
class SubmissionScore:
    """What a submission reaches.

    Attributes
    ----------
    right, of
        Images.
    accuracy, low, high
        0 to 1, with Wilson's 95 % interval.
    breakdown
        Quantity -> rows of ``from`` and ``below`` (None: no end) or of ``value``, with ``images``,
        ``right``, ``accuracy``, ``low`` and ``high``; none where no scenes are known.
    missed
        Rows of ``id``, ``said`` and ``true``.
    data
        What the images are: folder, split, preset, seed, parameters and digits as far as known.
    sha256
        Of the file.
    """

    right: int
    of: int
    accuracy: float
    low: float
    high: float
    breakdown: Mapping[str, tuple[Row, ...]]
    missed: tuple[Row, ...]
    data: Mapping[str, Any]
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {
            **{name: getattr(self, name) for name in ("right", "of", "accuracy", "low", "high")},
            "breakdown": {name: list(rows) for name, rows in self.breakdown.items()},
            "missed": list(self.missed),
            "data": dict(self.data),
            "submission_sha256": self.sha256,
        }


def read_submission(path: Path) -> tuple[dict[str, int], str]:
    """Return the answers of a file, by id, and its SHA-256.

    Raises
    ------
    MissingFileError, TooLargeError
        If it cannot be read or is larger than a submission can be.
    DamagedFileError
        If it is no submission; the message says which line.
    """
    try:
        size = check_file(path).st_size
        data = b"" if size > MAX_BYTES else read_file(path)
    except OSError as error:
        raise MissingFileError(
            f"Expected a submission at {path}, found {error.strerror or error}; check the path."
        ) from error
    if size > MAX_BYTES:
        raise TooLargeError(
            f"Expected a submission of at most {MAX_BYTES // 2**20} MiB, found {size // 2**20} MiB "
            f"in {path}; choose the file with the columns id and digit_sum."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DamagedFileError(
            f"Expected a CSV file in UTF-8 at {path}, found other bytes; save it anew as CSV."
        ) from error
    return _answers(path, text), hashlib.sha256(data).hexdigest()


def _answers(path: Path, text: str) -> dict[str, int]:
    lines = csv.reader(io.StringIO(text, newline=""))
    found: dict[str, int] = {}
    try:
        head = tuple(cell.strip() for cell in next(lines, ()))
        if head != COLUMNS:
            raise _damaged(path, f"the columns id,digit_sum, found {','.join(head)[:60]!r}")
        for cells in filter(None, lines):
            name, answer = _answer(path, lines.line_num, cells)
            if name in found:
                raise _damaged(path, f"each id once, found {name[:40]!r} again", lines.line_num)
            found[name] = answer
    except csv.Error as error:
        raise _damaged(path, f"CSV, found something else ({error})", lines.line_num) from error
    if not found:
        raise _damaged(path, "a row for each image, found none")
    return found


def _answer(path: Path, line: int, cells: list[str]) -> tuple[str, int]:
    if len(cells) != len(COLUMNS) or not cells[0].strip():
        raise _damaged(path, f"an id and a sum, found {','.join(cells)[:60]!r}", line)
    text = cells[1].strip()
    # "12.0" is what a table of floats writes.
    whole = text.removesuffix(".0")
    if not (whole.isascii() and whole.isdigit()) or int(whole[:9]) > _MAX_SUM or len(whole) > 9:
        raise _damaged(path, f"a sum of digits, a whole number, found {text[:40]!r}", line)
    return cells[0].strip(), int(whole)


def _damaged(path: Path, expected: str, line: int = 1) -> DamagedFileError:
    return DamagedFileError(f"{path}, line {line}: expected {expected}; correct the file.")


# -- scoring --------------------------------------------------------------------------


def score_submission(
    path: Path, reader: DatasetReader, split: str | None = None
) -> SubmissionScore:
    """Compare a submission with what a data set says.

    Parameters
    ----------
    path
        Of the file.
    reader
        The data set.
    split
        Whose images were answered for; that whose ids the file has when None.

    Raises
    ------
    UmnistError
        If the file is no submission, or has not an answer for each image of the split.
    """
    answers, checksum = read_submission(path)
    split, images = _images(path, answers, reader, split)
    rows = []
    for name, image_id in images.items():
        true = reader.digit_sum(image_id)
        if true is None:
            raise InvalidValueError(
                f"Expected images whose sum of digits is known, found that nothing says it of "
                f"{image_id} in {reader.root}; name a folder that `umnist generate` wrote."
            )
        scene = reader.truth(image_id)
        rows.append({"id": name, "said": answers[name], "true": true, **_likeness(scene)})
    whole = _share(rows)
    return SubmissionScore(
        **{name: whole[name] for name in ("right", "accuracy", "low", "high")},
        of=whole["images"],
        breakdown={name: found for name, found in _breakdown(rows) if len(found) > 1},
        missed=tuple(
            {name: row[name] for name in ("id", "said", "true")}
            for row in rows
            if row["said"] != row["true"]
        ),
        data=_describe(reader, split, rows),
        sha256=checksum,
    )


def _images(
    path: Path, answers: Mapping[str, int], reader: DatasetReader, split: str | None
) -> tuple[str | None, dict[str, str]]:
    """Return the split that is answered for, and its images by the names a submission has."""
    found: dict[str | None, dict[str, str]] = {}
    for image_id in reader.ids:
        identity = reader.get_identity(image_id)
        found.setdefault(identity.split, {})[identity.stem] = image_id
    if split is not None:
        chosen: str | None = split
    else:
        chosen = max(found, key=lambda one: len(found[one].keys() & answers.keys()), default=None)
    images = found.get(chosen, {})
    if not images:
        known = ", ".join(str(one) for one in found if one) or "none"
        raise InvalidValueError(
            f"Expected images of the split {split} in {reader.root}, found none (its splits: "
            f"{known}); name another split or folder."
        )
    where = f"{reader.root.name}{f' ({chosen})' if chosen else ''}"
    if unknown := [name for name in answers if name not in images]:
        raise InvalidValueError(
            f"Expected ids of the {len(images):,} images of {where}, such as "
            f"{next(iter(images))[:40]!r}, found {len(unknown):,} others in {path}, the first "
            f"{unknown[0][:40]!r}; write them so, or name the folder that it was made for."
        )
    if missing := [name for name in images if name not in answers]:
        raise InvalidValueError(
            f"Expected an answer for each of the {len(images):,} images of {where}, found "
            f"{len(missing):,} without one in {path}, the first {missing[0][:40]!r}; add them."
        )
    return chosen, images


def _likeness(scene: Scene | None) -> Row:
    if scene is None:
        return {"smallest_side_px": None, "digits": None, "cells": None, "shapes": None}
    board = scene.checkerboard
    return {
        "smallest_side_px": min((one.side_px for one in scene.digits), default=None),
        "digits": len(scene.digits),
        "cells": 0 if board is None else board.size,
        "shapes": len(scene.shapes),
    }


def _breakdown(rows: list[Row]) -> Iterator[tuple[str, tuple[Row, ...]]]:
    def within(low: float, high: float) -> Callable[[Row], bool]:
        def holds(row: Row) -> bool:
            side = row["smallest_side_px"]
            return side is not None and low <= side < high

        return holds

    yield (
        "smallest_side_px",
        tuple(
            {"from": low, "below": None if high == float("inf") else high, **_share(own)}
            for low, high in pairwise(SMALLEST_SIDE_EDGES_PX)
            if (own := list(filter(within(low, high), rows)))
        ),
    )
    for name in ("digits", "cells", "shapes", "true"):
        values = sorted({row[name] for row in rows if row[name] is not None})
        yield (
            name,
            tuple(
                {"value": one, **_share([row for row in rows if row[name] == one])}
                for one in values
            ),
        )


def _share(rows: Iterable[Row]) -> Row:
    marks = [row["said"] == row["true"] for row in rows]
    found = wilson(sum(marks), len(marks))
    ends = {"accuracy": found.estimate, "low": found.low, "high": found.high}
    return {"images": len(marks), "right": sum(marks), **ends}


def _describe(reader: DatasetReader, split: str | None, rows: list[Row]) -> dict[str, Any]:
    data: dict[str, Any] = {"folder": shown_name(reader.root.resolve().name), "split": split}
    told = "\n".join(f"{row['id']},{row['true']}" for row in rows)
    data["truth_sha256"] = hashlib.sha256(told.encode()).hexdigest()
    manifest = reader.manifest
    if manifest is not None:
        record = manifest.splits.get(split or "")
        data |= {"preset": manifest.preset, "seed": manifest.seed}
        data |= {"parameters": dict(manifest.parameters)}
        data |= {"command": record.command, "stand_in": record.stand_in} if record else {}
    return data
