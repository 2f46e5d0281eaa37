"""Results that somebody brings: a scored submission, or one of others, kept as a row.

Each is a small JSON file in ``results`` of the user's data folder; a sweep of others is a folder
below ``results/sweeps``, with the files of `umnist_core.experiments.sweeps.results`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    MissingFileError,
    TooLargeError,
    WriteError,
)
from umnist_core.experiments.published.tables import get_table
from umnist_core.experiments.sweeps.results import CELLS, SWEEP_FILE, iter_results
from umnist_core.experiments.sweeps.states import find_plan
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json
from umnist_core.paths import check_file, read_file, shown_name
from umnist_core.scoring import wilson
from umnist_core.settings import load_settings

FORMAT = 1
MAX_BYTES = 16 * 2**20

SUMS = "ultramnist-accuracy"
"""Table that scored submissions stand in."""


@dataclass(frozen=True)
class ResultEntry:
    """A row that was brought.

    Attributes
    ----------
    name
        Of the method.
    table, column
        Where it stands.
    right, of
        Images.
    by
        Whose it is; empty for what was scored on this machine.
    date_utc, hardware, command
        When and where it was scored, and how to do it again.
    data, breakdown, missed
        As `umnist_core.experiments.published.submissions.SubmissionScore`.
    """

    name: str
    table: str
    column: str
    right: int
    of: int
    by: str = ""
    date_utc: str = ""
    hardware: str = ""
    command: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    breakdown: Mapping[str, Any] = field(default_factory=dict)
    missed: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no result; the message names the field."""
        texts = (self.name, self.table, self.column, self.by, self.date_utc, self.hardware)
        if not all(isinstance(one, str) for one in (*texts, self.command)) or not self.name.strip():
            raise ValueError("its name and places are texts, and the name is not empty")
        if any(len(one.splitlines()) > 1 for one in (self.name, self.by)):
            raise ValueError("its names have one line")
        if type(self.right) is not int or type(self.of) is not int:
            raise ValueError("right and of are whole numbers")
        if not 0 <= self.right <= self.of or not self.of:
            raise ValueError(f"{self.right} of {self.of} right")
        get_table(self.table).get_column(self.column)
        if not all(isinstance(one, Mapping) for one in (self.data, self.breakdown, *self.missed)):
            raise ValueError("data, breakdown and each of missed have names")
        # Neither NaN nor half a letter is anything that a page or a table could show.
        json.dumps(asdict(self), allow_nan=False, ensure_ascii=False).encode()

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON, with its share and interval."""
        found = wilson(self.right, self.of)
        ends = {"accuracy": found.estimate, "low": found.low, "high": found.high}
        return {"umnist_result": FORMAT, **asdict(self), "missed": list(self.missed), **ends}


def entries_folder() -> Path:
    """Return where rows are kept; it need not exist."""
    return load_settings().data_dir / "results"


def plain_name(text: str) -> str:
    """Return a name in one line, with backslashes for what of it is no text."""
    return " ".join(shown_name(text).split())


def _file_name(name: str, by: str) -> str:
    """Return a name for a file that no other row has, in whatever letters they are written."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{name} {by}".lower()).strip("-")[:60].strip("-")
    checksum = hashlib.sha256(f"{name}\0{by}".encode()).hexdigest()[:8]
    return f"{slug or 'result'}-{checksum}"


def add_entry(entry: ResultEntry, *, instead: bool = False) -> Path:
    """Keep a row, and return its file.

    Parameters
    ----------
    instead
        Whether one of the same name may be replaced.

    Raises
    ------
    ConflictError
        If there is one of that name.
    WriteError
        If it cannot be written.
    """
    path = entries_folder() / f"{_file_name(entry.name, entry.by)}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(path.parent, error) from error
    if path.exists() and not instead:
        raise ConflictError(
            f"Expected a new name, found a row called {entry.name!r} in {path}; choose another "
            "with --name, or add --replace."
        )
    text = json.dumps(entry.to_dict(), indent=1, allow_nan=False)
    write_whole(path, (text + "\n").encode())
    return path


def _unwritten(place: Path, error: OSError) -> WriteError:
    return WriteError(
        f"{place} could not be written ({error.strerror or error}); what was there is unchanged. "
        "See to its folder and to room on the disk."
    )


