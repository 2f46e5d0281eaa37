"""Ours beside what is published: found by their settings, with intervals, machine and date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.experiments.published.making import COST, name_of, write_evaluation, write_training
from umnist_core.errors import ConflictError
from umnist_core.experiments.published.beside import (
    HERE,
    OTHERS,
    SweepFolder,
    load_folder,
    ours_beside,
    reruns_of,
)
from umnist_core.experiments.published.charts import chart_of, heat_of
from umnist_core.experiments.published.entries import import_result, imported_sweeps
from umnist_core.experiments.published.grid import facts_of, grid_of
from umnist_core.experiments.published.progress import progress_of
from umnist_core.experiments.published.sweep_charts import (
    chart_of_sweep,
    compared,
    epochs_of,
    images_behind,
    measures_of,
)
from umnist_core.experiments.published.tables import get_table
from umnist_core.experiments.sweeps.plan import load_sweep, plan_sweep
from umnist_core.experiments.sweeps.results import CellResult
from umnist_core.experiments.sweeps.tables import fold
from umnist_core.scoring import wilson
from umnist_core.training.cells import find_kinds

PAIRS = [({"shape_pairs": "1", "checkerboard": "4"}, (8, 9)), ({"shape_pairs": "7"}, (1, 2))]


def loaded(folder: Path) -> SweepFolder:
    """Return the sweep in a folder."""
    found = load_folder(folder)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path / "data"))


def test_a_point_stands_at_the_row_of_its_settings(tmp_path: Path) -> None:
    """And one that no row is of does not stand at another's."""
    write_evaluation(tmp_path / "s", PAIRS, published="ultramnist.noise_implication")
    ours = ours_beside(get_table("noise-study"), [loaded(tmp_path / "s")])
    sums = [one for one in ours if one.column == "sums"]
    assert [one.row for one in sums] == ["pairs-1"]
    expected = wilson(17, 20)
    assert sums[0].value == pytest.approx(85)
    assert (sums[0].low, sums[0].high) == pytest.approx((100 * expected.low, 100 * expected.high))
    digits = next(one for one in ours if one.column == "digits" and one.row == "pairs-1")
    assert (digits.right, digits.of) == (60, 80)


def test_a_cell_has_the_figures_of_its_column_alone(tmp_path: Path) -> None:
    """Digits beside digits, sums beside sums, and what contradicts one at that one."""
    write_evaluation(tmp_path / "s", PAIRS, published="noise-study")
    table = get_table("noise-study")
    rows = grid_of(table, ours_beside(table, [loaded(tmp_path / "s")]))
    row = next(one for one in rows if one.key == "pairs-1")
    assert [[round(one.value) for one in cell.ours] for cell in row.cells] == [[75], [85]]
    assert [len(cell.published) for cell in row.cells] == [1, 0]
    patch = next(one for one in grid_of(get_table("ips-patch-size"), []) if one.key == "25")
    assert [len(cell.contradictions) for cell in patch.cells] == [0, 2, 2, 2, 2]


def test_people_and_chance_are_lines_across_a_figure() -> None:
    """They have no place on its axis; networks have."""
    table = get_table("ultramnist-accuracy")
    chart = chart_of(table, ours_beside(table, [], with_own=False), "accuracy")
    assert chart is not None
    across = {one.name for one in chart.series if one.is_across}
    assert {"People, guided, published", "Random baseline, published", "digit-finder"} <= across
    assert "ResNet-50, published" not in across


def test_what_stands_behind_one_of_ours_is_said(tmp_path: Path) -> None:
    """Tier, interval, seeds, machine, date, recipe; and that compact is not the published one."""
    write_evaluation(tmp_path / "s", PAIRS, published="noise-study")
    (one, *_) = ours_beside(get_table("noise-study"), [loaded(tmp_path / "s")])
    facts = dict(facts_of(one))
    assert facts["Tier"] == "re-run here"
    assert facts["Hardware"] == "a machine of tests"
    assert facts["Date"] == "2026-11-30"
    assert facts["Seeds"].startswith("2")
    assert "Not the published recipe" in facts["Recipe"]
    assert one.command == "umnist evaluate"
    assert "compact" in one.name


def test_misses_come_first_with_their_scenes(tmp_path: Path) -> None:
    """Each image of the cells, as a scene that can be opened."""
    write_evaluation(tmp_path / "s", PAIRS[:1], published="noise-study")
    one = next(
        one
        for one in ours_beside(get_table("noise-study"), [loaded(tmp_path / "s")])
        if one.column == "sums"
    )
    images = images_behind(one, "sum")
    assert [image.is_missed for image in images] == [True] * 3 + [False] * 17
    assert images[0].scene["overrides"] == PAIRS[0][0]
    assert (images[0].said, images[0].true) == ("8", "7")


