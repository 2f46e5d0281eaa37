"""Studies of images whose sums nobody knows: they are labelled, and nothing is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.labeling.data_studies import open_data, photographs
from tests.labeling.making import answer_all, come_in, post
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.exported import read_export
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.results import load_answers, load_report
from umnist_core.labeling.self_study import self_studies, self_values
from umnist_core.labeling.verify import verify_log
from umnist_core.simulation.truth import read_images


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[StudyService, str]:
    """Return a study that two people have answered."""
    service, study = open_data(tmp_path / "lab", photographs(tmp_path / "photographs"))
    for _ in range(2):
        answer_all(service, study, come_in(service, study))
    return service, study


def test_answers_are_neither_right_nor_wrong(labelled: tuple[StudyService, str]) -> None:
    """Truth and correctness are empty, and no figure counts such answers as wrong."""
    service, study = labelled
    answers = load_answers(service, study)
    assert len(answers) == 8
    assert answers["truth"].isna().all()
    assert answers["correct"].isna().all()
    assert all(pool.labels == 0 for pool in load_report(service, study).pools)


def test_sums_that_stand_in_the_folder_are_not_taken_for_truth(tmp_path: Path) -> None:
    """A table of sums beside the images stays outside of the study."""
    folder = photographs(tmp_path / "photographs")
    (folder / "train.csv").write_text("id,digit_sum\na,3\nb,4\n")
    service, study = open_data(tmp_path / "lab", folder)
    truths = map(json.loads, service.log.read_truth(study).values())
    assert {one["label"] for one in truths} == {None}


def test_export_verifies_recomputes_and_is_imported(
    labelled: tuple[StudyService, str], tmp_path: Path
) -> None:
    """The script of the export runs without umnist, and another store takes the study."""
    service, study = labelled
    target = tmp_path / "labels.zip"
    assert not export_study(service, study, target, with_images=True).verification.faults
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "unpacked")
    script = tmp_path / "unpacked" / "recompute.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    other = StudyService(MemoryLog(), tmp_path / "other")
    import_study(other, target)
    assert len(load_answers(other, study)) == 8
    with other.log.snapshot() as log:
        assert verify_log(log, study).faults == ()


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_tables_have_empty_truth(
    labelled: tuple[StudyService, str], tmp_path: Path, kind: str
) -> None:
    """No format writes a number where nothing is known."""
    service, study = labelled
    export_tables(service, study, tmp_path / "tables", kind)
    for name in ("answers", "stimuli"):
        read = getattr(pd, f"read_{kind}")
        assert read(tmp_path / "tables" / f"{name}.{kind}")["truth"].isna().all()


def test_people_and_models_are_not_compared(
    labelled: tuple[StudyService, str], tmp_path: Path
) -> None:
    """What needs truth says so in a sentence."""
    service, study = labelled
    export_tables(service, study, tmp_path / "tables")
    with pytest.raises(InvalidValueError, match="without truth"):
        read_export(tmp_path / "tables")
    with pytest.raises(InvalidValueError, match="answer from the truth"):
        read_images(service, study)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"practice": 1}, "practice"),
        ({"has_truth": "no"}, "true or false"),
        ({"stimuli": 9}, "has 4"),
    ],
)
def test_what_needs_truth_is_refused(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    """A study without truth has nothing that somebody could be told right or wrong in."""
    with pytest.raises(InvalidValueError, match=named):
        open_data(tmp_path / "lab", photographs(tmp_path / "photographs"), **changes)


def test_settings_of_other_studies_are_logged_as_before() -> None:
    """The setting is named where it is set alone."""
    assert "has_truth" not in StudySpec(name="Pilot").to_dict()


def test_somebody_labels_a_folder_of_their_own(tmp_path: Path) -> None:
    """A study of oneself tells nothing, since nothing is known, and ends."""
    own = {**self_values("unguided"), "stimuli": 4, "images_per_annotator": 4}
    own |= {"labels_per_image": 1}
    service, study = open_data(tmp_path / "lab", photographs(tmp_path / "p"), **own)
    token = self_studies(service)[0].token
    assert token is not None
    me = service.join(token).annotator
    while (trial := service.annotator_view(study, me).trial) is not None:
        service.answer(study, me, post(trial.key, digits=[9]))
    assert self_studies(service)[0].is_over
