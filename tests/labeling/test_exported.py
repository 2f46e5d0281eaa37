"""People's answers out of exports: zip and tables alike, with a hash of every image."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZipFile

import cv2
import pandas as pd
import pytest

from tests.labeling.exporting import filled
from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.experiments.people import PeopleData, compare_people
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.exported import image_files, read_export, unpacked_images
from umnist_core.pyramid.pixel_hash import hash_pixels


def figures_of(people: PeopleData) -> dict[str, object]:
    """Return all figures but the name of the study, which tables do not have."""
    found = compare_people(people, [], draws=50).to_dict()
    return {name: value for name, value in found.items() if name != "study"}


def test_zip_and_tables_of_every_kind_say_the_same(tmp_path: Path) -> None:
    """And so do the tables of the store."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "a.zip")
    due = figures_of(read_export(tmp_path / "a.zip"))
    assert due["images"]
    for kind in ("csv", "parquet", "json"):
        export_tables(service, study, tmp_path / kind, kind)
        assert figures_of(read_export(tmp_path / kind)) == due


def test_hash_in_the_table_is_that_of_the_frozen_image(tmp_path: Path) -> None:
    """Recorded when the study was made."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "a.zip", True)
    people = read_export(tmp_path / "a.zip")
    with unpacked_images(tmp_path / "a.zip", image_files(tmp_path / "a.zip")) as paths:
        assert set(paths) == set(people.images)
        for name, path in paths.items():
            pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            assert people.images[name].pixels == hash_pixels(pixels)  # type: ignore[arg-type]
    assert not any(path.exists() for path in paths.values())


def test_older_exports_get_hashes_from_their_images(tmp_path: Path) -> None:
    """The table had no such column; without images there is no hash."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "new.zip", True)
    due = {name: one.pixels for name, one in read_export(tmp_path / "new.zip").images.items()}
    for name, with_images in (("with.zip", True), ("without.zip", False)):
        _as_older(tmp_path / "new.zip", tmp_path / name, with_images=with_images)
    older = read_export(tmp_path / "with.zip").images
    assert {name: one.pixels for name, one in older.items()} == due
    assert {one.pixels for one in read_export(tmp_path / "without.zip").images.values()} == {None}


def _as_older(source: Path, target: Path, *, with_images: bool) -> None:
    with ZipFile(source) as given, ZipFile(target, "w") as taken:
        for name in given.namelist():
            data = given.read(name)
            if name == "tables/stimuli.parquet":
                with given.open(name) as file:
                    frame = pd.read_parquet(file)
                data = frame.drop(columns="pixels_sha256").to_parquet()
            if with_images or "/images/" not in name:
                taken.writestr(name, data)


def test_traces_and_places_of_digits_come_with_the_answers(tmp_path: Path) -> None:
    """As they were recorded."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "a.zip")
    people = read_export(tmp_path / "a.zip")
    assert set(people.traces) == set(people.answers["label_key"])
    (part,) = next(iter(people.traces.values()))[:1]
    assert part["end_ms"] == 5000
    sample = part["samples"][0]
    assert (sample["x"], sample["y"], sample["zoom"], sample["w"]) == (256, 256, 1.5, 700)
    for one in people.images.values():
        assert one.digits is None or sum(each.label for each in one.digits) == one.truth


def test_what_is_no_export_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Nothing there, another zip, a folder without tables, and one without images."""
    with pytest.raises(MissingFileError, match="check the name"):
        read_export(tmp_path / "none.zip")
    with ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(DamagedFileError, match="use another copy"):
        read_export(tmp_path / "other.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="Expected answers"):
        read_export(tmp_path / "empty")
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "a.zip")
    with (
        pytest.raises(MissingFileError, match="--with-images"),
        unpacked_images(tmp_path / "a.zip", image_files(tmp_path / "a.zip")),
    ):
        pass
    export_tables(service, study, tmp_path / "csv")
    shutil.copy(tmp_path / "a.zip", tmp_path / "csv" / "answers.csv")
    with pytest.raises(DamagedFileError, match="export the study again"):
        read_export(tmp_path / "csv")
