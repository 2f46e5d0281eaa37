"""``umnist study preregistration``, and ``create`` with something promised."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.datasets.making import run
from tests.labeling.making import answer_all, come_in
from tests.pages.driving import open_lab
from umnist_core.labeling.log import sha256

SMALL = ["--stimuli", "4", "--images-per-annotator", "2", "--practice", "0"]
SMALL += ["--set", "canvas=512", "--set", "factor=0.5..4"]


@pytest.fixture(autouse=True)
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)


def test_draft_is_edited_sealed_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """From the draft to the file, to the study, and back byte by byte with its seal."""
    create = ["study", "create", "Pilot", *SMALL]
    assert run([*create, "--draft-preregistration"], monkeypatch) == 0
    draft = capfd.readouterr().out
    assert "2 people with 2 images each give 4 labels in a pool" in draft
    text = draft.replace("[", "(").replace("]", ")")
    (tmp_path / "promise.md").write_text(text)
    words = [*create, "--preregistration", str(tmp_path / "promise.md"), "--people", "3"]
    assert run([*words, "--closes", "2026-12-31"], monkeypatch) == 0
    capfd.readouterr()
    show = ["study", "preregistration", "Pilot"]
    assert run([*show, "--text"], monkeypatch) == 0
    assert capfd.readouterr().out == text
    assert run([*show, "--json"], monkeypatch) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["sha256"], found["people"]) == (sha256(text), 3)
    assert {row["verdict"] for row in found["rows"]} == {"under way"}
    assert run(show, monkeypatch) == 0
    said = capfd.readouterr().out
    assert found["event_hash"] in said
    assert "planned  3" in said


def test_text_that_describes_another_analysis_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A draft for one choice is not sealed with another; nothing is made."""
    create = ["study", "create", "Pilot", *SMALL]
    assert run([*create, "--analysis", "mixed", "--draft-preregistration"], monkeypatch) == 0
    (tmp_path / "promise.md").write_text(capfd.readouterr().out)
    promised = [*create, "--preregistration", str(tmp_path / "promise.md")]
    assert run(promised, monkeypatch) == 2
    assert "describes the analysis mixed, and the study's is paired" in capfd.readouterr().err
    assert run([*promised, "--analysis", "mixed"], monkeypatch) == 0


def test_promise_without_a_text_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A number alone promises nothing; a study that promised nothing says so."""
    assert run(["study", "create", "Pilot", *SMALL, "--people", "3"], monkeypatch) == 2
    assert "--people goes with --preregistration" in capfd.readouterr().err
    assert run(["study", "create", "Pilot", *SMALL], monkeypatch) == 0
    capfd.readouterr()
    assert run(["study", "preregistration", "Pilot"], monkeypatch) == 1
    assert "has no preregistration" in capfd.readouterr().err


def test_factors_are_options_and_lines_of_the_file(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is typed is printed as YAML; numbers in a file are levels too."""
    create = ["study", "create", *SMALL]
    factors = ["--factor", "shape_pairs=0,5", "--factor", "zoom=1,2", "--images-per-annotator", "4"]
    assert run([*create, "Pilot", *factors, "--print-spec"], monkeypatch) == 0
    text = capfd.readouterr().out
    Path("spec.yaml").write_text(re.sub(r"- '(\d)'", r"- \1", text))
    assert run(["study", "create", "--spec", "spec.yaml", "--print-spec"], monkeypatch) == 0
    assert capfd.readouterr().out == text
    assert "shape_pairs:\n  - '0'\n  - '5'" in text
    assert run([*create, "Pilot", "--factor", "zoom"], monkeypatch) == 2
    assert "NAME=LEVEL,LEVEL" in capfd.readouterr().err


def test_adaptive_sizes_are_options_and_lines_of_the_file(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Numbers that go with them are there unless given; levels of nothing are refused."""
    create = ["study", "create", "Pilot", "--print-spec"]
    assert run([*create, "--adaptive", "staircase", "--levels", "28,56,84"], monkeypatch) == 0
    text = capfd.readouterr().out
    assert "method: staircase\n  levels_px:\n  - 28\n  - 56\n  - 84\n" in text
    assert "stimuli: 120\nimages_per_annotator: 40\nlabels_per_image: 20\n" in text
    Path("spec.yaml").write_text(text)
    assert run(["study", "create", "--spec", "spec.yaml", "--print-spec"], monkeypatch) == 0
    assert capfd.readouterr().out == text
    few = ["--images-per-annotator", "5", "--labels-per-image", "2", "--adaptive", "quest_plus"]
    assert run([*create, *few], monkeypatch) == 0
    assert "stimuli: 55\nimages_per_annotator: 5\nlabels_per_image: 2" in capfd.readouterr().out
    assert run([*create, "--levels", "28,56"], monkeypatch) == 2
    assert "give --adaptive too" in capfd.readouterr().err
    assert run([*create, "--adaptive", "staircase", "--levels", "28,50"], monkeypatch) == 2
    assert "multiple of 28" in capfd.readouterr().err


def test_plan_takes_the_minutes_of_a_study_s_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two people who took 5 s an image; a study in which nobody answered has no pace."""
    assert run(["study", "create", "Pilot", *SMALL], monkeypatch) == 0
    plan = ["study", "plan", "--people", "40", "--like", "Pilot", "--studies", "0", "--json"]
    assert run(plan, monkeypatch) == 1
    assert "people have answered" in capfd.readouterr().err
    lab = open_lab(tmp_path)
    (study,) = lab.studies()
    for _ in range(2):
        answer_all(lab, study, come_in(lab, study))
    capfd.readouterr()
    assert run(plan, monkeypatch) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["duration"]["an_image"] == pytest.approx(5 / 60)
    assert found["duration"]["people"] == 2
    hours = 40 * (30 * 5 / 60 + found["duration"]["before"]) / 60
    assert found["rows"][0]["hours"] == pytest.approx(hours)