def remove_entry(path: Path) -> None:
    """Take a row away, for whoever added it by mistake; one that is gone is no error."""
    path.unlink(missing_ok=True)


def iter_entries() -> Iterator[ResultEntry]:
    """Yield the rows that are kept, by the names of their files.

    Raises
    ------
    DamagedFileError
        If a file is none.
    """
    for path in sorted(entries_folder().glob("[!.]*.json")):
        yield read_entry(path)


def read_entry(path: Path) -> ResultEntry:
    """Return the row in a file.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError
        If there is no such file, or it is no row.
    """
    try:
        if check_file(path).st_size > MAX_BYTES:
            raise TooLargeError(
                f"Expected a result of at most {MAX_BYTES // 2**20} MiB, found more in {path}; "
                "choose a file that `umnist score --out` wrote."
            )
        found = dict(parse_json(read_file(path)))
        number = found.pop("umnist_result")
        if number != FORMAT:
            raise ValueError(f"format {number!r:.20}")
        known = {name: found[name] for name in ResultEntry.__dataclass_fields__ if name in found}
        return ResultEntry(**{**known, "missed": tuple(known.get("missed", ()))})
    except OSError as error:
        if isinstance(error, TooLargeError | MissingFileError):
            raise
        raise MissingFileError(
            f"Expected a result at {path}, found {error.strerror or error}; check the path."
        ) from error
    except (ValueError, KeyError, TypeError, LookupError) as error:
        if isinstance(error, TooLargeError):
            raise
        raise DamagedFileError(
            f"{path}: expected a result as `umnist score --out` writes it, found something else "
            f"({str(error)[:80]}); get the file again."
        ) from error


# -- of others ------------------------------------------------------------------------


def import_result(path: Path, by: str, *, instead: bool = False) -> Path:
    """Keep a result of others: a file of `umnist score --out`, or the folder of a sweep.

    Parameters
    ----------
    by
        Whose it is.
    instead
        As for `add_entry`.

    Returns
    -------
    Path
        Where it is kept.

    Raises
    ------
    UmnistError
        If it is no result, or there is one of that name.
    """
    by = plain_name(by)
    if path.is_dir():
        return _import_sweep(path, by, instead=instead)
    return add_entry(replace(read_entry(path), by=by), instead=instead)


def _import_sweep(folder: Path, by: str, *, instead: bool) -> Path:
    plan = find_plan(folder)
    if plan is None:
        raise MissingFileError(
            f"Expected a result file or the folder of a sweep, found no plan in {folder}; name "
            "the folder that `umnist sweep` wrote."
        )
    names = [one.name for one in iter_results(folder)]  # all of them are read before any is kept
    name = _file_name(plain_name(folder.resolve().name), by)
    place = entries_folder() / "sweeps" / name
    if place.exists() and not instead:
        raise ConflictError(
            f"Expected a new sweep, found one of that name in {place}; add --replace."
        )
    new, old = (place.with_name(f".{name}.{word}") for word in ("new", "old"))
    try:
        for one in (new, old):
            shutil.rmtree(one, ignore_errors=True)
        _copy_sweep(folder, new, names, {**plan, "by": by})
        if place.exists():
            place.rename(old)
        new.rename(place)
    except OSError as error:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, WriteError):
            raise
        raise _unwritten(place, error) from error
    shutil.rmtree(old, ignore_errors=True)
    return place


def _copy_sweep(folder: Path, place: Path, names: list[str], plan: Mapping[str, Any]) -> None:
    (place / CELLS).mkdir(parents=True)
    for name in names:
        shutil.copyfile(folder / CELLS / f"{name}.json", place / CELLS / f"{name}.json")
    text = json.dumps(plan, separators=(",", ":")) + "\n"
    write_whole(place / "plan.json", text.encode())
    if (folder / SWEEP_FILE).is_file():
        shutil.copyfile(folder / SWEEP_FILE, place / SWEEP_FILE)


def imported_sweeps() -> list[Path]:
    """Return the folders of sweeps of others."""
    return sorted(one for one in (entries_folder() / "sweeps").glob("[!.]*") if one.is_dir())
