"""Factors: images of crossed levels, as many of each for everybody, in a balanced order."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from tests.labeling.making import answer_all, come_in, new_key, open_small, post, small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.export import export_study
from umnist_core.labeling.factors import cell_text, read_cell, read_factors, williams_rows
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.remake import remake_images
from umnist_core.labeling.results import FoldedStudy, load_answers, load_report, stimuli_of
from umnist_core.labeling.study_key import StudyKey

FACTORS = {"shape_pairs": ["0", "4"], "checkerboard": ["0", "8", "16"]}

CROSSED: dict[str, Any] = {
    "overrides": {"canvas": "512", "factor": "1..2"},
    "factors": FACTORS,
    "stimuli": 24,
    "images_per_annotator": 12,
    "practice": 0,
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyService, str]:
    """Return a study of two factors in which every place of a pool is filled, and two guided."""
    service, study = open_small(tmp_path_factory.mktemp("lab"), **CROSSED)
    for pool in ("unguided", "unguided", "guided", "guided"):
        answer_all(service, study, come_in(service, study, pool))
    return service, study


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"factors": {"zoom": ["1"]}}, "zoom has two different levels or more"),
        ({"factors": {"zoom": ["1", "1"]}}, "zoom has two different levels or more"),
        ({"factors": {"zoom": "1,2"}}, "zoom has two different levels or more"),
        ({"factors": {"zoom": ["1", "2 3"]}}, "zoom has two different levels or more"),
        ({"factors": {"canvas": ["512", "600"]}}, "leave canvas=512 out"),
        ({"factors": {"zoom": ["1", "2", "3"]}, "stimuli": 7}, "got 7. Take 6 or 9"),
        ({"factors": {"zoom": ["1", "2"]}}, "images of each person are a multiple of 2"),
        ({"factors": {"zoom": ["1", "2", "3"]}, "folder": "x"}, "leave the folder or the factors"),
        ({"factors": {"zoom": [str(n) for n in range(101)]}}, "at most 100 cells; got 101"),
    ],
)
def test_factors_that_cannot_be_get_one_sentence(changes: dict[str, Any], said: str) -> None:
    """Which says what to change, with numbers that fit."""
    with pytest.raises(InvalidValueError, match=said):
        small_spec(**changes)


def test_level_that_a_parameter_cannot_have_makes_no_study(tmp_path: Path) -> None:
    """It is found before any image is made."""
    service, _ = open_small(tmp_path)
    before = service.studies()
    with pytest.raises(InvalidValueError, match="checkerboard"):
        create_study(service, small_spec(factors={"checkerboard": ["0", "8", "x"]}), jobs=1)
    assert service.studies() == before


@pytest.mark.parametrize("cells", [2, 3, 4, 7, 12])
def test_williams_design_balances_places_and_what_follows_what(cells: int) -> None:
    """Each cell is at each place equally often, and follows each other one equally often."""
    rows = williams_rows(cells)
    for place in range(cells):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // cells}
    pairs = Counter(pair for row in rows for pair in pairwise(row))
    assert pairs.keys() == set(permutations(range(cells), 2))
    assert len(set(pairs.values())) == 1


def test_each_cell_has_as_many_images_of_its_levels(answered: tuple[StudyService, str]) -> None:
    """In the log, in the table of images, and in what was drawn."""
    service, study = answered
    folded = FoldedStudy.of(service.log, study)
    cells = folded.state.spec.cells
    assert Counter((folded.created.cells or {}).values()) == dict.fromkeys(range(6), 4)
    table = stimuli_of(folded)
    assert Counter(table["cell"]) == {cell_text(cell): 4 for cell in cells}
    for row in table.to_dict("records"):
        cell = read_cell(row["cell"])
        assert (row["cells"] > 1) == (cell["checkerboard"] != "0")
        drawn = json.loads(row["source"])["parameters"]
        assert all(drawn[name] == level for name, level in {"canvas": "512", **cell}.items())


def test_everybody_sees_each_cell_equally_often_in_blocks(
    answered: tuple[StudyService, str],
) -> None:
    """Every block of six images has each of six cells once, and people begin with others."""
    service, study = answered
    folded = FoldedStudy.of(service.log, study)
    cells = folded.created.cells or {}
    orders = []
    for person in folded.state.annotators.values():
        order = [cells[one.stimulus] for one in person.assignments]
        assert len(order) == 12
        assert sorted(order[:6]) == sorted(order[6:]) == list(range(6))
        orders.append((person.pool, order[0]))
    assert len(set(orders)) == len(orders)


def test_places_of_every_cell_are_filled_to_the_last(answered: tuple[StudyService, str]) -> None:
    """Two people with half the images each fill a pool exactly, though each cell is bounded."""
    service, study = answered
    assert [pool.labels for pool in service.overview(study).pools] == [24, 24]


def test_cells_are_kept_when_people_answer_at_once(tmp_path: Path) -> None:
    """Three people in turn, each with two images ahead, two labels for an image: none is short."""
    changes = {**CROSSED, "stimuli": 18, "labels_per_image": 2, "pools": ("guided",)}
    service, study = open_small(tmp_path, **changes)
    people = [come_in(service, study) for _ in range(3)]
    for _ in range(12):
        for me in people:
            trial = service.annotator_view(study, me).trial
            assert trial is not None
            service.answer(study, me, post(trial.key))
    folded = FoldedStudy.of(service.log, study)
    cells = folded.created.cells or {}
    for person in folded.state.annotators.values():
        had = Counter(cells[one.stimulus] for one in person.assignments)
        assert had == dict.fromkeys(range(6), 2)
    assert service.overview(study).pools[0].labels == 36


def test_person_for_whom_no_cell_is_left_is_told_so(tmp_path: Path) -> None:
    """Not kept waiting for images of cells of which they have had their share."""
    changes: dict[str, Any] = {
        "factors": {"checkerboard": ["0", "8"]},
        "stimuli": 4,
        "images_per_annotator": 2,
        "practice": 0,
    }
    service, study = open_small(tmp_path, pools=("guided",), **changes)
    first, second, third = (come_in(service, study) for _ in range(3))
    answer_all(service, study, first)
    trial = service.annotator_view(study, second).trial
    assert trial is not None
    service.answer(study, second, post(trial.key))
    # The second leaves one place, of one cell; the third can have that and nothing more.
    service.withdraw(study, second, new_key())
    assert len(answer_all(service, study, third)) == 1
    view = service.annotator_view(study, third)
    assert (view.phase, view.outcome) == ("done", "quota_full")


def test_browser_is_told_nothing_of_cells(tmp_path: Path) -> None:
    """What a person's page gets names neither factors nor levels."""
    service, study = open_small(tmp_path, **CROSSED)
    view = service.annotator_view(study, come_in(service, study))
    assert view.trial is not None
    shown = json.dumps([view.trial.key, view.sizes])
    assert not any(name in shown for name in FACTORS)
    created = StudyCreated.read(service.log.read(study)[0].payload)
    names = sorted(created.cells or {})
    assert [(created.cells or {})[name] for name in names] != sorted((created.cells or {}).values())


