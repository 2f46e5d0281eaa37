"""Submissions in Kaggle's form: what they reach, what is wrong with a bad one, rows of others."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from umnist_core.cli import root as umnist
from umnist_core.datasets import Recipe, open_files
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import ConflictError, DamagedFileError, UmnistError, WriteError
from umnist_core.experiments.published.beside import OTHERS, ours_beside
from umnist_core.experiments.published.entries import (
    SUMS,
    ResultEntry,
    add_entry,
    entries_folder,
    iter_entries,
    read_entry,
)
from umnist_core.experiments.published.exports import latex_text
from umnist_core.experiments.published.submissions import score_submission
from umnist_core.experiments.published.tables import get_table
from umnist_core.scoring import wilson

COUNT = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small test split, whose answers only its truth says."""
    root = tmp_path_factory.mktemp("generated") / "set"
    write_dataset(Recipe(COUNT, "released", 3, "test", {"canvas": "500", "factor": "1..4"}), root)
    return root


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path / "data"))


def truth_of(folder: Path) -> dict[str, int]:
    """Return the sums of the images, by the ids that a submission has."""
    reader = open_files(folder)
    found = {}
    for image_id in reader.ids:
        total = reader.digit_sum(image_id)
        assert total is not None
        found[reader.get_identity(image_id).stem] = total
    return found


def write(path: Path, answers: dict[str, int]) -> Path:
    """Write a submission."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "digit_sum"))
        writer.writerows(answers.items())
    return path


def test_a_submission_is_compared_with_the_folders_truth(tmp_path: Path, folder: Path) -> None:
    """Right, interval, breakdown and misses; the sample of Kaggle's form has the same ids."""
    truth = truth_of(folder)
    with (folder / "sample_submission.csv").open() as file:
        assert {row["id"] for row in csv.DictReader(file)} == truth.keys()
    wrong = next(iter(truth))
    path = write(tmp_path / "s.csv", {**truth, wrong: truth[wrong] + 1})
    found = score_submission(path, open_files(folder))
    expected = wilson(COUNT - 1, COUNT)
    assert (found.right, found.of) == (COUNT - 1, COUNT)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert [one["id"] for one in found.missed] == [wrong]
    assert sum(one["images"] for one in found.breakdown["digits"]) == COUNT
    assert sum(one["right"] for one in found.breakdown["true"]) == COUNT - 1
    assert found.data["preset"] == "released"
    assert found.data["split"] == "test"


def test_what_evaluate_writes_can_be_scored(tmp_path: Path, folder: Path) -> None:
    """Whole numbers, and those that a table of floats makes of them."""
    truth = truth_of(folder)
    lines = ["\ufeffid,digit_sum", *(f"{name},{total}.0" for name, total in truth.items()), ""]
    path = tmp_path / "s.csv"
    path.write_text("\r\n".join(lines), encoding="utf-8")
    assert score_submission(path, open_files(folder)).accuracy == 1


