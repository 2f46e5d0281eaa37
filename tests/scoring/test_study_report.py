"""The whole report: figures that agree, small inputs, JSON, and a copy that runs alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import umnist_core.scoring
from tests.scoring.tables import digits_of, label, labels_of, sample, simulated_labels, trace
from umnist_core.scoring import (
    REASONS,
    ScoringInputError,
    StudyReport,
    add_looks,
    annotator_interval,
    report,
)

LABELS = simulated_labels()


def _report(labels: pd.DataFrame, digits: pd.DataFrame | None = None) -> StudyReport:
    return report(
        labels,
        pd.DataFrame() if digits is None else digits,
        rng=np.random.default_rng(0),
        permutations=199,
    )


def test_report_of_a_study_has_every_figure() -> None:
    """Two pools with intervals, difference, power, reasons and tables; nothing is left open."""
    parts = trace(sample(0, 1514, 1014, 0.5), end_ms=900)
    digits = add_looks(digits_of(LABELS), dict.fromkeys(LABELS["label_key"], parts))
    found = _report(LABELS, digits)
    unguided, guided = found.pools
    own = LABELS[LABELS["pool"] == "guided"]
    assert guided.accuracy == annotator_interval(own["correct"], own["annotator"])
    assert found.difference.paired.estimate == pytest.approx(
        guided.accuracy.estimate - unguided.accuracy.estimate
    )
    assert 0 < found.clustering.icc < 0.2
    assert found.difference.variance_ratio < 1
    assert 0.04 < found.detectable < 0.12
    assert found.power["labels_per_pool"].is_monotonic_decreasing
    assert [figure.pool for figure in found.published] == ["unguided", "guided"]
    reasons = found.why_wrong.counts.query("pool == 'all'").set_index("reason")["labels"]
    assert reasons["misread_or_misadded"] == (~LABELS["correct"]).sum()
    assert all(len(table) for table in found.tables.values())
    assert found.notes == ()


@pytest.mark.parametrize(
    "labels",
    [
        pd.DataFrame(),
        LABELS[:0],
        LABELS[:1],
        LABELS[:30],
        LABELS[:60],
        LABELS[LABELS["pool"] == "guided"],
        LABELS[LABELS["correct"]],
        LABELS[~LABELS["correct"]],
        LABELS.groupby("annotator").head(1),
        LABELS.iloc[[0, 1000]],
        LABELS.assign(kind="repeat"),
        LABELS[["pool", "annotator", "stimulus", "answer", "truth", "kind"]],
    ],
    ids=[
        "nothing",
        "no rows",
        "one label",
        "one annotator",
        "two annotators",
        "one pool",
        "all correct",
        "all wrong",
        "one label each",
        "one label a pool",
        "only repeats",
        "only the required columns",
    ],
)
def test_report_of_little_is_given_with_a_sentence(labels: pd.DataFrame) -> None:
    """No crash and no warning, with digits or without; what cannot be said is null in the JSON."""
    for digits in (pd.DataFrame(), digits_of(LABELS[:60])):
        found = _report(labels, digits)
        assert len(json.loads(found.to_json())["pools"]) == 2
    if len(labels) < 1000 and not labels.empty:
        assert found.notes


def test_json_has_every_figure_and_no_nan() -> None:
    """Any parser reads it; tables are lists of rows, confusion is a matrix."""
    plain = json.loads(_report(LABELS[:60]).to_json())
    assert plain["version"] == 1
    assert plain["pools"][1]["accuracy"]["estimate"] is None
    assert plain["tables"]["by_number_of_digits"][0]["n_digits"] == 3
    assert plain["tables"]["by_smallest_side"][-1]["below"] is None
    assert np.shape(plain["tables"]["confusion"]) == (28, 28)


def test_images_that_were_answered_several_times_are_pointed_at() -> None:
    """The crossed interval is the one for other images, and the notes say so, where it is one."""
    wrong = {("a", "x"), ("a", "y"), ("b", "z")}
    rows = [
        label(person, image, 7 if (person, image) in wrong else 8)
        for person in "abcd"
        for image in "xyz"
    ]
    report = _report(labels_of(*rows))
    crossed = report.pools[0].crossed
    told = f"the crossed interval, {100 * crossed.low:.1f} to {100 * crossed.high:.1f} %"
    assert any(told in note for note in report.notes)
    alike = labels_of(*(label(person, image) for person in "abc" for image in "xyz"))
    assert not any("crossed" in note for note in _report(alike).notes)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.drop(columns="truth"), "truth are missing"),
        (LABELS.assign(pool="control"), "'control'"),
        (LABELS.assign(kind="practice"), "'practice'"),
        (LABELS.assign(annotator="me"), "in both pools"),
        (LABELS.assign(correct=True), "answer equals truth"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(labels: pd.DataFrame, message: str) -> None:
    """In one sentence that says what is wrong."""
    with pytest.raises(ScoringInputError, match=message):
        _report(labels)


def test_every_column_and_table_is_documented() -> None:
    """docs/statistics.md names each column of both tables, each breakdown and each reason."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "statistics.md").read_text()
    digits = add_looks(digits_of(LABELS[:1]), {})
    names = {*LABELS, *digits, *_report(LABELS).tables, *REASONS}
    told = {name for name in names if f"`{name}`" in text}
    assert names - told == {f"dwell_ms_at_{size}_px" for size in (8, 12, 16, 24)}


def test_tables_are_not_changed() -> None:
    """The caller's columns are what they were."""
    labels = LABELS.drop(columns=["confidence", "correct"])
    before = labels.copy()
    _report(labels)
    pd.testing.assert_frame_equal(labels, before)


def test_copy_of_the_package_runs_without_umnist(tmp_path: Path) -> None:
    """As in an exported study: another name, and only NumPy, SciPy and pandas."""
    source = Path(umnist_core.scoring.__file__).parent
    shutil.copytree(source, tmp_path / "figures", ignore=shutil.ignore_patterns("__pycache__"))
    LABELS.to_json(tmp_path / "labels.json", orient="records")
    code = (
        "import sys, numpy, pandas, figures\n"
        "labels = pandas.read_json('labels.json')\n"
        "found = figures.report(labels, pandas.DataFrame(), rng=numpy.random.default_rng(0),\n"
        "                       permutations=199)\n"
        "assert not any(name.startswith('umnist') for name in sys.modules)\n"
        "print(found.to_json())\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    copied, own = json.loads(result.stdout), json.loads(_report(LABELS).to_json())
    assert copied["difference"] == own["difference"]
    assert copied["pools"] == own["pools"]
