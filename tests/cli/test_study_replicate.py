"""``umnist study replicate`` and ``verdict`` on a store of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.labeling.test_preregistration import promise
from tests.pages.driving import make_study, open_lab
from umnist_core.cli.study import study_group
from umnist_core.labeling import StudyService
from umnist_core.labeling.events import ResultsSeen
from umnist_core.labeling.export import export_study
from umnist_core.labeling.replicate import replicate_study


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyService:
    """Return a service of the store that commands of this test use."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    return open_lab(tmp_path / "lab")


def test_export_is_replicated_and_the_verdict_said(service: StudyService, tmp_path: Path) -> None:
    """One command makes the study, another says how it stands; an open one only on demand."""
    first = make_study(service, 4, labels_per_image=2)
    target = tmp_path / "first.zip"
    export_study(service, first, target, with_images=True)

    def run(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(study_group, words)
        said = found.output if found.exception is None else f"{found.output}{found.exception}"
        return found.exit_code, said

    code, said = run("replicate", str(target), "--name", "Once more", "--bounds", "8")
    assert code == 0, said
    assert "Once more, 7 images taken from the export" in said
    assert "The original was still open" in said
    code, said = run("verdict", "Once more")
    assert (code, "still open" in said) == (1, True)
    code, said = run("verdict", "Once more", "--anyway")
    assert (code, "not to be said yet" in said) == (0, True), said
    code, said = run("verdict", "Once more", "--anyway", "--json")
    found = json.loads(said)
    assert found["original"]["study"] == first
    assert {one["bounds"] for one in found["figures"]} == {0.08}
    code, said = run("verdict", first)
    assert (code, "does not" in said) == (1, True)
    code, said = run("replicate", str(target), "--bounds", "0")
    assert code == 2


def test_verdict_of_an_open_preregistered_study_is_a_look_that_is_logged(
    service: StudyService, tmp_path: Path
) -> None:
    """As one at the page of results is; that of a closed study is none."""
    first = make_study(service, 4, labels_per_image=2, preregistration=promise())
    service.close(first)
    target = tmp_path / "first.zip"
    export_study(service, first, target)
    again = replicate_study(service, target, "Again").study
    for words in (("verdict", again), ("verdict", again, "--anyway")):
        CliRunner().invoke(study_group, words)
    service.close(again)
    assert CliRunner().invoke(study_group, ["verdict", again]).exit_code == 0
    seen = [one.payload for one in service.log.read(again) if one.kind == ResultsSeen.event_kind]
    assert [one["where"] for one in seen if one] == ["verdict"]
