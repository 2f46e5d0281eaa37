"""Incidents: numbers for people, and a log that has the traceback under each."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from umnist_core.incidents import LOG_NAME, MAX_LOG_BYTES, record_incident
from umnist_core.server.log_tokens import keep_tokens_out_of_logs


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a data folder that is not there yet, and return where its log goes."""
    monkeypatch.setenv("UMNIST_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / LOG_NAME


def _raised(message: str = "17") -> Exception:
    try:
        raise KeyError(message)
    except KeyError as error:
        return error


def test_incident_is_found_in_the_log_by_its_number(log: Path) -> None:
    """The sentence has number, reason and log; the log has the traceback, for its owner alone."""
    incident = record_incident(_raised(), "umnist render out.png")
    assert incident.log == log
    assert incident.number in incident.sentence
    assert str(log) in incident.sentence
    assert "KeyError: '17'" in incident.sentence
    text = log.read_text()
    assert f"Incident {incident.number}: umnist render out.png" in text
    assert "Traceback (most recent call last)" in text
    assert log.stat().st_mode & 0o077 == 0


def test_incident_of_any_text_is_told_on_one_line(log: Path) -> None:
    """Line breaks, names that are no text and very long messages do no harm."""
    for message in ("a\nb", "\udcff", "x" * 10_000, "\0"):
        sentence = record_incident(_raised(message), f"umnist {message}").sentence
        sentence.encode()
        assert "\n" not in sentence
        assert len(sentence) < 600


def test_incident_without_a_data_folder_is_logged_elsewhere(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the data folder cannot be written the folder of temporary files is used, or none."""
    log.parent.write_text("a file")
    monkeypatch.setattr(tempfile, "tempdir", str(log.parent.parent))
    found = record_incident(_raised(), "umnist").log
    assert found is not None
    assert found.parent == log.parent.parent
    monkeypatch.setattr(tempfile, "tempdir", str(log.parent))
    incident = record_incident(_raised(), "umnist")
    assert incident.log is None
    assert "no log could be written" in incident.sentence


def test_log_of_incidents_stays_bounded(log: Path) -> None:
    """A log that is long makes place for a new one, and one of the old ones is kept."""
    record_incident(_raised(), "first")
    with log.open("ab") as file:
        file.truncate(MAX_LOG_BYTES + 1)
    record_incident(_raised(), "second")
    assert "second" in log.read_text()
    assert "first" not in log.read_text()
    assert len(list(log.parent.iterdir())) == 2


def test_log_of_incidents_holds_no_token(log: Path) -> None:
    """Where tokens are kept out of logs they are kept out of this one."""
    keep_tokens_out_of_logs()
    record_incident(_raised("/join/SECRETTOKEN"), "GET /join/SECRETTOKEN")
    assert "SECRETTOKEN" not in log.read_text()
