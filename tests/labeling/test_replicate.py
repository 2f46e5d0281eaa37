"""Replications: the same images to the byte, the same texts, and a verdict that says what holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.labeling.exporting import filled
from tests.labeling.making import answer_all, come_in, open_small
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.labeling import StudyService
from umnist_core.labeling.export import export_study
from umnist_core.labeling.freeze import find_damaged
from umnist_core.labeling.language import settings_of, template
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.original import Original
from umnist_core.labeling.preregistration import TEXT_MAX, Preregistration
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.remake import remake_images
from umnist_core.labeling.replicate import find_verdict, replicate_study
from umnist_core.labeling.verify import verify_log


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyService, str, Path]:
    """Return a study, its id, and a folder with exports of it, open and closed."""
    folder = tmp_path_factory.mktemp("original")
    service, study = filled(folder / "lab")
    export_study(service, study, folder / "open.zip")
    service.close(study)
    export_study(service, study, folder / "closed.zip")
    export_study(service, study, folder / "images.zip", with_images=True)
    return service, study, folder


Exported = tuple[StudyService, str, Path]


def _elsewhere(tmp_path: Path) -> StudyService:
    return StudyService(MemoryLog(), tmp_path / "elsewhere")


def _files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.suffix == ".png"}


@pytest.mark.parametrize("name", ["images", "closed"])
def test_replication_has_the_same_images_byte_for_byte(
    tmp_path: Path, original: Exported, name: str
) -> None:
    """From the images in the export, or from the key of a closed one: the same files."""
    service, study, folder = original
    other = _elsewhere(tmp_path)
    made = replicate_study(other, folder / f"{name}.zip", "Again", jobs=1)
    assert made.are_remade is (name == "closed")
    assert _files(other.study_folder(made.study)) == _files(service.study_folder(study))
    assert made.images == len(_files(service.study_folder(study))) == 10
    assert find_damaged(other.study_folder(made.study)) == []
    assert other.log.read_truth(made.study) == service.log.read_truth(study)
    assert verify_log(other.log, made.study).faults == ()


def test_replication_has_texts_and_plan_and_knows_what_it_repeats(
    tmp_path: Path, original: Exported
) -> None:
    """All settings but the name are the original's; its figures stand in the first event."""
    service, study, folder = original
    other = _elsewhere(tmp_path)
    made = replicate_study(other, folder / "images.zip", bounds=0.08)
    before, after = service.state(study).spec, other.state(made.study).spec
    assert after.name == "Replication of A small study"
    same = {**after.to_dict(), "name": before.name}
    del same["replicates"]
    assert same == before.to_dict()
    assert after.replicates is not None
    repeated = Original.from_dict(after.replicates)
    assert (repeated.study, repeated.bounds, repeated.is_closed) == (study, 0.08, True)
    assert repeated.head_hash == service.overview(study).head_hash
    assert StudySpec.from_log(json.loads(json.dumps(after.to_dict()))) == after
    assert "replicates" not in before.to_dict()


@pytest.mark.parametrize("length", [100, TEXT_MAX])
def test_replication_promises_what_the_original_did_and_says_so(
    tmp_path: Path, length: int
) -> None:
    """Its text is not passed off as its own, and a day that is over is no promise."""
    text = "x" * length
    promise = Preregistration(text, people=3, analysis="mixed", closes="2026-01-02")
    service, study = open_small(tmp_path / "lab", preregistration=promise.to_dict())
    export_study(service, study, tmp_path / "original.zip", with_images=True)
    other = _elsewhere(tmp_path)
    made = replicate_study(other, tmp_path / "original.zip").study
    found = Preregistration.read(other.state(made).spec.preregistration)
    assert (found.people, found.analysis, found.closes) == (3, "mixed", "")
    assert found.text.startswith(
        f"# Replication of A small study\n\nThis study repeats study {study}"
    )
    assert promise.sha256 in found.text
    assert found.text.endswith(text if length == 100 else "preregistration.md of its export.\n")


