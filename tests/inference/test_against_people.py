"""A real model on the images of a study: on the whole of each, and on what people saw of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labeling.making import come_in, open_small, post
from umnist_core.experiments.people import PeopleData, compare_people, predictions_of
from umnist_core.inference.against_people import Row, StudyRun
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.report import table_text
from umnist_core.labeling.export import export_study
from umnist_core.labeling.exported import image_files, read_export, unpacked_images
from umnist_core.labeling.study_key import StudyKey

VIEW = (256 - 250 / 1.5, 256 + 250 / 1.5)
"""Rows that `tests.labeling.making.post` had on screen; all columns but a few were."""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[PeopleData, list[Row]]:
    """Return a study of two people and three images, and the finder's rows for it."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:  # the same images each time
        patch.setattr(StudyKey, "new", lambda: StudyKey(b"k" * 32))
        service, study = open_small(
            folder / "lab", stimuli=3, labels_per_image=2, pools=("unguided",)
        )
    for _ in range(2):
        me = come_in(service, study)
        while (trial := service.annotator_view(study, me).trial) is not None:
            service.answer(study, me, post(trial.key, 9))
    target = folder / "a.zip"
    export_study(service, study, target, True)
    people = read_export(target)
    with unpacked_images(target, image_files(target)) as paths:
        run = StudyRun(Predictor("cpu"), "digit-finder", people, paths, as_seen=True)
        rows = list(run.rows())
        assert len(rows) == run.steps == 3 + 6
    return people, rows


def test_rows_pair_with_the_study_and_say_who_saw(
    answered: tuple[PeopleData, list[Row]],
) -> None:
    """By the hash of the whole image, also where the model was given a part of it."""
    people, rows = answered
    hashes = {one.pixels for one in people.images.values()}
    assert {row["pixels_sha256"] for row in rows} == hashes
    assert [bool(row["seen_by"]) for row in rows] == [False] * 3 + [True] * 6
    assert all(0 <= float(row["gaze_similarity"]) <= 1 for row in rows[:3])
    assert "gaze_similarity" not in rows[-1]


def test_model_finds_no_digit_that_people_had_not_on_screen(
    answered: tuple[PeopleData, list[Row]],
) -> None:
    """The rest is grey; in the whole images there are digits beyond the view."""
    _, rows = answered
    model = predictions_of(table_text(rows).encode(), "a.csv")
    assert model.name == "digit-finder"
    for one in model.answers:
        if one.seen_by:
            for found in one.found or ():
                middle = (found.box[0] + found.box[2]) / 2  # one cut at the edge may reach out
                assert VIEW[0] < middle < VIEW[1]
    found_whole = [place for one in model.answers if not one.seen_by for place in one.found or ()]
    middles = [(place.box[0] + place.box[2]) / 2 for place in found_whole]
    assert any(not VIEW[0] < middle < VIEW[1] for middle in middles)


def test_comparison_has_the_viewing_budget(answered: tuple[PeopleData, list[Row]]) -> None:
    """People, model as seen and model whole, for the same six answers."""
    people, rows = answered
    model = predictions_of(table_text(rows).encode(), "a.csv")
    found = compare_people(people, [model], draws=50).to_dict()
    (row,) = found["viewing_budget"]
    assert (row["model"], row["answers"]) == ("digit-finder", 6)
    assert row["as_seen"]["accuracy"] <= row["whole"]["accuracy"]
    assert [one["name"] for one in found["gaze"]] == ["people", "digit-finder"]


def test_image_that_fails_has_its_reason_and_its_pixels(tmp_path: Path) -> None:
    """It counts as answered wrongly; the others go on."""
    service, study = open_small(tmp_path / "lab", stimuli=1, images_per_annotator=1)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    service.answer(study, me, post(trial.key, 9))
    export_study(service, study, tmp_path / "a.zip", True)
    people = read_export(tmp_path / "a.zip")
    (name,) = people.images
    (tmp_path / "broken.png").write_bytes(b"none")
    run = StudyRun(Predictor("cpu"), "digit-finder", people, {name: tmp_path / "broken.png"})
    (row,) = run.rows()
    assert row["error"]
    assert row["pixels_sha256"] == people.images[name].pixels
