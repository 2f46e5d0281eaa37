"""``umnist study language-template`` and the language that ``create`` takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.datasets.making import run as run_umnist
from umnist_core.labeling.language import shipped, template


def run(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run a command about studies: its exit code, what it says and its complaint in one line."""
    code = run_umnist(["study", *words], monkeypatch)
    said, complained = capfd.readouterr()
    return code, said, " ".join(complained.split())


def test_template_is_a_file_that_create_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Settings have all of its sentences, and a language that is there takes their place."""
    code, said, _ = run(("language-template", "pl"), monkeypatch, capfd)
    assert (code, json.loads(said)) == (0, template("pl").to_dict())
    file, spec = tmp_path / "pl.json", tmp_path / "own.yaml"
    file.write_text(said, "utf-8")
    created = ("create", "Pilot", "--language", str(file), "--print-spec")
    code, said, _ = run(created, monkeypatch, capfd)
    spec.write_text(said, "utf-8")
    settings = yaml.safe_load(said)
    assert (code, settings["language"], settings["words"]["name"]) == (0, "pl", "pl")
    assert settings["words"]["sentences"].keys() == shipped("en").sentences.keys()
    again = ("create", "--spec", str(spec), "--language", "fr", "--print-spec")
    code, said, complained = run(again, monkeypatch, capfd)
    assert (code, complained) == (0, "")
    assert yaml.safe_load(said)["language"] == "fr"
    assert "words" not in yaml.safe_load(said)


def test_language_that_is_none_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A tag that is not there, a file that is not, one that lacks sentences."""
    data = template("es").to_dict()
    for key in ("join.title", "gate.title"):
        del data["sentences"][key]
    file = tmp_path / "es.json"
    file.write_text(json.dumps(data), "utf-8")
    for given, code, sentence in (
        ("klingon", 2, "Expected --language as one of en, de, fr or a file, got 'klingon'"),
        (str(tmp_path / "no.json"), 1, "no.json"),
        (str(file), 2, "the sentences 'join.title', 'gate.title' are missing; correct it"),
    ):
        words = ("create", "Pilot", "--language", given, "--print-spec")
        found, _, complained = run(words, monkeypatch, capfd)
        assert (found, sentence in complained) == (code, True), complained
    found, _, complained = run(("language-template", "../etc"), monkeypatch, capfd)
    assert (found, "A language has a tag such as nl" in complained) == (2, True)
