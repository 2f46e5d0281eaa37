"""The comma-separated form of `model-vs-human`, read and written.

One trial a line: ``subj,Session,trial,rt,object_response,category,condition,imagename``. Times are
in seconds, ``NaN`` where there is none, and an answer that was not given is ``na``. In their files
a name of an image may begin with number, subject and condition of the trial; what tells the image
is behind the last underscore, or the two last parts where the first begins with ``n0``.

Geirhos et al., "Partial success in closing the gap between human and machine vision", NeurIPS
2021, arXiv 2106.07411. Our images are named by the hash of their pixels, so that whoever has them
pairs them, and categories are sums.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.experiments.people.data import ImageFacts, PeopleData
from umnist_core.experiments.people.predictions import ModelAnswers
from umnist_core.paths import open_file
from umnist_core.scoring.agreement import Marks
from umnist_core.scoring.breakdown import SMALLEST_SIDE_EDGES_PX
from umnist_core.spreadsheets import csv_text

COLUMNS = (
    "subj",
    "Session",
    "trial",
    "rt",
    "object_response",
    "category",
    "condition",
    "imagename",
)
NO_ANSWER = "na"
PERSON_PREFIX = "subject-"
"""People's names begin so, there and here; all others are models."""

CONDITIONS = ("smallest_side_px", "n_digits", "pool", "none")
"""What a trial's condition may say of it."""

LARGEST_BYTES = 256 << 20
_NAME_BYTES = 100
"""Of a part of a file's name, which has 255 in all."""


@dataclass(frozen=True)
class Trial:
    """One answer.

    Attributes
    ----------
    subject
        Who answered; people's names begin with `PERSON_PREFIX`.
    session, trial
        Numbers, 1 for the first.
    seconds
        To the answer; None where it was not measured.
    response
        As text; None where none was given.
    category
        The right one, as text.
    condition
        As text.
    image
        Name of its file.
    """

    subject: str
    session: int
    trial: int
    seconds: float | None
    response: str | None
    category: str
    condition: str
    image: str

    @property
    def is_person(self) -> bool:
        """Whether a person answered."""
        return self.subject.startswith(PERSON_PREFIX)

    @property
    def is_right(self) -> bool:
        """Whether the answer is the right category."""
        return self.response == self.category

    @property
    def image_id(self) -> str:
        """The part of the image's name that is the same for everybody."""
        parts = self.image.split("_")
        if len(parts) > 1 and parts[-2].startswith("n0"):
            return "_".join(parts[-2:])
        return parts[-1]


# -- writing --------------------------------------------------------------------------


def trials_of_people(people: PeopleData, condition: str = CONDITIONS[0]) -> list[Trial]:
    """Return people's answers as trials.

    Parameters
    ----------
    people
        Of a study, all of whose images have a hash of pixels.
    condition
        One of `CONDITIONS`.

    Raises
    ------
    InvalidValueError
        If an image has no hash, or there is no such condition.
    """
    _check_condition(condition)
    numbers: dict[str, int] = {}
    found = []
    for row in people.answers.to_dict("records"):
        person = str(row["annotator"])
        numbers[person] = numbers.get(person, 0) + 1
        image = people.images[str(row["stimulus"])]
        time = row.get("response_ms")
        time_ms = float(time) if isinstance(time, int | float) else math.nan
        found.append(
            Trial(
                PERSON_PREFIX + person,
                1,
                int(row.get("position") or numbers[person]),
                time_ms / 1000 if math.isfinite(time_ms) else None,
                str(int(row["answer"])),
                str(image.truth),
                _condition_of(condition, image, str(row["pool"])),
                _file_name(image),
            )
        )
    return found


def trials_of_models(
    models: Iterable[ModelAnswers], people: PeopleData, condition: str = CONDITIONS[0]
) -> list[Trial]:
    """Return models' answers to the whole images of a study as trials.

    Parameters
    ----------
    models
        No name may begin with `PERSON_PREFIX`.
    people, condition
        As of `trials_of_people`.

    Raises
    ------
    InvalidValueError
        If there is no such condition, or a model has the name of a person.
    """
    _check_condition(condition)
    by_pixels = {one.pixels: one for one in people.images.values() if one.pixels is not None}
    found = []
    for model in models:
        if model.name.startswith(PERSON_PREFIX):
            raise InvalidValueError(
                f"Expected a model's name that does not begin with {PERSON_PREFIX}, found "
                f"{model.name[:60]!r}; name its predictions with NAME=FILE."
            )
        own = [one for one in model.answers if one.pixels in by_pixels and not one.seen_by]
        for number, one in enumerate(own, 1):
            image = by_pixels[one.pixels]
            said = None if one.said is None else str(one.said)
            where = _condition_of(condition, image, "none")
            name = _file_name(image)
            found.append(Trial(model.name, 1, number, None, said, str(image.truth), where, name))
    return found


def _check_condition(condition: str) -> None:
    if condition not in CONDITIONS:
        raise InvalidValueError(
            f"Expected one of {', '.join(CONDITIONS)} as condition, found {condition[:40]!r}; "
            "choose one."
        )


