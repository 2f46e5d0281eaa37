"""People's answers out of an exported study, to be laid beside models', without any store.

The zip file or the folder of tables that `umnist study export` wrote is enough. Only tables and,
where they are needed, the frozen images are read.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from umnist_core.errors import DamagedFileError, MissingFileError, TooLargeError
from umnist_core.experiments.people.data import PeopleData, people_of_tables
from umnist_core.labeling.codebook import TABLES
from umnist_core.labeling.columns import Column
from umnist_core.labeling.export import HEADER, KINDS, LOG
from umnist_core.labeling.importing import open_export
from umnist_core.labeling.zip_checks import GivenZip, said_as_damage
from umnist_core.paths import open_file
from umnist_core.pyramid.files import file_source
from umnist_core.pyramid.pixel_hash import find_pixel_hash

USED = ("answers", "digits", "stimuli", "traces")

LARGEST_TABLE = 2 << 30


def read_export(source: Path) -> PeopleData:
    """Read people's answers from an exported study.

    Images whose hash of pixels is not in the table, as in studies made before it was recorded, get
    that of the frozen image, where the export has it.

    Parameters
    ----------
    source
        A zip of `umnist study export`, or a folder of its tables in any format.

    Raises
    ------
    MissingFileError
        If there is no such file, or a table is missing.
    DamagedFileError, TooLargeError
        If it is not an exported study, or not whole.
    InvalidValueError
        As of `people_of_tables`.
    """
    if source.is_dir():
        tables = {name: _read_table(source, name) for name in USED}
        name = _study_name(tables["answers"]) or source.name
        return _people(tables, name)
    with said_as_damage(source), open_export(source) as archive:
        tables = {name: _table_of(archive, name) for name in USED}
        header = archive.read_json(HEADER)
        pixels = dict(_hashes(archive, tables["stimuli"]))
        return _people(tables, str(header["name"]), pixels)


def _people(
    tables: Mapping[str, pd.DataFrame], name: str, pixels: Mapping[str, str] | None = None
) -> PeopleData:
    answers, digits, stimuli, traces = (tables[one] for one in USED)
    return people_of_tables(answers, digits, stimuli, traces, name, pixels=pixels)


@contextmanager
def unpacked_images(source: Path, names: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """Give the frozen images of an export as files that go when the block ends.

    Parameters
    ----------
    source
        A zip of `umnist study export --with-images`.
    names
        Image -> name of its file, as in the table of stimuli.

    Yields
    ------
    dict
        Image -> its file, of those that the export has.

    Raises
    ------
    MissingFileError
        If the export has none of them, or is a folder of tables.
    """
    if source.is_dir():
        raise _no_images(source)
    with TemporaryDirectory(prefix="umnist-") as folder:
        with said_as_damage(source), open_export(source) as archive:
            found = {
                image: path
                for image, name in names.items()
                if (path := _unpack(archive, name, Path(folder))) is not None
            }
        if not found:
            raise _no_images(source)
        yield found


def image_files(source: Path) -> dict[str, str]:
    """Return the name of each image's file; errors as of `read_export`."""
    if source.is_dir():
        table = _read_table(source, "stimuli")
    else:
        with said_as_damage(source), open_export(source) as archive:
            table = _table_of(archive, "stimuli")
    return {str(key): str(name) for key, name in zip(table["stimulus"], table["file"], strict=True)}


def _no_images(source: Path) -> MissingFileError:
    return MissingFileError(
        f"Expected the study's images in {source}, found none; export it with "
        "`umnist study export STUDY --with-images`."
    )


# -- zip ------------------------------------------------------------------------------


def _table_of(archive: GivenZip, name: str) -> pd.DataFrame:
    entry = f"tables/{name}.parquet"
    if archive.getinfo(entry).file_size > LARGEST_TABLE:
        raise TooLargeError(
            f"Expected a table of at most {LARGEST_TABLE >> 30} GiB, found that {entry} is larger; "
            "it was not made by umnist."
        )
    return _parquet(io.BytesIO(archive.read(entry)))


def _hashes(archive: GivenZip, stimuli: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield the hashes of images of which the table has none, if their files are there."""
    known = stimuli.get("pixels_sha256", pd.Series([None] * len(stimuli)))
    rows = zip(stimuli["stimulus"], stimuli["file"], known, strict=True)
    without = [(image, name) for image, name, given in rows if not given]
    with TemporaryDirectory(prefix="umnist-") as folder:
        for image, name in without:
            path = _unpack(archive, str(name), Path(folder))
            if path is None:
                return
            found = find_pixel_hash(file_source(path, frozen=True))
            path.unlink()
            if found is not None:
                yield str(image), found


def _unpack(archive: GivenZip, name: str, folder: Path) -> Path | None:
    """Write an image of the export into a folder; None if it is not there."""
    entry = f"{LOG}images/{name}"
    if name != PurePosixPath(name).name or entry not in archive.namelist():
        return None
    path = folder / name
    path.write_bytes(archive.read(entry))
    return path


# -- folders --------------------------------------------------------------------------


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    for kind in KINDS:
        path = folder / f"{name}.{kind}"
        if path.exists():
            return _read_as(path, kind, TABLES[name])
    raise MissingFileError(
        f"Expected {name}.csv, .parquet or .json in {folder}, found none; write the tables with "
        "`umnist study export STUDY FOLDER --format csv`."
    )


def _read_as(path: Path, kind: str, columns: tuple[Column, ...]) -> pd.DataFrame:
    readers: Mapping[str, Callable[[Any], pd.DataFrame]] = {
        "parquet": _parquet,
        "csv": lambda file: _typed(pd.read_csv(file, dtype=str, keep_default_na=False), columns),
        "json": lambda file: _typed(pd.DataFrame(json.load(file)), columns),
    }
    try:
        with open_file(path) as file:
            return readers[kind](file)
    except OSError as error:
        raise MissingFileError(
            f"Expected a table at {path}, found none that can be read "
            f"({error.strerror or error}); check its permissions."
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedFileError(
            f"Expected the table of a study at {path}, found something else "
            f"({str(error).splitlines()[0][:100]}); export the study again."
        ) from error


def _parquet(file: Any) -> pd.DataFrame:
    return pd.read_parquet(file)


def _typed(frame: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return a table whose cells are of the codebook's kinds."""
    for one in columns:
        if one.name in frame:
            cells = [_cell(value, one.kind) for value in frame[one.name]]
            is_number = one.kind in ("int", "float", "bool")
            frame[one.name] = pd.Series(cells, dtype=None if is_number else object)
    return frame


def _cell(value: Any, kind: str) -> Any:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return math.nan if kind == "float" else None
    if kind == "bool":
        return value in (True, "True", "true")
    if kind == "ints":
        return json.loads(value) if isinstance(value, str) else value
    return {"text": str, "int": int, "float": float}[kind](value)


def _study_name(answers: pd.DataFrame) -> str:
    return str(answers["study"].iloc[0]) if "study" in answers and len(answers) else ""
