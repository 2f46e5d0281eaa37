"""What a lab writes is its owner's alone: from the first byte, under any umask, old files too."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import ExifTags, Image

from tests.labeling.making import answer_all, come_in, small_spec
from umnist_core.cli.study import _write_links
from umnist_core.labeling import StudyService, private
from umnist_core.labeling.backup import restore_backup, write_backup
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.remake import remake_images
from umnist_core.labeling.sql import open_log
from umnist_core.pyramid import frozen
from umnist_core.server.admin import save_admin_secret


class Watch:
    """Looks at everything below a folder whenever this process is about to touch a file.

    So a file that is made open to others and closed a moment later is caught: what closes it is
    such a moment too.
    """

    folder: Path | None = None
    open_to_others: set[str]
    is_looking = False

    def hook(self, event: str, _: tuple[Any, ...]) -> None:
        """Take in an audit event of the interpreter."""
        touches = event == "open" or event.startswith(("os.", "shutil.", "sqlite3.", "tempfile."))
        if self.folder is not None and touches and not self.is_looking:
            self.look()

    def look(self) -> None:
        """Keep what others than its owner could open just now."""
        assert self.folder is not None
        self.is_looking = True
        try:
            for place, folders, files in os.walk(self.folder):
                for name in (*folders, *files):
                    self._look_at(f"{place}/{name}")
        finally:
            self.is_looking = False

    def _look_at(self, path: str) -> None:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            self.open_to_others.add(f"{path} {stat.filemode(mode)}")


_WATCH = Watch()
sys.addaudithook(_WATCH.hook)


@pytest.fixture(params=[0o000, 0o077, 0o277], ids=oct)
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a folder in which everything is looked at, under a umask; fails if it was open."""
    folder = tmp_path / "watched"
    folder.mkdir()
    _WATCH.open_to_others = set()
    before = os.umask(request.param)
    _WATCH.folder = folder
    try:
        yield folder
        _WATCH.look()
    finally:
        _WATCH.folder = None
        os.umask(before)
    assert _WATCH.open_to_others == set()
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.rglob("*") if one.is_file()} == {
        0o600
    }
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.rglob("*") if one.is_dir()} <= {
        0o700
    }


def test_everything_of_a_lab_is_private_from_its_first_byte(watched: Path) -> None:
    """Store, its log, images, secrets, exports, tables, links, backups, and what comes of them."""
    lab = watched / "new" / "lab"
    save_admin_secret(lab, "long enough a secret")
    with closing(open_log(f"sqlite:///{lab / 'umnist.sqlite'}")) as log:
        service = StudyService(log, lab)
        study = create_study(service, small_spec(), jobs=1)
        answer_all(service, study, come_in(service, study))
        assert {path.name for path in lab.iterdir()} >= {
            *("umnist.sqlite", "umnist.sqlite-wal", "umnist.sqlite-shm"),
            *("secret.key", "admin.hash", "studies"),
        }
        _write_links(watched / "links.csv", service.invites(study), "")
        export_tables(service, study, watched / "tables")
        service.close(study)
        export_study(service, study, watched / "x.zip", with_images=True)
        write_backup(log, lab / "studies", watched / "b.zip")
    import_study(StudyService(MemoryLog(), watched / "second"), watched / "x.zip")
    restore_backup(watched / "b.zip", MemoryLog(), watched / "third" / "studies")
    remake_images(watched / "x.zip", watched / "made")


def test_images_of_a_folder_are_private_too(
    watched: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are, drawn upright, and as a pyramid of one that is too large to be held."""
    folder = tmp_path_factory.mktemp("photos")
    grey = Image.fromarray(np.arange(64 * 48, dtype=np.uint32).reshape(48, 64).astype(np.uint8))
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    grey.save(folder / "plain.png")
    grey.save(folder / "turned.jpg", exif=turned)
    monkeypatch.setattr(frozen, "WHOLE_MAX_PX", 64 * 48)
    large = pyvips.Image.black(300, 200).copy()
    large.set_type(pyvips.GValue.gint_type, "orientation", 6)
    large.tiffsave(str(folder / "large.tif"), compression="deflate")
    (folder / "train.csv").write_text("id,digit_sum\nplain,1\nturned,2\nlarge,3\n")
    spec = small_spec(folder=str(folder), stimuli=3, images_per_annotator=3, practice=0)
    create_study(StudyService(MemoryLog(), watched), spec, jobs=1)
    suffixes = sorted(path.suffix for path in watched.rglob("*") if len(path.stem) == 16)
    assert suffixes == [".png", ".png", ".tif"]


def opened(lab: Path) -> None:
    """Make a lab as earlier versions left it: everything for everybody to read."""
    with closing(open_log(f"sqlite:///{lab / 'umnist.sqlite'}")) as log:
        create_study(StudyService(log, lab), small_spec(stimuli=3), jobs=1)
    for path in (lab, *lab.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def modes(lab: Path) -> dict[str, int]:
    """Return the permissions of everything of a lab."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (lab, *lab.rglob("*"))}


def test_what_was_open_to_others_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    """A lab of an earlier version, with nothing said, since there is nothing to do."""
    lab = tmp_path / "lab"
    opened(lab)
    with closing(open_log(f"sqlite:///{lab / 'umnist.sqlite'}")) as log:
        StudyService(log, lab)
        found = modes(lab)
    assert {name for name, mode in found.items() if mode == 0o700} >= {"lab", "studies"}
    assert set(found.values()) == {0o600, 0o700}
    assert found["umnist.sqlite-wal"] == 0o600


def test_owner_is_told_once_of_what_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of somebody else's files, or on a file system without permissions; the lab works on."""
    lab = tmp_path / "lab"
    opened(lab)
    monkeypatch.setattr(private, "_told", set())

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            service = StudyService(MemoryLog(), lab)
    said = [one.getMessage() for one in caplog.records]
    assert len(said) == 1
    assert said[0].startswith(f"Other users of this machine can read {lab} and ")
    assert "Operation not permitted" in said[0]
    assert service.studies() == []


def test_folder_that_everybody_shares_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A lab in /tmp itself must not close /tmp to others; it is said instead."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with caplog.at_level(logging.WARNING):
        StudyService(MemoryLog(), shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert "a folder that everybody shares" in caplog.text
