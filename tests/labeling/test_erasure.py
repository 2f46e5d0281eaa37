"""An erased person leaves nothing: not in the store's files, nor in what is written of it after.

On both kinds of store, with all that a study can take of somebody: ids of a recruiting site,
answers to questions, digits, and what was on the screen.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.labeling.making import new_key, open_small, post
from umnist_core.labeling import StudyService
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.backup import write_backup
from umnist_core.labeling.export import export_study
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.verify import verify_log

QUESTION = {"name": "more", "kind": "text", "text": "Anything else?"}
SETTINGS: dict[str, Any] = {
    "pools": ("unguided",),
    "practice": 0,
    "ask_digits": True,
    "asking": Asking.from_dict({"before": [{"title": "You", "questions": [QUESTION]}]}),
    "recruiting": Recruiting.from_dict({"site": "prolific"}),
}


@dataclass(frozen=True)
class Store:
    """A store, and how its files are read as they lie on the disk."""

    url: str
    read: Callable[[], bytes]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store of each kind."""
    if request.param == "sqlite":
        folder = tmp_path / "store"
        folder.mkdir()
        return Store(f"sqlite:///{folder / 'lab.sqlite'}", lambda: _bytes_in(folder))
    server = request.getfixturevalue("postgres_server")

    def read() -> bytes:
        server.execute("CHECKPOINT")  # what is in its memory goes to its files
        return _bytes_in(server.folder / "data" / "base")

    return Store(request.getfixturevalue("postgres_url"), read)


def _bytes_in(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


def _unzipped(path: Path) -> bytes:
    with ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def take_part(service: StudyService, study: str, token: str, mark: str) -> str:
    """Go all the way, with a mark in everything that can be said; return who it is."""
    ids = {name: f"{mark}{name}" for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")}
    me = service.join(token, None, ids).annotator
    service.consent(study, me, new_key())
    service.answer_page(study, me, new_key(), "before-1", {"more": f"{mark}words"})
    service.begin(study, me, new_key())
    while (trial := service.annotator_view(study, me).trial) is not None:
        given = post(trial.key, key=f"{mark}{trial.key}", digits=[4, 5])
        service.answer(study, me, given)
    return me


def test_erased_person_leaves_nothing_and_others_everything(store: Store, tmp_path: Path) -> None:
    """In the store, a backup and an export made after; and the chain of the log verifies."""
    with closing(open_log(store.url)) as log:
        service, study = open_small(tmp_path / "lab", log, **SETTINGS)
        token = service.open_link(study).token or ""
        gone, kept = (take_part(service, study, token, mark) for mark in ("gone0", "kept0"))
        assert b"gone0" in store.read()
        service.erase(study, gone)
        assert verify_log(log, study).faults == ()
        backup, export = tmp_path / "backup.zip", tmp_path / "export.zip"
        write_backup(log, None, backup)
        report = export_study(service, study, export)
        assert report.verification.faults == ()
        places = {"store": store.read(), "backup": _unzipped(backup), "export": _unzipped(export)}
        events = json.dumps([one.payload for one in log.read(study)]).encode()
        for name, found in {**places, "log": events}.items():
            assert b"gone0" not in found, name
            assert b"kept0words" in found, name
        assert service.ids(study, gone) == {}
        assert service.ids(study, kept)["PROLIFIC_PID"] == "kept0PROLIFIC_PID"
