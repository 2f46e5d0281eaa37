"""``umnist study watch`` and the rules that ``create`` fixes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.datasets.making import run as run_umnist
from tests.pages.driving import make_study, open_lab
from umnist_core.labeling.exclusions import ExclusionRules

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command about studies: its exit code, what it says and its complaint."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run_umnist(["study", *words], monkeypatch)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a study of six images in which two people have answered."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    rules = ExclusionRules(least_answers=1, too_fast_s=3600)
    return make_study(open_lab(tmp_path), 2, exclusions=rules)


def test_watch_lists_people_with_flags_and_their_images(study: str, run: Run) -> None:
    """In words and as JSON, the same figures; nothing is named right, wrong or true."""
    code, said, _ = run("watch", study)
    assert code == 0
    assert "2 people, 2 with flags; rules fixed before anybody came" in said
    assert "Too fast:" in said
    assert "below 3600" in said
    found = json.loads(run("watch", study, "--json")[1])
    assert [len(one["images"]) for one in found["people"]] == [3, 3]
    assert found["rules"]["too_fast_s"] == 3600
    for word in ("correct", "truth", "label_true", "accuracy"):
        assert word not in json.dumps(found)
    person = found["people"][0]["person"]
    lines = run("watch", study, "--person", person)[1]
    assert lines.count("  answer ") == 3  # whom "Same answer" catches has a line of it
    assert run("watch", study, "--person", "nobody")[0] == 1


def test_create_fixes_rules_of_a_file_or_the_defaults(tmp_path: Path, run: Run) -> None:
    """What the file does not name has its default; what cannot be is refused by name."""
    file = tmp_path / "rules.toml"
    file.write_text("too_fast_s = 8\nsmall_screen_px = false\n")
    spec = yaml.safe_load(run("create", "--print-spec", "--exclusions", str(file))[1])
    assert ExclusionRules.from_dict(spec["exclusions"]) == ExclusionRules(
        too_fast_s=8, small_screen_px=None
    )
    spec = yaml.safe_load(run("create", "--print-spec", "--exclusions", "default")[1])
    assert spec["exclusions"] == ExclusionRules().to_dict()
    assert "exclusions" not in yaml.safe_load(run("create", "--print-spec")[1])
    file.write_text("too_fast_s = 'soon'")
    code, _, complaint = run("create", "--print-spec", "--exclusions", str(file))
    assert code == 2
    assert "too_fast_s" in complaint
