"""``umnist study plan``: both questions, in words and for programs, and what it refuses."""

from __future__ import annotations

import json

import pytest

from tests.datasets.making import run

QUICK = ["--studies", "200"]


def _said(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> str:
    assert run(["study", "plan", *words], monkeypatch) == 0
    return capfd.readouterr().out


def test_people_and_images_have_power_hours_and_cost(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A row for each ICC: the more alike answers are, the less is found for the same cost."""
    words = ["--people", "40", "--images", "25", "--difference", "10", *QUICK, "--json"]
    rows = json.loads(_said(words, monkeypatch, capfd))["rows"]
    assert [row["icc"] for row in rows] == [0, 0.02, 0.05, 0.1]
    assert {(row["people"], row["labels"], row["images"]) for row in rows} == {(40, 1000, 500)}
    assert [row["hours"] for row in rows] == pytest.approx([40 * (10 + 25 * 1.5) / 60] * 4)
    assert [row["cost"] for row in rows] == pytest.approx([380] * 4)
    powers = [row["power"] for row in rows]
    assert powers == sorted(powers, reverse=True)
    for row in rows:
        assert row["simulated"] == pytest.approx(row["power"], abs=5 * row["standard_error"])


def test_accuracies_to_tell_apart_have_people(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """49 from 52 % takes 80 % power at every ICC; in words, with what was assumed."""
    words = ["--tell", "49", "52", "--pay", "20", "--fee", "33", "--icc", "0.02", "--icc", "0.1"]
    said = _said([*words, "--studies", "0"], monkeypatch, capfd)
    assert "49.0 % unguided against 52.0 % guided" in said
    rows = [line.split() for line in said.splitlines() if line.startswith("0.")]
    assert [row[0] for row in rows] == ["0.020", "0.100"]
    assert int(rows[0][1].replace(",", "")) < int(rows[1][1].replace(",", ""))
    assert all(abs(float(row[7]) - 80) < 1 and row[-1] == "-" for row in rows)
    assert "20 an hour and a fee of 33 %" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "either --people"),
        (["--people", "40", "--tell", "49", "52"], "either --people"),
        (["--tell", "49", "52", "--unguided", "40"], "--tell has both accuracies"),
        (["--people", "40", "--difference", "60"], "between 0 and 100 %"),
        (["--tell", "50", "50"], "two different accuracies"),
        (["--tell", "50", "50.1"], "at most 1,000,000 labels"),
        (["--people", "40", "--icc", "0.7", "--image-sd", "5"], "give a smaller one"),
        (["--people", "3"], "--people"),
        (["--tell", "nan", "52"], "--tell"),
    ],
)
def test_questions_that_cannot_be_are_refused(
    words: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With code 2 and what was expected."""
    assert run(["study", "plan", *words], monkeypatch) == 2
    assert told in " ".join(capfd.readouterr().err.split())