BAD: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "no head": (lambda lines: lines[1:], "line 1: expected the columns id,digit_sum"),
    "another head": (lambda lines: ["image,label", *lines[1:]], "found 'image,label'"),
    "twice": (lambda lines: [*lines, lines[1]], "expected each id once"),
    "a word": (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",many"], "found 'many'"),
    "a fraction": (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",1.5"], "found '1.5'"),
    "negative": (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",-1"], "found '-1'"),
    "three cells": (lambda lines: [*lines[:-1], lines[-1] + ",x"], "expected an id and a sum"),
    "one missing": (lambda lines: lines[:-1], "1 without one"),
    "unknown": (lambda lines: [*lines, "nobody,3"], "the first 'nobody'"),
    "names of files": (
        lambda lines: [lines[0], *(line.replace(",", ".jpeg,") for line in lines[1:])],
        ".jpeg'; write them so",
    ),
    "head alone": (lambda lines: lines[:1], "found none"),
    "nothing": (lambda _: [], "expected the columns"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_one_sentence(tmp_path: Path, folder: Path, kind: str) -> None:
    """That says what was expected, what was found and what to do; nothing is kept."""
    spoil, expected = BAD[kind]
    path = write(tmp_path / "s.csv", truth_of(folder))
    path.write_text("\n".join(spoil(path.read_text().splitlines())))
    with pytest.raises(UmnistError) as found:
        score_submission(path, open_files(folder))
    assert expected in str(found.value)
    assert "\n" not in str(found.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, folder: Path) -> None:
    """As a picture that was named by mistake."""
    path = tmp_path / "s.csv"
    path.write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(DamagedFileError, match="CSV file in UTF-8"):
        score_submission(path, open_files(folder))


def test_a_score_becomes_a_row_and_others_can_import_it(tmp_path: Path, folder: Path) -> None:
    """On the command line: added once, replaced on request, imported as somebody's."""
    path = write(tmp_path / "mine.csv", truth_of(folder))
    command = ["score", str(path), "--data", str(folder), "--name", "My net", "--add"]
    out = tmp_path / "out.json"
    run = CliRunner().invoke(umnist, [*command, "--out", str(out), "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.output)["accuracy"] == 1
    again = CliRunner().invoke(umnist, command)
    assert isinstance(again.exception, ConflictError)
    assert CliRunner().invoke(umnist, [*command, "--replace"]).exit_code == 0
    theirs = ["score", "--import", str(out), "--by", "Another lab"]
    assert CliRunner().invoke(umnist, theirs).exit_code == 0
    assert {(one.name, one.by) for one in iter_entries()} == {
        ("My net", "Another lab"),
        ("My net", ""),
    }
    ours = ours_beside(get_table("ultramnist-accuracy"), [])
    own = [one for one in ours if one.entry is not None]
    assert {(one.value, one.tier == OTHERS) for one in own} == {(100, True), (100, False)}
    assert ours_beside(get_table("ultramnist-accuracy"), [], with_own=False) == [
        one for one in ours if one.entry is None
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"right": 7},
        {"of": "6"},
        {"table": "nothing"},
        {"column": "nothing"},
        {"name": " "},
        {"umnist_result": 9},
        {"name": "two\nlines"},
        {"hardware": "half a letter \ud800"},
        {"data": ["a list"]},
        {"breakdown": 5},
        {"missed": ["a text"]},
        {"missed": [{"said": float("nan")}]},
    ],
)
def test_a_result_that_is_none_is_not_imported(
    tmp_path: Path, folder: Path, change: dict[str, object]
) -> None:
    """Each field is checked; nothing is kept."""
    path = write(tmp_path / "mine.csv", truth_of(folder))
    out = tmp_path / "out.json"
    made = ["score", str(path), "--data", str(folder), "--out", str(out)]
    assert CliRunner().invoke(umnist, made).exit_code == 0
    out.write_text(json.dumps({**json.loads(out.read_text()), **change}))
    with pytest.raises(DamagedFileError, match="expected a result as"):
        read_entry(out)
    assert not entries_folder().exists()


NAMES = (
    "My net",
    "my-net",
    "My net!",
    "n" * 300,
    "n" * 299,
    "\u6a21\u578b",
    "\u7db2\u7d61",
    "=1+1",
)


def test_every_name_has_a_row_of_its_own() -> None:
    """Whatever it is written in, however long; to replace one leaves those like it alone."""
    for instead in (False, True):
        for name in NAMES:
            add_entry(ResultEntry(name, SUMS, "accuracy", 1, 2), instead=instead)
    assert {one.name for one in iter_entries()} == set(NAMES)


def test_names_are_one_line_of_text(tmp_path: Path, folder: Path) -> None:
    """Also where a file's name has line ends, or bytes that are no text; a page can be written."""
    path = write(tmp_path / os.fsdecode(b"a\xff\nb.csv"), truth_of(folder))
    run = CliRunner().invoke(umnist, ["score", str(path), "--data", str(folder), "--add"])
    assert run.exit_code == 0, run.output
    (entry,) = iter_entries()
    assert entry.name == "a\\udcff b"
    latex_text(get_table(SUMS), ours_beside(get_table(SUMS), [])).encode()


def test_a_data_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a file stands in its place."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(WriteError, match="could not be written"):
        add_entry(ResultEntry("a", SUMS, "accuracy", 1, 2))


@pytest.mark.parametrize(
    "words",
    [
        ["score"],
        ["score", "s.csv"],
        ["score", "s.csv", "--import", "s.csv"],
        ["score", "--import", "s.csv"],
        ["score", "--import", "s.csv", "--by", "A", "--add"],
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, words: list[str]) -> None:
    """What is missing, or what does not go together."""
    (tmp_path / "s.csv").write_text("id,digit_sum\n")
    told = [str(tmp_path / one) if one == "s.csv" else one for one in words]
    found = CliRunner().invoke(umnist, told)
    assert found.exit_code == 2
    assert "Error: " in found.output
