"""Labels of images without truth: consensus, decisions, and data sets made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.labeling.data_studies import DRAWN, EIGHT, SUMS, THREE, said
from umnist_core.cli.study import study_group
from umnist_core.datasets import open_files
from umnist_core.datasets.image_folder import open_image_folder
from umnist_core.errors import ConflictError, InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import Adjudicated
from umnist_core.labeling.label_files import export_labels
from umnist_core.labeling.labels import ImageLabel, agreement_of, labels_of, provenance_counts
from umnist_core.labeling.results import FoldedStudy


@pytest.fixture
def sums(tmp_path: Path) -> tuple[StudyService, str]:
    """Return a study with sums."""
    return said(tmp_path, SUMS)


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[StudyService, str]:
    """Return a study with boxes."""
    return said(tmp_path, DRAWN, ask_boxes=True)


def labels(service: StudyService, study: str) -> list[ImageLabel]:
    """Return the labels as they are now."""
    return labels_of(FoldedStudy.of(service.log, study))


def by_image(service: StudyService, study: str) -> Mapping[str, ImageLabel]:
    """Return the labels by image, in the order of the images' ids."""
    return {one.stimulus: one for one in sorted(labels(service, study), key=lambda o: o.stimulus)}


def test_labels_are_what_most_say_and_disputed_ones_come_first(
    sums: tuple[StudyService, str],
) -> None:
    """Three sums that differ leave an image open, and it is the first to be settled."""
    service, study = sums
    found = [(one.provenance, one.answer) for one in by_image(service, study).values()]
    assert found == [("unanimous", 5), ("majority", 7), ("open", None), ("unanimous", 0)]
    assert [one.provenance for one in labels(service, study)][:2] == ["open", "majority"]
    nominal, _ = agreement_of(labels(service, study)).alphas
    assert (nominal.units, nominal.people, nominal.values) == (4, 3, 12)


def test_last_decision_counts_and_all_are_in_the_log(sums: tuple[StudyService, str]) -> None:
    """Decided, taken from a person, taken back: each is an event, and nothing twice."""
    service, study = sums
    image = sorted(service.state(study).stimuli)[2]
    person = next(iter(service.state(study).annotators))
    service.adjudicate(study, image, 9)
    service.adjudicate(study, image, 9)
    service.take_label(study, image, person)
    assert by_image(service, study)[image].answer == 1
    assert service.state(study).rulings[image].took == [person]
    service.reopen(study, image)
    service.reopen(study, image)
    assert by_image(service, study)[image].provenance == "open"
    logged = [event for event in service.log.read(study) if event.kind == Adjudicated.event_kind]
    assert [Adjudicated.read(one.payload).answer for one in logged] == [9, 1, None]


def test_decision_that_cannot_be_is_refused(sums: tuple[StudyService, str]) -> None:
    """No such image or person, no sum, another's answer, boxes in vain, a sealed study."""
    service, study = sums
    image, person = (
        sorted(service.state(study).stimuli)[2],
        next(iter(service.state(study).annotators)),
    )
    with pytest.raises(NotFoundError, match="no image"):
        service.adjudicate(study, "none", 3)
    with pytest.raises(NotFoundError, match="nobody"):
        service.take_label(study, image, "nobody")
    with pytest.raises(InvalidValueError, match="28"):
        service.adjudicate(study, image, 28)
    with pytest.raises(InvalidValueError, match="said 1 of"):
        service.adjudicate(study, image, 4, took=[person])
    with pytest.raises(InvalidValueError, match="no boxes"):
        service.adjudicate(study, image, boxes=THREE)
    service.close(study)
    with pytest.raises(RefusedError, match="closed"):
        service.adjudicate(study, image, 4)
    assert not service.state(study).rulings


def test_boxes_come_to_a_consensus_and_are_settled(drawn: tuple[StudyService, str]) -> None:
    """Two of three name a digit; where nobody's name has most, somebody settles it with boxes."""
    service, study = drawn
    found = by_image(service, study)
    provenances = [one.provenance for one in found.values()]
    assert provenances == ["unanimous", "majority", "open", "unanimous"]
    assert [len(one.boxes or ()) for one in found.values()] == [1, 1, 0, 0]
    image = list(found)[2]
    with pytest.raises(InvalidValueError, match="within its image"):
        service.adjudicate(study, image, boxes=[{**THREE[0], "x": 500}])
    service.adjudicate(study, image, boxes=EIGHT)
    settled = by_image(service, study)[image]
    assert (settled.answer, settled.boxes and settled.boxes[0].x) == (8, 12.5)
    assert provenance_counts(labels(service, study)) == {
        "unanimous": 2,
        "majority": 1,
        "adjudicated": 1,
        "open": 0,
    }
    assert 0.8 < agreement_of(labels(service, study)).mean_iou < 1