def test_trainings_have_students_interval_and_places_of_their_own(tmp_path: Path) -> None:
    """A thickness that nobody published is a row of ours alone, in the order of the axis."""
    shares = {"1.4": [0.8, 0.9], "3": [0.1, 0.1], "1": [0.9, 0.9]}
    write_training(tmp_path / "s", shares, published="ips_generalizability.thickness")
    table = get_table("ips-thickness")
    ours = ours_beside(table, [loaded(tmp_path / "s")])
    at = {one.row or one.x: one for one in ours}
    assert at.keys() == {"1.4", 3.0, 1.0}
    assert at["1.4"].value == pytest.approx(85)
    assert at["1.4"].interval == "Student's t over seeds"
    assert at["1.4"].sd == pytest.approx(7.07, abs=0.01)
    rows = grid_of(table, ours)
    assert [row.title for row in rows if not row.is_published] == ["thickness 1", "thickness 3"]
    chart = chart_of(table, ours, "maj")
    assert chart is not None
    assert [[p.x for p in one.points] for one in chart.series if "ips" in one.name] == [[1, 1.4, 3]]


def planned(name: str, tasks: Sequence[str]) -> SweepFolder:
    """Return a sweep that comes with umnist, as if its trainings had been run with one seed."""
    file = load_sweep(Path(name))
    sweep = plan_sweep(replace(file, seeds=file.seeds[:1]), find_kinds())
    plan = sweep.to_dict()
    half = {"images": 2, "loss": 0.5, "right": dict.fromkeys(tasks, 1)}
    epoch = {"epoch": 1, "train": half, "validation": half, "test": half}
    answers = {
        "tasks": {task: {"images": 4, "right": 3} for task in tasks},
        "digits": {"digits": 8, "right": 6, "by_class": [{"value": 7, "digits": 8, "right": 6}]},
    }
    results = {}
    for cell in sweep.cells:
        figures = {
            **dict.fromkeys(("first", "best", "final"), epoch),
            "tests": dict.fromkeys(cell.config["tests"], answers),
        }
        told = {key: value for key, value in vars(cell).items() if key != "command"}
        results[cell.name] = CellResult(**told, status="done", figures=figures, cost=COST)
    return SweepFolder(Path(name), plan, results, fold(plan["cells"], results))


@pytest.mark.parametrize(
    ("name", "table", "task"),
    [
        ("o2i-paper", "ips-o2i", "majority"),
        ("digit-size-paper", "ips-digit-size", "majority"),
        ("signs-patch-paper", "signs-patch-size", "class"),
        ("signs-subset-paper", "signs-subsets", "class"),
    ],
)
def test_a_published_recipe_fills_the_published_rows(name: str, table: str, task: str) -> None:
    """Each of its points stands at a row, and each row that can be run has one."""
    published = get_table(table)
    ours = [one for one in ours_beside(published, [planned(name, [task])]) if one.cells]
    assert sorted(one.row for one in ours) == sorted(one.key for one in published.rows)


def test_further_tests_of_a_net_stand_at_their_rows() -> None:
    """Figure 6 is eleven tests of one training, of digits and by class."""
    sweep = planned("fig6-paper", ["sum"])
    table = get_table("noise-study")
    found = [one for one in ours_beside(table, [sweep]) if one.column == "digits" and one.cells]
    assert sorted(one.row for one in found) == sorted(one.key for one in table.rows)
    assert {(one.right, one.of, one.value) for one in found} == {(6, 8, 75.0)}
    classes = ours_beside(get_table("noise-study-classes"), [sweep])
    assert {(one.row, one.right, one.of) for one in classes} == {("7", 6, 8)}
    assert len({one.column for one in classes}) == len(classes) == 11


def test_a_curve_over_scales_says_what_was_learned_from() -> None:
    """Each of 17 scales is asked of nets that learned one other."""
    table = get_table("large-scale")
    ours = ours_beside(table, [planned("scale-curves-paper", ["digit"])])
    at_8 = {one.name for one in ours if one.row == "fov-max-8" and one.cells}
    assert at_8 == {f"fov-max, scale {scale}" for scale in ("1", "2", "4", "1..4")}


def test_classes_of_figure_6_are_pooled_over_seeds(tmp_path: Path) -> None:
    """As shares of the digits of a class, and drawn as a heat map."""
    write_evaluation(tmp_path / "s", PAIRS, published="noise-study")
    table = get_table("noise-study-classes")
    ours = ours_beside(table, [loaded(tmp_path / "s")])
    assert [(one.row, one.column, one.right, one.of) for one in ours] == [("3", "pairs-1", 30, 40)]
    (heat,) = heat_of(table, table.columns[0].key, ours)
    assert [row[1] for row in heat.values] == [None, None, None, 75.0, *[None] * 6]


