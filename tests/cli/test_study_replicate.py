"""``umnist study replicate`` and ``verdict`` on a store of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.pages.driving import make_study, open_lab
from umnist_core.cli.study import study_group
from umnist_core.labeling.export import export_study


def test_export_is_replicated_and_the_verdict_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command makes the study, another says how it stands; an open one only on demand."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    service = open_lab(tmp_path / "lab")
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