def test_replication_runs_and_says_how_it_stands(tmp_path: Path, original: Exported) -> None:
    """People answer it as any study; the verdict compares each figure of the original."""
    _, _, folder = original
    other = _elsewhere(tmp_path)
    study = replicate_study(other, folder / "images.zip").study
    found = find_verdict(other, study)
    assert found is not None
    assert {one.verdict for one in found[1]} == {"unknown"}
    for pool in ("unguided", "unguided", "guided", "guided"):
        answer_all(other, study, come_in(other, study, pool))
    found = find_verdict(other, study)
    assert found is not None
    assert [one.original.name for one in found[1]] == ["unguided", "guided", "difference"]
    assert all(one.replication.labels > 0 for one in found[1])
    service, before, _ = original
    assert find_verdict(service, before) is None


def test_replication_draws_orders_from_a_key_of_its_own(tmp_path: Path, original: Exported) -> None:
    """Whoever has the original's export cannot tell who is shown what next."""
    service, study, folder = original
    other = _elsewhere(tmp_path)
    made = replicate_study(other, folder / "images.zip").study
    keys = [one.log.read_attachment(name, 1) for one, name in ((service, study), (other, made))]
    assert keys[0] != keys[1]
    other.close(made)
    export_study(other, made, tmp_path / "again.zip")
    with pytest.raises(InvalidValueError, match=study):
        remake_images(tmp_path / "again.zip", tmp_path / "images")
    # Nor is a replication of it made of the wrong images.
    with pytest.raises(InvalidValueError, match="--with-images"):
        replicate_study(_elsewhere(tmp_path), tmp_path / "again.zip")


def test_export_without_images_and_key_is_refused(tmp_path: Path, original: Exported) -> None:
    """An open study's export has no key; one sentence says what to ask for, and nothing is left."""
    _, _, folder = original
    other = _elsewhere(tmp_path)
    with pytest.raises(InvalidValueError, match=r"neither the images .*--with-images"):
        replicate_study(other, folder / "open.zip")
    assert other.studies() == []
    studies = tmp_path / "elsewhere" / "studies"
    assert not studies.exists() or list(studies.iterdir()) == []


def test_changed_image_is_refused(tmp_path: Path, original: Exported) -> None:
    """An image that is not what the log says makes no study."""
    _, _, folder = original
    forged = tmp_path / "forged.zip"
    with ZipFile(folder / "images.zip") as old, ZipFile(forged, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry, data[:-1] + b"x" if entry.filename.endswith(".png") else data)
    other = _elsewhere(tmp_path)
    with pytest.raises(DamagedFileError, match="not what it was"):
        replicate_study(other, forged)
    assert other.studies() == []


def test_replication_speaks_the_language_of_its_original(tmp_path: Path) -> None:
    """With a lab's own sentences, which the export and the first event have."""
    own = settings_of(replace(template("pl"), name="Polski"))
    service, study = open_small(tmp_path, **own)
    answer_all(service, study, come_in(service, study))
    export_study(service, study, tmp_path / "own.zip", with_images=True)
    other = _elsewhere(tmp_path)
    made = replicate_study(other, tmp_path / "own.zip", "Again", jobs=1)
    assert other.state(made.study).spec.speech == service.state(study).spec.speech
    assert other.state(made.study).spec.speech.name == "Polski"
    assert "words" in json.dumps(other.log.read(made.study)[0].payload)


def test_study_of_oneself_is_not_replicated(tmp_path: Path) -> None:
    """It has no consent; a sentence says so."""
    service, study = open_small(
        tmp_path / "lab",
        stimuli=2,
        images_per_annotator=2,
        practice=0,
        pools=("guided",),
        is_self=True,
    )
    target = tmp_path / "self.zip"
    export_study(service, study, target, with_images=True)
    with pytest.raises(InvalidValueError, match="oneself"):
        replicate_study(_elsewhere(tmp_path), target)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"bounds": 0}, "bounds"), ({"head_hash": "x"}, "head_hash"), ({"figures": [{}]}, "figure")],
)
def test_settings_that_tell_no_original_are_refused(
    tmp_path: Path, original: Exported, change: dict[str, object], said: str
) -> None:
    """Whoever writes the settings by hand gets a sentence."""
    _, _, folder = original
    other = _elsewhere(tmp_path)
    spec = other.state(replicate_study(other, folder / "images.zip").study).spec.to_dict()
    with pytest.raises(InvalidValueError, match=said):
        StudySpec.from_dict({**spec, "replicates": {**spec["replicates"], **change}})