def _condition_of(condition: str, image: ImageFacts, pool: str) -> str:
    if condition == "pool":
        return pool
    value = image.figures.get(condition)
    if condition == "none" or value is None:
        return "0"
    if condition == "n_digits":
        return str(int(value))
    return str(int(max(edge for edge in SMALLEST_SIDE_EDGES_PX if edge <= value)))


def _file_name(image: ImageFacts) -> str:
    if image.pixels is None:
        raise InvalidValueError(
            f"Expected the hash of the pixels of image {image.id}, found none; export the study "
            "again with --with-images."
        )
    return f"{image.pixels}.png"


def trials_text(trials: Iterable[Trial]) -> str:
    """Return trials as CSV."""
    return csv_text(COLUMNS, (dict(zip(COLUMNS, _cells(one), strict=True)) for one in trials))


def _cells(one: Trial) -> tuple[object, ...]:
    return (
        one.subject,
        one.session,
        one.trial,
        "NaN" if one.seconds is None else repr(one.seconds),
        NO_ANSWER if one.response is None else one.response,
        one.category,
        one.condition,
        one.image,
    )


def trial_files(trials: Sequence[Trial], data_set: str) -> dict[str, str]:
    """Return a file for each subject and session, named as `model-vs-human` names them.

    Parameters
    ----------
    trials
        Of people and models.
    data_set
        First part of the names.
    """
    parts: dict[tuple[str, int], list[Trial]] = {}
    for one in trials:
        parts.setdefault((one.subject, one.session), []).append(one)
    files: dict[str, str] = {}
    for (subject, session), own in parts.items():
        plain = _plain(subject)
        # Letters that no file's name may have are left out, so two subjects may come to one name.
        names = (plain, *(f"{plain}-{number}" for number in range(2, len(parts) + 1)))
        files[_free_name(_plain(data_set), names, session, files)] = trials_text(own)
    return files


def _free_name(data_set: str, names: Iterable[str], session: int, taken: Iterable[str]) -> str:
    folded = {name.casefold() for name in taken}
    found = (f"{data_set}_{name}_session_{session}.csv" for name in names)
    return next(one for one in found if one.casefold() not in folded)


def _plain(name: str) -> str:
    """Return a name for files; there, an underscore parts names."""
    kept = (letter if letter.isalnum() or letter in "-." else "-" for letter in name)
    cut = "".join(kept).strip(".").encode()[:_NAME_BYTES]
    return cut.decode(errors="ignore") or "none"


# -- reading --------------------------------------------------------------------------


def read_trials(path: Path) -> list[Trial]:
    """Read trials.

    Parameters
    ----------
    path
        A file, or a folder all of whose CSV files are read.

    Raises
    ------
    MissingFileError
        If there is none.
    DamagedFileError
        If one is of another form.
    """
    paths = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    found = [trial for one in paths for trial in _read_file(one)]
    if not found:
        raise MissingFileError(
            f"Expected trials at {path}, found none; name a CSV file or a folder of such."
        )
    return found


def _read_file(path: Path) -> Iterator[Trial]:
    try:
        with open_file(path) as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise DamagedFileError(
                f"Expected trials of at most {LARGEST_BYTES >> 20} MiB in {path.name}, found more; "
                "write a file for each subject and session."
            )
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        # Both spellings of Session occur in their files.
        columns = {name.strip().lower(): name for name in reader.fieldnames or ()}
        rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise MissingFileError(
            f"Expected trials at {path}, found none that can be read "
            f"({error.strerror or error}); check the name."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFileError(
            f"Expected trials as CSV in {path.name}, found something else ({error}); export them "
            "again."
        ) from error
    missing = [name for name in COLUMNS if name.lower() not in columns]
    if missing:
        raise DamagedFileError(
            f"Expected the columns {','.join(COLUMNS)} in {path.name}, found no {missing[0]}; "
            "write the file as model-vs-human does."
        )
    for line, row in rows:
        yield _trial({name: row[columns[name.lower()]] for name in COLUMNS}, path.name, line)


def _trial(row: dict[str, str], where: str, line: int) -> Trial:
    try:
        if None in row.values():
            raise ValueError("fewer cells than columns")
        seconds = float(row["rt"])
        return Trial(
            row["subj"].strip(),
            int(row["Session"]),
            int(row["trial"]),
            seconds if math.isfinite(seconds) else None,
            None if row["object_response"] in (NO_ANSWER, "") else row["object_response"],
            row["category"],
            row["condition"],
            row["imagename"],
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedFileError(
            f"Expected numbers for Session, trial and rt in {where}, line {line}, found something "
            f"else ({str(error)[:60]}); mend that line."
        ) from error


def marks_of_trials(trials: Sequence[Trial]) -> Marks:
    """Return who got which image right, images told by `Trial.image_id` and condition.

    The same picture under two conditions is two images.
    """
    models = dict.fromkeys(one.subject for one in trials if not one.is_person)
    return Marks.of_rows(
        [one.subject for one in trials],
        [f"{one.condition}/{one.image_id}" for one in trials],
        [one.is_right for one in trials],
        list(models),
    )