def test_a_sweep_of_others_is_theirs(tmp_path: Path) -> None:
    """It is kept whole, and says whose it is."""
    write_evaluation(tmp_path / "s", PAIRS, published="noise-study")
    import_result(tmp_path / "s", "Another lab")
    (folder,) = imported_sweeps()
    ours = ours_beside(get_table("noise-study"), [loaded(folder)])
    assert {(one.tier, one.by) for one in ours} == {(OTHERS, "Another lab")}


def test_sweeps_of_others_are_kept_side_by_side(tmp_path: Path) -> None:
    """Whatever letters their names are in; to replace one leaves the rest alone."""
    folders = [tmp_path / name for name in ("a b", "a", "\u7532", "\u4e59", "n" * 250)]
    for folder in folders:
        write_evaluation(folder, PAIRS, published="noise-study")
        import_result(folder, "b c" if folder.name == "a" else "c")
    import_result(folders[2], "c", instead=True)
    assert len(imported_sweeps()) == len(folders)
    with pytest.raises(ConflictError, match="found one of that name"):
        import_result(folders[2], "c")


def test_cards_of_shipped_checkpoints_stand_beside() -> None:
    """With the interval of their images and the command that makes them again."""
    ours = ours_beside(get_table("ultramnist-accuracy"), [])
    assert {one.name for one in ours} == {"digit-finder", "additive-pyramid"}
    for one in ours:
        assert (one.row, one.tier) == ("unconstrained", HERE)
        assert one.low is not None
        assert one.command.startswith("umnist train")
        assert one.hardware


def test_progress_is_told_while_cells_are_missing(tmp_path: Path) -> None:
    """With an estimate; a folder that is whole is over."""
    write_evaluation(tmp_path / "s", PAIRS, done=3)
    progress = progress_of(loaded(tmp_path / "s"))
    assert (progress.done, progress.total, progress.is_over) == (3, 4, False)
    assert progress.sentence.startswith("3 of 4 cells done, about 2 s left")
    write_evaluation(tmp_path / "s", PAIRS)
    assert progress_of(loaded(tmp_path / "s")).is_over


def test_results_that_the_plan_no_longer_names_are_stale(tmp_path: Path) -> None:
    """And do not count."""
    write_evaluation(tmp_path / "s", PAIRS)
    write_evaluation(tmp_path / "s", PAIRS[:1])
    sweep = loaded(tmp_path / "s")
    assert [one.name for one in sweep.stale] == [name_of(2), name_of(3)]
    assert len(sweep.at(sweep.rows[0])) == 2


def test_two_sweeps_are_compared_at_their_shared_points(tmp_path: Path) -> None:
    """Second less first, with an interval that holds the difference and is none of nothing."""
    pairs = [({"shape_pairs": "1"}, (8, 9)), ({"shape_pairs": "7"}, (1, 2))]
    write_evaluation(tmp_path / "a", pairs, title="First")
    write_evaluation(tmp_path / "b", [pairs[0], ({"shape_pairs": "9"}, (5, 5))], title="Second")
    first, second = loaded(tmp_path / "a"), loaded(tmp_path / "b")
    measure = next(one for one in measures_of(first) if one.task == "sum")
    (row,) = compared(first, second, measure)
    assert (row["shape_pairs"], row["difference"]) == ("1", 0.0)
    assert row["low"] < -10
    assert row["high"] == pytest.approx(-row["low"])
    chart = chart_of_sweep([first, second], measure, "shape_pairs")
    assert chart is not None
    assert [one.name for one in chart.series] == ["First", "Second (second)"]


def test_training_and_test_accuracy_stand_side_by_side(tmp_path: Path) -> None:
    """Over the epochs of a cell, since published tables mixed them."""
    write_training(tmp_path / "s", {"1": [0.5]}, published="")
    sweep = loaded(tmp_path / "s")
    chart = epochs_of(next(iter(sweep.results.values())))
    assert chart is not None
    assert {one.name: one.points[-1].y for one in chart.series} == {
        "majority, test images": 50,
        "majority, train images": 99,
    }


def test_every_sweep_file_stands_at_a_table() -> None:
    """Of those that re-run something published, at the one that they name."""
    for key in ("ultramnist-accuracy", "noise-study", "ips-thickness", "ips-o2i", "needle"):
        reruns = reruns_of(get_table(key))
        assert {one.size for one in reruns} == {"paper", "compact"}, key
        assert all(one.commands[0].endswith("--estimate") for one in reruns)