def test_table_of_sums_is_read_as_a_data_set(
    sums: tuple[StudyService, str], tmp_path: Path
) -> None:
    """Labelled images with train.csv, as training takes them; open ones are in the provenance."""
    service, study = sums
    report = export_labels(service, study, tmp_path / "out", "csv")
    assert (report.labelled, report.open) == (3, 1)
    folder = open_image_folder(tmp_path / "out")
    assert sorted(folder.labels.values()) == [0, 5, 7]
    assert folder.kind == "kaggle"
    assert open_files(tmp_path / "out").boxes(folder.ids[0]) is None
    table = pd.read_csv(tmp_path / "out" / "provenance.csv")
    assert table["provenance"].tolist() == ["unanimous", "majority", "open", "unanimous"]
    assert set(table["source"]) == {"a.png", "b.jpg", "below/c.tif", "below/d.png"}
    about = json.loads((tmp_path / "out" / "umnist-labels.json").read_text())
    assert about["images"]["open"] == 1
    assert about["alpha"][0]["metric"] == "nominal"


@pytest.mark.parametrize(("kind", "box"), [("coco", (10.5, 20, 30, 40)), ("voc", (10, 20, 31, 40))])
def test_boxes_are_read_back(
    drawn: tuple[StudyService, str], tmp_path: Path, kind: str, box: tuple[float, ...]
) -> None:
    """In COCO as they are; in Pascal VOC, which is whole, outward: the reader undoes its 1."""
    service, study = drawn
    assert export_labels(service, study, tmp_path / "out", kind).boxes == 2
    folder = open_image_folder(tmp_path / "out")
    first, _, last = sorted(folder.ids)
    (found,) = folder.find_boxes(first)
    assert (found.name, found.x, found.y) == ("3", *box[:2])
    assert (found.width, found.height) == box[2:]
    assert folder.find_boxes(last) == ()
    reader = open_files(tmp_path / "out")
    assert reader.digit_sum(first) == 3
    assert (reader.boxes(first), reader.boxes(last)) == ((found,), ())


def test_export_replaces_nothing_and_leaves_nothing_half(
    sums: tuple[StudyService, str], tmp_path: Path
) -> None:
    """A folder that is there, a format without its boxes, an image that is gone."""
    service, study = sums
    (tmp_path / "there").mkdir()
    with pytest.raises(ConflictError, match="already"):
        export_labels(service, study, tmp_path / "there")
    with pytest.raises(InvalidValueError, match="did not ask for"):
        export_labels(service, study, tmp_path / "out", "coco")
    export_labels(service, study, tmp_path / "linked", is_linked=True)
    assert all(one.is_symlink() for one in (tmp_path / "linked" / "train").iterdir())
    image = sorted(service.state(study).stimuli)[0]
    service.stimulus_file(study, image).unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Exception, match="found none"):
        export_labels(service, study, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_command_line_settles_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people said, what is open, a decision, its undoing, and the folder."""
    service, study = said(tmp_path, SUMS)
    monkeypatch.setattr("umnist_core.cli._study_choice.open_service", lambda: service)

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(study_group, words)
        assert done.exit_code == code, done.output
        return done.output

    image = sorted(service.state(study).stimuli)[2]
    told = run("labels", study)
    assert "3 of 4 images settled: 2 unanimous, 1 majority, 1 open" in told
    assert f"open  {image}" in told
    assert "alpha (nominal)" in told
    run("adjudicate", study, image, "--answer", "6")
    assert "4 of 4 images settled" in run("labels", study)
    run("adjudicate", study, image, "--reopen")
    run("adjudicate", study, image, code=2)
    assert "3 labelled images" in run("labels", study, str(tmp_path / "out"))
    assert len(run("labels", study, "--json").splitlines()) == 4