def test_images_of_cells_are_remade_from_the_key(tmp_path: Path) -> None:
    """A key has the same images again, and without factors those that it always had."""
    service, study = open_small(tmp_path / "lab", **{**CROSSED, "stimuli": 12, "practice": 2})
    service.close(study)
    export_study(service, study, tmp_path / "x.zip")
    remade = remake_images(tmp_path / "x.zip", tmp_path / "again")
    assert (remade.images, remade.others) == (14, ())
    key = StudyKey(bytes(32))
    plain = [one.id for one in key.images(small_spec())]
    assert plain == [key.name("image", n) for n in range(6)] + [key.name("practice", 0)]


def test_results_have_accuracy_by_cell_and_by_level(
    answered: tuple[StudyService, str], tmp_path: Path
) -> None:
    """Counts add up over levels; the export has the cell of each answer in its codebook."""
    service, study = answered
    tables = load_report(service, study).tables
    answers = load_answers(service, study)
    found = tables["by_factor"]
    for name, levels in FACTORS.items():
        rows = found[(found["factor"] == name) & (found["pool"] == "guided")]
        assert rows["level"].tolist() == [int(level) for level in levels]
        assert rows["labels"].sum() == 24
        own = answers[answers["pool"] == "guided"]
        for row in rows.to_dict("records"):
            cells = own["cell"].map(read_cell).map(lambda cell, name=name: int(cell[name]))
            marks = own["correct"][cells == row["level"]]
            assert row["accuracy"] == pytest.approx(marks.mean())
    assert len(tables["by_cell"]) == 18
    export_study(service, study, tmp_path / "x.zip")
    with ZipFile(tmp_path / "x.zip") as archive:
        table = pd.read_csv(archive.open("tables/answers.csv"))
        assert "by_factor" in json.loads(archive.read("figures.json"))["tables"]
    assert Counter(table["cell"]) == Counter(answers["cell"])


def test_study_without_factors_has_no_such_tables(tmp_path: Path) -> None:
    """Its settings, its first event and its figures are as they were."""
    service, study = open_small(tmp_path)
    answer_all(service, study, come_in(service, study))
    assert "factors" not in service.state(study).spec.to_dict()
    assert "cells" not in (service.log.read(study)[0].payload or {})
    assert "by_factor" not in load_report(service, study).tables


def test_factors_are_read_as_they_are_typed() -> None:
    """A name with levels each; one that is there twice is refused."""
    assert read_factors(["zoom=1,2", "shape_pairs=0,5"]) == {
        "zoom": ["1", "2"],
        "shape_pairs": ["0", "5"],
    }
    for texts in (["zoom"], ["zoom=1,2", "zoom=3,4"], ["=1,2"]):
        with pytest.raises(InvalidValueError, match="NAME=LEVEL,LEVEL"):
            read_factors(texts)
